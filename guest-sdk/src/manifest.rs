//! The manifest: what a target is and what it asks for, as `wit/manifest.schema.json` describes it.

use serde::Serialize;
use serde_json::{Value, json};

/// A manifest in the making. What is not said has the default of the schema.
///
/// ```
/// use guest_sdk::{Format, Manifest, OnUnknown, Secret};
///
/// let manifest = Manifest::new("Carrier Pigeon", "1.0.0")
///     .summary("Sends a pigeon with a note.")
///     .address("A loft", "Loft 7, Vienna")
///     .origin("https://pigeons.example")
///     .secret("loft_key", "The key of our own loft.")
///     .declare(Secret::new("ring_key", "Signs the ring.").format(Format::Base64).prefix("ring_").optional())
///     .retry_time_interval(3600)
///     .on_unknown(OnUnknown::Hold);
/// assert!(manifest.to_json().contains(r#""name":"Carrier Pigeon""#));
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    name: String,
    version: String,
    summary: String,
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http>,
    smtp: bool,
    templates: bool,
    secrets: Vec<Secret>,
    settings: Value,
    extra: Value,
    largest_batch: u32,
    retry_time_interval: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_unknown: Option<OnUnknown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipts: Option<Receipts>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Address {
    title: String,
    example: String,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Http {
    origins: Vec<String>,
    record_address: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Receipts {
    after: u32,
    every: u32,
    give_up_after: u32,
}

/// A secret that the target names in its calls and never reads.
///
/// ```
/// use guest_sdk::{Format, Secret};
///
/// let secret = Secret::new("ring_key", "Signs the ring.").format(Format::Hex).optional();
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Secret {
    name: String,
    purpose: String,
    required: bool,
    format: Format,
    prefix: String,
}

/// How the text of a secret stands for the bytes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Its UTF-8 bytes.
    Text,
    /// Base64, with either alphabet, padded or not.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// A PEM document with a public or a private key.
    Pem,
}

/// What the target proposes to do about a notification that may have been taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// Send it again with the same idempotency key: twice is better than never.
    Resend,
    /// Leave it to a person: never is better than twice.
    Hold,
}

impl Manifest {
    /// Begins a manifest. The name is what people read, 1 to 15 characters; the version is a semantic one. An engine also wants a
    /// [`summary`](Self::summary) and an [`address`](Self::address).
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: String::new(),
            address: Address::default(),
            http: None,
            smtp: false,
            templates: false,
            secrets: Vec::new(),
            settings: json!({ "type": "object" }),
            extra: json!({ "type": "object" }),
            largest_batch: 1,
            retry_time_interval: 60,
            on_unknown: None,
            receipts: None,
        }
    }

    /// What the target does, in a sentence. Must be given.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// What an address is called, and an example of one. Must be given.
    pub fn address(mut self, title: impl Into<String>, example: impl Into<String>) -> Self {
        self.address = Address { title: title.into(), example: example.into() };
        self
    }

    /// Asks for HTTP towards an origin: `https://host`, `https://host:port` or `https://*.host`.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.http.get_or_insert_default().origins.push(origin.into());
        self
    }

    /// Asks for HTTP towards the origin of each notification's own address, which then is a URL. Where that is granted, a call has one
    /// notification.
    pub fn record_address(mut self) -> Self {
        self.http.get_or_insert_default().record_address = true;
        self
    }

    /// Asks for mail through the relay of the target.
    pub fn smtp(mut self) -> Self {
        self.smtp = true;
        self
    }

    /// Asks for the folder of templates, which the creator reads at `/templates`.
    pub fn templates(mut self) -> Self {
        self.templates = true;
        self
    }

    /// Asks for a secret that is required and used as the text it is. [`declare`](Self::declare) takes all others.
    pub fn secret(self, name: impl Into<String>, purpose: impl Into<String>) -> Self {
        self.declare(Secret::new(name, purpose))
    }

    /// Asks for a secret.
    pub fn declare(mut self, secret: Secret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// The JSON Schema of the settings that the target reads.
    pub fn settings(mut self, schema: Value) -> Self {
        self.settings = schema;
        self
    }

    /// The JSON Schema of the `extra` that the target understands.
    pub fn extra(mut self, schema: Value) -> Self {
        self.extra = schema;
        self
    }

    /// How many notifications one call takes, up to 1,000.
    pub fn largest_batch(mut self, notifications: u32) -> Self {
        self.largest_batch = notifications;
        self
    }

    /// Seconds before the second attempt, where an application says nothing else.
    pub fn retry_time_interval(mut self, seconds: u32) -> Self {
        self.retry_time_interval = seconds;
        self
    }

    /// What the target proposes for notifications that may have been taken.
    pub fn on_unknown(mut self, proposal: OnUnknown) -> Self {
        self.on_unknown = Some(proposal);
        self
    }

    /// When the provider is asked what became of a message: first after, then every, and for how long in all; in
    /// seconds.
    pub fn receipts(mut self, after: u32, every: u32, give_up_after: u32) -> Self {
        self.receipts = Some(Receipts { after, every, give_up_after });
        self
    }

    /// The manifest as `describe` returns it.
    pub fn to_json(&self) -> String {
        json!(self).to_string()
    }
}

