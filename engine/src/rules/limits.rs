//! What a text, a number or a time of the models may be.
//!
//! The limits themselves stand beside the fields that they bound (`user::MAX_USERNAME` and so on); here is how one is
//! checked and how a refusal reads. The database repeats each of them as a CHECK, so that no path around these
//! functions exists. Lengths are counted in characters, as both databases count them, except for what is bounded
//! because it takes memory; that is counted in bytes.

use super::spelling::{is_forging, is_unseen};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The last moment that the models can hold, in milliseconds since 1970: the end of the year 9998, so that it can be
/// written in every time zone with a year of four digits.
pub const LAST_MOMENT_MS: i64 = 253_370_764_799_999;

/// How deep a JSON object may be nested; readers of JSON, ours too, give up somewhere beyond.
pub const MAX_DEPTH: usize = 64;

/// Why something cannot be stored: one sentence for a person, which says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Invalid {
    /// The field at fault, as the models spell it.
    pub field: &'static str,
    /// The sentence.
    pub sentence: String,
}

impl Invalid {
    /// A refusal of `field`; `sentence` ends in a full stop and says what to do.
    pub fn new(field: &'static str, sentence: impl Into<String>) -> Invalid {
        Invalid { field, sentence: sentence.into() }
    }
}

/// A text of at most `most` characters, which may be empty.
pub fn text(field: &'static str, value: &str, most: usize) -> Result<(), Invalid> {
    let length = value.chars().count();
    if length > most {
        return Err(Invalid::new(field, format!("{field} has {length} characters: shorten it to {most} or fewer.")));
    }
    no_nul(field, value)
}

/// A text of at most `most` characters on one line, without anything that a terminal or a mail's header would obey.
pub fn line(field: &'static str, value: &str, most: usize) -> Result<(), Invalid> {
    text(field, value, most)?;
    if value.contains(['\r', '\n']) {
        return Err(Invalid::new(field, format!("{field} holds a line break: write it on one line.")));
    }
    if value.chars().any(char::is_control) {
        return Err(Invalid::new(field, format!("{field} holds a control character: leave it out.")));
    }
    Ok(())
}

/// A name that people type and read: one line that says something, and looks like what it is.
pub fn name(field: &'static str, value: &str, most: usize) -> Result<(), Invalid> {
    filled(field, value, most)?;
    line(field, value, most)?;
    if value.chars().any(is_forging) {
        return Err(Invalid::new(field, format!("{field} holds a character that breaks or turns text: leave it out.")));
    }
    if value.chars().any(is_unseen) {
        return Err(Invalid::new(field, format!("{field} holds a character that cannot be seen: leave it out.")));
    }
    if value.trim() != value {
        return Err(Invalid::new(field, format!("{field} begins or ends with a space: leave that out.")));
    }
    if value.starts_with('-') {
        let sentence =
            format!("{field} begins with `-`, so that commands would take it for an option: leave that out.");
        return Err(Invalid::new(field, sentence));
    }
    Ok(())
}

/// A text of at most `most` characters that says something: it is neither empty nor only white space.
pub fn filled(field: &'static str, value: &str, most: usize) -> Result<(), Invalid> {
    if value.trim().is_empty() {
        return Err(Invalid::new(field, format!("{field} is empty: give it 1 to {most} characters.")));
    }
    text(field, value, most)
}

/// A text of at most `most` bytes: for what is long by nature, where memory is what must be bounded.
pub fn bytes(field: &'static str, value: &str, most: usize) -> Result<(), Invalid> {
    if value.len() > most {
        return Err(Invalid::new(field, format!("{field} has {} bytes: shorten it to {most} or fewer.", value.len())));
    }
    no_nul(field, value)
}

/// Somebody's words as a sentence that another can follow.
pub fn sentence(words: &str) -> String {
    let words = words.trim_end();
    if words.ends_with(['.', '!', '?']) { words.to_owned() } else { format!("{words}.") }
}

