//! Between the contract's types and the domain's, in both directions; nothing is decided here.

use super::bindings::{target, types};
use super::module::Fault;
use super::redaction::Redactor;
use crate::rules::notification::Notification;
use crate::rules::outcome::{Failure, Outcome, Receipt, Scope};
use crate::rules::target::TargetUserRecord;
use crate::rules::user::User;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;
use uuid::Uuid;

/// What an application asked for, as a creator gets it.
#[derive(Debug, Clone)]
pub struct Creation<'a> {
    pub user: &'a User,
    pub records: &'a [TargetUserRecord],
    pub title: &'a str,
    pub body: &'a str,
    pub extra: &'a Map<String, Value>,
    pub scheduled_delivery: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub retry_time_interval: u32,
    pub max_retries: u32,
}

/// What a creator makes of it: a notification to store.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// As the creator gave it; that it is one of the request's is not checked here.
    pub target_user_record: Uuid,
    pub title: String,
    pub body: String,
    pub extra: Map<String, Value>,
    pub not_before: Option<Timestamp>,
}

/// A notification that is due, as a handler gets it.
#[derive(Debug, Clone)]
pub struct Delivery<'a> {
    pub notification: &'a Notification,
    pub user: &'a User,
    pub record: &'a TargetUserRecord,
    /// 1 for the first.
    pub attempt: u32,
    pub last_attempt: bool,
    pub previous: Option<Previous<'a>>,
}

/// What earlier attempts have left behind.
#[derive(Debug, Clone)]
pub struct Previous<'a> {
    pub last: Timestamp,
    pub provider_id: &'a str,
    pub unknown_since: Option<Timestamp>,
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or_default()
}

fn json(object: &Map<String, Value>) -> String {
    // An object of JSON values can always be written.
    serde_json::to_string(object).unwrap_or_else(|_| "{}".to_owned())
}

fn user(user: &User) -> types::User {
    types::User {
        id: user.id.to_string(),
        username: user.username.clone(),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        time_zone: user.time_zone.clone(),
        locale: user.locale.clone(),
        attributes: json(&user.attributes),
    }
}

fn record(record: &TargetUserRecord) -> types::TargetUserRecord {
    types::TargetUserRecord {
        id: record.id.to_string(),
        target_user_id: record.target_user_id.clone(),
        description: record.description.clone(),
    }
}

pub(super) fn request(asked: &Creation<'_>) -> target::CreationRequest {
    target::CreationRequest {
        user: user(asked.user),
        target_user_records: asked.records.iter().map(record).collect(),
        title: asked.title.to_owned(),
        body: asked.body.to_owned(),
        extra: json(asked.extra),
        scheduled_delivery: millis(asked.scheduled_delivery),
        expires_at: asked.expires_at.map(millis),
        retry_time_interval: asked.retry_time_interval,
        max_retries: asked.max_retries,
    }
}

/// How many bytes a creator wrote.
pub(super) fn size(draft: &target::Draft) -> usize {
    draft.target_user_record_id.len() + draft.title.len() + draft.body.len() + draft.extra.len()
}

/// A draft that a creator returned.
pub fn draft(draft: target::Draft) -> Result<Draft, Fault> {
    let wrong = |message: String| Fault { code: "wrong_result", message };
    let target_user_record = draft
        .target_user_record_id
        .parse()
        .map_err(|_| wrong("The component made a draft for a record that was not in the request.".to_owned()))?;
    let extra = match serde_json::from_str(&draft.extra) {
        Ok(Value::Object(extra)) => extra,
        _ => return Err(wrong("The component made a draft whose `extra` is not a JSON object.".to_owned())),
    };
    let not_before =
        match draft.not_before.map(|ms| i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok())) {
            Some(None) => return Err(wrong("The component made a draft whose `not-before` is not a date.".to_owned())),
            Some(Some(time)) => Some(time),
            None => None,
        };
    Ok(Draft { target_user_record, title: draft.title, body: draft.body, extra, not_before })
}

