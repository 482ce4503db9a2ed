//! As whom to speak to Twilio: the target's settings, checked.

use guest_sdk::Failure;
use serde_json::{Value, json};

use crate::address;

/// Where Twilio is, unless the setting `base_url` says another place.
pub const ORIGIN: &str = "https://api.twilio.com";

/// Twilio's limit for a name in place of a number.
const LONGEST_NAME: usize = 11;

/// The operator's account at Twilio.
#[derive(Debug, PartialEq)]
pub struct Account {
    origin: String,
    sid: String,
    /// The user that the secret is the password of: the account itself, or one of its API keys.
    pub user: String,
    pub sender: Sender,
}

/// Who the message is from.
#[derive(Debug, PartialEq)]
pub enum Sender {
    /// A number, a short code, a name, or a number at WhatsApp.
    From(String),
    /// The SID of a messaging service, which chooses among its own senders.
    Service(String),
}

impl Account {
    /// Reads the settings, of which `setting` knows the texts. An empty one counts as absent.
    pub fn read(setting: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let setting = |name| setting(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let sid = setting("account_sid")
            .ok_or_else(|| missing("account_sid", "write the account's SID there, which begins with AC"))?;
        if !is_sid(&sid, "AC") {
            return Err(malformed("account_sid", "write AC and 32 hexadecimal digits"));
        }
        let written = setting("sender").ok_or_else(|| {
            missing("sender", "write a number of yours there, as in +15550100123, or a messaging service's SID")
        })?;
        let sender = Sender::parse(&written).ok_or_else(|| {
            malformed(
                "sender",
                "write a number as in +15550100123 or whatsapp:+15550100123, a messaging service's SID (MG and 32 hexadecimal digits), a short code of 5 or 6 digits, or a name of at most 11 letters and digits",
            )
        })?;
        let user = match setting("api_key_sid") {
            None => sid.clone(),
            Some(key) if is_sid(&key, "SK") => key,
            Some(_) => return Err(malformed("api_key_sid", "write SK and 32 hexadecimal digits, or take it out")),
        };
        let origin = setting("base_url").map_or(ORIGIN.to_owned(), |url| url.trim_end_matches('/').to_owned());
        Ok(Self { origin, sid, user, sender })
    }

    /// The URL of the account's messages: a POST makes one, a GET lists them.
    pub fn messages(&self) -> String {
        format!("{}/2010-04-01/Accounts/{}/Messages.json", self.origin, self.sid)
    }
}

impl Sender {
    /// Tells by its form what a sender is.
    fn parse(written: &str) -> Option<Self> {
        if is_sid(written, "MG") {
            return Some(Self::Service(written.to_owned()));
        }
        if is_short_code(written) || is_name(written) {
            return Some(Self::From(written.to_owned()));
        }
        address::normal_form(written).ok().map(Self::From)
    }
}

/// Whether a text is an identifier of Twilio's: two letters for the kind, and 32 hexadecimal digits.
fn is_sid(text: &str, kind: &str) -> bool {
    text.strip_prefix(kind).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_short_code(text: &str) -> bool {
    matches!(text.len(), 5 | 6) && text.bytes().all(|b| b.is_ascii_digit())
}

/// What Twilio calls an alphanumeric sender ID: not digits alone, and of these characters.
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" +-_&".contains(&b))
}

fn missing(key: &str, remedy: &str) -> Failure {
    Failure::new("missing_setting", format!("`[target.twilio] {key}` is not set: {remedy}."))
}

/// The value itself is not repeated: people paste secrets into the wrong place.
fn malformed(key: &str, remedy: &str) -> Failure {
    Failure::new(
        "malformed_setting",
        format!("`[target.twilio] {key}` does not have the form that it must have: {remedy}."),
    )
}

