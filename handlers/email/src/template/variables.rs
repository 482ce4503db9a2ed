//! What a template can show.

use guest_sdk::{Failure, User};
use minijinja::Value;
use minijinja::value::Serde;
use serde_json::{Map, Value as Json, json};

/// Names that the engine fills. A key of `extra` cannot have one: whichever won, somebody would see the other's value
/// in a mail.
const RESERVED: [&str; 2] = ["title", "user"];

/// The members of `extra` but `template_name`, each under its own name, and `title` and `user`.
pub fn of(title: &str, user: &User, extra: &Map<String, Json>) -> Result<Value, Failure> {
    if let Some(key) = RESERVED.into_iter().find(|key| extra.contains_key(*key)) {
        return Err(Failure::new(
            "reserved_variable",
            format!(
                "A template gets `{key}` from the engine, so `extra` cannot have a key of that name: choose another."
            ),
        ));
    }
    // Promised by the contract to be an object.
    let attributes: Map<String, Json> = serde_json::from_str(&user.attributes)
        .map_err(|_| Failure::new("invalid_attributes", "The user's attributes must be a JSON object."))?;
    let mut variables = extra.clone();
    variables.remove("template_name");
    variables.insert("title".to_owned(), title.into());
    let user = json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "time_zone": user.time_zone,
        "locale": user.locale,
        "attributes": attributes,
    });
    variables.insert("user".to_owned(), user);
    Ok(Value::from(Serde(&variables)))
}