/// A JSON object of at most `most` bytes when it is written out, nested no deeper than `MAX_DEPTH`.
pub fn object(field: &'static str, value: &Map<String, Value>, most: usize) -> Result<(), Invalid> {
    // Writing a map of values out cannot fail; should it ever, an empty text would be refused by the database's own
    // CHECK.
    let written = serde_json::to_string(value).unwrap_or_default();
    if written.len() > most {
        return Err(Invalid::new(
            field,
            format!("{field} has {} bytes as JSON: shorten it to {most} or fewer.", written.len()),
        ));
    }
    let deepest = value.values().map(depth).max().unwrap_or_default();
    if deepest >= MAX_DEPTH {
        return Err(Invalid::new(field, format!("{field} is nested more than {MAX_DEPTH} deep: make it flatter.")));
    }
    // SQLite and PostgreSQL both keep JSON as text here, and PostgreSQL refuses this one escape.
    if written.contains("\\u0000") && value.iter().any(|(key, value)| key.contains('\0') || holds_null(value)) {
        return Err(Invalid::new(field, format!("{field} holds the character U+0000: leave it out.")));
    }
    Ok(())
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || holds_null(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A number within `least..=most`.
pub fn number(field: &'static str, value: u32, least: u32, most: u32) -> Result<(), Invalid> {
    if value < least || value > most {
        return Err(Invalid::new(field, format!("{field} is {value}: choose {least} to {most}.")));
    }
    Ok(())
}

/// A time that the databases and the contract can both hold: from 1970 to the end of 9998.
pub fn moment(field: &'static str, value: Timestamp) -> Result<(), Invalid> {
    if (0..=LAST_MOMENT_MS).contains(&value.as_millisecond()) {
        return Ok(());
    }
    Err(Invalid::new(field, format!("{field} is {value}: choose a time from 1970 to 9998.")))
}

/// Times are stored in milliseconds; what is finer is cut off, so that what was written and what is read are equal.
pub fn to_the_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// `value` cut to at most `most` bytes at a character's border, without U+0000: for texts of others that are kept as
/// far as they fit.
pub fn cut(value: &str, most: usize) -> String {
    let mut end = value.len().min(most);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value[..end].replace('\0', "")
}

/// How many objects and lists are within each other. What was parsed has a bounded depth, so that this recursion has
/// one.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// U+0000 ends a text early in SQLite and is refused by PostgreSQL.
fn no_nul(field: &'static str, value: &str) -> Result<(), Invalid> {
    if value.contains('\0') {
        return Err(Invalid::new(field, format!("{field} holds the character U+0000: leave it out.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters() {
        assert_eq!(text("title", &"ä".repeat(100), 100), Ok(()));
        let refusal = text("title", &"ä".repeat(101), 100).unwrap_err();
        assert_eq!(refusal.to_string(), "title has 101 characters: shorten it to 100 or fewer.");
    }

    #[test]
    fn white_space_fills_nothing() {
        assert!(filled("username", " \t", 150).is_err());
        assert!(filled("username", "", 150).is_err());
        assert!(filled("username", "bob", 150).is_ok());
    }

    #[test]
    fn the_null_character_is_refused_in_texts_and_objects() {
        assert!(text("title", "a\0b", 100).is_err());
        assert!(bytes("body", "a\0b", 100).is_err());
        let object_with_nul = Map::from_iter([("a".to_owned(), Value::from("x\0"))]);
        assert!(object("extra", &object_with_nul, 100).is_err());
    }

    #[test]
    fn bytes_and_objects_are_bounded() {
        assert!(bytes("body", "ää", 4).is_ok());
        assert!(bytes("body", "ää", 3).is_err());
        assert!(object("extra", &Map::new(), 2).is_ok());
        assert!(object("extra", &Map::new(), 1).is_err());
    }

    #[test]
    fn objects_are_not_nested_without_end() {
        let nested = |levels: usize| {
            let innermost = (1..levels).fold(Value::from(1), |inner, _| Value::from(vec![inner]));
            Map::from_iter([("a".to_owned(), innermost)])
        };
        assert!(object("extra", &nested(MAX_DEPTH), 10_000).is_ok());
        assert!(object("extra", &nested(MAX_DEPTH + 1), 10_000).is_err());
    }

    #[test]
    fn numbers_and_moments_have_both_ends() {
        assert!(number("max_retries", 0, 0, 3).is_ok());
        assert!(number("max_retries", 4, 0, 3).is_err());
        assert!(moment("expires_at", Timestamp::UNIX_EPOCH).is_ok());
        assert!(moment("expires_at", Timestamp::from_second(-1).unwrap()).is_err());
        assert!(moment("expires_at", Timestamp::from_millisecond(LAST_MOMENT_MS).unwrap()).is_ok());
    }

    #[test]
    fn what_is_finer_than_a_millisecond_is_cut_off() {
        let fine: Timestamp = "2026-01-01T00:00:00.123456789Z".parse().unwrap();
        assert_eq!(to_the_millisecond(fine).to_string(), "2026-01-01T00:00:00.123Z");
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("aä", 2), "a");
        assert_eq!(cut("aä", 3), "aä");
        assert_eq!(cut("a\0b", 9), "ab");
    }
}
