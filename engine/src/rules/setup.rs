//! What a tenant has set up for a target: the store says it, the catalog uses it.

use crate::rules::budget::Said;
use crate::rules::grants::Capability;
use crate::rules::limits::{self, Invalid};
use crate::rules::schema::Schema;
use crate::rules::sealed::SealedSecret;
use serde_json::{Map, Value};

/// Characters in the name of a setting.
pub const MAX_SETTING_NAME: usize = 100;
/// Bytes of a setting's value, as JSON.
pub const MAX_SETTING: usize = 16 * 1024;

/// The keys of a target's section that the engine itself reads, so that a component need not know them.
pub const ENGINES_OWN: [&str; 6] = ["base_url", "from_email", "limits", "secrets", "smtp", "templates"];
/// Those of them that no component can have for a setting: what they hold is for the engine alone.
pub const ENGINES_ALONE: [&str; 4] = ["limits", "secrets", "smtp", "templates"];

/// All that is kept for a target beside its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Setup {
    /// Grows with each change of what follows.
    pub revision: i64,
    /// The component that was installed for it, as `sha256:…`; `None`: it is searched by its module's name.
    pub component: Option<String>,
    /// What is granted to it.
    pub grants: Vec<Capability>,
    /// What the tenant has set; the operator's settings come before them.
    pub settings: Map<String, Value>,
    /// Limits on its calls that are lower than the operator's.
    pub limits: Said,
    /// The secrets that are for it, and those of its whole tenant.
    pub secrets: Vec<SealedSecret>,
}

/// Whether a setting can be stored; the error says what to change.
pub fn check_setting(name: &str, value: &Value) -> Result<(), Invalid> {
    limits::filled("setting", name, MAX_SETTING_NAME)?;
    limits::bytes("setting", &value.to_string(), MAX_SETTING)
}

/// Reads what somebody typed for the setting `name` as the kind that a component's schema, which requires nothing, wants there: text stays text where it may be
/// one.
pub fn read_setting(known: &Schema<'_>, name: &str, text: &str) -> Value {
    let is_text = match known.type_of(name) {
        Value::Null => {
            let alone = Map::from_iter([(name.to_owned(), Value::from(text))]);
            known.check("", &alone, &[]).is_ok()
        }
        Value::Array(kinds) => kinds.contains(&"string".into()),
        kind => kind == "string",
    };
    if is_text { Value::from(text) } else { whole(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))) }
}

/// A setting as the component's schema has it now: what was typed when that wanted another kind is read once more.
pub fn read_again(known: &Schema<'_>, name: &str, value: Value) -> Value {
    let alone = Map::from_iter([(name.to_owned(), value.clone())]);
    if known.check("", &alone, &[]).is_ok() {
        return value;
    }
    let typed = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    read_setting(known, name, &typed)
}

/// To JSON Schema `7.0` is a whole number, and to most languages it is none: so it is written as one.
pub fn whole(value: Value) -> Value {
    // Up to here each whole number is one of these.
    const MOST: f64 = 9_007_199_254_740_992.0;
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() <= MOST => Value::from(number as i64),
        Some(_) | None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_setting_is_read_as_its_schema_says() {
        let schema = json!({ "properties": {
            "sender": { "type": "string" }, "count": { "type": "integer" }, "loud": { "type": "boolean" }, "size": { "enum": [1, 2, "many"] }
        } });
        let known = Schema::of(&schema);
        for (name, text, value) in [
            ("sender", "15550100", json!("15550100")),
            ("count", "3", json!(3)),
            ("count", "many", json!("many")),
            ("loud", "true", json!(true)),
            ("count", "7.0", json!(7)),
            ("count", "7.5", json!(7.5)),
            ("unknown", "3", json!("3")),
            ("size", "2", json!(2)),
            ("size", "many", json!("many")),
            ("size", "few", json!("few")),
        ] {
            assert_eq!(read_setting(&known, name, text), value, "{name}");
        }
        for (name, value, again) in [
            ("sender", json!(7), json!("7")),
            ("count", json!("7"), json!(7)),
            ("count", json!("many"), json!("many")),
            ("loud", json!("true"), json!(true)),
            ("sender", json!("7"), json!("7")),
            ("unknown", json!(7), json!(7)),
        ] {
            assert_eq!(read_again(&known, name, value), again, "{name}");
        }
        assert!(check_setting("a", &json!("b")).is_ok());
        assert!(
            check_setting("", &json!("b")).is_err() && check_setting("a", &json!("b".repeat(MAX_SETTING))).is_err()
        );
    }
}
