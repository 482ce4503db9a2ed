//! A target of your own, to be copied: each notification flies to its loft by a pigeon service, which is told by HTTP.
//!
//! A target is four functions. `describe` says what it is, `check_address` what its addresses look like,
//! `create_notification` is the creator and `send_notifications` the handler. Nothing lasts from one call to the next.

use guest_sdk::http::{Request, Response};
use guest_sdk::{
    CreationRequest, Draft, Failure, Manifest, Notification, OnUnknown, Outcome, Receipt, Retry, Scope, Target,
};
use serde_json::{Value, json};

/// The most characters that a pigeon carries: a rule of our pigeon service.
const HEAVIEST_NOTE: usize = 300;

/// As many characters as the engine has room for in an address.
const LONGEST_LOFT: usize = 200;

/// The target.
pub struct CarrierPigeon;

// Makes a component of it. Natively it does nothing, so that `cargo test` runs.
guest_sdk::export_target!(CarrierPigeon);

impl Target for CarrierPigeon {
    fn describe() -> Manifest {
        Manifest::new("Carrier Pigeon", env!("CARGO_PKG_VERSION"))
            .summary("Sends each notification as a note on a pigeon's leg.")
            .address("Loft", "Loft 7, Vienna")
            // What an application may pass in `extra`. The engine checks it before the creator is called. Most targets
            // let other keys pass; here a misspelt one would send a silent pigeon, or the bill to the wrong side.
            .extra(json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "speak_message": {
                        "type": "boolean",
                        "description": "Whether a talking pigeon is sent, which says the note aloud. Absent: a silent one.",
                    },
                    "cheapskate": {
                        "type": "boolean",
                        "description": "Whether the recipient pays, on delivery. Absent: the sender does.",
                    },
                },
            }))
            // Seconds. A pigeon that got lost needs time to be missed.
            .retry_time_interval(60)
            // The service knows a note by its `idempotency-key`, so asking twice does no harm.
            .on_unknown(OnUnknown::Resend)
        // No `.origin("https://…")`: where the service is, only the operator knows, who says so by `base_url`.
    }

    /// A loft is a name, a comma and a town. The normal form has single spaces, so that each loft has one spelling.
    fn check_address(target_user_id: String) -> Result<String, Failure> {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (name, town) = target_user_id.split_once(',').unwrap_or_default();
        let loft = format!("{}, {}", words(name), words(town));
        if words(name).is_empty() || words(town).is_empty() || loft.contains(char::is_control) {
            return Err(Failure::new("not_a_loft", "A loft needs a name and a town, as in: Loft 7, Vienna."));
        }
        if loft.chars().count() > LONGEST_LOFT {
            return Err(Failure::new("loft_too_long", format!("A loft has at most {LONGEST_LOFT} characters.")));
        }
        Ok(loft)
    }

    /// The creator refuses what could never be sent: the application learns it at once, and nothing is stored.
    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        let weight = request.body.chars().count();
        if request.title.trim().is_empty() {
            return Err(Failure::new("no_title", "A note needs a title, so that the loft knows what it is about."));
        }
        if weight > HEAVIEST_NOTE {
            let message = format!("A pigeon carries at most {HEAVIEST_NOTE} characters, and this body has {weight}.");
            return Err(Failure::new("too_heavy", message));
        }
        Ok(Draft::for_each_record(request))
    }

    /// The handler answers with one outcome for each notification. There is one a call unless the manifest asks for more.
    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        let Some(base_url) = guest_sdk::runtime::setting::<String>("base_url") else {
            let message = "No pigeon service is set: write its `base_url` under the [target.…] of its module.";
            // Scope `configuration` pauses the target until a person has done something, and uses up no attempt.
            return batch
                .iter()
                .map(|_| Outcome::retry(Scope::Configuration, Failure::new("no_service", message)))
                .collect();
        };
        batch.iter().map(|notification| fly(&base_url, notification)).collect()
    }
}

fn fly(base_url: &str, notification: &Notification) -> Outcome {
    match flight(base_url, notification).send() {
        Ok(response) => outcome(&response),
        // No answer. The error knows whether the request may have left, and so whether it is `retry` or `unknown`.
        Err(error) => error.into(),
    }
}

/// What the service is asked for.
fn flight(base_url: &str, notification: &Notification) -> Request {
    // The engine has checked it by the schema above; what is absent is `null`, and means no.
    let extra: Value = serde_json::from_str(&notification.extra).unwrap_or_default();
    Request::post(format!("{}/flights", base_url.trim_end_matches('/')))
        .header("idempotency-key", &notification.idempotency_key)
        .json(&json!({
            "loft": notification.target_user_record.target_user_id,
            "title": notification.title,
            "note": notification.body,
            "talking_pigeon": extra["speak_message"].as_bool().unwrap_or_default(),
            "pay_on_delivery": extra["cheapskate"].as_bool().unwrap_or_default(),
        }))
        // Whose fate is open, should this call end before the answer comes.
        .about(&notification.id)
}

/// What the service's answer means: 201 with the flight's `id`, or an `error` with a `message`, both texts.
fn outcome(response: &Response) -> Outcome {
    let answer = response.json();
    let said = answer["message"].as_str().unwrap_or("the service gave no reason");
    let status = response.status;
    match (status, answer["error"].as_str().unwrap_or_default()) {
        (201, _) => {
            Outcome::Delivered(Receipt::new(answer["id"].as_str().unwrap_or_default(), "The pigeon has arrived."))
        }
        // Final: another pigeon would fare no better.
        (_, "PigeonDied") => {
            Outcome::Failed(Failure::new("PigeonDied", format!("The note fell with its pigeon: {said}.")))
        }
        // The note did not arrive, which is certain: another pigeon flies later.
        (_, "PigeonGotLost") => {
            Outcome::retry(Scope::Message, Failure::new("PigeonGotLost", format!("The note went astray: {said}.")))
        }
        // Too many flights at once: the whole target slows down, and no attempt is used up.
        (429, _) => {
            let reason = Failure::new("429", format!("The service asks us to wait: {said}."));
            Outcome::Retry(Retry { after: response.retry_after(), scope: Scope::Account, reason })
        }
        // It does not take what we say, and will not take it later.
        (400..=499, _) => {
            Outcome::Failed(Failure::new(status.to_string(), format!("The service refused the note: {said}.")))
        }
        // What this means we do not know, so a pigeon may be on its way.
        _ => Outcome::Unknown(Failure::new(status.to_string(), format!("The service answered with {status}: {said}."))),
    }
}

#[cfg(test)]
mod tests;
