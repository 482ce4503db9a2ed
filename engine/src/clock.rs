//! The one source of time. Everything else is given the time as an argument.

use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Tells the time, to the millisecond, which is what the database keeps. It counts by itself from the moment at which it was set, so that
/// nothing that happens to the machine's clock is seen here before somebody compares ([`Clock::behind`]). Clones go together.
#[derive(Clone, Debug)]
pub struct Clock {
    since: Instant,
    /// What it showed at `since`, in milliseconds; changed when it is put right.
    shown: Arc<AtomicI64>,
    /// For tests: it follows nobody.
    adjustable: bool,
}

impl Clock {
    /// A clock that shows the machine's time now.
    pub fn system() -> Self {
        Clock::showing(Timestamp::now())
    }

    /// A clock that shows this time now: the database's, of which many engines need the same.
    pub fn showing(time: Timestamp) -> Self {
        Clock { since: Instant::now(), shown: Arc::new(AtomicI64::new(time.as_millisecond())), adjustable: false }
    }

    /// The machine's time, but put forward by [`Clock::advance`] only.
    pub fn adjustable() -> Self {
        Clock { adjustable: true, ..Clock::system() }
    }

    /// Puts an adjustable clock forward.
    pub fn advance(&self, by: Duration) {
        self.shown.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now = self.shown.load(Ordering::SeqCst).saturating_add(passed);
        Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
    }

    /// How long it is until `time`; nothing if it has passed.
    pub fn until(&self, time: Timestamp) -> Duration {
        Duration::try_from(time.duration_since(self.now())).unwrap_or(Duration::ZERO)
    }

    /// By how much it is behind another clock that shows this time now; an adjustable clock is right.
    pub fn behind(&self, other: Timestamp) -> SignedDuration {
        if self.adjustable { SignedDuration::ZERO } else { other.duration_since(self.now()) }
    }

    /// Puts it forward, or back.
    pub fn put_right(&self, behind: SignedDuration) {
        self.shown.fetch_add(i64::try_from(behind.as_millis()).unwrap_or_default(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_another_where_it_is_told_to() {
        let clock = Clock::showing(Timestamp::from_second(1000).unwrap());
        let clone = clock.clone();
        let behind = clock.behind(Timestamp::from_second(1060).unwrap());
        assert!(behind > SignedDuration::from_secs(59) && behind <= SignedDuration::from_secs(60), "{behind:?}");
        clock.put_right(behind);
        assert!(clone.now() >= Timestamp::from_second(1060).unwrap(), "clones go together");
        clock.put_right(-behind);
        assert!(clone.now() < Timestamp::from_second(1001).unwrap());
        assert_eq!(Clock::adjustable().behind(Timestamp::MIN), SignedDuration::ZERO);
    }
}
