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
    fn what_is_wrong_is_named() {
        assert_eq!(checked(json!({ "html": true, "cc": ["a"] })), Ok(()));
        assert_eq!(checked(json!({ "htlm": true })).unwrap_err(), "extra holds `htlm`, and may hold `cc`, `html`");
        assert!(checked(json!({ "html": 1 })).unwrap_err().starts_with("`html` in extra is not valid: "));
        assert!(checked(json!({ "cc": [1] })).unwrap_err().starts_with("`cc.0` in extra is not valid: "));
        assert_eq!(check("extra", &Map::new(), &json!({})), Ok(()));
        assert!(check("extra", &Map::new(), &json!({ "type": 3 })).unwrap_err().contains("the schema of extra"));
    }
}
