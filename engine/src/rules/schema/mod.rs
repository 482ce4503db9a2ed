//! Settings and `extra` are checked against the JSON Schemas of a component's manifest, and these are told to people.
//!
//! In reading order: here what is wrong with a value, `follow` which schemas are followed at all, `work` what it takes to check a value, `keys` what people are told of one.

mod follow;
mod keys;
mod work;

pub use follow::check_schema;
pub use keys::{Key, keys};

use crate::rules::limits;
use crate::rules::spelling::{nearest, shown};
use follow::{Read, read};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// How many bytes an object may have to be explained in all branches, and how many bytes an explanation.
const MOST_EXPLAINED: usize = 4096;
const MOST_SAID: usize = 1000;
/// How many characters of a value are shown to whoever wrote it.
const MOST_SHOWN: usize = 100;

/// What does not fit a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Misfit {
    /// The object's key at fault, if it is one.
    pub key: Option<String>,
    /// The end of a sentence.
    pub why: String,
}

impl From<String> for Misfit {
    fn from(why: String) -> Self {
        Misfit { key: None, why }
    }
}

impl From<Misfit> for String {
    fn from(misfit: Misfit) -> Self {
        misfit.why
    }
}

/// A schema, read once to check many objects by it.
pub struct Schema<'a> {
    schema: Cow<'a, Value>,
    read: Result<Read, String>,
}

/// Says what is wrong with one object by a schema that is used for nothing else.
pub fn check(what: &str, object: &Map<String, Value>, schema: &Value, beside: &[&str]) -> Result<(), Misfit> {
    Schema::of(schema).check(what, object, beside)
}

impl<'a> Schema<'a> {
    /// What is wrong with a schema is told of each object.
    pub fn of(schema: &'a Value) -> Self {
        Schema { schema: Cow::Borrowed(schema), read: read(schema) }
    }

    /// The same, without the keys that it requires at its top.
    pub fn requiring_nothing(schema: &Value) -> Schema<'static> {
        let mut schema = schema.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("required");
        }
        Schema { read: read(&schema), schema: Cow::Owned(schema) }
    }

    /// What a property's type has to be, as it is written.
    pub fn type_of(&self, property: &str) -> &Value {
        &self.schema["properties"][property]["type"]
    }

    /// Says what is wrong with `object`, in the first complaint's words, naming the key. An unknown key is told with those there are, and the one that is
    /// spelled most like it. `beside` are keys that somebody else reads: where the schema does not know them, they are not looked at.
    pub fn check(&self, what: &str, object: &Map<String, Value>, beside: &[&str]) -> Result<(), Misfit> {
        // It repeats keys and values, of the schema and of the object, whoever made them.
        let cut =
            |why: String| if why.len() > MOST_SAID { format!("{}…", limits::cut(&why, MOST_SAID)) } else { why };
        match self.complaint(what, object, beside) {
            None => Ok(()),
            Some(Misfit { key, why }) => Err(Misfit { key, why: shown(&cut(why).replace('\n', " ")) }),
        }
    }

    fn complaint(&self, what: &str, object: &Map<String, Value>, beside: &[&str]) -> Option<Misfit> {
        let (schema, none) = (&*self.schema, Map::new());
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let mut object = object.clone();
        object.retain(|key, _| properties.contains_key(key) || !beside.contains(&key.as_str()));
        if schema.get("additionalProperties") == Some(&Value::Bool(false))
            && let Some(unknown) = unknown_key(what, &object, properties, beside)
        {
            return Some(unknown);
        }
        let read = match &self.read {
            Ok(read) => read,
            Err(why) => return Some(format!("the schema of {what} is not valid: {why}").into()),
        };
        let object = Value::Object(object);
        if !work::is_little(schema, &object, |pattern| read.size_of(pattern)) {
            let why = "it is too large for its schema, which takes too long to check it: try a smaller one, or another component";
            return Some(format!("{what} cannot be looked at: {why}").into());
        }
        if read.validator.is_valid(&object) {
            return None;
        }
        // What each branch has against each part of it would be collected first.
        if read.branches > 0 && object.to_string().len() > MOST_EXPLAINED {
            return Some(format!("{what} is not valid, and too large to be told why: try a smaller one").into());
        }
        let error = read.validator.validate(&object).err()?;
        let path = error.instance_path().to_string();
        let key = path.trim_start_matches('/').split('/').next().filter(|key| !key.is_empty()).map(str::to_owned);
        let at = path.trim_start_matches('/').replace('/', ".");
        let place = if at.is_empty() { what.to_owned() } else { format!("`{at}` in {what}") };
        let failed = error.schema_path().to_string();
        if let Some(Misfit { why, .. }) = unknown_key_within(&place, error.instance(), schema, &failed) {
            return Some(Misfit { key, why });
        }
        let found = shortly(&error.instance().to_string());
        let why = match (meaning(schema, &failed), of_a_few(schema, &failed)) {
            (Some(told), _) => {
                let pattern = failed.ends_with("/pattern").then(|| schema.pointer(&failed)?.as_str()).flatten();
                let pattern = pattern.map_or_else(String::new, |pattern| format!(", matching {}", shortly(pattern)));
                format!("{place} cannot be {found}: it has to be as described (\"{told}\"){pattern}")
            }
            (None, Some(few)) => format!("{place} cannot be {found}: it has to be one of {few}"),
            (None, None) => match twice(error.instance()).filter(|_| failed.ends_with("/uniqueItems")) {
                Some(item) => format!("{place} holds {} twice", shortly(&item.to_string())),
                // Not the whole of a long value, which would hide what is wrong with it.
                None => format!("{place} is not valid: {}{}", error.masked_with(&found), to_write(schema, &failed)),
            },
        };
        Some(Misfit { key, why })
    }
}

