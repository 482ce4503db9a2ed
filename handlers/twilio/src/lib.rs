//! The bundled target Twilio: a text message for each notification, through the operator's account at Twilio.
//!
//! In reading order: what may be in `extra`; which addresses, settings and requests are accepted; how a notification
//! becomes a form; what Twilio's error codes and answers mean; how a message from an earlier attempt is found again. All
//! of it is pure; only this file calls the engine.

mod extra;

mod account;
mod address;
mod creator;

mod form;
mod text;

mod answers;
mod codes;

mod earlier;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod samples;

use guest_sdk::http::{Request, Response};
use guest_sdk::runtime::{self, Level};
use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, OnUnknown, Outcome, Scope, Target};

use account::Account;
use answers::Attempt;
use earlier::Earlier;
use extra::Extra;

/// The name of the one secret: the account's Auth Token, or the secret of the API key that `api_key_sid` names.
const SECRET: &str = "twilio_auth_token";

/// The target.
pub struct Twilio;

guest_sdk::export_target!(Twilio);

impl Target for Twilio {
    fn describe() -> Manifest {
        Manifest::new("Twilio", env!("CARGO_PKG_VERSION"))
            .summary("Sends each notification as an SMS, MMS or WhatsApp message through Twilio.")
            .address("Telephone number", "+15550100123")
            .origin(account::ORIGIN)
            .secret(
                SECRET,
                "The account's Auth Token from the start page of Twilio's console; if the setting `api_key_sid` is set, the secret of that API key.",
            )
            .settings(account::schema())
            .extra(extra::schema())
            .retry_time_interval(60)
            // Twilio takes no idempotency key, but before anything is sent again it is asked whether it has the message.
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
        batch.iter().map(send).collect()
    }
}

fn send(notification: &Notification) -> Outcome {
    let account = match Account::read(runtime::setting) {
        Ok(account) => account,
        Err(failure) => return Outcome::retry(Scope::Configuration, failure),
    };
    let extra = match Extra::parse(&notification.extra) {
        Ok(extra) => extra,
        Err(failure) => return Outcome::Failed(failure),
    };
    let text = text::composed(&notification.title, &notification.body, &extra);
    let attempt = Attempt { number: notification.attempt, last: notification.last_attempt, text: &text };

    if let Some(since) = notification.previous.as_ref().and_then(|previous| previous.unknown_since)
        && let Some(outcome) = ask(&account, notification, &extra, attempt, since)
    {
        return outcome;
    }
    let form = form::encoded(&account, notification, &extra, &text, &runtime::callback_url(), runtime::now());
    let request = Request::post(account.messages())
        .basic(&account.user, SECRET)
        .body("application/x-www-form-urlencoded", form)
        .about(&notification.id);
    match request.send() {
        Ok(response) => {
            log_answer(&response);
            answers::outcome(&response, attempt)
        }
        Err(error) => answers::unanswered(error),
    }
}

/// What became of an earlier attempt whose end nobody knows; `None` if the message has to be sent now.
fn ask(
    account: &Account,
    notification: &Notification,
    extra: &Extra,
    attempt: Attempt<'_>,
    since: u64,
) -> Option<Outcome> {
    if !earlier::can_be_recognised(extra) {
        runtime::log(
            Level::Warn,
            "An earlier attempt may have been taken, and nobody can tell, since Twilio lists messages made from a template by the text that it made: this one is sent again.",
        );
        return None;
    }
    let earlier = Earlier { account, to: &notification.target_user_record.target_user_id, extra, attempt, since };
    // Carries no notification: it only asks.
    match Request::get(earlier.question()).basic(&account.user, SECRET).send() {
        Ok(response) => {
            log_answer(&response);
            earlier.answer(&response)
        }
        Err(error) => Some(earlier.unanswered(error)),
    }
}

fn log_answer(response: &Response) {
    runtime::log(Level::Debug, format!("Twilio answered with status {}.", response.status));
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn manifest() -> Value {
        serde_json::from_str(&Twilio::describe().to_json()).unwrap()
    }

    #[test]
    fn the_example_of_an_address_is_one() {
        let manifest = manifest();
        let example = manifest["address"]["example"].as_str().unwrap();
        assert_eq!(Twilio::check_address(example.to_owned()), Ok(example.to_owned()));
    }

    #[test]
    fn asks_for_no_more_than_it_needs() {
        let manifest = manifest();
        assert_eq!(manifest["http"]["origins"], serde_json::json!(["https://api.twilio.com"]));
        assert_eq!(manifest["smtp"], false);
        assert_eq!(manifest["secrets"].as_array().unwrap().len(), 1);
        assert_eq!(manifest["secrets"][0]["name"], "twilio_auth_token");
        assert_eq!(manifest["retry_time_interval"], 60);
        assert_eq!(manifest["extra"]["additionalProperties"], false);
    }
}
