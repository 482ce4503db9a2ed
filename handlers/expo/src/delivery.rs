//! How a batch is delivered: all of it in one request; in several, if Expo refuses the whole because of a part.
//!
//! Tokens of several projects are sent apart, as Expo says they belong together. If Expo refuses a request without saying
//! which message is at fault, it is halved until that one is alone: it fails, and no other with it. The parts are sent
//! depth first, so that every call comes to an end with some messages even if it cannot with all.

use std::collections::BTreeMap;
use std::time::Duration;

use guest_sdk::http::{Error, Response};
use guest_sdk::{Failure, Outcome, Retry, Scope};

use crate::answer::{self, Answer};
use crate::message::Message;

/// As many requests as one call may make (`wit/notification.wit`, limits).
const MOST_REQUESTS: usize = 32;

/// The longest that one request may take (`wit/http.wit`).
pub const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// When less is left of the call, no further request is begun: better a retry than a call that ends without outcomes.
const TIME_FOR_A_REQUEST: Duration = Duration::from_secs(11);

/// Messages that go into one request, each with its place in the batch.
type Part<'a> = Vec<(usize, &'a Message)>;

/// What came of each message of the batch, in the same order. Those that could not be made have failed. `post` sends
/// messages in one request; `time_left` is what is left of the call.
pub fn deliver(
    batch: Vec<Result<Message, Failure>>,
    mut post: impl FnMut(&[&Message]) -> Result<Response, Error>,
    time_left: impl Fn() -> Duration,
) -> Vec<Outcome> {
    let mut known: BTreeMap<usize, Outcome> = BTreeMap::new();
    let mut whole = Part::new();
    for (place, message) in batch.iter().enumerate() {
        match message {
            Ok(message) => whole.push((place, message)),
            Err(reason) => drop(known.insert(place, Outcome::Failed(reason.clone()))),
        }
    }
    let known_before = known.len();
    let mut waiting = if whole.is_empty() { vec![] } else { vec![whole] };
    let mut requests = 0;
    // What the rest gets, once Expo has turned away a request in a way that it would meet with too.
    let mut turned_away = None;
    while let Some(part) = waiting.pop() {
        if requests > 0 && (requests == MOST_REQUESTS || time_left() < TIME_FOR_A_REQUEST) {
            break;
        }
        requests += 1;
        let messages: Vec<&Message> = part.iter().map(|(_, message)| *message).collect();
        let answer = match post(&messages) {
            Ok(response) => answer::read(&response, messages.len()),
            Err(error) => Answer::All(error.into()),
        };
        match answer {
            Answer::Each(outcomes) => known.extend(part.iter().map(|(place, _)| *place).zip(outcomes)),
            Answer::All(outcome) => {
                known.extend(part.iter().map(|(place, _)| (*place, outcome.clone())));
                if matches!(outcome, Outcome::Retry(_)) {
                    turned_away = Some(outcome);
                    break;
                }
            }
            Answer::Refused(reason) => match part.as_slice() {
                [(place, _)] => drop(known.insert(*place, Outcome::Failed(reason))),
                _ => waiting.extend(halves(part)),
            },
            Answer::SeveralProjects(projects, reason) => match part.as_slice() {
                // A single token cannot be of several projects: Expo is confused, and the next attempt may do better.
                [(place, _)] => drop(known.insert(*place, Outcome::retry(Scope::Message, reason))),
                _ => waiting.extend(by_project(part, &projects)),
            },
        }
    }
    let rest = turned_away.unwrap_or_else(|| not_reached(known.len() > known_before));
    (0..batch.len()).map(|place| known.remove(&place).unwrap_or_else(|| rest.clone())).collect()
}

/// For messages that no request was left for. If others came to an end in this call, so will these in one of the next,
/// and it costs them no attempt. If none did, it has to cost one, or this might go on for ever.
fn not_reached(others_were: bool) -> Outcome {
    Outcome::Retry(Retry {
        after: Some(1),
        scope: if others_were { Scope::Account } else { Scope::Message },
        reason: Failure::new(
            "not_reached",
            "Expo wants this sent apart from others, and the call had no request left for it; the next one will send it.",
        ),
    })
}

/// A part for each project, and one for all tokens that Expo did not mention: if they do not fit together either, it
/// will say so. The last one is the next to be sent.
fn by_project<'a>(part: Part<'a>, projects: &BTreeMap<String, String>) -> Vec<Part<'a>> {
    let mut parts: BTreeMap<Option<&String>, Part> = BTreeMap::new();
    for (place, message) in part {
        parts.entry(projects.get(&message.token)).or_default().push((place, message));
    }
    let parts: Vec<Part> = parts.into_values().rev().collect();
    // All in one part again would be refused again.
    if parts.len() > 1 { parts } else { parts.into_iter().flat_map(halves).collect() }
}

/// The second half, and then the first, which is the next to be sent.
fn halves(mut part: Part) -> [Part; 2] {
    let second = part.split_off(part.len() / 2);
    [second, part]
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
