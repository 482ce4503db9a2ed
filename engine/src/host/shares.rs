//! Places that all targets share, for what takes others' time: exchanges, mails, look-ups of names. Strangers' components have a number of their own
//! each; those that have been slow of late have half of all places together, and those of which nobody knows a quarter, so that who is quick
//! finds one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For how many times its length a slow one is remembered.
const REMEMBERED: u32 = 10;

/// All places.
#[derive(Debug)]
pub struct Shares {
    all: Arc<Semaphore>,
    of_slow: Arc<Semaphore>,
    of_new: Arc<Semaphore>,
    /// What is held for longer is slow.
    slow: Duration,
}

/// One target among those that share.
#[derive(Debug, Clone)]
pub struct Sharer {
    shares: Arc<Shares>,
    /// How many it holds at once; `None` for what comes with the engine.
    own: Option<Arc<Semaphore>>,
    /// One of each waits at once, so that they come in turn.
    turn: Arc<Semaphore>,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Whether one has been given back.
    any: bool,
    slow_until: Option<Instant>,
    /// Since when each is held.
    held: Vec<Instant>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Shared {
    #[expect(dead_code, reason = "they are held, and let go")]
    permits: [Option<OwnedSemaphorePermit>; 3],
    of: Sharer,
    since: Instant,
}

impl Shares {
    /// So many, of which one that is held for longer than this is slow.
    pub fn new(places: usize, slow: Duration) -> Arc<Self> {
        let [all, of_slow, of_new] =
            [places, places / 2, places / 4].map(|places| Arc::new(Semaphore::new(places.max(1))));
        Arc::new(Shares { all, of_slow, of_new, slow })
    }

    /// One more target, which holds so many at once unless it comes with the engine.
    pub fn sharer(self: &Arc<Self>, own: usize, bundled: bool) -> Sharer {
        let own = (!bundled).then(|| Arc::new(Semaphore::new(own.max(1))));
        Sharer { shares: self.clone(), own, turn: Arc::new(Semaphore::new(1)), known: Arc::default() }
    }
}

impl Sharer {
    /// Waits for a place. A closed semaphore, which none of these is, would only mean that nothing bounds how many.
    pub async fn place(&self) -> Shared {
        let own = match &self.own {
            Some(own) => own.clone().acquire_owned().await.ok(),
            None => None,
        };
        let _turn = self.turn.acquire().await;
        let part = match self.part() {
            Some(part) => part.clone().acquire_owned().await.ok(),
            None => None,
        };
        let all = self.shares.all.clone().acquire_owned().await.ok();
        let since = Instant::now();
        self.known().held.push(since);
        Shared { permits: [own, part, all], of: self.clone(), since }
    }

    /// The part of all places that it has, if not all of them.
    fn part(&self) -> Option<&Arc<Semaphore>> {
        self.own.as_ref()?;
        let (known, now) = (self.known(), Instant::now());
        let was_slow = known.slow_until.is_some_and(|until| now < until);
        if was_slow || known.held.iter().any(|since| now - *since > self.shares.slow) {
            return Some(&self.shares.of_slow);
        }
        (!known.any).then_some(&self.shares.of_new)
    }

    /// A panic while it was held is impossible: nothing is called in between.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Counts from now on: what it was kept for has waited for others until now.
    pub fn begins(&mut self) {
        let now = Instant::now();
        let mut known = self.of.known();
        if let Some(since) = known.held.iter_mut().find(|since| **since == self.since) {
            *since = now;
        }
        drop(known);
        self.since = now;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let took = self.since.elapsed();
        let mut known = self.of.known();
        known.any = true;
        if took > self.of.shares.slow {
            known.slow_until = known.slow_until.max(Some(Instant::now() + took * REMEMBERED));
        }
        if let Some(at) = known.held.iter().position(|since| *since == self.since) {
            known.held.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    const SLOW: Duration = Duration::from_millis(20);

    async fn was_quick(shares: &Arc<Shares>) -> Sharer {
        let sharer = shares.sharer(4, false);
        drop(sharer.place().await);
        sharer
    }

    #[tokio::test]
    async fn who_is_new_or_slow_leaves_places_to_the_quick() {
        let shares = Shares::new(8, SLOW);
        let [quick, another] = [was_quick(&shares).await, was_quick(&shares).await];
        let new = shares.sharer(4, false);
        let held: Vec<_> = (0..4).filter_map(|_| new.place().now_or_never()).collect();
        assert_eq!(held.len(), 2, "a quarter");
        tokio::time::sleep(2 * SLOW).await;
        let mut slow: Vec<_> = (0..2).filter_map(|_| new.place().now_or_never()).collect();
        assert_eq!(slow.len(), 2, "as one of the slow, as many as it may hold");
        slow.extend(another.place().now_or_never());
        tokio::time::sleep(2 * SLOW).await;
        slow.extend((0..2).filter_map(|_| another.place().now_or_never()));
        assert_eq!(slow.len(), 2 + 1 + 2, "half of all are held by what was slow then");
        assert!(quick.place().now_or_never().is_some());
        drop((held, slow));
        assert!(another.part().is_some_and(|part| Arc::ptr_eq(part, &shares.of_slow)), "it is remembered");
        assert!(quick.part().is_none());
    }

    #[tokio::test]
    async fn they_come_in_turn() {
        let shares = Shares::new(1, Duration::from_secs(60));
        let [many, few] = [was_quick(&shares).await, was_quick(&shares).await];
        let held = many.place().await;
        let mut waiting: Vec<_> = [&many, &many, &few].map(|sharer| Box::pin(sharer.place())).into_iter().collect();
        for waiting in &mut waiting {
            assert!(futures::poll!(waiting).is_pending());
        }
        drop(held);
        let first = futures::poll!(&mut waiting[0]);
        assert!(first.is_ready() && futures::poll!(&mut waiting[1]).is_pending());
        drop(first);
        assert!(futures::poll!(&mut waiting[1]).is_pending() && futures::poll!(&mut waiting[2]).is_ready());
    }

    #[tokio::test]
    async fn what_comes_with_the_engine_has_all_of_them() {
        let shares = Shares::new(8, SLOW);
        let bundled = shares.sharer(1, true);
        let held: Vec<_> = (0..9).filter_map(|_| bundled.place().now_or_never()).collect();
        assert_eq!(held.len(), 8);
        tokio::time::sleep(2 * SLOW).await;
        drop(held);
        let held: Vec<_> = (0..9).filter_map(|_| bundled.place().now_or_never()).collect();
        assert_eq!(held.len(), 8, "slow or not");
    }
}
