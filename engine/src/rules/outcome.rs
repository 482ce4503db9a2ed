//! What an attempt came to, as data.
//!
//! The same cases as `outcome` in `wit/notification.wit`, for the host turns every ending into one of them: an answer
//! of the component, a trap, a timeout, a refusal. What follows from each is decided in `retry.rs` alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rules::limits::Invalid;

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Delivered, as far as the target can ever know.
    Delivered(Receipt),
    /// Taken by the provider; a receipt or a callback may still say what became of it.
    Accepted(Receipt),
    /// Not now; nothing was taken.
    Retry {
        /// The provider's own wish, such as `Retry-After`; `None` leaves the wait to the notification's interval.
        after: Option<Duration>,
        /// Whom the fault concerns, which decides who waits.
        scope: Scope,
        /// What happened.
        reason: Failure,
    },
    /// Never: another try would end the same way.
    Failed(Failure),
    /// The address is dead.
    InactiveDevice(Failure),
    /// The provider says that this address wants nothing from this sender.
    OptedOut(Failure),
    /// The provider may have taken it: the message left and no answer came.
    Unknown(Failure),
}

/// Whom a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This message only; uses up an attempt.
    Message,
    /// This address; uses up an attempt.
    Address,
    /// The account at the provider: the whole target slows down, and no attempt is used up.
    Account,
    /// The way the target is set up: it is paused until somebody changes that, and no attempt is used up.
    Configuration,
}

/// What the provider gave in return.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's own id of the message; empty if it gave none.
    pub provider_id: String,
    /// For people.
    pub message: String,
}

/// Why something did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For programs: stable, `snake_case`, or the provider's own number.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Failure {
    /// A failure from its two texts.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure { code: code.into(), message: message.into() }
    }
}

/// The case of an outcome alone, as the history keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each case is explained at `Outcome`")]
pub enum OutcomeKind {
    Delivered,
    Accepted,
    Retry,
    Failed,
    InactiveDevice,
    OptedOut,
    Unknown,
}

impl OutcomeKind {
    /// All of them.
    pub const ALL: [OutcomeKind; 7] = [
        OutcomeKind::Delivered,
        OutcomeKind::Accepted,
        OutcomeKind::Retry,
        OutcomeKind::Failed,
        OutcomeKind::InactiveDevice,
        OutcomeKind::OptedOut,
        OutcomeKind::Unknown,
    ];

    /// The stored spelling, which is also the one in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            OutcomeKind::Delivered => "delivered",
            OutcomeKind::Accepted => "accepted",
            OutcomeKind::Retry => "retry",
            OutcomeKind::Failed => "failed",
            OutcomeKind::InactiveDevice => "inactive_device",
            OutcomeKind::OptedOut => "opted_out",
            OutcomeKind::Unknown => "unknown",
        }
    }
}

impl std::str::FromStr for OutcomeKind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<OutcomeKind, Invalid> {
        OutcomeKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Invalid::new("outcome", format!("`{text}` is not an outcome that this engine knows.")))
    }
}

impl Outcome {
    /// Its case.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Outcome::Delivered(_) => OutcomeKind::Delivered,
            Outcome::Accepted(_) => OutcomeKind::Accepted,
            Outcome::Retry { .. } => OutcomeKind::Retry,
            Outcome::Failed(_) => OutcomeKind::Failed,
            Outcome::InactiveDevice(_) => OutcomeKind::InactiveDevice,
            Outcome::OptedOut(_) => OutcomeKind::OptedOut,
            Outcome::Unknown(_) => OutcomeKind::Unknown,
        }
    }

    /// The same, with each of its texts as `change` makes it.
    #[must_use]
    pub fn said(self, change: impl Fn(String) -> String) -> Outcome {
        let receipt = |r: Receipt| Receipt { provider_id: change(r.provider_id), message: change(r.message) };
        let failure = |f: Failure| Failure { code: change(f.code), message: change(f.message) };
        match self {
            Outcome::Delivered(r) => Outcome::Delivered(receipt(r)),
            Outcome::Accepted(r) => Outcome::Accepted(receipt(r)),
            Outcome::Retry { after, scope, reason } => Outcome::Retry { after, scope, reason: failure(reason) },
            Outcome::Failed(f) => Outcome::Failed(failure(f)),
            Outcome::InactiveDevice(f) => Outcome::InactiveDevice(failure(f)),
            Outcome::OptedOut(f) => Outcome::OptedOut(failure(f)),
            Outcome::Unknown(f) => Outcome::Unknown(failure(f)),
        }
    }

    /// What went wrong, if something did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Outcome::Delivered(_) | Outcome::Accepted(_) => None,
            Outcome::Retry { reason, .. } => Some(reason),
            Outcome::Failed(failure)
            | Outcome::InactiveDevice(failure)
            | Outcome::OptedOut(failure)
            | Outcome::Unknown(failure) => Some(failure),
        }
    }

    /// The failure's code; empty if nothing went wrong.
    pub fn code(&self) -> &str {
        self.failure().map_or("", |failure| &failure.code)
    }

    /// The sentence for people: the failure's, or the receipt's.
    pub fn message(&self) -> &str {
        match self {
            Outcome::Delivered(receipt) | Outcome::Accepted(receipt) => &receipt.message,
            Outcome::Retry { reason, .. } => &reason.message,
            Outcome::Failed(failure)
            | Outcome::InactiveDevice(failure)
            | Outcome::OptedOut(failure)
            | Outcome::Unknown(failure) => &failure.message,
        }
    }

    /// The provider's id of the message; empty if it gave none.
    pub fn provider_id(&self) -> &str {
        match self {
            Outcome::Delivered(receipt) | Outcome::Accepted(receipt) => &receipt.provider_id,
            Outcome::Retry { .. }
            | Outcome::Failed(_)
            | Outcome::InactiveDevice(_)
            | Outcome::OptedOut(_)
            | Outcome::Unknown(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_spelled_alike_in_the_database_and_in_json() {
        for kind in OutcomeKind::ALL {
            assert_eq!(kind.as_str().parse::<OutcomeKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("maybe".parse::<OutcomeKind>().is_err());
    }

    #[test]
    fn the_texts_of_an_outcome_are_found_in_each_case() {
        let receipt = Receipt { provider_id: "SM1".to_owned(), message: "queued".to_owned() };
        let failure = Failure::new("21610", "The recipient replied STOP.");
        let accepted = Outcome::Accepted(receipt);
        assert_eq!((accepted.code(), accepted.message(), accepted.provider_id()), ("", "queued", "SM1"));
        let retry = Outcome::Retry { after: None, scope: Scope::Account, reason: failure.clone() };
        for outcome in [
            retry,
            Outcome::Failed(failure.clone()),
            Outcome::InactiveDevice(failure.clone()),
            Outcome::OptedOut(failure.clone()),
        ] {
            assert_eq!(
                (outcome.code(), outcome.message(), outcome.provider_id()),
                ("21610", "The recipient replied STOP.", "")
            );
        }
    }
}
