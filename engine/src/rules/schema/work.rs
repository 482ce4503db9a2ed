//! How much work it is to check a value by a schema, before it is done: nothing can stop it once it has begun.

use super::follow::{LARGEST_PATTERN, size_of};
use serde_json::Value;
use std::collections::HashMap;

/// The most work that is done for one value: a third of a second, where expressions are as dear as they can be.
const MOST: u64 = 1 << 30;
/// What it takes to look at one member of a schema, in the unit of one byte of an expression beside one of a text, which is a third of a nanosecond at most.
const LOOK: u64 = 32;

/// Whether checking a value by a schema is no more work than that.
pub(super) fn is_little(schema: &Value, value: &Value) -> bool {
    let is_within = |size_of| Work { left: MOST, size_of, sizes: HashMap::new() }.spend(schema, &[value]).is_some();
    // To ask how large expressions are takes longer than to match most texts.
    is_within(|_| LARGEST_PATTERN as u64) || is_within(size_of)
}

struct Work {
    left: u64,
    /// How many bytes an expression takes when it is compiled.
    size_of: fn(&str) -> u64,
    sizes: HashMap<String, u64>,
}

impl Work {
    /// For all these values; `None` as soon as it is too much. A schema has no references, so that each part of it is come to once.
    fn spend(&mut self, schema: &Value, values: &[&Value]) -> Option<()> {
        let Some(members) = schema.as_object().filter(|_| !values.is_empty()) else { return Some(()) };
        self.look(values, entries(schema))?;
        let objects = || values.iter().filter_map(|value| value.as_object());
        for (keyword, within) in members {
            match (keyword.as_str(), within) {
                ("pattern", Value::String(pattern)) => {
                    values
                        .iter()
                        .filter_map(|value| value.as_str())
                        .try_for_each(|text| self.match_once(pattern, text))?;
                }
                ("enum" | "const", _) => self.look(values, depth_of(within))?,
                ("properties", Value::Object(schemas)) => {
                    for (key, schema) in schemas {
                        let values: Vec<&Value> = objects().filter_map(|object| object.get(key)).collect();
                        self.spend(schema, &values)?;
                    }
                }
                ("patternProperties", Value::Object(schemas)) => {
                    let values: Vec<&Value> = objects().flat_map(|object| object.values()).collect();
                    for (pattern, schema) in schemas {
                        // Once for these, and once for what is left to `additionalProperties`.
                        let keys = objects().flat_map(|object| object.keys().chain(object.keys()));
                        keys.into_iter().try_for_each(|key| self.match_once(pattern, key))?;
                        self.spend(schema, &values)?;
                    }
                }
                ("additionalProperties", schema) => {
                    self.spend(schema, &objects().flat_map(|object| object.values()).collect::<Vec<_>>())?;
                }
                ("propertyNames", schema) => {
                    let keys = objects().flat_map(|object| object.keys());
                    let names: Vec<Value> = keys.map(|key| key.as_str().into()).collect();
                    self.spend(schema, &names.iter().collect::<Vec<_>>())?;
                }
                ("items", schema) => {
                    let items: Vec<&Value> = values.iter().filter_map(|value| value.as_array()).flatten().collect();
                    self.spend(schema, &items)?;
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                    schemas.iter().try_for_each(|schema| self.spend(schema, values))?;
                }
                ("not", schema) => self.spend(schema, values)?,
                _ => {}
            }
        }
        Some(())
    }

    /// So many looks at each of the values.
    fn look(&mut self, values: &[&Value], looks: u64) -> Option<()> {
        self.left = self.left.checked_sub((values.len() as u64).checked_mul(looks)?.checked_mul(LOOK)?)?;
        Some(())
    }

    fn match_once(&mut self, pattern: &str, text: &str) -> Option<()> {
        let size = match self.sizes.get(pattern) {
            Some(size) => *size,
            None => *self.sizes.entry(pattern.to_owned()).or_insert((self.size_of)(pattern)),
        };
        self.left = self.left.checked_sub((text.len() as u64 + 1).checked_mul(size)?)?;
        Some(())
    }
}

