//! How the calls of a target go: whether they are quick, and how much it has used of late.
//!
//! Whoever has been slow counts as that for ten times as long, so that who is quick now and slow then holds others up in a tenth of the time at most. For a place
//! in the sandbox, those come first that have used least of late.

use crate::host::Source;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A call that takes longer is slow: longer than honest providers take to answer.
const SLOW: Duration = Duration::from_secs(3);
/// For how many times its length a slow call is remembered, and for how long at most.
const REMEMBERED: u32 = 10;
const LONGEST_REMEMBERED: Duration = Duration::from_secs(600);

/// How much of its waiting for other targets is not held against one, and in how many times that it is again. Otherwise many could wait for each other on
/// purpose, and sleep meanwhile.
const FORGIVEN: Duration = Duration::from_secs(10);
const AGAIN: u32 = 10;

/// After so long, what a target has used counts half.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// How a target does.
pub(super) struct Pace {
    /// The slot that it shares with no other target.
    pub own: tokio::sync::Mutex<()>,
    /// Its turn to wait for one that all share: one of each target does, so that these come in turn.
    pub turn: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
    /// Told when its first call has ended.
    pub met: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// Whether anything is: a call has ended, or it comes with the engine.
    any: bool,
    slow_until: Option<Instant>,
    /// How long its calls have taken together, of which half is forgotten in [`FORGOTTEN`], and when that was so.
    used: Duration,
    counted: Instant,
    /// How much of its waiting was forgiven when a call ended last.
    forgiven: Duration,
}

impl Known {
    /// How much of its waiting counts as forgiven by now.
    fn forgiven_by_now(&self) -> Duration {
        self.forgiven.saturating_sub(self.counted.elapsed() / AGAIN)
    }

    fn used_by_now(&self) -> Duration {
        let halves = self.counted.elapsed().as_secs_f64() / FORGOTTEN.as_secs_f64();
        self.used.mul_f64(0.5_f64.powf(halves))
    }
}

impl Pace {
    /// Of a target whose component comes from there; that of the engine's own is known.
    pub(super) fn of(source: Source) -> Self {
        Pace::known_as(source == Source::Bundled, None)
    }

    /// Of one that an engine has called before.
    pub(super) fn from_before(slow_until: Option<Instant>) -> Self {
        Pace::known_as(true, slow_until)
    }

    fn known_as(any: bool, slow_until: Option<Instant>) -> Self {
        let known = Known { any, slow_until, used: Duration::ZERO, counted: Instant::now(), forgiven: Duration::ZERO };
        let (own, turn, met) = Default::default();
        Pace { own, turn, known: Mutex::new(known), met }
    }

    /// A panic while it was held is impossible: nothing is called in between.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one of its last calls was slow.
    pub(super) fn is_slow(&self) -> bool {
        self.slow_for().is_some()
    }

    /// Whether nobody knows yet.
    pub(super) fn is_new(&self) -> bool {
        !self.known().any
    }

    /// A call has ended that took so long, of which it waited for other targets for so much: a part of that does not make it slow. Whether that is news.
    pub(super) fn took(&self, time: Duration, queued: Duration) -> bool {
        let mut known = self.known();
        let before = known.forgiven_by_now();
        let forgiven = queued.min(FORGIVEN.saturating_sub(before));
        let own = time.saturating_sub(forgiven);
        let is_news = !known.any || own > SLOW;
        (known.used, known.forgiven, known.counted) = (known.used_by_now() + time, before + forgiven, Instant::now());
        if !known.any {
            known.any = true;
            self.met.notify_one();
        }
        if own > SLOW {
            let until = Instant::now() + (own * REMEMBERED).min(LONGEST_REMEMBERED);
            known.slow_until = known.slow_until.max(Some(until));
        }
        is_news
    }

    /// How long its calls have taken together of late.
    pub(super) fn used(&self) -> Duration {
        self.known().used_by_now()
    }

    /// It does not count as slow any more.
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.known().slow_until = None;
    }

    /// For how long it counts as slow.
    pub(super) fn slow_for(&self) -> Option<Duration> {
        self.known()
            .slow_until
            .map(|until| until.saturating_duration_since(Instant::now()))
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_call_is_remembered_ten_times_as_long() {
        let pace = Pace::of(Source::Installed);
        pace.took(Duration::from_secs(30), Duration::ZERO);
        let until = pace.known().slow_until.unwrap();
        let left = until - Instant::now();
        assert!(left > Duration::from_secs(299) && left <= Duration::from_secs(300), "{left:?}");
        pace.took(Duration::from_millis(1), Duration::ZERO);
        assert!(pace.is_slow(), "a quick one does not make up for it");
        pace.forget();
        assert!(!pace.is_slow());
        pace.took(Duration::from_secs(12), Duration::from_secs(11));
        assert!(!pace.is_slow() && pace.used() > Duration::from_secs(41), "it has waited for others, in a place");
        pace.took(Duration::from_secs(4), Duration::from_secs(4));
        assert!(pace.is_slow(), "not again and again");
        let (ago, pace) = (Instant::now() - Duration::from_secs(60), Pace::of(Source::Installed));
        pace.took(Duration::from_secs(12), Duration::from_secs(11));
        pace.known().counted = ago;
        pace.took(Duration::from_secs(8), Duration::from_secs(8));
        assert!(!pace.is_slow(), "a tenth of the time is forgiven");
    }
}
