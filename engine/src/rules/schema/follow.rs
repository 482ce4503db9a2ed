//! Which schemas are followed: those whose work grows with the schema and the value, and does not multiply.

use super::MOST_SAID;
use crate::rules::limits;
use crate::rules::spelling::{nearest, shown};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// How many expressions a schema may have, and how many bytes one may take when it is compiled.
const MOST_PATTERNS: usize = 16;
pub(super) const LARGEST_PATTERN: usize = 256 * 1024;
const SMALLEST_PATTERN: usize = 1024;
/// How many classes of characters by their properties there may be in all expressions.
const MOST_CLASSES: usize = 32;
/// How many bytes an expression may be written in.
const LONGEST_PATTERN: usize = 256;
/// How many values an `enum` may have.
const MOST_VALUES: usize = 2000;
/// How many branches it may have.
const MOST_BRANCHES: usize = 32;
/// Whether a schema can be one of an object. The error is the end of a sentence.
pub fn check_schema(schema: &Value) -> Result<(), String> {
    if !matches!(schema.get("type"), None | Some(Value::Null)) && schema.get("type") != Some(&Value::from("object")) {
        return Err("its `type` has to be \"object\"".to_owned());
    }
    read(schema).map(drop).map_err(|why| shown(&limits::cut(&why, MOST_SAID).replace('\n', " ")))
}

/// What checks values by a schema. A component says it, and no sandbox is around it here: so nothing of it may take more than a little time and memory,
/// whatever it says. Work grows with the size of the schema and of the value, and with the number of branches and expressions, which are few; expressions are
/// matched in time that grows with the text and with their own size. How much it is for a value, `work` says.
pub(super) fn read(schema: &Value) -> Result<Read, String> {
    let mut cost = Cost::default();
    count(schema, &mut cost)?;
    for (number, what, most) in [
        (cost.patterns.len(), "patterns", MOST_PATTERNS),
        (cost.classes, "classes of characters such as `\\p{L}` in its patterns", MOST_CLASSES),
        (cost.branches, "branches", MOST_BRANCHES),
    ] {
        if number > most {
            return Err(format!("it has {number} {what}, and {most} are the most"));
        }
    }
    let built = built(schema, LARGEST_PATTERN).map_err(|e| {
        let kind = if is_of_a_pattern(&e) {
            format!(
                "; look-around, back-references and what takes more than {} KiB are not supported",
                LARGEST_PATTERN >> 10
            )
        } else {
            String::new()
        };
        let place = e.instance_path().to_string();
        let place = if place.is_empty() { place } else { format!(" at {place}") };
        format!("{e}{place}{kind}")
    });
    let sizes = cost.patterns.into_iter().map(|pattern| (pattern, OnceLock::new())).collect();
    Ok(Read { validator: built?, branches: cost.branches, sizes })
}

/// A schema that is followed.
pub(super) struct Read {
    pub(super) validator: Validator,
    /// Schemas by each of which the same value is checked.
    pub(super) branches: usize,
    /// How many bytes each expression takes, once somebody has asked.
    sizes: BTreeMap<String, OnceLock<u64>>,
}

impl Read {
    /// Bytes that an expression of the schema does not exceed once it is compiled.
    pub(super) fn size_of(&self, pattern: &str) -> u64 {
        self.sizes.get(pattern).map_or(LARGEST_PATTERN as u64, |size| *size.get_or_init(|| measured(pattern)))
    }
}

/// Built by the library, with expressions of at most so many bytes.
fn built(schema: &Value, size: usize) -> Result<Validator, ValidationError<'static>> {
    let expressions = PatternOptions::regex().size_limit(size).dfa_size_limit(LARGEST_PATTERN);
    jsonschema::options().should_validate_formats(false).with_pattern_options(expressions).build(schema)
}

/// Bytes that an expression does not exceed once it is compiled: the least limit under which it can be, which is all that is told of its size.
fn measured(pattern: &str) -> u64 {
    let alone = json!({ "pattern": pattern });
    let mut size = SMALLEST_PATTERN;
    while size < LARGEST_PATTERN && built(&alone, size).is_err() {
        size *= 2;
    }
    size as u64
}

/// Whether what is wrong with a schema is one of its expressions.
fn is_of_a_pattern(error: &ValidationError<'_>) -> bool {
    error.to_string().ends_with("is not a \"regex\"")
}

/// What makes a schema dear to follow.
#[derive(Default)]
struct Cost {
    patterns: Vec<String>,
    /// Classes in them that have hundreds of parts, which are put together anew wherever they stand.
    classes: usize,
    branches: usize,
}

