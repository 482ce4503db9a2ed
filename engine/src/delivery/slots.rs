//! Who may call, and when: so many calls at once, and none of a slow target's may keep a quick one waiting.
//!
//! All targets share the tenant's slots. A portion takes one of them, and more if it is larger than portions are, so that slots bound the memory of all calls too. A target whose calls are quick has one more of its own, so that others, however many and slow they are, do not hold it
//! up. Nobody knows of a new one whether it is: few of these have theirs at the same time. Which is which,
//! `pace` knows.

use super::pace::Pace;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The slots of all targets.
pub(super) struct Slots {
    shared: Semaphore,
    /// How many these are.
    all: usize,
    /// For targets of which no call has ended yet.
    newcomers: Semaphore,
    /// For what may be killing engines: one at a time.
    suspects: Semaphore,
}

/// What a portion is sent in.
#[expect(dead_code, reason = "they are held, and let go")]
pub(super) enum Slot<'a> {
    Own(tokio::sync::MutexGuard<'a, ()>, Option<SemaphorePermit<'a>>),
    /// `None` would mean that nothing bounds the calls, which never is.
    Shared(Option<SemaphorePermit<'a>>),
}

impl Slots {
    /// So many for all targets together, where the sandbox has room for `instances`: three quarters of these at most, as much of the others for newcomers,
    /// and the rest for those that are quick.
    pub(super) fn new(concurrency: usize, instances: usize) -> Self {
        let all = concurrency.min(instances * 3 / 4).max(1);
        let newcomers = (instances.saturating_sub(all) * 3 / 4).max(1);
        let [shared, newcomers, suspects] = [all, newcomers, 1].map(Semaphore::new);
        Slots { shared, all, newcomers, suspects }
    }

