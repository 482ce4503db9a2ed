//! A creator that wants a key of `extra`, and then takes its time: `extra.milliseconds`.

use guest_sdk::{CreationRequest, Draft, Failure, Manifest};
use serde_json::{Value, json};
use std::time::Duration;

fn manifest() -> Manifest {
    let schema = json!({ "properties": { "password": { "type": "string" } }, "required": ["password"] });
    test_guests::manifest("Picky").extra(schema)
}

fn create(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
    let wish: Value = serde_json::from_str(&request.extra).unwrap_or_default();
    std::thread::sleep(Duration::from_millis(wish["milliseconds"].as_u64().unwrap_or_default()));
    test_guests::create(request)
}

test_guests::guest!(manifest(), test_guests::delivered, create);
