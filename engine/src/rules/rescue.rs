//! What follows when an engine died, or held a claim for too long, before it said what became of an attempt.
//!
//! Most claims of a dead engine had only waited for their turn, and nobody knows which had been sent. Where that must be known, a mark is
//! written right before the send: where an unknown outcome is to be held, and where an engine has died over the notification before.
//! So a message that kills engines is found, and those that were only near it are not taken for it: the first death counts for all that
//! was claimed, the second for what was being sent, and for the third the suspects are sent one at a time.

use std::time::Duration;

use jiff::Timestamp;

use crate::rules::limits::to_the_millisecond;
use crate::rules::notification::OnUnknown;
use crate::rules::outcome::{Failure, Outcome};
use crate::rules::retry::{Settlement, Standing, ended};
use crate::rules::status::Status;

/// A notification over which so many engines have died is not sent any more (source: Sidekiq's rule for poison pills).
pub const MAX_LEASE_DEATHS: u32 = 3;

/// How long nothing is taken from others after the database was away, or its clock was set: all engines had fallen silent, or seem to have, and
/// hold outcomes that they are about to write.
const RECOVERY: Duration = Duration::from_secs(20);
/// The first heartbeat at which an engine looks: it does not know whether the database was away before it began, and all others have been heard of by then.
const FIRST: u32 = 2;
/// Every so many heartbeats claims are also looked for whose lease has ended though no engine died: the answer to a claim may have been lost.
const SWEEP: u32 = 6;

/// Whether an engine looks for lost claims at this heartbeat (1 for its first). `since_disturbed`: how long ago a heartbeat failed
/// or a clock was set, if that happened;
/// `has_silent`: whether there is an engine that may have died.
pub fn is_due(beat: u32, since_disturbed: Option<Duration>, has_silent: bool) -> bool {
    beat >= FIRST && since_disturbed.is_none_or(|since| since >= RECOVERY) && (has_silent || beat.is_multiple_of(SWEEP))
}

/// Whether a send must be marked before it begins.
pub const fn is_marked(on_unknown: OnUnknown, lease_deaths: u32) -> bool {
    matches!(on_unknown, OnUnknown::Hold) || lease_deaths > 0
}

/// Whether nothing else of its kind may be sent beside it: the next death would be its last.
pub const fn goes_alone(lease_deaths: u32) -> bool {
    lease_deaths + 1 >= MAX_LEASE_DEATHS
}

/// What is written down about a lost claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescue {
    /// What becomes of the notification.
    pub settlement: Settlement,
    /// What its attempt came to.
    pub outcome: Outcome,
    /// How many more engines have died over it: one or none.
    pub lease_deaths: u32,
}

/// What follows for a notification whose claim was lost. `sending` is its mark: the policy under which its send may have begun. It uses up
/// none of the notification's attempts, for it was not the notification's fault.
pub fn rescue(standing: &Standing, sending: Option<OnUnknown>, lease_deaths: u32, now: Timestamp) -> Rescue {
    let now = to_the_millisecond(now);
    // Where it would have been marked and is not, its send had not begun.
    let lease_deaths = lease_deaths.min(MAX_LEASE_DEATHS);
    let more = u32::from(sending.is_some() || lease_deaths == 0);
    let sentence = "The engine died, or held its claim for too long, before it said what became of this attempt.";
    let died = Outcome::Unknown(Failure::new("engine_died", sentence));
    let (status, outcome) = match sending {
        Some(OnUnknown::Hold) => (Status::Unknown, died),
        _ if more > 0 && lease_deaths + more >= MAX_LEASE_DEATHS => {
            let sentence = format!(
                "{MAX_LEASE_DEATHS} engines died while they sent this, so that it is not sent any more; `engine notification retry` begins anew."
            );
            (Status::DeliveryFailure, Outcome::Failed(Failure::new("quarantined", sentence)))
        }
        Some(OnUnknown::Resend) | None => (Status::Retry, died),
    };
    let settlement = Settlement { scheduled_delivery: now, ..ended(standing, status, now) };
    Rescue { settlement, outcome, lease_deaths: more }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_looked_for_when_an_engine_is_silent_and_now_and_then_but_not_after_an_outage() {
        assert!(!is_due(1, None, true) && is_due(2, None, true));
        assert!(!is_due(2, None, false));
        assert!(is_due(6, None, false) && is_due(12, None, false));
        for has_silent in [true, false] {
            assert!(!is_due(6, Some(Duration::from_millis(19_999)), has_silent));
            assert!(is_due(6, Some(Duration::from_secs(20)), has_silent));
        }
    }

    fn standing() -> Standing {
        Standing {
            scheduled_delivery: Timestamp::from_second(1000).unwrap(),
            attempted_delivery: None,
            retry_time_interval: 60,
            retry_attempts: 1,
            max_retries: 3,
            expires_at: None,
        }
    }

    #[test]
    fn each_death_says_what_may_have_killed() {
        let now = Timestamp::from_second(2000).unwrap();
        // The mark, the deaths before; then the status, the code, the deaths that are added.
        for (sending, deaths, status, code, more) in [
            (None, 0, Status::Retry, "engine_died", 1),
            (None, 1, Status::Retry, "engine_died", 0),
            (None, 2, Status::Retry, "engine_died", 0),
            (None, 3, Status::Retry, "engine_died", 0),
            (Some(OnUnknown::Resend), 1, Status::Retry, "engine_died", 1),
            (Some(OnUnknown::Resend), 2, Status::DeliveryFailure, "quarantined", 1),
            (Some(OnUnknown::Hold), 0, Status::Unknown, "engine_died", 1),
            (Some(OnUnknown::Hold), 2, Status::Unknown, "engine_died", 1),
        ] {
            let rescue = rescue(&standing(), sending, deaths, now);
            let told = (rescue.settlement.status, rescue.outcome.code(), rescue.lease_deaths);
            assert_eq!(told, (status, code, more), "{sending:?} {deaths}");
            let Settlement { scheduled_delivery, attempted_delivery, retry_attempts, .. } = rescue.settlement;
            assert_eq!((scheduled_delivery, attempted_delivery, retry_attempts), (now, Some(now), 1));
        }
    }

    #[test]
    fn marks_are_written_only_where_they_tell_something() {
        assert!(!is_marked(OnUnknown::Resend, 0) && is_marked(OnUnknown::Hold, 0) && is_marked(OnUnknown::Resend, 1));
        assert!(!goes_alone(1) && goes_alone(2));
    }
}
