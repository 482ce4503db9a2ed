//! When two requests mean the same notification, though neither says so with an idempotency key.

use crate::rules::limits::{self, Invalid};
use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use serde_json::{Map, Value};
use std::fmt::Write;
use uuid::Uuid;

/// What a key begins with that was made here.
const PREFIX: &str = "same:";
/// What a key begins with that an application gave.
const GIVEN: &str = "given:";

/// The idempotency key of what was asked for with a time: as in the predecessor, the record, the title, the time and `extra`, compared as JSON
/// values (order of keys and spelling of numbers mean nothing). `part` tells apart what one request makes several of.
pub fn key(
    record: Uuid,
    title: &str,
    scheduled_delivery: Timestamp,
    extra: &Map<String, Value>,
    part: usize,
) -> String {
    let mut hash = Context::new(&SHA256);
    hash.update(record.as_bytes());
    hash.update(&scheduled_delivery.as_millisecond().to_be_bytes());
    hash.update(&(part as u64).to_be_bytes());
    hash.update(&(title.len() as u64).to_be_bytes());
    hash.update(title.as_bytes());
    let mut text = String::new();
    canonical_object(extra, &mut text);
    hash.update(text.as_bytes());
    let mut key = String::from(PREFIX);
    for byte in hash.finish().as_ref() {
        // Writing into a text cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// Characters that an application's own key may have.
pub const MAX_GIVEN: usize = 180;

/// Whether an application's own key can be one.
pub fn check_given(key: &str) -> Result<(), Invalid> {
    limits::filled("idempotency_key", key, MAX_GIVEN)?;
    limits::line("idempotency_key", key, MAX_GIVEN)
}

/// Whether an idempotency key was made of an application's own.
pub fn is_given(key: &str) -> bool {
    key.starts_with(GIVEN)
}

/// The idempotency key of the notification with this number among those of a request, to which an application gave a key of its own.
pub fn given(key: &str, number: usize) -> String {
    format!("{GIVEN}{number}:{key}")
}

/// One spelling for equal values. Parsing limits how deep they are nested.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(object) => canonical_object(object, text),
        Value::Array(values) => {
            text.push('[');
            for value in values {
                canonical(value, text);
                text.push(',');
            }
            text.push(']');
        }
        // 1 and 1.0 are the same number. Integers that a float cannot hold keep their digits.
        Value::Number(number) => match number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15) {
            Some(whole) => {
                let _ = write!(text, "{whole:.0}");
            }
            None => {
                let _ = write!(text, "{number}");
            }
        },
        Value::Null | Value::Bool(_) | Value::String(_) => {
            let _ = write!(text, "{value}");
        }
    }
}

fn canonical_object(object: &Map<String, Value>, text: &mut String) {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    text.push('{');
    for (name, value) in members {
        let _ = write!(text, "{}:", Value::from(name.as_str()));
        canonical(value, text);
        text.push(',');
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::notification::MAX_IDEMPOTENCY_KEY;

    fn of(title: &str, second: i64, extra: &str, part: usize) -> String {
        let time = Timestamp::from_second(second).unwrap();
        key(Uuid::from_u128(7), title, time, &serde_json::from_str(extra).unwrap(), part)
    }

    #[test]
    fn equal_values_have_one_key() {
        let first = of("Tea", 1, r#"{"a": 1, "b": [1.5, {"c": null, "d": "x"}]}"#, 0);
        assert_eq!(first, of("Tea", 1, r#"{ "b": [1.50, {"d":"x","c":null}], "a": 1.0 }"#, 0));
        assert!(first.len() <= MAX_IDEMPOTENCY_KEY);
    }

    #[test]
    fn whatever_differs_makes_another() {
        let first = of("Tea", 1, r#"{"a": 1}"#, 0);
        for other in [
            of("Teas", 1, r#"{"a": 1}"#, 0),
            of("Tea", 2, r#"{"a": 1}"#, 0),
            of("Tea", 1, r#"{"a": "1"}"#, 0),
            of("Tea", 1, r#"{"a": 2}"#, 0),
            of("Tea", 1, r#"{"a": [1]}"#, 0),
            of("Tea", 1, r#"{"a": 1, "b": null}"#, 0),
            of("Tea", 1, r#"{"a": 9007199254740993}"#, 0),
            of("Tea", 1, r#"{"a": 1}"#, 1),
        ] {
            assert_ne!(first, other);
        }
        assert_ne!(of("Tea", 1, r#"{"a": 9007199254740993}"#, 0), of("Tea", 1, r#"{"a": 9007199254740992}"#, 0));
    }
}
