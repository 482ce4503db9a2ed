//! Answers with the outcome that `extra.outcome` describes, for each notification its own:
//!
//! ```json
//! { "outcome": { "retry": { "after": 30, "scope": "account", "code": "busy", "message": "Busy." } } }
//! ```
//!
//! The others are `delivered` and `accepted` with `provider_id` and `message`, `failed`, `inactive_device`, `opted_out`
//! and `unknown` with `code` and `message`. Whatever is missing is empty; without an outcome it is delivered.

use guest_sdk::{Failure, Notification, Outcome, Receipt, Retry, Scope};
use serde_json::Value;
use test_guests::{extra, text};

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    batch.iter().map(|notification| outcome(&extra(notification)["outcome"])).collect()
}

fn outcome(wish: &Value) -> Outcome {
    let described = wish.as_object().and_then(|wish| wish.iter().next());
    let (name, of) = described.map_or(("delivered", &Value::Null), |(name, of)| (name.as_str(), of));
    let receipt = || Receipt::new(text(of, "provider_id"), text(of, "message"));
    let reason = || Failure::new(text(of, "code"), text(of, "message"));
    match name {
        "accepted" => Outcome::Accepted(receipt()),
        "retry" => Outcome::Retry(Retry {
            after: of["after"].as_u64().and_then(|seconds| u32::try_from(seconds).ok()),
            scope: match of["scope"].as_str() {
                Some("address") => Scope::Address,
                Some("account") => Scope::Account,
                Some("configuration") => Scope::Configuration,
                _ => Scope::Message,
            },
            reason: reason(),
        }),
        "failed" => Outcome::Failed(reason()),
        "inactive_device" => Outcome::InactiveDevice(reason()),
        "opted_out" => Outcome::OptedOut(reason()),
        "unknown" => Outcome::Unknown(reason()),
        _ => Outcome::Delivered(receipt()),
    }
}

test_guests::guest!(test_guests::manifest("Outcome").largest_batch(100), send);
