//! What Twilio's answers mean. A code of Twilio's that is known decides; without one the HTTP status does. Whatever else
//! stands in an answer, or does not, nothing in it can do more than make it unreadable.

use guest_sdk::http::{Error, Phase, Response};
use guest_sdk::{Failure, Outcome, Receipt, Scope};
use serde_json::Value;

use crate::codes::{self, Meaning};

/// As long as a provider's id may be for the engine to keep it.
const LONGEST_SID: usize = 255;
/// So many characters of Twilio's words are repeated to people.
const LONGEST_WORDS: usize = 400;
/// A text that is shorter than this may be part of Twilio's own words by chance, and betrays nothing.
const SHORTEST_ECHO: usize = 4;

const NOT_SENT: &str = "SMS could not be sent";
const NOT_KNOWN: &str = "It is not known whether the SMS was sent";

/// The attempt that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// 1 for the first.
    pub number: u32,
    /// Whether a retry would be the end of it.
    pub last: bool,
    /// The message's text, which must not be repeated to anybody.
    pub text: &'a str,
}

/// What came of asking Twilio to make a message.
pub fn outcome(response: &Response, attempt: Attempt<'_>) -> Outcome {
    let said = response.json();
    let is_success = (200..=299).contains(&response.status);
    if is_success && let Some(outcome) = of_message(&said, attempt) {
        return outcome;
    }
    let words = words(&said["message"], attempt.text);
    let code = number(&said["code"]);
    let (id, says) = match code {
        Some(code) => (code.to_string(), format!("Twilio said {code}")),
        // A page of a gateway on the way, perhaps. The next attempt asks for the message before it sends it again, so
        // this need not be taken for success.
        None if is_success => {
            ("no_sid".to_owned(), format!("Twilio answered with status {} and named no message", response.status))
        }
        None => (response.status.to_string(), format!("Twilio answered with status {}", response.status)),
    };
    let reason = |opening: &str| Failure::new(id.as_str(), sentence(opening, &says, &words));
    let meaning = match code {
        // Whatever the code says more exactly: with this status nothing was taken.
        _ if response.status == 429 => Some(Meaning::SlowDown),
        Some(code) => codes::meaning(code, &words),
        None => None,
    };
    match meaning.or_else(|| by_status(response.status)) {
        Some(meaning) => meaning.into_outcome(reason(NOT_SENT), attempt.number, response.retry_after()),
        None => Outcome::Unknown(reason(NOT_KNOWN)),
    }
}

/// What a message at Twilio says of itself, whether it was just made or is from an earlier attempt; `None` if it names no
/// SID that could be kept.
pub fn of_message(message: &Value, attempt: Attempt<'_>) -> Option<Outcome> {
    let is_sid = |sid: &&str| (1..=LONGEST_SID).contains(&sid.len()) && sid.bytes().all(|b| b.is_ascii_graphic());
    let sid = message["sid"].as_str().filter(is_sid)?;
    let status = message["status"].as_str().unwrap_or_default();
    // The sentence that people know from the predecessor.
    let receipt = || Receipt::new(sid, "SMS Successfully sent!");
    Some(match status {
        "delivered" | "read" => Outcome::Delivered(receipt()),
        "undelivered" | "failed" | "canceled" => {
            let words = words(&message["error_message"], attempt.text);
            match number(&message["error_code"]) {
                Some(code) => {
                    let says = format!("Twilio said {code} of message {sid}, which is {status}");
                    let reason = Failure::new(code.to_string(), sentence(NOT_SENT, &says, &words));
                    let meaning = codes::meaning(code, &words).unwrap_or(Meaning::Never);
                    meaning.into_outcome(reason, attempt.number, None)
                }
                None => {
                    let says = format!("Twilio said of message {sid} that it is {status}");
                    Outcome::Failed(Failure::new(status, sentence(NOT_SENT, &says, &words)))
                }
            }
        }
        // accepted, scheduled, queued, sending, sent; and whatever comes to be.
        _ => Outcome::Accepted(receipt()),
    })
}

/// There was no answer that could be used.
pub fn unanswered(error: Error) -> Outcome {
    let opening = match error.phase {
        Phase::Write | Phase::Wait | Phase::Read => NOT_KNOWN,
        Phase::Invalid | Phase::Denied | Phase::Resolve | Phase::Connect | Phase::Tls => NOT_SENT,
    };
    let message = format!("{opening}: {}", error.message);
    Error { message, ..error }.into()
}

