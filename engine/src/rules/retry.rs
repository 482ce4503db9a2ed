//! What follows from an outcome: the next status, the next time, and what becomes of the record and the target.
//!
//! All of it is decided here, from what is known about the notification, the outcome, the policy and the time; the
//! store only writes it down. The wait before the second attempt is the notification's interval; it doubles from then
//! on, up to a day, spread by a fifth. A provider's `Retry-After` beats that formula within bounds. Faults of the
//! account or the configuration use up no attempt: the first slow the target down, the second pause it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::rules::limits::{self, to_the_millisecond};
use crate::rules::notification::{Notification, OnUnknown};
use crate::rules::outcome::{Failure, Outcome, Scope};
use crate::rules::status::Status;
use crate::rules::target::{MAX_REASON, PauseKind};

/// Doubling stops here. An interval that is longer to begin with stays as it is.
const LONGEST_GROWN_WAIT: Duration = Duration::from_secs(24 * 3600);
/// A doubling wait is spread by up to this part of itself, so that what failed together does not come back together.
const SPREAD: f64 = 0.2;

/// How waits grow, and within which bounds others may set them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Whether the wait doubles.
    pub backoff: Backoff,
    /// What to do when nobody knows whether a message was taken; already resolved for this notification.
    pub on_unknown: OnUnknown,
    /// A provider that asks for less gets this.
    pub retry_after_least: Duration,
    /// A provider that asks for more gets this.
    pub retry_after_most: Duration,
    /// How long a target slows down when its account is at fault and the provider named no time.
    pub account_wait: Duration,
    /// The least that it then slows down; see `least_account_wait`.
    pub least_account_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
            backoff: Backoff::Exponential,
            on_unknown: OnUnknown::Resend,
            retry_after_least: Duration::from_secs(1),
            retry_after_most: LONGEST_GROWN_WAIT,
            account_wait: Duration::from_secs(60),
            least_account_wait: Duration::ZERO,
        }
    }
}

/// How the wait between attempts grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// It doubles, up to a day, and is spread by a fifth.
    Exponential,
    /// It stays what the notification says, to the second, as in the predecessor.
    Fixed,
}

/// What these rules need to know about a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is explained at `Notification`")]
pub struct Standing {
    pub scheduled_delivery: Timestamp,
    pub attempted_delivery: Option<Timestamp>,
    pub retry_time_interval: u32,
    pub retry_attempts: u32,
    pub max_retries: u32,
    pub expires_at: Option<Timestamp>,
}

impl Notification {
    /// What the rules about retries need to know of it.
    pub fn standing(&self) -> Standing {
        Standing {
            scheduled_delivery: self.scheduled_delivery,
            attempted_delivery: self.attempted_delivery,
            retry_time_interval: self.retry_time_interval,
            retry_attempts: self.retry_attempts,
            max_retries: self.max_retries,
            expires_at: self.expires_at,
        }
    }
}

/// What an outcome changes, to be written down by the store in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The notification's next status.
    pub status: Status,
    /// When it is due again; unchanged where it is not.
    pub scheduled_delivery: Timestamp,
    /// When the last attempt ended.
    pub attempted_delivery: Option<Timestamp>,
    /// How many attempts have counted by now.
    pub retry_attempts: u32,
    /// What becomes of the record.
    pub record: RecordChange,
    /// What becomes of the target.
    pub target: TargetChange,
}

/// What an outcome changes about the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChange {
    /// Nothing.
    None,
    /// It is switched off, for this reason.
    SwitchOff {
        /// For people.
        reason: String,
    },
}

/// What an outcome changes about the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetChange {
    /// Nothing.
    None,
    /// Nothing more is sent there before this.
    SlowDown {
        /// When it may go on.
        until: Timestamp,
    },
    /// Nothing more is sent there until a person acts.
    Pause {
        /// Whose fault it is.
        kind: PauseKind,
        /// For people.
        reason: String,
    },
}

/// Whether the next attempt is the last that is granted: a `retry` after it ends in DELIVERY FAILURE.
pub fn is_last_attempt(standing: &Standing) -> bool {
    standing.retry_attempts >= standing.max_retries
}

/// What follows from `outcome`. `can_learn_more` says whether the component has receipts or callbacks; `jitter` is
/// random, from -1 to 1.
pub fn settle(
    standing: &Standing,
    outcome: &Outcome,
    policy: &RetryPolicy,
    can_learn_more: bool,
    now: Timestamp,
    jitter: f64,
) -> Settlement {
    let now = to_the_millisecond(now);
    match outcome {
        Outcome::Delivered(_) => ended(standing, Status::Delivered, now),
        Outcome::Accepted(_) if can_learn_more => ended(standing, Status::Sent, now),
        Outcome::Accepted(_) => ended(standing, Status::Delivered, now),
        Outcome::Retry { after, scope: Scope::Message | Scope::Address, reason: _ } => {
            counted(standing, policy, *after, now, jitter)
        }
        Outcome::Retry { after, scope: Scope::Account, reason: _ } => slowed_down(standing, policy, *after, now),
        Outcome::Retry { after: _, scope: Scope::Configuration, reason } => paused(standing, reason, now),
        Outcome::Failed(_) => ended(standing, Status::DeliveryFailure, now),
        Outcome::InactiveDevice(failure) => switched_off(standing, Status::InactiveDevice, failure, now),
        Outcome::OptedOut(failure) => switched_off(standing, Status::OptedOut, failure, now),
        // A resend counts as an attempt: otherwise a provider that never answers would be sent the same message for
        // ever.
        Outcome::Unknown(_) => match policy.on_unknown {
            OnUnknown::Resend => counted(standing, policy, None, now, jitter),
            OnUnknown::Hold => ended(standing, Status::Unknown, now),
        },
    }
}

