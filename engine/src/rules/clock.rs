//! How an engine's clock follows that of its database, which decides what is due and who is silent.
//!
//! Between two heartbeats an engine counts time by itself; at each it compares. Clocks that drift are put right without ado. Where a clock was
//! set, more follows: all engines seem to have been silent, or to have been heard of in the future.

use std::time::Duration;

use jiff::SignedDuration;

/// Clocks are read to the millisecond, at both ends.
const PRECISION: Duration = Duration::from_millis(5);
/// A larger difference than this between two heartbeats is no drift.
const DRIFT: SignedDuration = SignedDuration::from_secs(2);
/// A clock that is this far ahead at once may be back in a moment; until then everything would be due, or have expired.
const DOUBTFUL: SignedDuration = SignedDuration::from_mins(5);
/// An answer that took longer does not say what time it is.
const TOO_LATE: Duration = Duration::from_secs(1);

/// What an engine does about its being behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: the way to the database explains the difference.
    Agrees,
    /// It puts its clock right.
    Drifted,
    /// It puts its clock right; the database's was set, or the machine slept.
    WasSet,
    /// It waits for the next heartbeat to show the same.
    Doubted,
}

/// What to do about being `behind` the database's clock (ahead, if negative), which took so long to answer. `doubted`: at the last heartbeat it was
/// doubted too.
pub fn verdict(behind: SignedDuration, took: Duration, doubted: bool) -> Verdict {
    if took > TOO_LATE || behind.unsigned_abs() <= took + PRECISION {
        Verdict::Agrees
    } else if behind.abs() <= DRIFT {
        Verdict::Drifted
    } else if behind > DOUBTFUL && !doubted {
        Verdict::Doubted
    } else {
        Verdict::WasSet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_about_a_difference() {
        let quick = Duration::from_millis(1);
        for (behind, took, doubted, what) in [
            (0, quick, false, Verdict::Agrees),
            (6, quick, false, Verdict::Agrees),
            (-6, quick, false, Verdict::Agrees),
            (7, quick, false, Verdict::Drifted),
            (-2000, quick, false, Verdict::Drifted),
            (300, Duration::from_millis(295), false, Verdict::Agrees),
            (2001, quick, false, Verdict::WasSet),
            (-2001, quick, false, Verdict::WasSet),
            (300_000, quick, false, Verdict::WasSet),
            (300_001, quick, false, Verdict::Doubted),
            (300_001, quick, true, Verdict::WasSet),
            // Time that goes back makes nothing due.
            (-300_001, quick, false, Verdict::WasSet),
            (300_001, Duration::from_millis(1001), true, Verdict::Agrees),
        ] {
            assert_eq!(
                verdict(SignedDuration::from_millis(behind), took, doubted),
                what,
                "{behind} {took:?} {doubted}"
            );
        }
    }
}
