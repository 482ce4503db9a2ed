//! Whether Twilio has the message from an earlier attempt whose answer was lost. There is no idempotency key, so the list
//! of messages is asked: the same text to the same number since then is taken for ours.
//!
//! Two notifications with one text to one number at the same time cannot be told apart; then one message may stand for
//! both.

use form_urlencoded::Serializer;
use guest_sdk::http::{Error, Response};
use guest_sdk::{Failure, Outcome, Retry, Scope, Timestamp};
use serde_json::Value;

use crate::account::{Account, Sender};
use crate::answers::{self, Attempt};
use crate::extra::Extra;

/// Milliseconds by which our clock and Twilio's, which writes whole seconds, may be apart.
const CLOCKS_APART: u64 = 60_000;

/// Messages that are looked at, the newest first. More than this would not fit into an answer that the engine takes
/// (1 MiB), if all were as long as can be.
const PAGE: &str = "50";

/// What a trial account's messages begin with.
const TRIAL: &str = "Sent from your Twilio trial account - ";

/// What is known about the message that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    pub account: &'a Account,
    pub to: &'a str,
    pub extra: &'a Extra,
    pub attempt: Attempt<'a>,
    /// When the first attempt began that may have been taken.
    pub since: Timestamp,
}

/// Whether the message could be told from others: not if Twilio made its text out of a template.
pub fn can_be_recognised(extra: &Extra) -> bool {
    extra.content_sid.is_none()
}

impl Earlier<'_> {
    /// The URL of the list. Twilio filters by whole days in UTC. A service's messages have its various senders.
    pub fn question(&self) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("To", self.to);
        if let Sender::From(from) = &self.account.sender {
            query.append_pair("From", from);
        }
        if let Some(day) = day(self.since.saturating_sub(CLOCKS_APART)) {
            query.append_pair("DateSent>", &day);
        }
        query.append_pair("PageSize", PAGE);
        format!("{}?{}", self.account.messages(), query.finish())
    }

    /// The outcome of this attempt if the list settles it: the message is there, or the list cannot be had. `None` if the
    /// message has to be sent now.
    pub fn answer(&self, response: &Response) -> Option<Outcome> {
        let said = response.json();
        if response.status == 200
            && let Some(listed) = said["messages"].as_array()
        {
            return self.found(listed);
        }
        Some(self.postponed(answers::outcome(response, self.attempt), response.retry_after()))
    }

    /// The outcome of this attempt if there was no list.
    pub fn unanswered(&self, error: Error) -> Outcome {
        self.postponed(answers::unanswered(error), None)
    }

    /// A message that is under way or has arrived, else one that failed for good. One that failed for now, or because of
    /// settings that may be mended since, is of the past.
    fn found(&self, listed: &[Value]) -> Option<Outcome> {
        let outcomes = listed.iter().filter(|message| self.is_ours(message));
        let mut outcomes: Vec<_> = outcomes.filter_map(|message| answers::of_message(message, self.attempt)).collect();
        let taken = |outcome: &Outcome| matches!(outcome, Outcome::Accepted(_) | Outcome::Delivered(_));
        let over = |outcome: &Outcome| !matches!(outcome, Outcome::Retry(_));
        let at = outcomes.iter().position(taken).or_else(|| outcomes.iter().position(over))?;
        Some(outcomes.swap_remove(at))
    }

    fn is_ours(&self, message: &Value) -> bool {
        let is = |member: &str, wanted: &str| message[member].as_str() == Some(wanted);
        let is_outbound = message["direction"].as_str().is_some_and(|direction| direction.starts_with("outbound"));
        let made = message["date_created"].as_str().and_then(instant);
        is_outbound
            && is("to", self.to)
            && match &self.account.sender {
                // Twilio has chosen by it, and may write it in another way.
                Sender::From(_) => true,
                Sender::Service(sid) => is("messaging_service_sid", sid),
            }
            && made.is_some_and(|made| made.saturating_add(CLOCKS_APART) >= self.since)
            && message["body"].as_str().is_some_and(|body| self.has_our_text(body))
            && (!self.attempt.text.is_empty() || media(message) == Some(self.extra.media().len()))
    }

    /// White space does not count; with smart encoding only letters and digits do, as all else may have been replaced.
    fn has_our_text(&self, body: &str) -> bool {
        let is_smart = self.extra.smart_encoded == Some(true);
        let essence = |text: &str| -> String {
            let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            if is_smart && !letters.is_empty() {
                return letters;
            }
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let body = body.strip_prefix(TRIAL).unwrap_or(body);
        essence(body) == essence(self.attempt.text)
    }

    /// Nothing was sent in this attempt, so it is a retry, and the question stays open for the next. At the last attempt
    /// there is no next: then the truth is that nobody knows.
    fn postponed(&self, outcome: Outcome, after: Option<u32>) -> Outcome {
        let reason = match outcome {
            // A bad password, too many requests: whatever concerns not this message alone holds for the list too.
            Outcome::Retry(Retry { scope: Scope::Configuration | Scope::Account, .. }) => return outcome,
            Outcome::Retry(Retry { reason, .. })
            | Outcome::Failed(reason)
            | Outcome::InactiveDevice(reason)
            | Outcome::OptedOut(reason)
            | Outcome::Unknown(reason) => reason,
            // A message where a list was asked for.
            Outcome::Accepted(_) | Outcome::Delivered(_) => Failure::new("no_list", "Twilio gave no list."),
        };
        let message =
            format!("Twilio could not be asked whether it has the SMS from an earlier attempt: {}", reason.message);
        let reason = Failure { message, ..reason };
        if self.attempt.last {
            return Outcome::Unknown(reason);
        }
        Outcome::Retry(Retry { after, scope: Scope::Message, reason })
    }
}

/// How many media a message has; Twilio writes the number as a text.
fn media(message: &Value) -> Option<usize> {
    message["num_media"].as_str()?.parse().ok()
}

/// An instant as Twilio writes it (RFC 2822), in milliseconds.
fn instant(text: &str) -> Option<Timestamp> {
    let instant = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    u64::try_from(instant.as_millisecond()).ok()
}

/// The day of an instant in UTC, as in `2026-11-22`; `None` if it is beyond the calendar.
fn day(instant: Timestamp) -> Option<String> {
    let instant = jiff::Timestamp::from_millisecond(i64::try_from(instant).ok()?).ok()?;
    Some(instant.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests;
