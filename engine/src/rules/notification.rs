//! A notification: one message to one target user record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::rules::limits::{self, Invalid};
use crate::rules::status::Status;
use crate::rules::tenant::Tenant;

/// Characters in `title`, as in the predecessor.
pub const MAX_TITLE: usize = 100;
/// Bytes of `body`.
pub const MAX_BODY: usize = 1024 * 1024;
/// Bytes of `extra`, written as JSON.
pub const MAX_EXTRA: usize = 256 * 1024;
/// Seconds in `retry_time_interval`: a year. The growth of the wait is bounded elsewhere, to a day.
pub const MAX_RETRY_TIME_INTERVAL: u32 = 365 * 24 * 3600;
/// Further attempts that a notification may be given.
pub const MAX_MAX_RETRIES: u32 = 1000;
/// Characters in `idempotency_key`.
pub const MAX_IDEMPOTENCY_KEY: usize = 200;

/// One message to one target user record, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Made by whoever makes the notification; of version 7, so that newer ones sort behind older ones.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: Tenant,
    /// The record's id.
    pub target_user_record: Uuid,
    /// May be empty, where a target knows no titles.
    pub title: String,
    /// The text as it will be sent.
    pub body: String,
    /// What else the component understands.
    pub extra: Map<String, Value>,
    /// Where it stands.
    pub status: Status,
    /// When it is due, for its first attempt or its next.
    pub scheduled_delivery: Timestamp,
    /// When the last attempt ended.
    pub attempted_delivery: Option<Timestamp>,
    /// The wait before the second attempt, in seconds.
    pub retry_time_interval: u32,
    /// How many attempts counted against it: it ends after `1 + max_retries` of them.
    pub retry_attempts: u32,
    /// How many attempts there may be after the first.
    pub max_retries: u32,
    /// It is not sent at this time or later.
    pub expires_at: Option<Timestamp>,
    /// Unique within the tenant; a second notification with the same key is not made.
    pub idempotency_key: Option<String>,
    /// What to do when nobody knows whether it was taken; `None` leaves that to the target and the settings.
    pub on_unknown: Option<OnUnknown>,
    /// When it was stored.
    pub created_date: Timestamp,
    /// When it last changed.
    pub modified_date: Timestamp,
}

/// A notification to be stored; it begins as SCHEDULED.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is explained at `Notification`")]
pub struct NewNotification {
    pub id: Uuid,
    pub target_user_record: Uuid,
    pub title: String,
    pub body: String,
    pub extra: Map<String, Value>,
    pub scheduled_delivery: Timestamp,
    pub retry_time_interval: u32,
    pub max_retries: u32,
    pub expires_at: Option<Timestamp>,
    pub idempotency_key: Option<String>,
    pub on_unknown: Option<OnUnknown>,
}

impl NewNotification {
    /// Whether it can be stored; the error says which field to change, and how.
    pub fn check(&self) -> Result<(), Invalid> {
        limits::text("title", &self.title, MAX_TITLE)?;
        limits::bytes("body", &self.body, MAX_BODY)?;
        limits::object("extra", &self.extra, MAX_EXTRA)?;
        limits::moment("scheduled_delivery", self.scheduled_delivery)?;
        limits::number("retry_time_interval", self.retry_time_interval, 0, MAX_RETRY_TIME_INTERVAL)?;
        limits::number("max_retries", self.max_retries, 0, MAX_MAX_RETRIES)?;
        if let Some(expiry) = self.expires_at {
            limits::moment("expires_at", expiry)?;
            if expiry.as_millisecond() <= self.scheduled_delivery.as_millisecond() {
                let sentence =
                    "expires_at is not after scheduled_delivery, so nothing could be sent: choose a later time.";
                return Err(Invalid::new("expires_at", sentence));
            }
        }
        match &self.idempotency_key {
            Some(key) => limits::filled("idempotency_key", key, MAX_IDEMPOTENCY_KEY),
            None => Ok(()),
        }
    }
}

/// What to do when a message left and nobody knows whether it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// Send it again, with the same idempotency key.
    Resend,
    /// Leave it UNKNOWN until a person decides.
    Hold,
}

impl OnUnknown {
    /// Both of them.
    pub const ALL: [OnUnknown; 2] = [OnUnknown::Resend, OnUnknown::Hold];

    /// The stored spelling, which is also the one in JSON and in the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            OnUnknown::Resend => "resend",
            OnUnknown::Hold => "hold",
        }
    }
}

impl std::str::FromStr for OnUnknown {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<OnUnknown, Invalid> {
        OnUnknown::ALL.into_iter().find(|choice| choice.as_str() == text).ok_or_else(|| {
            Invalid::new("on_unknown", format!("on_unknown cannot be `{text}`: choose `resend` or `hold`."))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news() -> NewNotification {
        NewNotification {
            id: Uuid::from_u128(1),
            target_user_record: Uuid::from_u128(2),
            title: "News".to_owned(),
            body: "It is spring.".to_owned(),
            extra: Map::new(),
            scheduled_delivery: "2026-03-20T12:00:00Z".parse().unwrap(),
            retry_time_interval: 60,
            max_retries: 3,
            expires_at: None,
            idempotency_key: None,
            on_unknown: None,
        }
    }

    #[test]
    fn the_ordinary_one_can_be_stored() {
        assert_eq!(news().check(), Ok(()));
        assert_eq!(NewNotification { title: String::new(), body: String::new(), ..news() }.check(), Ok(()));
    }

    #[test]
    fn each_refusal_names_its_field() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let cases = [
            (NewNotification { title: "t".repeat(101), ..news() }, "title"),
            (NewNotification { body: "b".repeat(MAX_BODY + 1), ..news() }, "body"),
            (
                NewNotification { extra: Map::from_iter([("a".to_owned(), "x".repeat(MAX_EXTRA).into())]), ..news() },
                "extra",
            ),
            (NewNotification { scheduled_delivery: at("1969-12-31T00:00:00Z"), ..news() }, "scheduled_delivery"),
            (NewNotification { retry_time_interval: MAX_RETRY_TIME_INTERVAL + 1, ..news() }, "retry_time_interval"),
            (NewNotification { max_retries: MAX_MAX_RETRIES + 1, ..news() }, "max_retries"),
            (NewNotification { expires_at: Some(at("2026-03-20T12:00:00Z")), ..news() }, "expires_at"),
            (NewNotification { idempotency_key: Some(String::new()), ..news() }, "idempotency_key"),
            (NewNotification { idempotency_key: Some("k".repeat(201)), ..news() }, "idempotency_key"),
        ];
        for (notification, field) in cases {
            assert_eq!(notification.check().unwrap_err().field, field);
        }
    }

    #[test]
    fn both_choices_are_spelled_alike_in_the_database_and_in_json() {
        for choice in OnUnknown::ALL {
            assert_eq!(choice.as_str().parse::<OnUnknown>().unwrap(), choice);
            assert_eq!(serde_json::to_value(choice).unwrap(), choice.as_str());
        }
        let refusal = "maybe".parse::<OnUnknown>().unwrap_err().to_string();
        assert_eq!(refusal, "on_unknown cannot be `maybe`: choose `resend` or `hold`.");
    }
}
