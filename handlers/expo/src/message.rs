//! How a notification becomes one of Expo's messages.

use guest_sdk::{Failure, Notification, Timestamp};
use serde_json::{Value, json};

use crate::extra::Extra;

/// The most bytes that a message may have. Expo measures what it passes on to Apple and Google; here the whole message
/// is measured, as it is sent and before it is packed, which is a little more: none gets through that Expo would refuse.
pub const LARGEST: usize = 4096;

/// What is in a message, whomever it goes to.
pub struct Content<'a> {
    pub title: &'a str,
    pub body: &'a str,
    pub extra: &'a Extra,
    pub expires_at: Option<Timestamp>,
}

/// A message that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The notification's.
    pub notification_id: String,
    pub token: String,
    /// The message as JSON, with the token in it.
    pub json: String,
}

impl Message {
    /// The message for a notification, or why it never can be sent.
    pub fn of(notification: &Notification) -> Result<Self, Failure> {
        let extra = Extra::parse(&notification.extra)?;
        let token = &notification.target_user_record.target_user_id;
        let content = Content {
            title: &notification.title,
            body: &notification.body,
            extra: &extra,
            expires_at: notification.expires_at,
        };
        Ok(Self { notification_id: notification.id.clone(), token: token.clone(), json: content.addressed_to(token)? })
    }
}

impl Content<'_> {
    /// The message as JSON, unless that is too large. What is not given is left out, an empty title or body too.
    pub fn addressed_to(&self, token: &str) -> Result<String, Failure> {
        let given = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
        // Rounded down, so that Expo keeps it not a moment longer.
        let expiration = self.extra.expiration.or(self.expires_at.map(|milliseconds| milliseconds / 1000));
        let mut message = json!({
            "to": token,
            "title": given(self.title),
            "subtitle": self.extra.subtitle,
            "body": given(self.body),
            "data": self.extra.data,
            "sound": self.extra.sound,
            "ttl": self.extra.ttl,
            "expiration": expiration,
            "priority": self.extra.priority,
            "badge": self.extra.badge,
            "channelId": self.extra.channel_id,
            "categoryId": self.extra.category_id,
            "mutableContent": self.extra.mutable_content,
            "interruptionLevel": self.extra.interruption_level,
            "richContent": self.extra.rich_content,
        });
        if let Some(members) = message.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        let json = message.to_string();
        if json.len() > LARGEST {
            // Expo's own name for it.
            return Err(Failure::new(
                "MessageTooBig",
                format!(
                    "A push message has at most {LARGEST} bytes, and this one has {}: shorten the title, the body or `extra.data`.",
                    json.len()
                ),
            ));
        }
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(title: &str, body: &str, extra: Value, expires_at: Option<Timestamp>) -> Value {
        let extra = Extra::parse(&extra.to_string()).unwrap();
        let content = Content { title, body, extra: &extra, expires_at };
        serde_json::from_str(&content.addressed_to("ExpoPushToken[a]").unwrap()).unwrap()
    }

    #[test]
    fn every_member_has_its_place() {
        let extra = json!({
            "data": { "tea": [1, null, "ü"] }, "sound": "default", "ttl": 60, "expiration": 1_800_000_000_u64,
            "priority": "high", "badge": 0, "channel_id": "news", "subtitle": "Green", "category_id": "drinks",
            "mutable_content": false, "interruption_level": "time-sensitive",
            "rich_content": { "image": "https://a.example/tea.png" },
        });
        assert_eq!(
            made("Tea", "It is ready.", extra, Some(5000)),
            json!({
                "to": "ExpoPushToken[a]", "title": "Tea", "body": "It is ready.",
                "data": { "tea": [1, null, "ü"] }, "sound": "default", "ttl": 60, "expiration": 1_800_000_000_u64,
                "priority": "high", "badge": 0, "channelId": "news", "subtitle": "Green", "categoryId": "drinks",
                "mutableContent": false, "interruptionLevel": "time-sensitive",
                "richContent": { "image": "https://a.example/tea.png" },
            })
        );
    }

    #[test]
    fn what_is_not_given_is_left_out() {
        assert_eq!(made("", "x", json!({ "sound": null }), None), json!({ "to": "ExpoPushToken[a]", "body": "x" }));
        assert_eq!(
            made("", "", json!({ "data": {}, "sound": { "name": "bell", "volume": null } }), None),
            json!({ "to": "ExpoPushToken[a]", "data": {}, "sound": { "name": "bell" } })
        );
    }

    #[test]
    fn expires_when_the_notification_does_unless_told_otherwise() {
        for (extra, expires_at, expiration) in [
            (json!({}), None, Value::Null),
            (json!({}), Some(1_800_000_000_999), json!(1_800_000_000)),
            (json!({ "expiration": 7 }), Some(1_800_000_000_999), json!(7)),
            (json!({ "ttl": 60 }), Some(1_800_000_000_999), json!(1_800_000_000)),
        ] {
            assert_eq!(made("Tea", "x", extra.clone(), expires_at)["expiration"], expiration, "{extra}");
        }
    }

    #[test]
    fn has_a_largest_counted_in_bytes() {
        let extra = Extra::default();
        let of = |body: &str| Content { title: "", body, extra: &extra, expires_at: None }.addressed_to("t");
        let frame = of("x").unwrap().len() - 1;
        let largest = "ü".repeat((LARGEST - frame) / 2);
        assert!(of(&largest).unwrap().len() >= LARGEST - 1);
        let failure = of(&format!("{largest}xx")).unwrap_err();
        assert_eq!(failure.code, "MessageTooBig");
        assert!(failure.message.contains("at most 4096 bytes, and this one has 409"), "{}", failure.message);
    }
}
