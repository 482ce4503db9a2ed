//! Settings and `extra` are checked against the JSON Schemas of a component's manifest, and these are told to people.

use crate::rules::limits;
use crate::rules::spelling::{nearest, shown};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How many expressions a schema may have, and how many bytes one may take when it is compiled.
const MOST_PATTERNS: usize = 16;
const LARGEST_PATTERN: usize = 256 * 1024;
/// How many bytes an expression may be written in.
const LONGEST_PATTERN: usize = 256;
/// How many values an `enum` may have.
const MOST_VALUES: usize = 2000;
/// How many branches it may have.
const MOST_BRANCHES: usize = 32;
/// How many bytes an object may have to be explained in all branches, and how many bytes an explanation.
const MOST_EXPLAINED: usize = 4096;
const MOST_SAID: usize = 1000;
/// How many characters of a value are shown to whoever wrote it.
const MOST_SHOWN: usize = 100;

/// Says what is wrong with `object` by `schema`, in the first complaint's words, naming the key. An unknown key is told with
/// those there are, and the one that is spelled most like it. `beside` are keys that somebody else reads: where the schema does not know
/// them, they are not looked at.
pub fn check(what: &str, object: &Map<String, Value>, schema: &Value, beside: &[&str]) -> Result<(), String> {
    // It repeats keys and values, of the schema and of the object, whoever made them.
    let cut = |why: String| if why.len() > MOST_SAID { format!("{}…", limits::cut(&why, MOST_SAID)) } else { why };
    complaint(what, object, schema, beside).map_or(Ok(()), |why| Err(shown(&cut(why).replace('\n', " "))))
}

fn complaint(what: &str, object: &Map<String, Value>, schema: &Value, beside: &[&str]) -> Option<String> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let mut object = object.clone();
    object.retain(|key, _| properties.contains_key(key) || !beside.contains(&key.as_str()));
    if schema.get("additionalProperties") == Some(&Value::Bool(false))
        && let Some(told) = unknown_key(what, &object, properties, beside)
    {
        return Some(told);
    }
    let (validator, cost) = match validator(schema) {
        Ok(validator) => validator,
        Err(why) => return Some(format!("the schema of {what} is not valid: {why}")),
    };
    let object = Value::Object(object);
    if validator.is_valid(&object) {
        return None;
    }
    // What each branch has against each part of it would be collected first.
    if cost.branches > 0 && object.to_string().len() > MOST_EXPLAINED {
        return Some(format!("{what} is not valid, and too large to be told why: try a smaller one"));
    }
    let error = validator.validate(&object).err()?;
    let path = error.instance_path().to_string();
    let at = path.trim_start_matches('/').replace('/', ".");
    let place = if at.is_empty() { what.to_owned() } else { format!("`{at}` in {what}") };
    let failed = error.schema_path().to_string();
    if let Some(told) = unknown_key_within(&place, error.instance(), schema, &failed) {
        return Some(told);
    }
    let found: String = error.instance().to_string().chars().take(MOST_SHOWN).collect();
    Some(match (meaning(schema, &failed), of_a_few(schema, &failed)) {
        (Some(told), _) => format!("{place} cannot be {found}: it has to be as described (\"{told}\")"),
        (None, Some(few)) => format!("{place} cannot be {found}: it has to be one of {few}"),
        (None, None) => format!("{place} is not valid: {error}{}", to_write(schema, &failed)),
    })
}

/// How a value is written that has another type.
fn to_write(schema: &Value, failed: &str) -> &'static str {
    let kind = failed.ends_with("/type").then(|| schema.pointer(failed)).flatten();
    match kind.and_then(Value::as_str) {
        Some("boolean") => "; write `true` or `false`",
        Some("integer") => "; write a whole number, such as `7`",
        Some("number") => "; write a number, such as `7.5`",
        Some("string") => "; write it in quotes",
        Some("array") => "; write a list, such as `[\"a\", \"b\"]`",
        Some("object") => "; write an object, such as `{\"key\": \"value\"}`",
        Some(_) | None => "",
    }
}