    /// Waits for the turn of what goes alone. It holds no other slot meanwhile.
    pub(super) async fn alone(&self) -> Option<SemaphorePermit<'_>> {
        self.suspects.acquire().await.ok()
    }

    /// Waits for a slot for so many portions.
    pub(super) async fn take<'a>(&'a self, pace: &'a Pace, portions: usize) -> Slot<'a> {
        // The largest takes all there are.
        let many = u32::try_from(portions.clamp(1, self.all)).unwrap_or(u32::MAX);
        let shared = async || {
            if let Ok(free) = self.shared.try_acquire_many(many) {
                return Some(free);
            }
            let _turn = pace.turn.lock().await;
            self.shared.acquire_many(many).await.ok()
        };
        if portions > 1 {
            return Slot::Shared(shared().await);
        }
        // Whichever comes first: while others hold those that are shared, its own may become free, and the target quick.
        tokio::select! {
            biased;
            own = self.own(pace) => own,
            shared = shared() => Slot::Shared(shared),
        }
    }

    /// Waits for the slot that a target has for itself, once it has one.
    async fn own<'a>(&'a self, pace: &'a Pace) -> Slot<'a> {
        loop {
            while let Some(left) = pace.slow_for() {
                tokio::time::sleep(left).await;
            }
            let own = pace.own.lock().await;
            if pace.is_slow() {
                continue;
            }
            if !pace.is_new() {
                return Slot::Own(own, None);
            }
            tokio::select! {
                biased;
                newcomer = self.newcomers.acquire() => return Slot::Own(own, newcomer.ok()),
                () = pace.met.notified() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Source;
    use futures::FutureExt;
    use std::time::{Duration, Instant};

    const INSTALLED: Source = Source::Installed;

    fn is_own(slot: &Option<Slot<'_>>) -> bool {
        matches!(slot, Some(Slot::Own(..)))
    }

    #[tokio::test]
    async fn a_quick_target_does_not_wait_for_slow_ones() {
        let slots = Slots::new(2, 8);
        let [slow, quick] = [Pace::of(INSTALLED), Pace::of(INSTALLED)];
        slow.took(Duration::from_secs(4), Duration::ZERO);
        quick.took(Duration::from_millis(3), Duration::ZERO);
        let held = [slots.take(&slow, 1).now_or_never(), slots.take(&slow, 1).now_or_never()];
        assert!(held.iter().all(|slot| matches!(slot, Some(Slot::Shared(_)))), "all that are shared");
        assert!(slots.take(&slow, 1).now_or_never().is_none());
        let own = slots.take(&quick, 1).now_or_never();
        assert!(is_own(&own));
        assert!(slots.take(&quick, 1).now_or_never().is_none(), "it has one");
        assert!(is_own(&slots.take(&Pace::of(Source::Bundled), 1).now_or_never()));
    }

    #[tokio::test]
    async fn few_newcomers_have_a_slot_of_their_own() {
        let slots = Slots::new(1, 4);
        let new: Vec<Pace> = (0..4).map(|_| Pace::of(INSTALLED)).collect();
        let held: Vec<_> = new.iter().map(|pace| slots.take(pace, 1).now_or_never()).collect();
        assert_eq!(held.iter().filter(|slot| is_own(slot)).count(), 2, "of three that are left");
        assert_eq!(held.iter().filter(|slot| slot.is_none()).count(), 1, "one has the shared one");
    }

    #[tokio::test]
    async fn slow_targets_come_in_turn() {
        let (slots, [many, few]) = (Slots::new(1, 4), [Pace::of(INSTALLED), Pace::of(INSTALLED)]);
        for pace in [&many, &few] {
            pace.took(Duration::from_secs(30), Duration::ZERO);
        }
        let held = slots.take(&many, 1).now_or_never();
        let mut waiting: Vec<_> =
            [&many, &many, &many, &few].map(|pace| Box::pin(slots.take(pace, 1))).into_iter().collect();
        for waiting in &mut waiting {
            assert!(futures::poll!(waiting).is_pending());
        }
        drop(held);
        let first = futures::poll!(&mut waiting[0]);
        assert!(first.is_ready());
        assert!(futures::poll!(&mut waiting[1]).is_pending() && futures::poll!(&mut waiting[3]).is_pending());
        drop(first);
        assert!(futures::poll!(&mut waiting[1]).is_pending() && futures::poll!(&mut waiting[3]).is_ready());
    }

    #[tokio::test]
    async fn who_waits_for_a_shared_one_takes_its_own_when_that_is_free() {
        let slots = Slots::new(1, 8);
        let [slow, quick, new] = [Pace::of(INSTALLED), Pace::of(INSTALLED), Pace::of(INSTALLED)];
        slow.took(Duration::from_secs(30), Duration::ZERO);
        quick.took(Duration::from_millis(3), Duration::ZERO);
        let _all = slots.take(&slow, 1).now_or_never();
        let own = slots.take(&quick, 1).now_or_never();
        let mut second = Box::pin(slots.take(&quick, 1));
        assert!(is_own(&own) && futures::poll!(&mut second).is_pending());
        drop(own);
        assert!(is_own(&second.now_or_never()));

        // It is not slow any more.
        let mut waiting = Box::pin(slots.take(&slow, 1));
        assert!(futures::poll!(&mut waiting).is_pending());
        slow.forget();
        let soon = Pace::from_before(Some(Instant::now() + Duration::from_millis(50)));
        assert!(is_own(&Some(slots.take(&soon, 1).await)), "once it is quick");

        // It is not new any more.
        let _newcomers = slots.newcomers.acquire_many(slots.newcomers.available_permits() as u32).await;
        let mut waiting = Box::pin(slots.take(&new, 1));
        assert!(futures::poll!(&mut waiting).is_pending());
        new.took(Duration::from_millis(3), Duration::ZERO);
        assert!(is_own(&waiting.now_or_never()));
    }

    #[tokio::test]
    async fn what_was_known_before_counts() {
        let slots = Slots::new(1, 8);
        let later = Instant::now() + Duration::from_secs(60);
        for (slow_until, quick) in [(None, true), (Some(Instant::now()), true), (Some(later), false)] {
            let pace = Pace::from_before(slow_until);
            assert_eq!((pace.is_new(), pace.is_slow()), (false, !quick));
            assert_eq!(is_own(&slots.take(&pace, 1).now_or_never()), quick);
        }
        let pace = Pace::of(INSTALLED);
        let news = [1, 1, 4000].map(|millis| pace.took(Duration::from_millis(millis), Duration::ZERO));
        assert_eq!(news, [true, false, true], "the first, and a slow one");
    }

    #[tokio::test]
    async fn a_large_one_takes_as_many_slots_as_it_is_portions() {
        let (slots, pace) = (Slots::new(3, 8), Pace::of(INSTALLED));
        pace.took(Duration::from_millis(3), Duration::ZERO);
        let large = slots.take(&pace, 3).now_or_never();
        assert!(matches!(large, Some(Slot::Shared(_))), "none of its own, of which nothing bounds the sum");
        let own = slots.take(&pace, 1).now_or_never();
        assert!(is_own(&own) && slots.take(&pace, 1).now_or_never().is_none());
        drop(large);
        assert!(slots.take(&pace, 9).now_or_never().is_some(), "all there are");
    }
}
