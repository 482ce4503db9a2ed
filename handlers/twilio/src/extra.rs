//! What an application may pass in `extra`. Unlike in other targets the schema is closed: every message costs money, and
//! a misspelt `validity_period` would be found on the bill.

use std::collections::BTreeMap;

use guest_sdk::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most media that one message carries.
pub const MOST_MEDIA: usize = 10;
/// The longest time that Twilio keeps a message in its queue, in seconds; also what it does when nothing is said.
pub const LONGEST_VALIDITY: u32 = 36_000;

/// The members of `extra`, after which Twilio's parameters are named in snake case. What they mean stands in [`schema`].
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Extra {
    pub include_title: Option<bool>,
    pub media_url: Option<Vec<String>>,
    pub validity_period: Option<u32>,
    pub max_price: Option<f64>,
    pub smart_encoded: Option<bool>,
    pub send_as_mms: Option<bool>,
    pub content_sid: Option<String>,
    pub content_variables: Option<BTreeMap<String, String>>,
}

impl Extra {
    /// Reads a JSON object. `null` members count as absent, as does `null` itself.
    pub fn parse(json: &str) -> Result<Self, Failure> {
        serde_json::from_str::<Option<Self>>(json).map(Option::unwrap_or_default).map_err(|error| {
            Failure::new("invalid_extra", format!("`extra` must be an object as the target's schema says: {error}."))
        })
    }

    /// The URLs of what is attached; empty if nothing is.
    pub fn media(&self) -> &[String] {
        self.media_url.as_deref().unwrap_or_default()
    }
}

/// The JSON Schema of the above.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "include_title": {
                "type": ["boolean", "null"],
                "description": "Whether the title stands before the body, on a line of its own. Absent: no, as a text message has no title.",
            },
            "media_url": {
                "type": ["array", "null"],
                "maxItems": MOST_MEDIA,
                "items": { "type": "string" },
                "description": "`https` URLs of pictures and other media, which Twilio fetches and sends with the message (MMS, WhatsApp).",
            },
            "validity_period": {
                "type": ["integer", "null"],
                "minimum": 1,
                "maximum": LONGEST_VALIDITY,
                "description": "Seconds for which the message may wait in Twilio's queue; after that it fails. The notification's own expiry makes it shorter.",
            },
            "max_price": {
                "type": ["number", "null"],
                "exclusiveMinimum": 0,
                "description": "The most that the message may cost, in US dollars. A dearer one fails.",
            },
            "smart_encoded": {
                "type": ["boolean", "null"],
                "description": "Whether Twilio replaces typographic characters by plain ones, so that the message takes fewer segments. Absent: no, unless the messaging service says so.",
            },
            "send_as_mms": {
                "type": ["boolean", "null"],
                "description": "Whether a message without media is sent as an MMS too, where that is possible. Absent: no.",
            },
            "content_sid": {
                "type": ["string", "null"],
                "pattern": "^HX[0-9a-fA-F]{32}$",
                "description": "The SID of a content template at Twilio, which then makes the text: title and body are not sent.",
            },
            "content_variables": {
                "type": ["object", "null"],
                "additionalProperties": { "type": "string" },
                "description": "The values for that template's variables, as in `{\"1\": \"Ada\"}`.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each member with a value that it may have.
    fn fullest() -> Value {
        json!({
            "include_title": true,
            "media_url": ["https://example.org/tea.png"],
            "validity_period": 60,
            "max_price": 0.05,
            "smart_encoded": true,
            "send_as_mms": false,
            "content_sid": "HX0123456789abcdef0123456789abcdef",
            "content_variables": { "1": "Ada" },
        })
    }

    #[test]
    fn reads_what_the_schema_allows() {
        let extra = Extra::parse(&fullest().to_string()).unwrap();
        assert_eq!(extra.include_title, Some(true));
        assert_eq!(extra.media(), ["https://example.org/tea.png"]);
        assert_eq!(extra.validity_period, Some(60));
        assert_eq!(extra.max_price, Some(0.05));
        assert_eq!(extra.smart_encoded, Some(true));
        assert_eq!(extra.send_as_mms, Some(false));
        assert_eq!(extra.content_sid.as_deref(), Some("HX0123456789abcdef0123456789abcdef"));
        assert_eq!(extra.content_variables, Some(BTreeMap::from([("1".to_owned(), "Ada".to_owned())])));
        assert_eq!(Extra::parse("{}").unwrap(), Extra::default());
        assert_eq!(Extra::parse("null").unwrap(), Extra::default());
    }

    #[test]
    fn each_member_stands_in_the_schema_and_may_be_null() {
        let (schema, fullest) = (schema(), fullest());
        let names = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&schema["properties"]), names(&fullest));
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["type"].as_array().unwrap().contains(&json!("null")), "{name}");
            assert!(property["description"].as_str().unwrap().ends_with('.'), "{name}");
            assert_eq!(Extra::parse(&json!({ name: null }).to_string()).unwrap(), Extra::default(), "{name}");
            // Of no type that the member could have, so the member is read.
            let wrong = json!({ name: [[]] }).to_string();
            assert_eq!(Extra::parse(&wrong).unwrap_err().code, "invalid_extra", "{name}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for wrong in ["", "[1]", "7", r#"{"validity_period": -1}"#, r#"{"validity_period": 1e99}"#] {
            assert_eq!(Extra::parse(wrong).unwrap_err().code, "invalid_extra", "{wrong}");
        }
    }
}
