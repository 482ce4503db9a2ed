//! The bundled target Email: a mail for each notification, through the relay that the engine is set to.
//!
//! In reading order: what may be in `extra`; which addresses and which requests are accepted; how a template becomes a
//! body; how a notification becomes a mail; how HTML becomes text; what the relay's answers mean. All of it is pure but
//! for `template/folder.rs`, which reads files; only this file calls the engine.

mod extra;
mod words;

mod address;
mod creator;
mod template;

mod alternative;
mod markup;
mod message;

mod replies;

use std::path::Path;

use guest_sdk::runtime::{Level, log};
use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, OnUnknown, Outcome, Target};
use serde_json::json;

/// Where the engine puts the folder of templates while a creator runs (`wit/notification.wit`).
const TEMPLATES: &str = "/templates";

/// The target.
pub struct Email;

guest_sdk::export_target!(Email);

impl Target for Email {
    fn describe() -> Manifest {
        Manifest::new("Email", env!("CARGO_PKG_VERSION"))
            .summary("Sends each notification as an e-mail.")
            .address("E-mail address", "ada@example.org")
            .smtp()
            .templates()
            // Closed, so that a misspelt key is found before the first mail goes out without it.
            .settings(json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "from_email": {
                        "type": "string",
                        "minLength": 3,
                        "description": "The sender of all mails, as in `notifications@example.org` or `Example <notifications@example.org>`.",
                    },
                },
            }))
            .extra(extra::schema())
            .retry_time_interval(1440)
            // A mail that comes twice does less harm than one that never comes, and both copies have the same
            // Message-ID.
            .on_unknown(OnUnknown::Resend)
    }

    fn check_address(target_user_id: String) -> Result<String, Failure> {
        address::normal_form(&target_user_id)
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        creator::drafts(request, Path::new(TEMPLATES))
    }

    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        batch.into_iter().map(send).collect()
    }
}

fn send(notification: Notification) -> Outcome {
    let mail = match message::mail(notification) {
        Ok(mail) => mail,
        Err(failure) => return Outcome::Failed(failure),
    };
    let about = replies::About::of(&mail);
    let result = mail.send();
    if let Ok(reply) = &result {
        log(Level::Debug, format!("The relay took it: {} {} {}", reply.code, reply.enhanced, reply.text));
    }
    replies::outcome(result, about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_an_address_is_one() {
        let manifest: serde_json::Value = serde_json::from_str(&Email::describe().to_json()).unwrap();
        let example = manifest["address"]["example"].as_str().unwrap();
        assert_eq!(Email::check_address(example.to_owned()), Ok(example.to_owned()));
    }
}