impl Secret {
    /// A secret that the target cannot do without, used as the text it is. Names are lower-case letters, digits and
    /// underscores, and begin with a letter.
    pub fn new(name: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self { name: name.into(), purpose: purpose.into(), required: true, format: Format::Text, prefix: String::new() }
    }

    /// The target can do without it.
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// How its text stands for a key.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// What is taken off its text first, if it begins with it.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn schema() -> Value {
        serde_json::from_str(include_str!("../../wit/manifest.schema.json")).unwrap()
    }

    /// Says where `value` has a member that `schema` does not know, lacks one that it requires, or has one of another
    /// type.
    fn mistakes(at: &str, value: &Value, schema: &Value, found: &mut Vec<String>) {
        let type_of = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if schema["type"] != type_of {
            found.push(format!("{at} is of type {type_of}, not {}", schema["type"]));
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            found.push(format!("{at} may not be {value}"));
        }
        for item in value.as_array().into_iter().flatten() {
            mistakes(&format!("{at}[]"), item, &schema["items"], found);
        }
        let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else { return };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                found.push(format!("{at} lacks {name}"));
            }
        }
        for (name, member) in members {
            match properties.get(name) {
                Some(property) => mistakes(&format!("{at}.{name}"), member, property, found),
                None => found.push(format!("{at} has an unknown {name}")),
            }
        }
    }

    fn fullest() -> Manifest {
        Manifest::new("Carrier Pigeon", "1.0.0")
            .summary("Sends a pigeon with a note.")
            .address("A loft", "Loft 7, Vienna")
            .origin("https://pigeons.example")
            .record_address()
            .smtp()
            .templates()
            .secret("loft_key", "The key of our own loft.")
            .declare(Secret::new("ring_key", "Signs the ring.").format(Format::Pem).prefix("ring_").optional())
            .settings(json!({ "type": "object", "properties": { "loft": { "type": "string" } } }))
            .extra(json!({ "type": "object", "properties": { "colour": { "type": "string" } } }))
            .largest_batch(12)
            .retry_time_interval(3600)
            .on_unknown(OnUnknown::Hold)
            .receipts(60, 300, 86_400)
    }

    #[test]
    fn fits_the_schema() {
        for manifest in [Manifest::new("Pigeon", "1.0.0"), fullest()] {
            let mut found = Vec::new();
            mistakes("manifest", &json!(manifest), &schema(), &mut found);
            assert_eq!(found, Vec::<String>::new());
        }
    }

    #[test]
    fn says_all_that_the_schema_knows() {
        let names = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let (manifest, schema) = (json!(fullest()), schema());
        assert_eq!(names(&manifest), names(&schema["properties"]));
        assert_eq!(names(&manifest["secrets"][0]), names(&schema["properties"]["secrets"]["items"]["properties"]));
    }

    #[test]
    fn formats_and_policies_are_those_of_the_schema() {
        let schema = schema();
        assert_eq!(
            schema["properties"]["secrets"]["items"]["properties"]["format"]["enum"],
            json!([Format::Text, Format::Base64, Format::Hex, Format::Pem])
        );
        assert_eq!(schema["properties"]["on_unknown"]["enum"], json!([OnUnknown::Resend, OnUnknown::Hold]));
    }

    #[test]
    fn defaults_are_those_of_the_schema() {
        let (manifest, schema) = (json!(Manifest::new("Pigeon", "1.0.0")), schema());
        for (name, property) in schema["properties"].as_object().unwrap() {
            if let (Some(said), Some(default)) = (manifest.get(name), property.get("default")) {
                assert_eq!(said, default, "{name}");
            }
        }
    }
}
