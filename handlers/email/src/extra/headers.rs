//! Further headers in `extra`: what `wit/smtp.wit` allows, refused here rather than when the mail is due.

use std::collections::BTreeMap;

use guest_sdk::Failure;
use serde_json::{Map, Value};

use super::member;
use crate::words::quoted;

/// The most further headers of a mail (`wit/smtp.wit`).
const MOST: usize = 32;

/// The header that [`crate::message`] adds where the application has not: it counts among the 32.
pub const AUTO_SUBMITTED: &str = "Auto-Submitted";

/// The most characters in a header's name: a line has 78, and a colon and a space follow (RFC 5322, 2.1.1).
const LONGEST_NAME: usize = 76;

/// What the engine writes itself, or what only relays write; in lower case.
const NOT_OURS: [&str; 13] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "received",
    "return-path",
    "dkim-signature",
];

/// Beginnings of such names.
const NOT_OUR_BEGINNINGS: [&str; 5] = ["content-", "arc-", "authentication-", "resent-", "received-"];

/// Names and values, sorted by name.
pub fn read(object: &Map<String, Value>) -> Result<Vec<(String, String)>, Failure> {
    let wanted = "an object of texts, such as {\"X-Campaign\": \"spring\"}";
    let headers: BTreeMap<String, String> = member(object, "headers", wanted)?.unwrap_or_default();
    for (name, value) in &headers {
        check(name, value)?;
    }
    let ours = !headers.keys().any(|name| name.eq_ignore_ascii_case(AUTO_SUBMITTED));
    let most = MOST - usize::from(ours);
    if headers.len() > most {
        return Err(Failure::new(
            "too_many_headers",
            format!(
                "`extra.headers` has at most {most} headers beside those that the mail has anyway, and this one has {}.",
                headers.len()
            ),
        ));
    }
    Ok(headers.into_iter().collect())
}

fn check(name: &str, value: &str) -> Result<(), Failure> {
    let refused =
        |why: &str| Err(Failure::new("invalid_header", format!("`extra.headers` holds {}, {why}.", quoted(name))));
    // Visible ASCII without the colon (RFC 5322, 3.6.8).
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(|c| c.is_ascii_graphic() && c != ':') {
        return refused("which is not the name of a header, such as X-Campaign");
    }
    let lower = name.to_ascii_lowercase();
    if let Some(key) = ["cc", "bcc", "reply-to"].into_iter().find(|key| lower == *key) {
        return refused(&format!("which has a key of its own, `extra.{}`", key.replace('-', "_")));
    }
    if NOT_OURS.contains(&lower.as_str()) || NOT_OUR_BEGINNINGS.iter().any(|beginning| lower.starts_with(beginning)) {
        return refused("which is written by the engine or by relays: leave it out");
    }
    if value.contains(char::is_control) {
        return refused("whose value has to be one line of text: take out line breaks and other control characters");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers(value: Value) -> Result<Vec<(String, String)>, Failure> {
        read(&Map::from_iter([("headers".to_owned(), value)]))
    }

    #[test]
    fn takes_what_the_contract_allows() {
        let taken =
            headers(json!({ "X-Campaign": "grün", "List-Unsubscribe": "<https://example.org/u?a=1>" })).unwrap();
        let expected = [("List-Unsubscribe", "<https://example.org/u?a=1>"), ("X-Campaign", "grün")];
        assert_eq!(taken, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for name in ["Importance", "auto-submitted", "References", "Precedence", "Fromage", "X-From", &"x".repeat(76)] {
            assert!(headers(json!({ name: "b" })).is_ok(), "{name}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        let too_long = "x".repeat(77);
        for name in [
            "From",
            "sender",
            "TO",
            "Cc",
            "bcc",
            "Reply-To",
            "Subject",
            "Date",
            "Message-ID",
            "Mime-Version",
            "Received",
            "Return-Path",
            "DKIM-Signature",
            "Content-Type",
            "ARC-Seal",
            "Authentication-Results",
            "Resent-From",
            "Received-SPF",
            "",
            "X A",
            "X-A:",
            "X-Ä",
            "X-A\r\nBcc",
            &too_long,
        ] {
            assert_eq!(headers(json!({ name: "b" })).unwrap_err().code, "invalid_header", "{name:?}");
        }
        for value in ["b\r\nBcc: eve@example.org", "a\tb", "\u{0}", "\u{85}"] {
            assert_eq!(headers(json!({ "X-A": value })).unwrap_err().code, "invalid_header", "{value:?}");
        }
    }

    #[test]
    fn the_header_that_every_mail_has_counts() {
        let many = |count| (0..count).map(|i| (format!("X-{i}"), "b".into())).collect::<Map<String, Value>>();
        assert!(headers(many(31).into()).is_ok());
        assert_eq!(headers(many(32).into()).unwrap_err().code, "too_many_headers");
        let mut own = many(31);
        own.insert("auto-submitted".to_owned(), "no".into());
        assert!(headers(own.clone().into()).is_ok());
        own.insert("X-31".to_owned(), "b".into());
        assert_eq!(headers(own.into()).unwrap_err().code, "too_many_headers");
    }

    #[test]
    fn a_refusal_points_to_the_right_key() {
        let message = headers(json!({ "Reply-To": "ada@example.org" })).unwrap_err().message;
        assert_eq!(message, "`extra.headers` holds \"Reply-To\", which has a key of its own, `extra.reply_to`.");
    }
}
