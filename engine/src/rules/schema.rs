//! Settings and `extra` are checked against the JSON Schemas of a component's manifest.

use serde_json::{Map, Value};

/// Says what is wrong with `object` by `schema`, in the first complaint's words, naming the key. An unknown key is told with
/// those there are.
pub fn check(what: &str, object: &Map<String, Value>, schema: &Value) -> Result<(), String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    if schema.get("additionalProperties") == Some(&Value::Bool(false))
        && let Some(unknown) = object.keys().find(|key| properties.is_none_or(|known| !known.contains_key(*key)))
    {
        let known: Vec<_> = properties.into_iter().flat_map(Map::keys).map(|key| format!("`{key}`")).collect();
        let known = if known.is_empty() { "no key".to_owned() } else { known.join(", ") };
        return Err(format!("{what} holds `{}`, and may hold {known}", unknown.escape_debug()));
    }
    if refers(schema) {
        return Err(format!(
            "the schema of {what} refers to parts of itself, which can take for ever: write them out instead of `$ref`"
        ));
    }
    let validator = jsonschema::validator_for(schema).map_err(|e| format!("the schema of {what} is not valid: {e}"))?;
    match validator.iter_errors(&Value::Object(object.clone())).next() {
        None => Ok(()),
        Some(error) => {
            let path = error.instance_path().to_string();
            let at = path.trim_start_matches('/').replace('/', ".");
            let place = if at.is_empty() { what.to_owned() } else { format!("`{at}` in {what}") };
            Err(format!("{place} is not valid: {}", error.to_string().replace('\n', " ")))
        }
    }
}

/// Whether a schema has references: a few of them can say what takes longer than anybody lives, and no sandbox bounds what is checked here.
/// Without them the work grows with the size of the schema and of the object, which are bounded.
fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef") || refers(value)),
        Value::Array(values) => values.iter().any(refers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
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
        check("extra", object.as_object().unwrap(), &schema)
    }

    #[test]
    fn a_schema_cannot_double_its_work() {
        let doubling = |n: u32| json!({ "allOf": [{ "$ref": format!("#/$defs/{}", n + 1) }, { "$ref": format!("#/$defs/{}", n + 1) }] });
        let mut schema = doubling(0);
        schema["$defs"] = (1..50).map(|n| (n.to_string(), doubling(n))).collect::<Map<_, _>>().into();
        assert!(check("extra", &Map::new(), &schema).unwrap_err().contains("instead of `$ref`"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(checked(json!({ "html": true, "cc": ["a"] })), Ok(()));
        assert_eq!(checked(json!({ "htlm": true })).unwrap_err(), "extra holds `htlm`, and may hold `cc`, `html`");
        assert!(checked(json!({ "html": 1 })).unwrap_err().starts_with("`html` in extra is not valid: "));
        assert!(checked(json!({ "cc": [1] })).unwrap_err().starts_with("`cc.0` in extra is not valid: "));
        assert_eq!(check("extra", &Map::new(), &json!({})), Ok(()));
        assert!(check("extra", &Map::new(), &json!({ "type": 3 })).unwrap_err().contains("the schema of extra"));
    }
}
