//! An attempt: one try at delivering a notification. The history of them is only ever added to.

use std::fmt::Write;

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rules::limits::{self, Invalid};
use crate::rules::notification::Notification;
use crate::rules::outcome::{Outcome, OutcomeKind};

/// Bytes of `code`; what is longer is cut.
pub const MAX_CODE: usize = 100;
/// Bytes of `message`; what is longer is cut.
pub const MAX_MESSAGE: usize = 4 * 1024;
/// Bytes of `provider_id`; what is longer is cut.
pub const MAX_PROVIDER_ID: usize = 300;
/// Bytes of `log`; what is longer is cut.
pub const MAX_LOG: usize = 64 * 1024;
/// Bytes of `usage` as it is stored.
pub const MAX_USAGE: usize = 200;
/// Characters in `component_digest` and `request_hash`: an algorithm, a colon and 64 hexadecimal digits.
pub const MAX_DIGEST: usize = 80;

/// One try at delivering a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first. Every try is counted here, those that use up nothing too.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When its outcome was known.
    pub finished_at: Timestamp,
    /// What it came to.
    pub outcome: OutcomeKind,
    /// For programs; empty if nothing went wrong.
    pub code: String,
    /// For people.
    pub message: String,
    /// The provider's own id of the message; empty if it gave none.
    pub provider_id: String,
    /// How far it got, if it failed on the way to the provider.
    pub phase: Option<Phase>,
    /// What the component wrote while it ran.
    pub log: String,
    /// Which component ran, if one did, as `sha256:…`.
    pub component_digest: Option<String>,
    /// Which engine made it.
    pub engine: Uuid,
    /// The digest of what the component was asked to send, as `sha256:…` (see [`request_hash`]); `None` if none was asked.
    pub request_hash: Option<String>,
    /// What the call took; `None` if there was none.
    pub usage: Option<Usage>,
}

/// What one call of a component took, in all: a call may be about several notifications, and each then has the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Milliseconds in which it computed, rounded up.
    pub cpu_ms: u64,
    /// Bytes of all its memories and tables, when they were largest.
    pub memory: u64,
    /// Requests that it sent.
    pub http: u32,
    /// Mails that it handed over, or tried to.
    pub smtp: u32,
}

/// How far a call got before it failed, as in `phases` of `wit/notification.wit`. Up to `tls`, nothing of the message
/// has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each phase is explained in the contract")]
pub enum Phase {
    Invalid,
    Denied,
    Resolve,
    Connect,
    Tls,
    Write,
    Wait,
    Read,
}

impl Phase {
    /// All of them, in the order in which a call goes through them.
    pub const ALL: [Phase; 8] = [
        Phase::Invalid,
        Phase::Denied,
        Phase::Resolve,
        Phase::Connect,
        Phase::Tls,
        Phase::Write,
        Phase::Wait,
        Phase::Read,
    ];

    /// The stored spelling, which is also the one in JSON and in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Invalid => "invalid",
            Phase::Denied => "denied",
            Phase::Resolve => "resolve",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Write => "write",
            Phase::Wait => "wait",
            Phase::Read => "read",
        }
    }
}

impl std::str::FromStr for Phase {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Phase, Invalid> {
        Phase::ALL
            .into_iter()
            .find(|phase| phase.as_str() == text)
            .ok_or_else(|| Invalid::new("phase", format!("`{text}` is not a phase that this engine knows.")))
    }
}

impl Attempt {
    /// The record of a try that ended in `outcome`; the other fields begin empty. Texts of others are kept as far as
    /// they fit.
    pub fn new(number: u32, started_at: Timestamp, finished_at: Timestamp, outcome: &Outcome, engine: Uuid) -> Attempt {
        Attempt {
            number,
            started_at,
            finished_at,
            outcome: outcome.kind(),
            code: limits::cut(outcome.code(), MAX_CODE),
            message: limits::cut(outcome.message(), MAX_MESSAGE),
            provider_id: limits::cut(outcome.provider_id(), MAX_PROVIDER_ID),
            phase: None,
            log: String::new(),
            component_digest: None,
            engine,
            request_hash: None,
            usage: None,
        }
    }
}

/// The digest of what a component is asked to send: the notification's id, its address, title, body and `extra`, each with its length before it
/// (8 bytes, big endian). Whoever has these can tell whether they are what was sent.
pub fn request_hash(notification: &Notification, target_user_id: &str) -> String {
    let extra = serde_json::to_string(&notification.extra).unwrap_or_default();
    let mut hash = Context::new(&SHA256);
    let parts = [target_user_id, &notification.title, &notification.body, &extra].map(str::as_bytes);
    for part in [notification.id.as_bytes().as_slice()].into_iter().chain(parts) {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digits = hash.finish().as_ref().iter().fold(String::with_capacity(MAX_DIGEST), |mut digits, byte| {
        // Writing into a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    format!("sha256:{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::outcome::{Failure, Receipt};

    #[test]
    fn every_phase_is_spelled_alike_in_the_database_and_in_json() {
        for phase in Phase::ALL {
            assert_eq!(phase.as_str().parse::<Phase>().unwrap(), phase);
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.as_str());
        }
    }

    #[test]
    fn the_texts_of_others_are_kept_as_far_as_they_fit() {
        let began = Timestamp::UNIX_EPOCH;
        let failure = Failure::new("c".repeat(1000), "m".repeat(10_000));
        let attempt = Attempt::new(1, began, began, &Outcome::Failed(failure), Uuid::from_u128(1));
        assert_eq!((attempt.code.len(), attempt.message.len()), (MAX_CODE, MAX_MESSAGE));
        let receipt = Receipt { provider_id: "p".repeat(1000), message: String::new() };
        let attempt = Attempt::new(1, began, began, &Outcome::Accepted(receipt), Uuid::from_u128(1));
        assert_eq!(attempt.provider_id.len(), MAX_PROVIDER_ID);
    }
}