impl Cost {
    /// An expression. What is short is read soon, but for letters of either case: each class is then looked through letter by letter.
    fn pattern(&mut self, pattern: &str) -> Result<(), String> {
        self.patterns.push(pattern.to_owned());
        self.classes += ["\\p", "\\P"].map(|class| pattern.matches(class).count()).iter().sum::<usize>();
        if pattern.len() > LONGEST_PATTERN {
            return Err(format!("it has a pattern of {} bytes, and {LONGEST_PATTERN} are the most", pattern.len()));
        }
        match pattern.match_indices("(?").find(|(at, _)| !pattern[at + 2..].starts_with(':')) {
            Some((at, _)) => {
                let rest: String = pattern[at..].chars().take(4).collect();
                Err(format!(
                    "its pattern has `{rest}`: flags, names, look-around and back-references are not supported"
                ))
            }
            None => Ok(()),
        }
    }
}

/// Counts what a schema costs, and refuses keywords whose work can multiply: references, and those that ask again what others have found.
fn count(schema: &Value, cost: &mut Cost) -> Result<(), String> {
    let members = match schema {
        Value::Bool(_) => return Ok(()),
        Value::Object(members) => members,
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err("it has something else where a schema has to be".to_owned());
        }
    };
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("pattern", Value::String(pattern)) => cost.pattern(pattern)?,
            ("properties", Value::Object(schemas)) => schemas.iter().try_for_each(|(key, schema)| {
                count(schema, cost).map_err(|why| format!("`{}`: {why}", key.escape_debug()))
            })?,
            ("patternProperties", Value::Object(schemas)) => {
                schemas.keys().try_for_each(|pattern| cost.pattern(pattern))?;
                schemas.values().try_for_each(|schema| count(schema, cost))?;
            }
            ("additionalProperties" | "items" | "propertyNames", schema) => count(schema, cost)?,
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                cost.branches += schemas.len();
                schemas.iter().try_for_each(|schema| count(schema, cost))?;
            }
            ("not", schema) => {
                cost.branches += 1;
                count(schema, cost)?;
            }
            ("$ref" | "$dynamicRef" | "$recursiveRef" | "$defs" | "definitions", _) => {
                return Err("it refers to parts of itself, which can take for ever; write them out instead of `$ref`"
                    .to_owned());
            }
            ("enum", Value::Array(values)) if values.len() > MOST_VALUES => {
                return Err(format!("it has an `enum` of {} values, and {MOST_VALUES} are the most", values.len()));
            }
            ("type", kinds) => check_types(kinds)?,
            // What is wrong with those, the library says.
            ("pattern" | "properties" | "patternProperties" | "allOf" | "anyOf" | "oneOf", _) => {}
            (other, _) if PLAIN.contains(&other) || other.starts_with("x-") => {}
            (other, _) => {
                let known = PLAIN.into_iter().chain(WITH_SCHEMAS);
                let near = nearest(other, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                return Err(format!("its keyword `{}` is not followed here{near}", other.escape_debug()));
            }
        }
    }
    Ok(())
}

/// The library would list all that the keyword may be, as the schema of schemas has it.
fn check_types(kinds: &Value) -> Result<(), String> {
    const KINDS: [&str; 7] = ["string", "integer", "number", "boolean", "array", "object", "null"];
    let several = kinds.as_array().filter(|several| !several.is_empty());
    let several = several.map_or(std::slice::from_ref(kinds), Vec::as_slice);
    match several.iter().find(|kind| kind.as_str().is_none_or(|kind| !KINDS.contains(&kind))) {
        Some(kind) => {
            let near = kind.as_str().and_then(|kind| nearest(kind, KINDS.into_iter()));
            let near = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
            Err(format!("a `type` in it is {kind}, which is none of {}{near}", KINDS.join(", ")))
        }
        None => Ok(()),
    }
}

/// Keywords whose values are or hold schemas, or are looked at for their cost.
const WITH_SCHEMAS: [&str; 11] = [
    "pattern",
    "properties",
    "patternProperties",
    "additionalProperties",
    "items",
    "propertyNames",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "type",
];

