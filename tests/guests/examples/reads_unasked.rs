//! Reads what `extra` names in the folder of templates, in its creator (`create`) and in its handler (`send`), though it does not ask for that folder; fails
//! without it, and for what `extra` says (`fail`).

use guest_sdk::{CreationRequest, Draft, Failure, Notification, Outcome, Receipt};
use serde_json::Value;

fn read(extra: &str, when: &str) -> Result<(), Failure> {
    let extra: Value = serde_json::from_str(extra).unwrap_or_default();
    if let Some(template) = extra[when].as_str() {
        std::fs::read(format!("/templates/{template}"))
            .map_err(|e| Failure::new("no_template", format!("The template cannot be read: {e}.")))?;
    }
    match extra["fail"].as_str() {
        Some(why) => Err(Failure::new("asked", why)),
        None => Ok(()),
    }
}

fn create(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
    read(&request.extra, "create")?;
    test_guests::create(request)
}

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    let send = |notification: &Notification| match read(&notification.extra, "send") {
        Ok(()) => Outcome::Delivered(Receipt::new("", "")),
        Err(why) => Outcome::Failed(why),
    };
    batch.iter().map(send).collect()
}

test_guests::guest!(test_guests::manifest("Reads unasked"), send, create);