/// The JSON Schema of the settings. What is required is required for sending: addresses can be recorded before there is an account. A sender's form has too many cases for a pattern that people would understand.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["account_sid", "sender"],
        "properties": {
            "account_sid": {
                "type": "string",
                "pattern": "^(AC[0-9a-fA-F]{32})?$",
                "description": "The account's SID: `AC` and 32 hexadecimal digits, from the start page of Twilio's console.",
            },
            "sender": {
                "type": "string",
                "description": "Who the messages are from: a number of yours (`+15550100123`, `whatsapp:+15550100123`), a messaging service's SID (`MG` and 32 hexadecimal digits), a short code of 5 or 6 digits, or a name of at most 11 letters and digits.",
            },
            "api_key_sid": {
                "type": "string",
                "pattern": "^(SK[0-9a-fA-F]{32})?$",
                "description": "An API key's SID: `SK` and 32 hexadecimal digits. The secret `twilio_auth_token` is then that key's. Absent: it is the account's Auth Token.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{ACCOUNT_SID, SERVICE_SID, settings};

    const KEY_SID: &str = "SK0123456789abcdef0123456789ABCDEF";

    #[test]
    fn the_least_is_an_account_and_a_sender() {
        let account = Account::read(settings(&[("account_sid", ACCOUNT_SID), ("sender", "+15550100999")])).unwrap();
        assert_eq!(
            account,
            Account {
                origin: "https://api.twilio.com".into(),
                sid: ACCOUNT_SID.into(),
                user: ACCOUNT_SID.into(),
                sender: Sender::From("+15550100999".into()),
            }
        );
        assert_eq!(
            account.messages(),
            format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json")
        );
    }

    #[test]
    fn an_api_key_and_another_place_can_be_set() {
        for base_url in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"] {
            let account = Account::read(settings(&[
                ("account_sid", ACCOUNT_SID),
                ("sender", "Teahouse"),
                ("api_key_sid", KEY_SID),
                ("base_url", base_url),
            ]))
            .unwrap();
            assert_eq!(account.user, KEY_SID);
            let url = format!("http://127.0.0.1:8080/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json");
            assert_eq!(account.messages(), url);
        }
    }

    #[test]
    fn senders_are_told_by_their_form() {
        for (written, expected) in [
            (SERVICE_SID, Some(Sender::Service(SERVICE_SID.into()))),
            ("+15550100999", Some(Sender::From("+15550100999".into()))),
            (" +1 555 010 0999 ", Some(Sender::From("+15550100999".into()))),
            ("whatsapp:+15550100999", Some(Sender::From("whatsapp:+15550100999".into()))),
            ("12345", Some(Sender::From("12345".into()))),
            ("123456", Some(Sender::From("123456".into()))),
            ("Tea & Co-1", Some(Sender::From("Tea & Co-1".into()))),
            ("Elevenchars", Some(Sender::From("Elevenchars".into()))),
            ("1234", None),
            ("1234567", None),
            ("Twelve chars", None),
            ("Teehäusel", None),
            ("Tea\nCo", None),
            ("&+-_", None),
            ("15550100999", None),
            // Cut off while it was copied.
            ("MG0123456789abcdef", None),
        ] {
            let account = Account::read(settings(&[("account_sid", ACCOUNT_SID), ("sender", written)]));
            assert_eq!(account.ok().map(|account| account.sender), expected, "{written:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let ac = ("account_sid", ACCOUNT_SID);
        let short = &ACCOUNT_SID[..33];
        for (written, code, key) in [
            (&[("sender", "12345")][..], "missing_setting", "account_sid"),
            (&[("account_sid", " "), ("sender", "12345")], "missing_setting", "account_sid"),
            (&[("account_sid", short), ("sender", "12345")], "malformed_setting", "account_sid"),
            (&[("account_sid", KEY_SID), ("sender", "12345")], "malformed_setting", "account_sid"),
            (&[ac], "missing_setting", "sender"),
            (&[ac, ("sender", "")], "missing_setting", "sender"),
            (&[ac, ("sender", "hush-hush-hush")], "malformed_setting", "sender"),
            (&[ac, ("sender", "12345"), ("api_key_sid", ACCOUNT_SID)], "malformed_setting", "api_key_sid"),
        ] {
            let failure = Account::read(settings(written)).unwrap_err();
            assert_eq!(failure.code, code, "{written:?}");
            assert!(failure.message.starts_with(&format!("`[target.twilio] {key}` ")), "{}", failure.message);
            assert!(!failure.message.contains("hush"), "{}", failure.message);
        }
    }
}
