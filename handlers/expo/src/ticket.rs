//! What a ticket means: Expo's answer about one message. A ticket that is an error is certain: the message was not taken.

use guest_sdk::{Failure, Outcome, Receipt, Scope};
use serde_json::Value;

/// What came of the message that this ticket is for.
pub fn outcome(ticket: &Value) -> Outcome {
    match ticket["status"].as_str() {
        // The words that people know from the predecessor.
        Some("ok") => Outcome::Accepted(Receipt::new(
            ticket["id"].as_str().unwrap_or_default(),
            "Notification Successfully Pushed!",
        )),
        Some("error") => refused(ticket),
        _ => Outcome::Unknown(Failure::new(
            "no_status",
            "Expo gave a ticket that does not say whether the message was taken.",
        )),
    }
}

/// The codes are those of Expo's documentation and of its own client. Not every error has one.
fn refused(ticket: &Value) -> Outcome {
    let code = ticket["details"]["error"].as_str().filter(|code| !code.is_empty()).unwrap_or("no_code");
    let reason = |advice: &str| Failure::new(code, sentence(ticket["message"].as_str().unwrap_or_default(), advice));
    match code {
        "DeviceNotRegistered" => Outcome::InactiveDevice(reason("")),
        // `DeveloperError`: Apple or Google will not have this message, however often it comes.
        "MessageTooBig" | "DeveloperError" => Outcome::Failed(reason("")),
        // Too many to this one device.
        "MessageRateExceeded" => Outcome::retry(Scope::Address, reason("")),
        "MismatchSenderId" => Outcome::retry(
            Scope::Configuration,
            reason(
                "Give the project in the Expo account the FCM credentials that the app was built with, then resume the target.",
            ),
        ),
        "InvalidCredentials" => Outcome::retry(
            Scope::Configuration,
            reason("Renew the push credentials of the app's project in the Expo account, then resume the target."),
        ),
        // `ExpoError` and `ProviderError` are faults of Expo, Apple or Google. As for those that have no code or one of
        // later times: nothing was taken, and a retry that does not help comes to an end by itself.
        _ => Outcome::retry(Scope::Message, reason("")),
    }
}

/// Expo's words as a sentence of ours, and what to do about it.
pub fn sentence(words: &str, advice: &str) -> String {
    let words = words.trim().trim_end_matches('.');
    let words = if words.is_empty() { "it gave no reason" } else { words };
    let sentence = format!("Expo did not take it: {words}. {advice}");
    sentence.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_readable() {
        for (words, advice, expected) in [
            ("The device is gone.", "", "Expo did not take it: The device is gone."),
            ("The device is gone", "Look.", "Expo did not take it: The device is gone. Look."),
            (" ", "", "Expo did not take it: it gave no reason."),
        ] {
            assert_eq!(sentence(words, advice), expected);
        }
    }

    #[test]
    fn a_fault_of_the_configuration_says_what_to_do() {
        for code in ["MismatchSenderId", "InvalidCredentials"] {
            let ticket = serde_json::json!({ "status": "error", "message": "No", "details": { "error": code } });
            let Outcome::Retry(retry) = outcome(&ticket) else { panic!("{code} is no retry") };
            assert!(retry.reason.message.ends_with("then resume the target."), "{}", retry.reason.message);
        }
    }
}