/// The beginning of a text that is quoted.
fn shortly(text: &str) -> String {
    let end = text.char_indices().nth(MOST_SHOWN);
    end.map_or_else(|| text.to_owned(), |(end, _)| format!("{}…", &text[..end]))
}

/// The first item of a list that is there before.
fn twice(list: &Value) -> Option<&Value> {
    let mut seen = HashSet::new();
    list.as_array()?.iter().find(|item| !seen.insert(item.to_string()))
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
) -> Option<Misfit> {
    let unknown = object.keys().find(|key| !properties.contains_key(*key))?;
    let names = || properties.keys().map(String::as_str).chain(beside.iter().copied());
    let known: BTreeSet<String> = names().map(|key| format!("`{key}`")).collect();
    let known = if known.is_empty() { "no key".to_owned() } else { known.into_iter().collect::<Vec<_>>().join(", ") };
    let near = nearest(unknown, names()).map_or_else(String::new, |near| format!("; the nearest key is `{near}`"));
    let why = format!("{what} holds `{}`, and may hold {known}{near}", unknown.escape_debug());
    Some(Misfit { key: Some(unknown.clone()), why })
}

/// The same of an object inside of another.
fn unknown_key_within(place: &str, object: &Value, schema: &Value, failed: &str) -> Option<Misfit> {
    // What is required may be there, misspelt.
    let within = schema.pointer(failed.strip_suffix("/additionalProperties").or(failed.strip_suffix("/required"))?)?;
    if within.get("additionalProperties") != Some(&Value::Bool(false)) {
        return None;
    }
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

/// The keys that `schema` requires and `object` lacks.
pub fn lacking<'a>(object: &Map<String, Value>, schema: &'a Value) -> impl Iterator<Item = &'a str> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    required.filter_map(Value::as_str).filter(|key| !object.contains_key(*key))
}

/// The keys that `schema` takes and does not name, but one that is spelled much like it, or one of `others` is: that one may have been meant.
pub fn perhaps_misspelt<'a>(
    object: &'a Map<String, Value>,
    schema: &'a Value,
    others: &'a [&'a str],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let named = schema.get("properties").and_then(Value::as_object);
    let named = move || named.into_iter().flat_map(Map::keys).map(String::as_str);
    object.keys().filter_map(move |key| {
        let is_named = named().any(|named| named == key);
        let near = nearest(key, named().chain(others.iter().copied())).filter(|_| !is_named)?;
        Some((key.as_str(), near))
    })
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
        check("extra", object.as_object().unwrap(), &schema, &["templates"]).map_err(String::from)
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
        assert!(
            check("extra", &Map::new(), &json!({ "type": 3 }), &[]).unwrap_err().why.contains("the schema of extra")
        );
    }

    #[test]
    fn a_pattern_is_told_in_its_authors_words() {
        let schema = json!({ "properties": { "sid": { "pattern": "^AC[0-9]+$", "description": "The account, `AC` and digits." } } });
        let told = check("the settings", json!({ "sid": "x" }).as_object().unwrap(), &schema, &[]).unwrap_err().why;
        let expected = "`sid` in the settings cannot be \"x\": it has to be as described (\"The account, `AC` and digits\"), matching ^AC[0-9]+$";
        assert_eq!(told, expected);
        let few = json!({ "properties": { "a": { "properties": { "b": { "enum": ["x", "y", "z", "v", 3] } }, "additionalProperties": false } } });
        let told = |object: Value| check("the settings", object.as_object().unwrap(), &few, &[]).unwrap_err().why;
        assert_eq!(
            told(json!({ "a": { "b": 4 } })),
            "`a.b` in the settings cannot be 4: it has to be one of \"x\", \"y\", \"z\", \"v\", 3"
        );
        assert_eq!(
            told(json!({ "a": { "c": 4 } })),
            "`a` in the settings holds `c`, and may hold `b`; the nearest key is `b`"
        );
        let either = json!({ "properties": { "to": { "anyOf": [{ "type": "string" }, { "type": "integer" }], "description": "A name or a number." } } });
        let told = check("the settings", json!({ "to": [] }).as_object().unwrap(), &either, &[]).unwrap_err().why;
        assert_eq!(told, "`to` in the settings cannot be []: it has to be as described (\"A name or a number\")");
    }

    /// The reason, and not all of what is wrong with it.
    #[test]
    fn long_values_are_not_repeated() {
        let list = json!({ "properties": { "a": { "type": "array", "maxItems": 2, "uniqueItems": true } } });
        let told =
            |value: Value| check("extra", json!({ "a": value }).as_object().unwrap(), &list, &[]).unwrap_err().why;
        let long = told(json!(vec!["x".repeat(90); 3]));
        assert!(long.contains('…') && long.ends_with("has more than 2 items") && long.len() < 200, "{long}");
        assert_eq!(told(json!(["x", "x"])), "`a` in extra holds \"x\" twice");
        let within = json!({ "properties": { "secret": {
            "properties": { "name": {}, "purpose": {} }, "required": ["name", "purpose"], "additionalProperties": false,
        } } });
        let misspelt = json!({ "secret": { "name": "x", "purpouse": "y" } });
        let told = check("extra", misspelt.as_object().unwrap(), &within, &[]).unwrap_err().why;
        assert!(
            told.ends_with("holds `purpouse`, and may hold `name`, `purpose`; the nearest key is `purpose`"),
            "{told}"
        );
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
            let told = check("extra", json!({ "a": value }).as_object().unwrap(), &schema, &[]).unwrap_err().why;
            assert_eq!(told, format!("`a` in extra is not valid: {value} is not of type {kind}; {how}"));
        }
    }
}
