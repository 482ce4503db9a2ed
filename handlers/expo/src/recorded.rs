//! Runs the answers in `testdata/answers` through all that is pure. They are written after Expo's documentation and its own
//! client, and after what may stand between Expo and us. Each file says what is answered to every request, and what is
//! expected for each notification of the batch; a member of `expect` that is not there is not compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use guest_sdk::http::Response;
use guest_sdk::{Failure, Outcome, Scope};
use serde_json::{Map, Value, json};

use crate::delivery::deliver;
use crate::message::Message;

/// All that a file may expect of an outcome.
fn members(outcome: &Outcome) -> Value {
    let failed = |outcome: &str, reason: &Failure| json!({ "outcome": outcome, "code": reason.code });
    match outcome {
        Outcome::Delivered(receipt) => json!({ "outcome": "delivered", "provider_id": receipt.provider_id }),
        Outcome::Accepted(receipt) => json!({ "outcome": "accepted", "provider_id": receipt.provider_id }),
        Outcome::Failed(reason) => failed("failed", reason),
        Outcome::InactiveDevice(reason) => failed("inactive_device", reason),
        Outcome::OptedOut(reason) => failed("opted_out", reason),
        Outcome::Unknown(reason) => failed("unknown", reason),
        Outcome::Retry(retry) => {
            let scope = match retry.scope {
                Scope::Message => "message",
                Scope::Address => "address",
                Scope::Account => "account",
                Scope::Configuration => "configuration",
            };
            json!({ "outcome": "retry", "code": retry.reason.code, "scope": scope, "after": retry.after })
        }
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/answers");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn response(answer: &Value) -> Response {
    Response {
        status: answer["status"].as_u64().unwrap().try_into().unwrap(),
        headers: serde_json::from_value(answer["headers"].clone()).unwrap(),
        body: answer["body"].as_str().unwrap().as_bytes().to_vec(),
    }
}

#[test]
fn recorded_answers() {
    let files = files();
    assert!(files.len() >= 30, "only {} files", files.len());
    for file in files {
        let recorded: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let name = format!("{}: {}", file.file_name().unwrap().display(), recorded["name"].as_str().unwrap());
        let response = response(&recorded["answer"]);
        let expected: Vec<Map<String, Value>> = serde_json::from_value(recorded["expect"].clone()).unwrap();
        assert!(!expected.is_empty() && expected.iter().all(|one| one.contains_key("outcome")), "{name}");
        let batch = (0..expected.len())
            .map(|n| Ok(Message { notification_id: n.to_string(), token: n.to_string(), json: "{}".to_owned() }))
            .collect();
        let outcomes = deliver(batch, |_| Ok(response.clone()), || Duration::from_secs(30));
        assert_eq!(outcomes.len(), expected.len(), "{name}");
        for (place, (outcome, expected)) in outcomes.iter().zip(expected).enumerate() {
            let seen = members(outcome);
            for (member, value) in expected {
                assert_eq!(seen[&member], value, "{name}: `{member}` of notification {place}, {outcome:?}");
            }
        }
    }
}