/// How many members a schema has, and entries in them.
fn entries(schema: &Value) -> u64 {
    let members = schema.as_object().into_iter().flat_map(|members| members.values());
    members
        .map(|member| match member {
            Value::Array(entries) => 1 + entries.len() as u64,
            Value::Object(entries) => 1 + entries.len() as u64,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
        })
        .sum()
}

/// How much there is to compare a value with, at most.
fn depth_of(value: &Value) -> u64 {
    match value {
        Value::Array(values) => values.iter().map(depth_of).sum::<u64>() + 1,
        Value::Object(members) => {
            members.iter().map(|(key, value)| key.len() as u64 / 64 + depth_of(value)).sum::<u64>() + 1
        }
        Value::String(text) => text.len() as u64 / 64 + 1,
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use serde_json::{Value, json};
    use std::time::{Duration, Instant};

    fn took(schema: &Value, extra: &Value) -> (Result<(), String>, Duration) {
        let began = Instant::now();
        let checked = check("extra", extra.as_object().unwrap(), schema, &[]).map_err(String::from);
        (checked, began.elapsed())
    }

    /// A stranger says the schema, and whoever notifies their users the value: neither takes the other's time.
    #[test]
    fn no_schema_takes_long() {
        let patterns: Vec<Value> =
            (2..18).map(|n| json!({ "pattern": format!("(?:e[\\t-~]{{3000}}q{{{n}}})|$") })).collect();
        let text = json!({ "html": "<p>the time has come</p>".repeat(2500) });
        let numbers = json!({ "list": vec![1; 100_000] });
        let objects = json!({ "list": vec![json!({}); 80_000] });
        let few: Vec<Value> = (0..2000).map(|n| json!(n + 2)).collect();
        let properties: Value =
            (0..2000).map(|n| (format!("key{n}"), json!({}))).collect::<serde_json::Map<_, _>>().into();
        let in_branches =
            |schema: Value| json!({ "properties": { "list": { "anyOf": vec![json!({ "items": schema }); 32] } } });
        for (schema, extra) in [
            (json!({ "properties": { "html": { "allOf": patterns } } }), &text),
            (json!({ "additionalProperties": { "allOf": patterns } }), &text),
            (in_branches(json!({ "enum": few })), &numbers),
            (in_branches(json!({ "properties": properties })), &objects),
        ] {
            let (checked, took) = took(&schema, extra);
            assert!(took < Duration::from_secs(2), "{took:?}");
            assert!(checked.as_ref().is_err_and(|why| why.contains("takes too long to check")), "{checked:?}");
        }
        let twice = json!({ "properties": { "list": { "uniqueItems": true } } });
        let numbers: Vec<usize> = (0..50_000).chain([49_999]).collect();
        let (checked, took) = took(&twice, &json!({ "list": numbers }));
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!(checked.unwrap_err(), "`list` in extra holds 49999 twice");
    }

    #[test]
    fn what_components_ask_for_is_checked() {
        let address = json!({ "type": "string", "pattern": r"^[\w.+-]{1,64}@[\w-]+(\.[\w-]+)+$", "maxLength": 254 });
        let schema = json!({
            "properties": {
                "cc": { "type": "array", "items": address },
                "priority": { "enum": ["high", "low"] },
                "html": { "type": "string", "pattern": "^<" },
                "data": { "type": "object", "additionalProperties": { "type": "string", "pattern": r"^\P{Cc}*$" } },
            },
            "additionalProperties": false,
        });
        let extra = json!({
            "cc": vec!["somebody@example.com"; 500],
            "priority": "high",
            "html": "<p>the time has come</p>".repeat(4000),
            "data": { "some": "text".repeat(1000) },
        });
        assert_eq!(took(&schema, &extra).0, Ok(()));
    }
}
