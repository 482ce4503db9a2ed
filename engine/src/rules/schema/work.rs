//! How much work it is to check a value by a schema, before it is done: nothing can stop it once it has begun.

use super::follow::LARGEST_PATTERN;
use serde_json::Value;

/// The most work that is done for one value: a third of a second, where expressions are as dear as they can be.
const MOST: u64 = 1 << 30;
/// What it takes to look at one member of a schema, in the unit of one byte of an expression beside one of a text, which is a third of a nanosecond at most.
const LOOK: u64 = 32;

/// What it takes to see whether one number is a multiple of another, in looks.
const LOOKS_OF_A_DIVISION: u64 = 512;

/// Whether checking a value by a schema is no more work than that.
pub(super) fn is_little(schema: &Value, value: &Value, size_of: impl Fn(&str) -> u64) -> bool {
    // To ask how large expressions are takes longer than to match most texts.
    let as_if_large = Work { left: MOST, size_of: |_: &str| LARGEST_PATTERN as u64 }.spend(schema, &[value]);
    as_if_large.is_some() || Work { left: MOST, size_of }.spend(schema, &[value]).is_some()
}

struct Work<F> {
    left: u64,
    /// How many bytes an expression takes when it is compiled.
    size_of: F,
}

impl<F: Fn(&str) -> u64> Work<F> {
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
                // Done with fractions of any length, where a number is large or has many digits.
                ("multipleOf", _) => self.look(values, LOOKS_OF_A_DIVISION)?,
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
        self.left = self.left.checked_sub((text.len() as u64 + 1).checked_mul((self.size_of)(pattern))?)?;
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
    use super::super::{Schema, check, check_schema};
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

    /// What a keyword holds in the branch of this number.
    type Written = fn(usize) -> Value;

    /// As many branches as there may be, on as much as an application may give.
    #[test]
    fn no_keyword_is_dearer_than_it_counts() {
        let list = |item: Value| json!({ "list": vec![item.clone(); 250_000 / (item.to_string().len() + 1)] });
        let lists =
            ["7", "52.5", "9e99", "1e-300", "18446744073709551615", "\"x\"", "{}", "[]", "{\"a\":1}", "[[1],[1]]"]
                .map(|item| list(serde_json::from_str(item).unwrap()));
        let long = json!({ "list": ["é".repeat(100_000), "x".repeat(40_000)] });
        let keywords: [(&str, Written); 16] = [
            ("multipleOf", |n| json!(3.7e-300 + n as f64 * 1e-302)),
            ("multipleOf", |n| json!(n + 1)),
            ("minimum", |n| json!(-9e99 - n as f64)),
            ("exclusiveMaximum", |n| json!(1e300 + n as f64)),
            ("maxLength", |n| json!(1_000_000 + n)),
            ("minLength", |_| json!(0)),
            ("uniqueItems", |_| json!(true)),
            ("maxItems", |n| json!(1000 + n)),
            ("maxProperties", |n| json!(1000 + n)),
            ("required", |_| json!(["a", "b", "c"])),
            ("enum", |n| (0..200).map(|k| json!(n * 1000 + k)).collect()),
            ("enum", |n| (0..200).map(|k| json!([[n], [k]])).collect()),
            ("const", |n| json!({ "a": n })),
            ("type", |_| json!(["string", "integer", "number", "object", "array"])),
            ("propertyNames", |n| json!({ "pattern": format!("^[a-z]{{1,{}}}$", n + 1) })),
            ("additionalProperties", |n| json!({ "maximum": n })),
        ];
        for (keyword, value) in keywords {
            let branches: Vec<Value> = (0..32)
                .filter(|n| keyword != "propertyNames" || *n < 16)
                .map(|n| json!({ keyword: value(n) }))
                .collect();
            for combined in ["allOf", "anyOf", "oneOf"] {
                let schema = json!({ "properties": { "list": { "items": { combined: branches } } } });
                for extra in lists.iter().chain([&long]) {
                    let (checked, took) = took(&schema, extra);
                    assert!(
                        took < Duration::from_secs(2),
                        "{keyword} {combined} {:.40} {took:?} {checked:?}",
                        extra.to_string()
                    );
                }
            }
        }
    }

    /// To read it, and once for each setting.
    #[test]
    fn no_expression_is_dear_to_read() {
        let dear = format!("(?:[{}]{{0}})x|$", "\\P{L}\\p{M}".repeat(15));
        let many = json!({ "additionalProperties": { "allOf": vec![json!({ "pattern": dear }); 16] } });
        assert!(check_schema(&many).unwrap_err().contains("classes of characters"));
        let dear = format!("(?:[{}]{{0}})x|$", "\\P{L}\\p{M}".repeat(16));
        for schema in [
            json!({ "additionalProperties": { "pattern": dear } }),
            json!({ "additionalProperties": { "allOf": (0..16).map(|n| json!({ "pattern": format!("(?:[{}]{{0}})x{n}|$", "\\W\\D".repeat(50)) })).collect::<Vec<_>>() } }),
        ] {
            let began = Instant::now();
            let known = Schema::requiring_nothing(&schema);
            for n in 0..100 {
                let setting = json!({ format!("key{n}"): "y".repeat(1000) });
                let _ = known.check("", setting.as_object().unwrap(), &[]);
            }
            assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        }
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
