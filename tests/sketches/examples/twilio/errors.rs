//! What Twilio's error codes mean, whether they come in an answer, in a message's status or in a callback.

use crate::bindings::exports::notification::engine::notification_target::Outcome;
use crate::bindings::notification::engine::fates::Fate;
use crate::bindings::notification::engine::types::{Failure, Scope};
use crate::retry;

/// What an error asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// Again, after so many seconds or after the usual time.
    Again(Scope, Option<u32>),
    Never,
    DeadNumber,
    OptedOut,
}

/// Codes that are not known count as permanent: those of a passing kind are few and long established.
pub fn meaning(code: u32) -> Meaning {
    use Meaning::{Again, DeadNumber, Never, OptedOut};
    match code {
        // Authentication, the sender, a suspended account, a sender that was not registered: somebody has to mend it.
        20_003 | 21_212 | 21_601 | 21_606 | 21_608 | 30_002 | 30_034 => Again(Scope::Configuration, None),
        // Too many requests, full queues: never processed.
        20_429 | 21_611 | 30_001 => Again(Scope::Account, None),
        21_610 => OptedOut,
        // Not a number, not a mobile, unknown, a landline.
        21_211 | 21_217 | 21_401 | 21_614 | 21_635 | 30_005 | 30_006 => DeadNumber,
        // Switched off: within the hour it may be on again.
        30_003 => Again(Scope::Address, Some(45 * 60)),
        30_008 => Again(Scope::Message, None),
        _ => Never,
    }
}

impl Meaning {
    pub fn into_outcome(self, reason: Failure) -> Outcome {
        match self {
            Self::Again(scope, after) => Outcome::Retry(retry(scope, after, reason)),
            Self::Never => Outcome::Failed(reason),
            Self::DeadNumber => Outcome::InactiveDevice(reason),
            Self::OptedOut => Outcome::OptedOut(reason),
        }
    }

    pub fn into_fate(self, reason: Failure) -> Fate {
        match self {
            Self::Again(scope, after) => Fate::Retry(retry(scope, after, reason)),
            Self::Never => Fate::Failed(reason),
            Self::DeadNumber => Fate::InactiveDevice(reason),
            Self::OptedOut => Fate::OptedOut(reason),
        }
    }
}

/// The code as Twilio writes it, and its words.
pub fn reason(code: u32, words: &str) -> Failure {
    Failure { code: code.to_string(), message: format!("Twilio says {code}: {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_meaning() {
        for (code, expected) in [
            (20_003, Meaning::Again(Scope::Configuration, None)),
            (20_429, Meaning::Again(Scope::Account, None)),
            (21_211, Meaning::DeadNumber),
            (21_212, Meaning::Again(Scope::Configuration, None)),
            (21_610, Meaning::OptedOut),
            (21_612, Meaning::Never),
            (30_003, Meaning::Again(Scope::Address, Some(2700))),
            (30_007, Meaning::Never),
            (99_999, Meaning::Never),
        ] {
            assert_eq!(meaning(code), expected, "{code}");
        }
    }
}