/// What an answer means whose code is not known, or which has none; `None` if the message may have been taken.
fn by_status(status: u16) -> Option<Meaning> {
    Some(match status {
        // The URL is made of nothing but settings: if it leads nowhere, they are wrong.
        300..=399 | 404 | 405 => Meaning::Mend("check `[target.twilio] account_sid` and `base_url`"),
        401..=403 | 407 => Meaning::Mend(
            "check the account at Twilio, `[target.twilio] account_sid`, `api_key_sid` and the secret `twilio_auth_token`",
        ),
        // The request did not come through whole.
        408 => Meaning::AFewTimes { scope: Scope::Message, after: None, attempts: u32::MAX },
        400..=499 => Meaning::Never,
        _ => return None,
    })
}

/// An error code; some services of Twilio's write numbers as texts.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    }
}

/// Twilio's words on one line, without the message's text, should they repeat it, and without a full stop.
fn words(value: &Value, text: &str) -> String {
    let said = value.as_str().unwrap_or_default();
    let is_telling = text.chars().count() >= SHORTEST_ECHO;
    let said = if is_telling { said.replace(text, "…") } else { said.to_owned() };
    let one_line = said
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let cut: String = one_line.chars().take(LONGEST_WORDS).collect();
    cut.trim_end_matches('.').to_owned()
}

fn sentence(opening: &str, says: &str, words: &str) -> String {
    let colon = if words.is_empty() { "" } else { ": " };
    format!("{opening}: {says}{colon}{words}.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ATTEMPT: Attempt<'_> = Attempt { number: 1, last: false, text: "The tea is ready." };

    fn reason(status: u16, body: &Value) -> Failure {
        let response = Response { status, headers: vec![], body: body.to_string().into_bytes() };
        match outcome(&response, ATTEMPT) {
            Outcome::Retry(retry) => retry.reason,
            Outcome::Failed(reason)
            | Outcome::InactiveDevice(reason)
            | Outcome::OptedOut(reason)
            | Outcome::Unknown(reason) => reason,
            taken => panic!("{taken:?}"),
        }
    }

    #[test]
    fn reasons_are_one_sentence_with_twilios_words() {
        for (status, body, expected) in [
            (
                400,
                json!({ "code": 21_610, "message": "Attempt to send to unsubscribed recipient" }),
                "SMS could not be sent: Twilio said 21610: Attempt to send to unsubscribed recipient.",
            ),
            (400, json!({ "code": 21_999 }), "SMS could not be sent: Twilio said 21999."),
            (413, json!(null), "SMS could not be sent: Twilio answered with status 413."),
            (
                503,
                json!({ "code": 20_503, "message": "Service\r\n\tunavailable.\u{7}" }),
                "It is not known whether the SMS was sent: Twilio said 20503: Service unavailable.",
            ),
            (
                200,
                json!({}),
                "It is not known whether the SMS was sent: Twilio answered with status 200 and named no message.",
            ),
            (
                201,
                json!({ "sid": "SM1", "status": "failed", "error_code": 30_007, "error_message": "Filtered" }),
                "SMS could not be sent: Twilio said 30007 of message SM1, which is failed: Filtered.",
            ),
            (
                201,
                json!({ "sid": "SM1", "status": "canceled" }),
                "SMS could not be sent: Twilio said of message SM1 that it is canceled.",
            ),
            (
                404,
                json!({ "code": 20_404, "message": "Not found" }),
                "SMS could not be sent: Twilio said 20404: Not found; check `[target.twilio] account_sid` and `base_url`.",
            ),
        ] {
            assert_eq!(reason(status, &body).message, expected);
        }
    }

    #[test]
    fn the_text_is_never_repeated() {
        let echo = json!({ "code": 21_617, "message": "'The tea is ready.' is too long" });
        assert_eq!(reason(400, &echo).message, "SMS could not be sent: Twilio said 21617: '…' is too long.");
        assert_eq!(words(&json!("Bad a"), "a"), "Bad a");
    }

    #[test]
    fn words_have_an_end() {
        assert_eq!(words(&json!("ü".repeat(100_000)), "").chars().count(), LONGEST_WORDS);
        assert_eq!(words(&json!(["not", "words"]), ""), "");
    }

    #[test]
    fn without_an_answer_the_phase_decides() {
        use Phase::{Connect, Denied, Invalid, Read, Resolve, Tls, Wait, Write};
        for phase in [Invalid, Denied, Resolve, Connect, Tls, Write, Wait, Read] {
            let error = Error { phase, status: 0, code: "c".into(), message: "It broke.".into() };
            let not_sent = || Failure::new("c", "SMS could not be sent: It broke.");
            let expected = match phase {
                Invalid => Outcome::Failed(not_sent()),
                Denied => Outcome::retry(Scope::Configuration, not_sent()),
                Resolve | Connect | Tls => Outcome::retry(Scope::Message, not_sent()),
                Write | Wait | Read => {
                    Outcome::Unknown(Failure::new("c", "It is not known whether the SMS was sent: It broke."))
                }
            };
            assert_eq!(unanswered(error), expected, "{phase:?}");
        }
    }
}