/// What is said of a key that there is not.
fn unknown_key(
    what: &str,
    object: &Map<String, Value>,
    properties: &Map<String, Value>,
    beside: &[&str],
) -> Option<String> {
    let unknown = object.keys().find(|key| !properties.contains_key(*key))?;
    let names = || properties.keys().map(String::as_str).chain(beside.iter().copied());
    let known: BTreeSet<String> = names().map(|key| format!("`{key}`")).collect();
    let known = if known.is_empty() { "no key".to_owned() } else { known.into_iter().collect::<Vec<_>>().join(", ") };
    let near = nearest(unknown, names()).map_or_else(String::new, |near| format!("; the nearest key is `{near}`"));
    Some(format!("{what} holds `{}`, and may hold {known}{near}", unknown.escape_debug()))
}

/// The same of an object inside of another.
fn unknown_key_within(place: &str, object: &Value, schema: &Value, failed: &str) -> Option<String> {
    let within = schema.pointer(failed.strip_suffix("/additionalProperties")?)?;
    unknown_key(place, object.as_object()?, within.get("properties")?.as_object()?, &[])
}

/// The values of which one is wanted, all of them.
fn of_a_few(schema: &Value, failed: &str) -> Option<String> {
    let values = schema.pointer(failed.ends_with("/enum").then_some(failed)?)?.as_array()?;
    Some(values.iter().map(Value::to_string).collect::<Vec<_>>().join(", "))
}

/// What its author says of a value that does not match a pattern, or none of several schemas, which alone tells nobody what to write.
fn meaning<'a>(schema: &'a Value, failed: &str) -> Option<&'a str> {
    let of = ["/pattern", "/anyOf", "/oneOf", "/not"].into_iter().find_map(|keyword| failed.strip_suffix(keyword))?;
    let told = schema.pointer(of)?.get("description")?.as_str()?;
    Some(told.trim_end_matches('.'))
}

/// Whether a schema can be one of an object. The error is the end of a sentence.
pub fn check_schema(schema: &Value) -> Result<(), String> {
    if !matches!(schema.get("type"), None | Some(Value::Null)) && schema.get("type") != Some(&Value::from("object")) {
        return Err("its `type` has to be \"object\"".to_owned());
    }
    validator(schema).map(drop).map_err(|why| shown(&limits::cut(&why, MOST_SAID).replace('\n', " ")))
}

/// What checks values by a schema. A component says it, and no sandbox is around it here: so nothing of it may take more than a little time and memory,
/// whatever it says. Work grows with the size of the schema and of the value, and with the number of branches and expressions, which are few; expressions are
/// matched in time that grows with the text alone.
fn validator(schema: &Value) -> Result<(Validator, Cost), String> {
    let mut cost = Cost::default();
    count(schema, &mut cost)?;
    for (number, what, most) in [(cost.patterns, "patterns", MOST_PATTERNS), (cost.branches, "branches", MOST_BRANCHES)]
    {
        if number > most {
            return Err(format!("it has {number} {what}, and {most} are the most"));
        }
    }
    let expressions = PatternOptions::regex().size_limit(LARGEST_PATTERN).dfa_size_limit(LARGEST_PATTERN);
    let options = jsonschema::options().should_validate_formats(false).with_pattern_options(expressions);
    let built = options.build(schema).map_err(|e| {
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
    Ok((built?, cost))
}

/// Whether what is wrong with a schema is one of its expressions.
fn is_of_a_pattern(error: &ValidationError<'_>) -> bool {
    error.to_string().ends_with("is not a \"regex\"")
}

/// What makes a schema dear to follow.
#[derive(Default)]
struct Cost {
    patterns: usize,
    /// Schemas by each of which the same value is checked.
    branches: usize,
}

impl Cost {
    /// An expression. What is short is read soon, but for letters of either case: each class is then looked through letter by letter.
    fn pattern(&mut self, pattern: &str) -> Result<(), String> {
        self.patterns += 1;
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
            (other, _) => return Err(format!("its keyword `{}` is not followed here", other.escape_debug())),
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

/// The keys that `schema` requires and `object` lacks.
pub fn lacking<'a>(object: &Map<String, Value>, schema: &'a Value) -> impl Iterator<Item = &'a str> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    required.filter_map(Value::as_str).filter(|key| !object.contains_key(*key))
}

/// The same schema, without the keys that it requires at its top.
pub fn requiring_nothing(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("required");
    }
    schema
}

/// A key that a schema knows, as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    pub key: String,
    /// Such as "text" or "a list of texts".
    #[serde(rename = "type")]
    pub kind: String,
    pub required: bool,
    /// What its value is kept to, such as "at least 1"; empty if to nothing.
    pub bounds: Vec<String>,
    pub description: String,
}

