//! How a notification becomes the form that Twilio takes.

use form_urlencoded::Serializer;
use guest_sdk::{Notification, Timestamp};
use serde_json::json;

use crate::account::{Account, Sender};
use crate::extra::{Extra, LONGEST_VALIDITY};

/// The fields of a new message, as `application/x-www-form-urlencoded`. `text` is what [`crate::text`] composed;
/// `callback_url` is empty if there is none; `now` is the engine's time.
pub fn encoded(
    account: &Account,
    notification: &Notification,
    extra: &Extra,
    text: &str,
    callback_url: &str,
    now: Timestamp,
) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("To", &notification.target_user_record.target_user_id);
    match &account.sender {
        Sender::From(from) => form.append_pair("From", from),
        Sender::Service(sid) => form.append_pair("MessagingServiceSid", sid),
    };
    if !text.is_empty() {
        form.append_pair("Body", text);
    }
    for url in extra.media() {
        form.append_pair("MediaUrl", url);
    }
    if let Some(sid) = &extra.content_sid {
        form.append_pair("ContentSid", sid);
    }
    if let Some(variables) = &extra.content_variables {
        form.append_pair("ContentVariables", &json!(variables).to_string());
    }
    if let Some(seconds) = validity_period(notification.expires_at, extra, now) {
        form.append_pair("ValidityPeriod", &seconds.to_string());
    }
    if let Some(dollars) = extra.max_price {
        form.append_pair("MaxPrice", &dollars.to_string());
    }
    for (field, value) in [("SmartEncoded", extra.smart_encoded), ("SendAsMms", extra.send_as_mms)] {
        if let Some(value) = value {
            form.append_pair(field, if value { "true" } else { "false" });
        }
    }
    if !callback_url.is_empty() {
        form.append_pair("StatusCallback", callback_url);
    }
    form.finish()
}

/// For how many seconds Twilio may keep the message: until the notification expires, and no longer than the application
/// said. `None` leaves it to Twilio.
fn validity_period(expires_at: Option<Timestamp>, extra: &Extra, now: Timestamp) -> Option<u32> {
    let left = expires_at.map(|expires_at| {
        // What has less than a second left gets that second: the engine has judged that it may still be sent.
        let seconds = expires_at.saturating_sub(now) / 1000;
        u32::try_from(seconds).unwrap_or(u32::MAX).clamp(1, LONGEST_VALIDITY)
    });
    [left, extra.validity_period].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{SERVICE_SID, TO, account, notification};

    /// The form's fields as Twilio reads them, without `To` and `From`, which each has.
    fn fields(extra: &str, expires_at: Option<Timestamp>) -> Vec<(String, String)> {
        let notification = Notification { expires_at, ..notification("Tea", "", extra) };
        let extra = Extra::parse(extra).unwrap();
        let form = encoded(&account("12345"), &notification, &extra, "", "", 1_000_000);
        let fields = form_urlencoded::parse(form.as_bytes()).into_owned();
        fields.filter(|(name, _)| name != "To" && name != "From").collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn says_to_whom_from_whom_and_what() {
        let text = "Grüße & 1 + 1 = 2 %\n🍵";
        let made = |sender, callback_url| {
            let notification = notification("Tea", text, "{}");
            let form = encoded(&account(sender), &notification, &Extra::default(), text, callback_url, 0);
            form_urlencoded::parse(form.as_bytes()).into_owned().collect::<Vec<_>>()
        };
        assert_eq!(made("+15550100999", ""), pairs(&[("To", TO), ("From", "+15550100999"), ("Body", text)]));
        assert_eq!(
            made(SERVICE_SID, "https://e.example/callbacks/1"),
            pairs(&[
                ("To", TO),
                ("MessagingServiceSid", SERVICE_SID),
                ("Body", text),
                ("StatusCallback", "https://e.example/callbacks/1"),
            ])
        );
    }

    #[test]
    fn extra_becomes_fields() {
        for (extra, expected) in [
            ("{}", &[][..]),
            (r#"{"media_url": [], "include_title": true}"#, &[]),
            (
                r#"{"media_url": ["https://a.example/1?x=1&y=2", "https://a.example/2"]}"#,
                &[("MediaUrl", "https://a.example/1?x=1&y=2"), ("MediaUrl", "https://a.example/2")],
            ),
            (
                r#"{"content_sid": "HX1", "content_variables": {"2": "a\"b", "1": "Ada"}}"#,
                &[("ContentSid", "HX1"), ("ContentVariables", r#"{"1":"Ada","2":"a\"b"}"#)],
            ),
            (
                r#"{"validity_period": 60, "max_price": 0.05, "smart_encoded": true, "send_as_mms": false}"#,
                &[("ValidityPeriod", "60"), ("MaxPrice", "0.05"), ("SmartEncoded", "true"), ("SendAsMms", "false")],
            ),
        ] {
            assert_eq!(fields(extra, None), pairs(expected), "{extra}");
        }
    }

    #[test]
    fn the_earlier_of_two_ends_counts() {
        for (expires_at, extra, expected) in [
            (Some(1_060_000), "{}", "60"),
            (Some(1_060_999), "{}", "60"),
            (Some(1_060_000), r#"{"validity_period": 30}"#, "30"),
            (Some(1_060_000), r#"{"validity_period": 90}"#, "60"),
            // Less than a second, and past: the engine had looked before the call.
            (Some(1_000_999), "{}", "1"),
            (Some(0), "{}", "1"),
            (Some(u64::MAX), "{}", "36000"),
        ] {
            assert_eq!(fields(extra, expires_at), pairs(&[("ValidityPeriod", expected)]), "{expires_at:?} {extra}");
        }
    }
}
