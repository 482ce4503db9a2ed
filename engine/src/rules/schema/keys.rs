//! What people are told of a schema.

use serde::Serialize;
use serde_json::Value;

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