/// Keywords without schemas in them.
const PLAIN: [&str; 27] = [
    "$schema",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "format",
    "enum",
    "const",
    "required",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "contentEncoding",
    "contentMediaType",
];

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;
    use serde_json::{Map, json};

    #[test]
    fn a_schema_cannot_double_its_work() {
        let doubling = |n: u32| json!({ "allOf": [{ "$ref": format!("#/$defs/{}", n + 1) }, { "$ref": format!("#/$defs/{}", n + 1) }] });
        let mut schema = doubling(0);
        schema["$defs"] = (1..50).map(|n| (n.to_string(), doubling(n))).collect::<Map<_, _>>().into();
        assert!(check("extra", &Map::new(), &schema, &[]).unwrap_err().why.contains("instead of `$ref`"));
        assert!(check_schema(&schema).unwrap_err().contains("instead of `$ref`"));
    }

    #[test]
    fn nothing_asks_again_what_others_have_found() {
        for keyword in
            ["unevaluatedProperties", "unevaluatedItems", "if", "contains", "dependentSchemas", "prefixItems", "$id"]
        {
            let nested = json!({ "properties": { "a": { "anyOf": [{ keyword: false }] } } });
            assert!(check_schema(&nested).unwrap_err().contains(keyword), "{keyword}");
        }
        let misspelt = json!({ "properties": { "a": { "max_length": 3 } } });
        let expected = "`a`: its keyword `max_length` is not followed here; did you mean `maxLength`?";
        assert_eq!(check_schema(&misspelt).unwrap_err(), expected);
        assert!(check_schema(&json!({ "propertys": {} })).unwrap_err().ends_with("did you mean `properties`?"));
        // A property may be called so.
        assert_eq!(check_schema(&json!({ "properties": { "if": {}, "$ref": {} }, "x-own": 1 })), Ok(()));
        assert!(check_schema(&json!({ "items": [1] })).is_err());
        let branches =
            |n: usize| json!({ "properties": { "a": { "anyOf": vec![json!({ "items": { "type": "string" } }); n] } } });
        let numbers = json!({ "a": vec![1; 60_000] });
        let why = check("extra", numbers.as_object().unwrap(), &branches(MOST_BRANCHES), &[]).unwrap_err().why;
        assert_eq!(why, "extra is not valid, and too large to be told why: try a smaller one");
        assert!(check_schema(&branches(MOST_BRANCHES + 1)).unwrap_err().contains("32 are the most"));
        let long = json!({ "a": "x".repeat(100_000) });
        let why =
            check("extra", long.as_object().unwrap(), &json!({ "properties": { "a": { "type": "integer" } } }), &[]);
        assert!(why.unwrap_err().why.len() < 1100);
    }

    #[test]
    fn expressions_are_few_small_and_linear() {
        let with = |pattern: &str| json!({ "properties": { "a": { "pattern": pattern } } });
        for pattern in ["^AC[0-9a-f]{32}$", r"^[\w.-]{1,64}$", r"^\p{L}+( \p{L}+)*$", "^(a+)+$"] {
            assert_eq!(check_schema(&with(pattern)), Ok(()), "{pattern}");
        }
        for pattern in [r"(?=7)\w{150}$", r"\p{L}{1000}", "(a)\\1", "("] {
            let why = check_schema(&with(pattern)).unwrap_err();
            assert!(why.contains("look-around"), "{pattern}: {why}");
        }
        for pattern in [r"(?i:[\p{Any}\p{Any}])", r"(?s)a", r"(?<n>a)", &"a".repeat(LONGEST_PATTERN + 1)] {
            assert!(check_schema(&with(pattern)).is_err(), "{pattern}");
        }
        assert_eq!(check_schema(&with("(?:ab)+")), Ok(()));
        assert!(check_schema(&json!({ "enum": vec![1; MOST_VALUES + 1] })).unwrap_err().contains("2000 are the most"));
        let many = |n: usize| json!({ "patternProperties": (0..n).map(|n| (n.to_string(), json!({}))).collect::<Map<_, _>>() });
        assert_eq!(check_schema(&many(MOST_PATTERNS)), Ok(()));
        assert!(check_schema(&many(MOST_PATTERNS + 1)).unwrap_err().contains("16 are the most"));
    }

    #[test]
    fn types_are_those_that_there_are() {
        let with = |kind: Value| check_schema(&json!({ "properties": { "a": { "type": kind } } }));
        for kind in [json!("string"), json!(["integer", "null"])] {
            assert_eq!(with(kind.clone()), Ok(()), "{kind}");
        }
        for (kind, part) in [
            (json!("text"), "a `type` in it is \"text\""),
            (json!(["string", 3]), "a `type` in it is 3"),
            (json!([]), "[]"),
        ] {
            let why = with(kind.clone()).unwrap_err();
            assert!(why.contains(part) && why.contains("none of string, integer"), "{kind}: {why}");
        }
    }
}
