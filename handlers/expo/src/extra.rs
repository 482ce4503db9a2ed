//! What an application may pass in `extra`. Names and types are those of Expo's messages, written in `snake_case`; the
//! first seven are the predecessor's. A member that is not known is refused when a notification is made, since a
//! misspelled one would be lost in silence; in what is stored already it is ignored.

use guest_sdk::Failure;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The members of `extra`. Those that are `null` count as absent.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// For the app itself, which gets it as it is.
    pub data: Option<Map<String, Value>>,
    pub sound: Option<Sound>,
    /// Seconds. Expo lets it win over `expiration`.
    pub ttl: Option<u64>,
    /// Seconds since 1970.
    pub expiration: Option<u64>,
    pub priority: Option<Priority>,
    pub badge: Option<u64>,
    pub channel_id: Option<String>,
    pub subtitle: Option<String>,
    pub category_id: Option<String>,
    pub mutable_content: Option<bool>,
    pub interruption_level: Option<InterruptionLevel>,
    pub rich_content: Option<RichContent>,
}

/// A sound by its name, or one with more said about it.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Sound {
    Named(String),
    Described(DescribedSound),
}

/// A sound for iOS, which may be one that is heard although the device is silent.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedSound {
    #[serde(skip_serializing_if = "Option::is_none")]
    critical: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// From 0, silent, to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<f64>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    Default,
    Normal,
    High,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InterruptionLevel {
    Passive,
    Active,
    TimeSensitive,
    Critical,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RichContent {
    /// The URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
}

impl Extra {
    /// Reads a JSON object; `null` is an empty one.
    pub fn parse(json: &str) -> Result<Self, Failure> {
        // By way of a map: a struct would take a list of its members too.
        let read = serde_json::from_str::<Option<Map<String, Value>>>(json)
            .and_then(|members| serde_json::from_value(Value::Object(members.unwrap_or_default())));
        read.map_err(|error| {
            Failure::new(
                "invalid_extra",
                format!(
                    "`extra` must be an object whose members have the types that the target Expo describes: {error}."
                ),
            )
        })
    }
}

/// The JSON Schema of the above.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "data": {
                "type": ["object", "null"],
                "description": "For the app itself, which gets it as it is. With all the rest at most 4,096 bytes.",
            },
            "sound": {
                "type": ["string", "object", "null"],
                "additionalProperties": false,
                "properties": {
                    "critical": { "type": ["boolean", "null"] },
                    "name": { "type": ["string", "null"] },
                    "volume": { "type": ["number", "null"], "minimum": 0, "maximum": 1 },
                },
                "description": "iOS: `default`, the name of a sound in the app, or an object with `name`, `critical` and `volume` (0 to 1). Absent: none.",
            },
            "ttl": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "Seconds for which the message may be kept while the device cannot be reached. Wins over `expiration`.",
            },
            "expiration": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "The same as a time, in seconds since 1970. Absent: when the notification itself expires.",
            },
            "priority": { "enum": ["default", "normal", "high", null], "description": "How urgent it is." },
            "badge": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "iOS: the number on the app's icon. 0 takes it away.",
            },
            "channel_id": {
                "type": ["string", "null"],
                "description": "Android: the notification channel, which the app must have made.",
            },
            "subtitle": { "type": ["string", "null"], "description": "iOS: a line below the title." },
            "category_id": {
                "type": ["string", "null"],
                "description": "The app's category of notifications, which says what buttons there are.",
            },
            "mutable_content": {
                "type": ["boolean", "null"],
                "description": "iOS: whether the app may change the message before it is shown.",
            },
            "interruption_level": {
                "enum": ["passive", "active", "time-sensitive", "critical", null],
                "description": "iOS: how far it may interrupt.",
            },
            "rich_content": {
                "type": ["object", "null"],
                "additionalProperties": false,
                "properties": { "image": { "type": ["string", "null"] } },
                "description": "A picture to show, as in `{\"image\": \"https://…\"}`.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(extra: &Value) -> bool {
        jsonschema::validator_for(&schema()).unwrap().is_valid(extra)
    }

    #[test]
    fn what_the_schema_takes_can_be_read() {
        for extra in [
            json!({}),
            json!({ "data": { "deep": [1, { "x": null }] }, "sound": "default", "ttl": 0, "expiration": 1_800_000_000 }),
            json!({ "priority": "high", "badge": 0, "channel_id": "news", "subtitle": "s", "category_id": "c" }),
            json!({ "priority": "default", "mutable_content": true, "interruption_level": "time-sensitive" }),
            json!({ "sound": { "critical": true, "name": "bell.wav", "volume": 0.5 } }),
            json!({ "sound": { "name": null }, "rich_content": { "image": "https://a.example/b.png" } }),
        ] {
            assert!(fits(&extra), "{extra}");
            assert!(Extra::parse(&extra.to_string()).is_ok(), "{extra}");
        }
    }

    #[test]
    fn what_has_another_type_is_refused_by_both() {
        for extra in [
            json!({ "data": "text" }),
            json!({ "data": [] }),
            json!({ "sound": 1 }),
            json!({ "sound": { "loud": true } }),
            json!({ "ttl": "3" }),
            json!({ "ttl": -1 }),
            json!({ "ttl": 1.5 }),
            json!({ "expiration": "2027-01-01" }),
            json!({ "priority": "urgent" }),
            json!({ "badge": true }),
            json!({ "channel_id": 7 }),
            json!({ "subtitle": [] }),
            json!({ "category_id": {} }),
            json!({ "mutable_content": "yes" }),
            json!({ "interruption_level": "timeSensitive" }),
            json!({ "rich_content": "https://a.example/b.png" }),
            json!({ "rich_content": { "video": "https://a.example/b.mp4" } }),
        ] {
            assert!(!fits(&extra), "{extra}");
            assert_eq!(Extra::parse(&extra.to_string()).unwrap_err().code, "invalid_extra", "{extra}");
        }
        assert!(!fits(&json!({ "sound": { "volume": 2 } })));
    }

    #[test]
    fn an_unknown_member_is_refused_when_new_and_ignored_when_stored() {
        let extra = json!({ "channelId": "news" });
        assert!(!fits(&extra));
        assert_eq!(Extra::parse(&extra.to_string()), Ok(Extra::default()));
    }

    #[test]
    fn each_member_may_be_null() {
        let nulls: Map<String, Value> = match &schema()["properties"] {
            Value::Object(properties) => properties.keys().map(|name| (name.clone(), Value::Null)).collect(),
            _ => unreachable!(),
        };
        assert_eq!(nulls.len(), 12);
        assert!(fits(&Value::Object(nulls.clone())));
        for empty in [Value::Object(nulls), Value::Null] {
            assert_eq!(Extra::parse(&empty.to_string()), Ok(Extra::default()));
        }
        for wrong in ["", "[]", "[1]", "7"] {
            assert_eq!(Extra::parse(wrong).unwrap_err().code, "invalid_extra", "{wrong}");
        }
    }
}
