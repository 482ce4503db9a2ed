//! The bundled target Expo: push notifications to apps made with Expo, up to a hundred in a request.
//!
//! In reading order: what may be in `extra`; which addresses and which requests are accepted; how a notification
//! becomes a message and messages a request; what a ticket and what a whole answer mean; how a batch is delivered, which
//! may take several requests. All of it is pure; only this file calls the engine.

mod extra;

mod address;
mod creator;

mod message;
mod request;

mod answer;
mod ticket;

mod delivery;

#[cfg(test)]
mod recorded;

use std::time::Duration;

use guest_sdk::http::{Error, Response};
use guest_sdk::runtime::{Level, has_secret, log, setting, time_left};
use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, OnUnknown, Outcome, Secret, Target};
use serde_json::json;

use crate::message::Message;

/// Where Expo's push service is, unless the operator's `base_url` says otherwise.
const EXPO: &str = "https://exp.host";

/// The secret that Expo asks for once enhanced security for push notifications is on in the account.
const ACCESS_TOKEN: &str = "expo_access_token";

/// The most messages that Expo takes in one request.
const LARGEST_BATCH: u32 = 100;

/// What is left of the call, when a request has run out of time, to answer with outcomes.
const TIME_TO_ANSWER: Duration = Duration::from_secs(1);

/// The target.
pub struct Expo;

guest_sdk::export_target!(Expo);

impl Target for Expo {
    fn describe() -> Manifest {
        Manifest::new("Expo", env!("CARGO_PKG_VERSION"))
            .summary("Sends each notification as a push message to an app made with Expo.")
            .address("Expo push token", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
            .origin(EXPO)
            .declare(
                Secret::new(
                    ACCESS_TOKEN,
                    "An access token of the Expo account; needed if enhanced security for push notifications is on there.",
                )
                .optional(),
            )
            .settings(json!({ "type": "object", "additionalProperties": false }))
            .extra(extra::schema())
            .largest_batch(LARGEST_BATCH)
            .retry_time_interval(60)
            // A push message that comes twice does less harm than one that never comes.
            .on_unknown(OnUnknown::Resend)
    }

    fn check_address(target_user_id: String) -> Result<String, Failure> {
        address::normal_form(&target_user_id)
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        creator::check(&request)?;
        Ok(Draft::for_each_record(request))
    }

    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        delivery::deliver(batch.iter().map(Message::of).collect(), post, time_left)
    }
}

/// Sends these messages in one request.
fn post(messages: &[&Message]) -> Result<Response, Error> {
    let base_url = setting::<String>("base_url").unwrap_or_else(|| EXPO.to_owned());
    let token = has_secret(ACCESS_TOKEN).then_some(ACCESS_TOKEN);
    let limit = time_left().saturating_sub(TIME_TO_ANSWER).clamp(TIME_TO_ANSWER, delivery::LONGEST_REQUEST);
    let answer = request::push(&base_url, token, messages).timeout(limit).send();
    match &answer {
        Ok(response) => log(Level::Debug, format!("Expo answered {} to {} messages.", response.status, messages.len())),
        Err(error) => log(Level::Warn, format!("No answer to {} messages: {}", messages.len(), error.message)),
    }
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn manifest() -> Value {
        serde_json::from_str(&Expo::describe().to_json()).unwrap()
    }

    #[test]
    fn the_example_of_an_address_is_one() {
        let example = manifest()["address"]["example"].as_str().unwrap().to_owned();
        assert_eq!(Expo::check_address(example.clone()), Ok(example));
    }

    #[test]
    fn asks_for_expo_and_no_more() {
        let manifest = manifest();
        assert_eq!(manifest["name"], "Expo");
        assert_eq!(manifest["http"], json!({ "origins": ["https://exp.host"], "record_address": false }));
        assert_eq!(manifest["secrets"].as_array().unwrap().len(), 1);
        assert_eq!(manifest["secrets"][0]["name"], "expo_access_token");
        assert_eq!(manifest["secrets"][0]["required"], false);
        assert_eq!((&manifest["smtp"], &manifest["templates"]), (&json!(false), &json!(false)));
        assert_eq!((&manifest["largest_batch"], &manifest["retry_time_interval"]), (&json!(100), &json!(60)));
    }
}
