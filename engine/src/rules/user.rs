//! A user: a person to be notified. The engine keeps its own table of them; what is not known is an empty text.

use email_address::EmailAddress;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::rules::limits::{self, Invalid};

/// Characters in `username`, as in the predecessor.
pub const MAX_USERNAME: usize = 150;
/// Characters in `email`: the longest that SMTP can carry.
pub const MAX_EMAIL: usize = 254;
/// Characters in `first_name` and in `last_name`.
pub const MAX_PERSON_NAME: usize = 150;
/// Characters in `time_zone`; the longest name in use has about thirty.
pub const MAX_TIME_ZONE: usize = 64;
/// Characters in `locale`, as BCP 47 recommends to allow.
pub const MAX_LOCALE: usize = 35;
/// Bytes of `attributes`, written as JSON.
pub const MAX_ATTRIBUTES: usize = 64 * 1024;

/// A person to be notified.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Made by whoever makes the user.
    pub id: Uuid,
    /// Unique within the tenant.
    pub username: String,
    /// Where the e-mail record of this user comes from; not itself an address in any target.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// IANA name, such as `Europe/Berlin`.
    pub time_zone: String,
    /// BCP 47, such as `de-AT`.
    pub locale: String,
    /// The application's own, passed to components as it is.
    pub attributes: Map<String, Value>,
}

impl User {
    /// Whether it can be stored; the error says which field to change, and how.
    pub fn check(&self) -> Result<(), Invalid> {
        limits::filled("username", &self.username, MAX_USERNAME)?;
        limits::line("username", &self.username, MAX_USERNAME)?;
        check_email(&self.email)?;
        limits::line("first_name", &self.first_name, MAX_PERSON_NAME)?;
        limits::line("last_name", &self.last_name, MAX_PERSON_NAME)?;
        check_time_zone(&self.time_zone)?;
        check_locale(&self.locale)?;
        limits::object("attributes", &self.attributes, MAX_ATTRIBUTES)
    }
}

/// What is known of a user now: of whoever has this username, the given fields change and all others stay; a new one has the others empty.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "each field is explained at `User`")]
pub struct UserUpdate {
    pub username: String,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub time_zone: Option<String>,
    pub locale: Option<String>,
    pub attributes: Option<Map<String, Value>>,
}

impl UserUpdate {
    /// The user afterwards; a new one gets this id.
    pub fn apply(&self, known: Option<&User>, new_id: Uuid) -> User {
        let text = |new: &Option<String>, known: Option<&String>| new.as_ref().or(known).cloned().unwrap_or_default();
        User {
            id: known.map_or(new_id, |user| user.id),
            username: self.username.clone(),
            email: text(&self.email, known.map(|user| &user.email)),
            first_name: text(&self.first_name, known.map(|user| &user.first_name)),
            last_name: text(&self.last_name, known.map(|user| &user.last_name)),
            time_zone: text(&self.time_zone, known.map(|user| &user.time_zone)),
            locale: text(&self.locale, known.map(|user| &user.locale)),
            attributes: self.attributes.as_ref().or(known.map(|user| &user.attributes)).cloned().unwrap_or_default(),
        }
    }
}

/// An empty address is not known; any other must have the form of one (RFC 5322).
pub fn check_email(address: &str) -> Result<(), Invalid> {
    limits::line("email", address, MAX_EMAIL)?;
    if address.is_empty() || EmailAddress::is_valid(address) {
        return Ok(());
    }
    let sentence = format!("email `{address}` is not an e-mail address: use one such as `ada@example.org`.");
    Err(Invalid::new("email", sentence))
}

/// An empty time zone is not known; any other must be one that the time zone database has.
fn check_time_zone(name: &str) -> Result<(), Invalid> {
    limits::text("time_zone", name, MAX_TIME_ZONE)?;
    if name.is_empty() || TimeZone::get(name).is_ok() {
        return Ok(());
    }
    let sentence = format!("time_zone `{name}` is not a time zone: use an IANA name such as `Europe/Berlin`.");
    Err(Invalid::new("time_zone", sentence))
}

/// Only the form is checked: letters and digits in groups of one to eight, joined by hyphens.
fn check_locale(tag: &str) -> Result<(), Invalid> {
    limits::text("locale", tag, MAX_LOCALE)?;
    let well_formed = tag
        .split('-')
        .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if tag.is_empty() || well_formed {
        return Ok(());
    }
    Err(Invalid::new("locale", format!("locale `{tag}` is not a language tag: use one such as `de-AT`.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bob() -> User {
        User {
            id: Uuid::from_u128(1),
            username: "bob".to_owned(),
            email: "bob@example.org".to_owned(),
            first_name: "Bob".to_owned(),
            last_name: String::new(),
            time_zone: "Europe/Vienna".to_owned(),
            locale: "de-AT".to_owned(),
            attributes: Map::new(),
        }
    }

    #[test]
    fn what_is_not_known_may_be_empty() {
        assert_eq!(bob().check(), Ok(()));
        let nameless = User { email: String::new(), time_zone: String::new(), locale: String::new(), ..bob() };
        assert_eq!(nameless.check(), Ok(()));
    }

    #[test]
    fn each_refusal_names_its_field() {
        let cases = [
            (User { username: String::new(), ..bob() }, "username"),
            (User { username: "b".repeat(151), ..bob() }, "username"),
            (User { username: "bob\nalice".to_owned(), ..bob() }, "username"),
            (User { email: "e".repeat(255), ..bob() }, "email"),
            (User { first_name: "f".repeat(151), ..bob() }, "first_name"),
            (User { last_name: "l".repeat(151), ..bob() }, "last_name"),
            (User { time_zone: "Europe/Atlantis".to_owned(), ..bob() }, "time_zone"),
            (User { locale: "de_AT".to_owned(), ..bob() }, "locale"),
            (
                User { attributes: Map::from_iter([("a".to_owned(), "x".repeat(MAX_ATTRIBUTES).into())]), ..bob() },
                "attributes",
            ),
        ];
        for (user, field) in cases {
            assert_eq!(user.check().unwrap_err().field, field);
        }
    }

    #[test]
    fn a_time_zone_that_does_not_exist_is_explained() {
        let refusal = User { time_zone: "CEST+2".to_owned(), ..bob() }.check().unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "time_zone `CEST+2` is not a time zone: use an IANA name such as `Europe/Berlin`."
        );
    }
}