/// The keys of a schema, by name. What is not said in the usual words of JSON Schema is left out, since the schema itself is at hand.
pub fn keys(schema: &Value) -> Vec<Key> {
    let is_required = |key: &str| {
        schema.get("required").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(|required| required == key))
    };
    let of = |(key, schema): (&String, &Value)| Key {
        key: key.clone(),
        kind: kind(schema),
        required: is_required(key),
        bounds: bounds(schema),
        description: schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(of).collect()
}

/// The types that a value may have; `null` counts as absent everywhere, and is not told.
fn kind(schema: &Value) -> String {
    let types = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("enum").is_some() => return "one of a few".to_owned(),
        _ => return "anything".to_owned(),
    };
    let words = types.into_iter().filter(|kind| *kind != "null").map(|kind| match kind {
        "string" => "text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "object" => "an object".to_owned(),
        "array" => match schema.pointer("/items/type").and_then(Value::as_str) {
            Some("string") => "a list of texts".to_owned(),
            Some("object") => "a list of objects".to_owned(),
            _ => "a list".to_owned(),
        },
        other => other.to_owned(),
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn bounds(schema: &Value) -> Vec<String> {
    let words = [
        ("minimum", "at least ", ""),
        ("exclusiveMinimum", "more than ", ""),
        ("maximum", "at most ", ""),
        ("exclusiveMaximum", "less than ", ""),
        ("minLength", "at least ", " characters"),
        ("maxLength", "at most ", " characters"),
        ("minItems", "at least ", " of them"),
        ("maxItems", "at most ", " of them"),
        ("maxProperties", "at most ", " keys"),
        ("pattern", "matching ", ""),
    ];
    let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut bounds: Vec<String> = words
        .into_iter()
        .filter_map(|(word, before, after)| Some(format!("{before}{}{after}", written(schema.get(word)?))))
        .collect();
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<_> = values.iter().filter(|value| !value.is_null()).map(written).collect();
        bounds.push(values.join(", "));
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(object: Value) -> Result<(), String> {
        let schema = json!({
            "type": "object",
            "properties": { "html": { "type": "boolean" }, "cc": { "type": "array", "items": { "type": "string" } } },
            "additionalProperties": false,
        });
        check("extra", object.as_object().unwrap(), &schema, &["templates"])
    }

    #[test]
    fn a_schema_cannot_double_its_work() {
        let doubling = |n: u32| json!({ "allOf": [{ "$ref": format!("#/$defs/{}", n + 1) }, { "$ref": format!("#/$defs/{}", n + 1) }] });
        let mut schema = doubling(0);
        schema["$defs"] = (1..50).map(|n| (n.to_string(), doubling(n))).collect::<Map<_, _>>().into();
        assert!(check("extra", &Map::new(), &schema, &[]).unwrap_err().contains("instead of `$ref`"));
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
        // A property may be called so.
        assert_eq!(check_schema(&json!({ "properties": { "if": {}, "$ref": {} }, "x-own": 1 })), Ok(()));
        assert!(check_schema(&json!({ "items": [1] })).is_err());
        let branches =
            |n: usize| json!({ "properties": { "a": { "anyOf": vec![json!({ "items": { "type": "string" } }); n] } } });
        let numbers = json!({ "a": vec![1; 60_000] });
        let why = check("extra", numbers.as_object().unwrap(), &branches(MOST_BRANCHES), &[]).unwrap_err();
        assert_eq!(why, "extra is not valid, and too large to be told why: try a smaller one");
        assert!(check_schema(&branches(MOST_BRANCHES + 1)).unwrap_err().contains("32 are the most"));
        let long = json!({ "a": "x".repeat(100_000) });
        let why =
            check("extra", long.as_object().unwrap(), &json!({ "properties": { "a": { "type": "integer" } } }), &[]);
        assert!(why.unwrap_err().len() < 1100);
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
    fn what_is_wrong_is_named() {
        assert_eq!(checked(json!({ "html": true, "cc": ["a"] })), Ok(()));
        for (key, near) in
            [("htlm", "; the nearest key is `html`"), ("temlates", "; the nearest key is `templates`"), ("x", "")]
        {
            let expected = format!("extra holds `{key}`, and may hold `cc`, `html`, `templates`{near}");
            assert_eq!(checked(json!({ key: true })).unwrap_err(), expected);
        }
        assert_eq!(checked(json!({ "templates": 1 })), Ok(()), "it is somebody else's");
        assert!(checked(json!({ "html": 1 })).unwrap_err().starts_with("`html` in extra is not valid: "));
        assert!(checked(json!({ "cc": [1] })).unwrap_err().starts_with("`cc.0` in extra is not valid: "));
        assert_eq!(check("extra", &Map::new(), &json!({}), &[]), Ok(()));
        assert!(check("extra", &Map::new(), &json!({ "type": 3 }), &[]).unwrap_err().contains("the schema of extra"));
    }

    #[test]
    fn a_pattern_is_told_in_its_authors_words() {
        let schema = json!({ "properties": { "sid": { "pattern": "^AC[0-9]+$", "description": "The account, `AC` and digits." } } });
        let told = check("the settings", json!({ "sid": "x" }).as_object().unwrap(), &schema, &[]).unwrap_err();
        let expected =
            "`sid` in the settings cannot be \"x\": it has to be as described (\"The account, `AC` and digits\")";
        assert_eq!(told, expected);
        let few = json!({ "properties": { "a": { "properties": { "b": { "enum": ["x", "y", "z", "v", 3] } }, "additionalProperties": false } } });
        let told = |object: Value| check("the settings", object.as_object().unwrap(), &few, &[]).unwrap_err();
        assert_eq!(
            told(json!({ "a": { "b": 4 } })),
            "`a.b` in the settings cannot be 4: it has to be one of \"x\", \"y\", \"z\", \"v\", 3"
        );
        assert_eq!(
            told(json!({ "a": { "c": 4 } })),
            "`a` in the settings holds `c`, and may hold `b`; the nearest key is `b`"
        );
        let either = json!({ "properties": { "to": { "anyOf": [{ "type": "string" }, { "type": "integer" }], "description": "A name or a number." } } });
        let told = check("the settings", json!({ "to": [] }).as_object().unwrap(), &either, &[]).unwrap_err();
        assert_eq!(told, "`to` in the settings cannot be []: it has to be as described (\"A name or a number\")");
    }

    #[test]
    fn a_value_of_another_type_is_told_how_to_be_written() {
        for (kind, value, how) in [
            (json!("boolean"), json!("yes"), "write `true` or `false`"),
            (json!("integer"), json!("three"), "write a whole number, such as `7`"),
            (json!("number"), json!("three"), "write a number, such as `7.5`"),
            (json!("string"), json!(3), "write it in quotes"),
            (json!("array"), json!("a,b"), "write a list, such as `[\"a\", \"b\"]`"),
            (json!("object"), json!("a"), "write an object, such as `{\"key\": \"value\"}`"),
        ] {
            let schema = json!({ "properties": { "a": { "type": kind } } });
            let told = check("extra", json!({ "a": value }).as_object().unwrap(), &schema, &[]).unwrap_err();
            assert_eq!(told, format!("`a` in extra is not valid: {value} is not of type {kind}; {how}"));
        }
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

    #[test]
    fn keys_are_told_in_words() {
        let schema = json!({
            "required": ["to"],
            "properties": {
                "to": { "type": ["string", "array", "null"], "items": { "type": "string" }, "maxItems": 3, "description": "Who." },
                "urgency": { "enum": ["low", "high", null] },
                "days": { "type": "integer", "minimum": 1, "maximum": 30 },
                "free": {},
            },
        });
        let told: Vec<_> = keys(&schema)
            .into_iter()
            .map(|key| {
                format!("{} {} {} ({}) {}", key.key, key.kind, key.required, key.bounds.join("; "), key.description)
            })
            .collect();
        assert_eq!(
            told,
            [
                "days a whole number false (at least 1; at most 30) ",
                "free anything false () ",
                "to text or a list of texts true (at most 3 of them) Who.",
                "urgency one of a few false (low, high) ",
            ]
        );
        assert_eq!(keys(&json!({})), []);
    }
}
