//! Cannot deliver without a secret, which goes to its provider. Reads the template that `extra` names, and would fail without it.

use guest_sdk::{CreationRequest, Draft, Failure, Secret};
use serde_json::Value;

fn manifest() -> guest_sdk::Manifest {
    test_guests::manifest("Needy")
        .origin("https://provider.example")
        .declare(Secret::new("loft_key", "Opens the loft."))
        .templates()
}

fn create(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
    let extra: Value = serde_json::from_str(&request.extra).unwrap_or_default();
    if let Some(template) = extra["template"].as_str() {
        let read = std::fs::read_to_string(format!("/templates/{template}"));
        read.map_err(|e| Failure::new("no_template", format!("The template cannot be read: {e}.")))?;
    }
    test_guests::create(request)
}

test_guests::guest!(manifest(), test_guests::delivered, create);