pub(super) fn notification(delivery: &Delivery<'_>) -> target::Notification {
    let n = delivery.notification;
    target::Notification {
        id: n.id.to_string(),
        // The notification's own id serves: it is the same for all of its attempts, and no other's.
        idempotency_key: n.id.to_string(),
        user: user(delivery.user),
        target_user_record: record(delivery.record),
        title: n.title.clone(),
        body: n.body.clone(),
        extra: json(&n.extra),
        scheduled_delivery: millis(n.scheduled_delivery),
        expires_at: n.expires_at.map(millis),
        attempt: delivery.attempt,
        last_attempt: delivery.last_attempt,
        previous: delivery.previous.as_ref().map(|previous| target::PreviousAttempts {
            last: millis(previous.last),
            provider_id: previous.provider_id.to_owned(),
            unknown_since: previous.unknown_since.map(millis),
        }),
    }
}

/// How many characters of a code, a message and a provider's id are kept (`wit/notification.wit`, Limits).
const LONGEST_CODE: usize = 64;
const LONGEST_MESSAGE: usize = 1000;
const LONGEST_PROVIDER_ID: usize = 255;

fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

/// Secrets go first: a part of one that was cut off would not be known again.
pub(super) fn failure(failure: types::Failure, redactor: &Redactor) -> Failure {
    let kept = |text: &str, most| cut(redactor.text(text), most);
    let code = kept(&failure.code, LONGEST_CODE);
    let message = match (failure.message.trim(), code.trim()) {
        ("", "") => "The component refused it, and did not say why: ask its author.".to_owned(),
        ("", code) => format!("The component refused it, and said no more than `{code}`: ask its author."),
        (message, _) => kept(message, LONGEST_MESSAGE),
    };
    Failure { code, message }
}

fn receipt(receipt: target::Receipt, redactor: &Redactor) -> Receipt {
    // An id that is cut, or without the secret that it holds, would be another's.
    let is_kept = receipt.provider_id.chars().count() <= LONGEST_PROVIDER_ID && !redactor.finds(&receipt.provider_id);
    Receipt {
        provider_id: if is_kept { receipt.provider_id } else { String::new() },
        message: cut(redactor.text(&receipt.message), LONGEST_MESSAGE),
    }
}

/// How many bytes a handler wrote.
pub(super) fn outcome_size(outcome: &target::Outcome) -> usize {
    match outcome {
        target::Outcome::Delivered(given) | target::Outcome::Accepted(given) => {
            given.provider_id.len() + given.message.len()
        }
        target::Outcome::Retry(target::Retry { reason, .. })
        | target::Outcome::Failed(reason)
        | target::Outcome::InactiveDevice(reason)
        | target::Outcome::OptedOut(reason)
        | target::Outcome::Unknown(reason) => reason.code.len() + reason.message.len(),
    }
}

/// An outcome that a handler returned, bounded, without what `redactor` finds.
pub fn outcome(outcome: target::Outcome, redactor: &Redactor) -> Outcome {
    let failure = |failed| failure(failed, redactor);
    let receipt = |given| receipt(given, redactor);
    match outcome {
        target::Outcome::Delivered(r) => Outcome::Delivered(receipt(r)),
        target::Outcome::Accepted(r) => Outcome::Accepted(receipt(r)),
        target::Outcome::Retry(retry) => Outcome::Retry {
            after: retry.after.map(|seconds| Duration::from_secs(seconds.into())),
            scope: match retry.scope {
                types::Scope::Message => Scope::Message,
                types::Scope::Address => Scope::Address,
                types::Scope::Account => Scope::Account,
                types::Scope::Configuration => Scope::Configuration,
            },
            reason: failure(retry.reason),
        },
        target::Outcome::Failed(f) => Outcome::Failed(failure(f)),
        target::Outcome::InactiveDevice(f) => Outcome::InactiveDevice(failure(f)),
        target::Outcome::OptedOut(f) => Outcome::OptedOut(failure(f)),
        target::Outcome::Unknown(f) => Outcome::Unknown(failure(f)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_always_says_something() {
        let said = |code: &str, message: &str| {
            let failure = types::Failure { code: code.into(), message: message.into() };
            super::failure(failure, &Redactor::default()).message
        };
        assert_eq!(said("bad", "Bad."), "Bad.");
        assert_eq!(said("bad", " "), "The component refused it, and said no more than `bad`: ask its author.");
        assert_eq!(said("", ""), "The component refused it, and did not say why: ask its author.");
    }
}
