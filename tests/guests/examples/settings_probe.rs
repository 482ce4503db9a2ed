//! Reports what the runtime gives: the settings named in `extra.settings`, whether there are the secrets named in
//! `extra.secrets`, the time, what is left of it, `extra.random` random bytes in hexadecimal, and the callback address.

use guest_sdk::{Manifest, Notification, Outcome, Secret, runtime};
use serde_json::{Map, Value, json};
use test_guests::{extra, hex, report};

fn manifest() -> Manifest {
    test_guests::manifest("Settings probe").declare(Secret::new("token", "May be set or not.").optional()).settings(
        json!({
            "type": "object",
            "properties": { "colour": { "type": "string" }, "count": { "type": "integer" } },
            "additionalProperties": false,
        }),
    )
}

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    batch.iter().map(|notification| report(&probe(&extra(notification)))).collect()
}

fn probe(wish: &Value) -> Value {
    let names = |member: &str| wish[member].as_array().into_iter().flatten().filter_map(Value::as_str);
    let settings: Map<String, Value> =
        names("settings").map(|name| (name.to_owned(), runtime::setting(name).unwrap_or(Value::Null))).collect();
    let secrets: Map<String, Value> =
        names("secrets").map(|name| (name.to_owned(), runtime::has_secret(name).into())).collect();
    let count = wish["random"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or_default();
    let random = runtime::random_bytes(count);
    json!({
        "settings": settings,
        "secrets": secrets,
        "now": runtime::now(),
        "time_left": runtime::time_left().as_millis().to_string(),
        "random_count": random.len(),
        "random": hex(&random[..random.len().min(32)]),
        "callback_url": runtime::callback_url(),
    })
}

test_guests::guest!(manifest(), send);
