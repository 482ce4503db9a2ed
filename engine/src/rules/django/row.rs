//! A row of a table that another program has written: texts, in which each value is to be looked for.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::rules::limits::Invalid;

/// One row, every value as the text that its database makes of it. Bytes, because SQLite stores what it is given, and that need not be UTF-8.
#[derive(Debug, Clone)]
pub struct Row {
    columns: &'static [&'static str],
    values: Vec<Option<Vec<u8>>>,
}

impl Row {
    /// The values stand in the order of the columns; `None` is NULL.
    pub fn new(columns: &'static [&'static str], values: Vec<Option<Vec<u8>>>) -> Row {
        Row { columns, values }
    }

    /// The row's id, for reports, in which anything is better than nothing.
    pub fn name(&self) -> String {
        self.bytes("id").map_or_else(|| "without an id".to_owned(), |id| String::from_utf8_lossy(id).into_owned())
    }

    /// A text, or NULL.
    pub fn maybe_text(&self, column: &'static str) -> Result<Option<&str>, Invalid> {
        self.bytes(column)
            .map(std::str::from_utf8)
            .transpose()
            .map_err(|_| Invalid::new(column, format!("{column} is not UTF-8: correct it there.")))
    }

    /// A text that must be there.
    pub fn text(&self, column: &'static str) -> Result<&str, Invalid> {
        self.maybe_text(column)?
            .ok_or_else(|| Invalid::new(column, format!("{column} is NULL, which it cannot be: correct it there.")))
    }

    /// A UUID, with hyphens or without.
    pub fn id(&self, column: &'static str) -> Result<Uuid, Invalid> {
        self.read(column, "a UUID", |text| Uuid::try_parse(text).ok())
    }

    /// A whole number that is not negative.
    pub fn number(&self, column: &'static str) -> Result<u64, Invalid> {
        self.read(column, "a number that is not negative", |text| text.parse().ok())
    }

    /// Yes or no, as either database writes it.
    pub fn flag(&self, column: &'static str) -> Result<bool, Invalid> {
        self.read(column, "yes or no", |text| match text {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        })
    }

    /// A time; one that says no offset is of `zone`.
    pub fn time(&self, column: &'static str, zone: &TimeZone) -> Result<Timestamp, Invalid> {
        self.read(column, "a time", |text| read_time(text, zone))
    }

    /// A time, or NULL.
    pub fn maybe_time(&self, column: &'static str, zone: &TimeZone) -> Result<Option<Timestamp>, Invalid> {
        self.maybe_text(column)?.map(|_| self.time(column, zone)).transpose()
    }

    /// A JSON object; NULL and `null` are an empty one.
    pub fn object(&self, column: &'static str) -> Result<Map<String, Value>, Invalid> {
        let Some(text) = self.maybe_text(column)? else { return Ok(Map::new()) };
        match serde_json::from_str(text) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(Value::Null) => Ok(Map::new()),
            Ok(_) => Err(Invalid::new(column, format!("{column} is not a JSON object: make it one there."))),
            Err(_) => Err(Invalid::new(column, format!("{column} is not JSON that can be read: correct it there."))),
        }
    }

    fn read<T>(&self, column: &'static str, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Invalid> {
        let text = self.text(column)?;
        read(text).ok_or_else(|| {
            let start: String = text.chars().take(60).collect();
            Invalid::new(column, format!("{column} `{start}` is not {what}: correct it there."))
        })
    }

    fn bytes(&self, column: &str) -> Option<&[u8]> {
        let place = self.columns.iter().position(|name| *name == column)?;
        self.values.get(place)?.as_deref()
    }
}

/// `2026-03-20 12:00:00+00` as PostgreSQL writes it, or `2026-03-20 12:00:00.123456` as Django writes it into SQLite.
fn read_time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let local: DateTime = text.parse().ok()?;
    Some(local.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Option<&[u8]>) -> Row {
        Row::new(&["value"], vec![value.map(<[u8]>::to_vec)])
    }

    fn row(value: &str) -> Row {
        of(Some(value.as_bytes()))
    }

    #[test]
    fn both_databases_are_read() {
        for text in ["1", "true"] {
            assert_eq!(row(text).flag("value"), Ok(true), "{text}");
        }
        let id = "0b5e1c2d3e4f40618293a4b5c6d7e8f9";
        let hyphened = "0b5e1c2d-3e4f-4061-8293-a4b5c6d7e8f9";
        assert_eq!(row(id).id("value"), row(hyphened).id("value"));
        let utc = TimeZone::UTC;
        for (text, time) in [
            ("2026-03-20 12:00:00", "2026-03-20T12:00:00Z"),
            ("2026-03-20 12:00:00.123456", "2026-03-20T12:00:00.123456Z"),
            ("2026-03-20 12:00:00+00", "2026-03-20T12:00:00Z"),
            ("2026-03-20 12:00:00.5+05:30", "2026-03-20T06:30:00.5Z"),
        ] {
            assert_eq!(row(text).time("value", &utc).unwrap().to_string(), time, "{text}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_of_the_zone() {
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        assert_eq!(row("2026-07-01 12:00:00").time("value", &vienna).unwrap().to_string(), "2026-07-01T10:00:00Z");
        assert_eq!(row("2026-07-01 12:00:00+00").time("value", &vienna).unwrap().to_string(), "2026-07-01T12:00:00Z");
    }

    #[test]
    fn nothing_and_null_are_an_empty_object() {
        assert_eq!(of(None).object("value"), Ok(Map::new()));
        assert_eq!(row("null").object("value"), Ok(Map::new()));
        assert_eq!(row(r#"{"a": 1}"#).object("value").unwrap()["a"], 1);
        assert_eq!(of(None).maybe_time("value", &TimeZone::UTC), Ok(None));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let why = |refused: Result<(), Invalid>| refused.unwrap_err().sentence;
        assert_eq!(why(row("7").id("value").map(drop)), "value `7` is not a UUID: correct it there.");
        assert!(why(row("-1").number("value").map(drop)).contains("not a number"));
        assert!(why(row("maybe").flag("value").map(drop)).contains("not yes or no"));
        for text in ["infinity", "12345", "2026-13-01 00:00:00", ""] {
            assert!(why(row(text).time("value", &TimeZone::UTC).map(drop)).contains("is not a time"), "{text}");
        }
        assert!(why(row("[1]").object("value").map(drop)).contains("not a JSON object"));
        assert!(why(row("{").object("value").map(drop)).contains("not JSON"));
        assert!(why(of(None).text("value").map(drop)).contains("NULL"));
        assert!(why(of(Some(b"\xff")).text("value").map(drop)).contains("not UTF-8"));
    }
}
