//! Text messages by Twilio. It has no idempotency key, so after a lost answer it is asked for the message before that
//! is sent again; it says later what became of a message, when asked (`receipts`) and by itself (`callbacks`).

mod callback;
mod errors;
mod messages;

use jiff::Timestamp;
use serde_json::{Value, json};

#[allow(unsafe_code, unused_qualifications, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "target-with-receipts-and-callbacks",
        additional_derives: [PartialEq],
    });
}

use bindings::exports::notification::engine::callbacks::{self, Reaction};
use bindings::exports::notification::engine::notification_target::{
    CreationRequest, Draft, Guest, Notification, Outcome, Receipt,
};
use bindings::exports::notification::engine::receipts;
use bindings::notification::engine::fates::Fate;
use bindings::notification::engine::runtime;
use bindings::notification::engine::types::{Failure, Retry, Scope};

pub struct Twilio;

/// Only for WebAssembly: a component's export names are not names that a native linker takes.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Twilio, bindings};
    bindings::export!(Twilio with_types_in bindings);
}

/// Twilio's limit for a body.
const LONGEST_BODY: usize = 1600;

impl Guest for Twilio {
    fn describe() -> String {
        json!({
            "name": "Twilio sketch",
            "version": "0.1.0",
            "summary": "Sends text messages by Twilio.",
            "address": { "title": "Telephone number", "example": "+15550100123" },
            "http": { "origins": ["https://api.twilio.com"] },
            "secrets": [{ "name": "auth_token", "purpose": "The account's Auth Token; callbacks are signed with it too." }],
            "settings": {
                "type": "object",
                "required": ["account_sid"],
                "properties": {
                    "account_sid": { "type": "string", "description": "The account's SID, AC and 32 digits." },
                    "from": { "type": "string", "description": "The sender's number or name." },
                    "messaging_service_sid": { "type": "string", "description": "A messaging service instead of a sender." },
                },
            },
            "receipts": { "after": 120, "every": 1800, "give_up_after": 129_600 },
            // Safe, although there is no idempotency key: the second attempt asks first.
            "on_unknown": "resend",
        })
        .to_string()
    }

    fn check_address(number: String) -> Result<String, Failure> {
        let mut digits: String =
            number.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}')).collect();
        if let Some(international) = digits.strip_prefix("00") {
            digits = format!("+{international}");
        }
        let valid = digits.strip_prefix('+').is_some_and(|rest| {
            (7..=15).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit()) && !rest.starts_with('0')
        });
        if valid {
            return Ok(digits);
        }
        Err(failure("not_a_number", "A telephone number is written with + and its country, as in +15550100123."))
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        let length = request.body.chars().count();
        if length == 0 || length > LONGEST_BODY {
            let message = format!("A text message has 1 to {LONGEST_BODY} characters, and this one has {length}.");
            return Err(failure("wrong_length", &message));
        }
        let draft = |id: &String| Draft {
            target_user_record_id: id.clone(),
            title: request.title.clone(),
            body: request.body.clone(),
            extra: "{}".to_owned(),
            not_before: None,
        };
        Ok(request.target_user_records.iter().map(|record| draft(&record.id)).collect())
    }

    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        batch.iter().map(|notification| deliver(notification).unwrap_or_else(|outcome| outcome)).collect()
    }
}

fn deliver(notification: &Notification) -> Result<Outcome, Outcome> {
    let account = Account::from_settings();
    if let Some(since) = notification.previous.as_ref().and_then(|previous| previous.unknown_since)
        && let Some(sid) = account.find(notification, since)?
    {
        return Ok(Outcome::Accepted(Receipt { provider_id: sid, message: "Twilio has it from before.".to_owned() }));
    }
    account.create(notification)
}

/// As whom to speak to Twilio.
struct Account {
    sid: String,
    /// The form's field that names the sender, and its value.
    sender: (&'static str, String),
}

impl Account {
    fn from_settings() -> Self {
        let service = setting("messaging_service_sid");
        let sender = if service.is_empty() { ("From", setting("from")) } else { ("MessagingServiceSid", service) };
        Self { sid: setting("account_sid"), sender }
    }
}

impl receipts::Guest for Twilio {
    fn check(provider_ids: Vec<String>) -> Result<Vec<Fate>, Retry> {
        let account = Account::from_settings();
        provider_ids.iter().map(|sid| account.fate(sid)).collect()
    }
}

impl callbacks::Guest for Twilio {
    fn receive(request: callbacks::Request) -> Reaction {
        if !callback::is_genuine(&request) {
            return Reaction { events: vec![], status: 403, content_type: String::new(), body: vec![] };
        }
        // To an incoming message this says that there is no answer; for a status it does not matter.
        Reaction {
            events: callback::events(&request),
            status: 200,
            content_type: "text/xml".to_owned(),
            body: b"<Response/>".to_vec(),
        }
    }
}

/// What a message's status, with its error code, says of its fate.
fn fate(status: &str, error: Option<u32>) -> Fate {
    match (status, error) {
        ("delivered" | "read", _) => Fate::Delivered,
        ("undelivered" | "failed", Some(code)) => errors::meaning(code).into_fate(errors::reason(code, status)),
        ("undelivered" | "failed", None) => Fate::Failed(failure(status, &format!("Twilio says: {status}."))),
        ("canceled", _) => Fate::Failed(failure("canceled", "It was canceled at Twilio.")),
        // accepted, scheduled, queued, sending, sent; and whatever comes to be.
        _ => Fate::Pending,
    }
}

fn setting(name: &str) -> String {
    let value: Value = serde_json::from_str(&runtime::setting(name)).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn failure(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned() }
}

fn retry(scope: Scope, after: Option<u32>, reason: Failure) -> Retry {
    Retry { after, scope, reason }
}

/// An instant as Twilio writes it, in milliseconds.
fn instant(rfc2822: &str) -> Option<u64> {
    let timestamp: Timestamp = jiff::fmt::rfc2822::parse(rfc2822).ok()?.timestamp();
    u64::try_from(timestamp.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        for typed in ["+15550100123", " +1 (555) 010-0123", "001 555 010 0123"] {
            assert_eq!(Twilio::check_address(typed.into()), Ok("+15550100123".into()), "{typed}");
        }
        for wrong in ["", "5550100123", "+0155501001", "+1555", "+1234567890123456", "+1555o100123"] {
            assert!(Twilio::check_address(wrong.into()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn statuses_become_fates() {
        for status in ["accepted", "scheduled", "queued", "sending", "sent", "news"] {
            assert_eq!(fate(status, None), Fate::Pending, "{status}");
        }
        assert_eq!(fate("delivered", None), Fate::Delivered);
        assert_eq!(fate("read", None), Fate::Delivered);
        assert!(matches!(fate("failed", None), Fate::Failed(_)));
        assert!(matches!(fate("undelivered", Some(30_005)), Fate::InactiveDevice(_)));
        assert!(matches!(fate("undelivered", Some(30_003)), Fate::Retry(Retry { after: Some(_), .. })));
        assert!(matches!(fate("failed", Some(21_610)), Fate::OptedOut(_)));
    }

    #[test]
    fn twilios_dates_are_read() {
        assert_eq!(instant("Fri, 24 May 2019 17:44:46 +0000"), Some(1_558_719_886_000));
        assert_eq!(instant(""), None);
        assert_eq!(instant("2019-05-24"), None);
    }
}
