//! What a component says of itself in `describe`: who it is and what it asks for (`wit/manifest.schema.json`).

use super::spelling::shown;
use crate::rules::grants::check_secret_name;
use crate::rules::notification::OnUnknown;
use crate::rules::origin::Origin;
use crate::rules::schema;
use serde::{Deserialize, Serialize};

/// The largest manifest that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// A component's manifest. Asking grants nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// As people read it, 1 to 15 characters: the target's name unless another is given.
    pub name: String,
    pub version: String,
    #[serde(default)]
    pub summary: String,
    #[serde(default)]
    pub address: Address,
    #[serde(default)]
    pub http: Http,
    #[serde(default)]
    pub smtp: bool,
    #[serde(default)]
    pub templates: bool,
    #[serde(default)]
    pub secrets: Vec<SecretAsked>,
    /// JSON Schema of the settings that it reads.
    #[serde(default = "anything")]
    pub settings: serde_json::Value,
    /// JSON Schema of the `extra` that it understands.
    #[serde(default = "anything")]
    pub extra: serde_json::Value,
    /// How many notifications it takes in one call.
    #[serde(default = "one")]
    pub largest_batch: u32,
    /// Seconds before the second attempt, where nobody said otherwise.
    #[serde(default = "a_minute")]
    pub retry_time_interval: u32,
    /// What it proposes to do when the message may have been taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnUnknown>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<Receipts>,
}

/// How an address of this target looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub example: String,
}

/// Where it wants to talk to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    #[serde(default)]
    pub origins: Vec<Origin>,
    /// The origin of each record's address.
    #[serde(default)]
    pub record_address: bool,
}

/// A secret that it wants to name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretAsked {
    pub name: String,
    #[serde(default)]
    pub purpose: String,
    #[serde(default = "yes")]
    pub required: bool,
    #[serde(default)]
    pub format: SecretFormat,
    /// What is taken off before the value is decoded, such as `whsec_`.
    #[serde(default)]
    pub prefix: String,
}

impl SecretAsked {
    /// The part of a value that counts: without white space around it, and without the prefix.
    pub fn text<'a>(&self, value: &'a str) -> &'a str {
        let value = value.trim();
        value.strip_prefix(self.prefix.as_str()).unwrap_or(value)
    }
}

impl SecretFormat {
    /// What a value of it is.
    pub const fn words(self) -> &'static str {
        match self {
            SecretFormat::Text => "text",
            SecretFormat::Base64 => "Base64",
            SecretFormat::Hex => "hexadecimal digits",
            SecretFormat::Pem => "a PEM document",
        }
    }
}

/// How a secret's text becomes a key's bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretFormat {
    #[default]
    Text,
    Base64,
    Hex,
    Pem,
}

/// When its provider can be asked what became of a message; seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    #[serde(default = "a_minute")]
    pub after: u32,
    #[serde(default = "five_minutes")]
    pub every: u32,
    #[serde(default = "a_day")]
    pub give_up_after: u32,
}

fn anything() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

fn one() -> u32 {
    1
}

fn a_minute() -> u32 {
    60
}

fn five_minutes() -> u32 {
    300
}

fn a_day() -> u32 {
    86_400
}

fn yes() -> bool {
    true
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Origin::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl Manifest {
    /// Reads what `describe` returned; the error says what its author must change.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LARGEST {
            return Err(format!("its manifest has {} bytes, and {LARGEST} is the most", text.len()));
        }
        let manifest: Manifest =
            serde_json::from_str(text).map_err(|e| format!("its manifest is not valid: {}", shown(&e.to_string())))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        let letters = self.name.chars().count();
        if !(1..=15).contains(&letters) || self.name.chars().any(char::is_control) {
            return Err("`name` in its manifest must have 1 to 15 characters".to_owned());
        }
        if self.name.trim() != self.name {
            return Err("`name` in its manifest begins or ends with a space".to_owned());
        }
        // People read these, at a terminal too.
        let purposes = self.secrets.iter().flat_map(|secret| [&secret.purpose, &secret.prefix]);
        let mut said =
            [&self.version, &self.summary, &self.address.title, &self.address.example].into_iter().chain(purposes);
        if said.any(|text| text.chars().any(char::is_control)) {
            return Err("a text in its manifest holds a control character, a line break perhaps".to_owned());
        }
        if !(1..=1000).contains(&self.largest_batch) {
            return Err("`largest_batch` in its manifest must be between 1 and 1000".to_owned());
        }
        for (member, schema) in [("settings", &self.settings), ("extra", &self.extra)] {
            schema::check_schema(schema)
                .map_err(|why| format!("`{member}` in its manifest is no JSON Schema of an object: {why}"))?;
        }
        for (place, secret) in self.secrets.iter().enumerate() {
            if self.secrets[..place].iter().any(|other| other.name == secret.name) {
                return Err(format!("its manifest has two secrets `{}`", secret.name));
            }
            if check_secret_name(&secret.name).is_err() {
                return Err(format!(
                    "the secret \"{}\" in its manifest must be named by small letters, digits and `_`, a letter first",
                    secret.name.escape_debug()
                ));
            }
        }
        Ok(())
    }

    /// A manifest that asks for nothing.
    pub fn named(name: &str) -> Self {
        Manifest {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            summary: String::new(),
            address: Address::default(),
            http: Http::default(),
            smtp: false,
            templates: false,
            secrets: Vec::new(),
            settings: anything(),
            extra: anything(),
            largest_batch: one(),
            retry_time_interval: a_minute(),
            on_unknown: None,
            receipts: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_asks_for_nothing_that_it_does_not_name() {
        let manifest = Manifest::parse(r#"{"name":"Pigeon","version":"1.0.0"}"#).unwrap();
        assert_eq!(manifest, Manifest { version: "1.0.0".into(), ..Manifest::named("Pigeon") });
        assert!(!manifest.smtp && manifest.http.origins.is_empty() && manifest.largest_batch == 1);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, part) in [
            ("", "not valid"),
            ("[]", "not valid"),
            (r#"{"name":"Pigeon"}"#, "missing field `version`"),
            (r#"{"name":"","version":"1"}"#, "1 to 15 characters"),
            (r#"{"name":"A name that is too long","version":"1"}"#, "1 to 15 characters"),
            (r#"{"name":"P","version":"1","summary":"\u001b[2J"}"#, "holds a control character"),
            (r#"{"name":"P","version":"1","smpt":true}"#, "unknown field `smpt`"),
            (r#"{"name":"P","version":"1","largest_batch":0}"#, "`largest_batch`"),
            (r#"{"name":"P","version":"1","http":{"origins":["exp.host"]}}"#, "does not say `https://`"),
            (r#"{"name":"P","version":"1","secrets":[{"name":"Token"}]}"#, "must be named by small letters"),
            (r#"{"name":"P","version":"1","secrets":[{"name":"t"},{"name":"t"}]}"#, "two secrets `t`"),
            (r#"{"name":" P","version":"1"}"#, "begins or ends with a space"),
            (
                r#"{"name":"P","version":"1","settings":{"type":"array"}}"#,
                "`settings` in its manifest is no JSON Schema",
            ),
            (
                r#"{"name":"P","version":"1","extra":{"properties":{"a":{"type":"strin"}}}}"#,
                "`extra` in its manifest is no",
            ),
        ] {
            let error = Manifest::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(Manifest::parse(&" ".repeat(LARGEST + 1)).unwrap_err().contains("is the most"));
    }
}