/// An attempt was made; the notification is in `status` and its time of delivery does not matter any more.
pub(super) fn ended(standing: &Standing, status: Status, now: Timestamp) -> Settlement {
    Settlement {
        status,
        scheduled_delivery: standing.scheduled_delivery,
        attempted_delivery: Some(now),
        retry_attempts: standing.retry_attempts,
        record: RecordChange::None,
        target: TargetChange::None,
    }
}

fn switched_off(standing: &Standing, status: Status, failure: &Failure, now: Timestamp) -> Settlement {
    let record = RecordChange::SwitchOff { reason: in_one_text(failure) };
    Settlement { record, ..ended(standing, status, now) }
}

/// Another attempt, unless they are used up. This one counts.
fn counted(
    standing: &Standing,
    policy: &RetryPolicy,
    after: Option<Duration>,
    now: Timestamp,
    jitter: f64,
) -> Settlement {
    let used_up = is_last_attempt(standing);
    // Rows that someone changed by hand may count more than they are granted; the database allows one more than the
    // retries.
    let retry_attempts = standing.retry_attempts.min(standing.max_retries) + 1;
    if used_up {
        return Settlement { retry_attempts, ..ended(standing, Status::DeliveryFailure, now) };
    }
    let wait = match after {
        Some(wish) => within_bounds(policy, wish),
        None => wait(policy.backoff, standing.retry_time_interval, standing.retry_attempts, jitter),
    };
    Settlement { retry_attempts, ..again(standing, later(now, wait), now) }
}

/// Another attempt, when the whole target goes on. This one does not count.
fn slowed_down(standing: &Standing, policy: &RetryPolicy, after: Option<Duration>, now: Timestamp) -> Settlement {
    let wait = after.map_or(policy.account_wait, |wish| within_bounds(policy, wish));
    let until = later(now, wait.max(policy.least_account_wait));
    Settlement { target: TargetChange::SlowDown { until }, ..again(standing, until, now) }
}

/// How long a target waits at least whose account is at fault again. Attempts that do not count could go on for ever, each of them kept: so from the
/// sixth such of one notification on the wait doubles, from a second to a quarter of an hour. `attempt` is the number of this one.
pub fn least_account_wait(attempt: u32, retry_attempts: u32) -> Duration {
    const BEFORE: u32 = 5;
    let uncounted = attempt.saturating_sub(retry_attempts);
    let doublings = uncounted.checked_sub(BEFORE + 1);
    doublings.map_or(Duration::ZERO, |doublings| Duration::from_secs(2_u64.saturating_pow(doublings).min(900)))
}

/// Another attempt, when somebody has repaired the target. Nothing was attempted as far as this notification is
/// concerned, so that all of it stays as it was.
fn paused(standing: &Standing, reason: &Failure, now: Timestamp) -> Settlement {
    let status = if is_past(standing.expires_at, now) {
        Status::Expired
    } else if standing.attempted_delivery.is_none() {
        Status::Scheduled
    } else {
        Status::Retry
    };
    let target = TargetChange::Pause { kind: PauseKind::Configuration, reason: in_one_text(reason) };
    Settlement { attempted_delivery: standing.attempted_delivery, target, ..ended(standing, status, now) }
}

/// RETRY at `next`, or EXPIRED if it would come too late.
fn again(standing: &Standing, next: Timestamp, now: Timestamp) -> Settlement {
    if is_past(standing.expires_at, next) {
        return ended(standing, Status::Expired, now);
    }
    Settlement { scheduled_delivery: next, ..ended(standing, Status::Retry, now) }
}

/// Whether at `time` it is too late to send.
fn is_past(expiry: Option<Timestamp>, time: Timestamp) -> bool {
    expiry.is_some_and(|expiry| expiry <= time)
}

/// The wait after an attempt before which `counted_before` others counted.
fn wait(backoff: Backoff, interval_seconds: u32, counted_before: u32, jitter: f64) -> Duration {
    let interval = Duration::from_secs(interval_seconds.into());
    match backoff {
        Backoff::Fixed => interval,
        Backoff::Exponential => {
            let doubled = interval.saturating_mul(2_u32.saturating_pow(counted_before));
            let grown = doubled.min(LONGEST_GROWN_WAIT.max(interval));
            let jitter = if jitter.is_nan() { 0.0 } else { jitter.clamp(-1.0, 1.0) };
            grown.mul_f64(1.0 + SPREAD * jitter)
        }
    }
}

fn within_bounds(policy: &RetryPolicy, wish: Duration) -> Duration {
    wish.min(policy.retry_after_most).max(policy.retry_after_least)
}

/// `now + wait`, to the millisecond, and not beyond what can be stored.
fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    let latest = Timestamp::from_millisecond(limits::LAST_MOMENT_MS).unwrap_or(Timestamp::MAX);
    now.checked_add(SignedDuration::from_millis(wait)).map_or(latest, |time| time.min(latest))
}

/// A failure as one text for people, which keeps the code.
fn in_one_text(failure: &Failure) -> String {
    let Failure { code, message } = failure;
    let text = if code.is_empty() { message.clone() } else { format!("{code}: {message}") };
    limits::cut(&text, MAX_REASON)
}

#[cfg(test)]
mod tests;
