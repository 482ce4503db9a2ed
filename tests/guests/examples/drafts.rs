//! Makes the drafts that `extra` describes, and refuses all of them when they are due:
//!
//! ```json
//! { "drafts": 3, "title_of": 101, "body_of": 70000, "extra": "no JSON", "record": "another's", "not_before": 253370764800000 }
//! ```
//!
//! All may be missing: then it makes a draft for each record, as it should.

use guest_sdk::{CreationRequest, Draft, Failure, Notification, Outcome};
use serde_json::Value;

fn create(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
    let wish: Value = serde_json::from_str(&request.extra).unwrap_or_default();
    let number = |member: &str| wish[member].as_u64().and_then(|number| usize::try_from(number).ok());
    let mut drafts = Draft::for_each_record(request);
    let Some(usual) = drafts.first().cloned() else { return Ok(drafts) };
    drafts.resize(number("drafts").unwrap_or(drafts.len()), usual);
    for draft in &mut drafts {
        if let Some(length) = number("title_of") {
            draft.title = "t".repeat(length);
        }
        if let Some(length) = number("body_of") {
            draft.body = "b".repeat(length);
        }
        if let Some(extra) = wish["extra"].as_str() {
            extra.clone_into(&mut draft.extra);
        }
        if let Some(record) = wish["record"].as_str() {
            record.clone_into(&mut draft.target_user_record_id);
        }
        draft.not_before = wish["not_before"].as_u64();
    }
    Ok(drafts)
}

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    let refusal = || Failure::new("not_mine", "The creator should not have made this.");
    batch.iter().map(|_| Outcome::Failed(refusal())).collect()
}

test_guests::guest!(test_guests::manifest("Drafts"), send, create);
