//! The places of a sandbox, in which components are called: whoever has used them least is next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// So many places.
#[derive(Debug, Clone)]
pub struct Places(Arc<Mutex<Queue>>);

#[derive(Debug)]
struct Queue {
    free: usize,
    /// By how much each has used, then by who came first.
    waiting: BTreeMap<(Duration, u64), oneshot::Sender<Place>>,
    /// How many have waited.
    count: u64,
}

/// A place, for one call after another; the next one's when it is dropped.
#[derive(Debug)]
pub struct Place(Option<Places>);

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Places(Arc::new(Mutex::new(Queue { free: count, waiting: BTreeMap::new(), count: 0 })))
    }

    /// Waits for one. Any component can be called in it. Whoever has `used` least of late comes first.
    pub async fn take(&self, used: Duration) -> Place {
        let place = {
            let mut queue = self.queue();
            if queue.free > 0 {
                queue.free -= 1;
                return Place(Some(self.clone()));
            }
            queue.count += 1;
            let (mine, place) = oneshot::channel();
            let key = (used, queue.count);
            queue.waiting.insert(key, mine);
            place
        };
        // Nobody drops a sender that waits but with all of this.
        place.await.unwrap_or(Place(None))
    }

    /// A panic while it was held is impossible: nothing is called in between.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a place to the next one, or keeps it for whoever comes.
    fn pass_on(self) {
        let mut place = Place(Some(self.clone()));
        loop {
            let next = {
                let mut queue = self.queue();
                let next = queue.waiting.pop_first();
                if next.is_none() {
                    queue.free += 1;
                }
                next
            };
            let sent = match next {
                None => {
                    place.0 = None;
                    return;
                }
                Some((_, next)) => next.send(place),
            };
            match sent {
                Ok(()) => return,
                // It waits no longer.
                Err(unsent) => place = unsent,
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test]
    async fn who_has_used_least_is_next() {
        let places = Places::new(1);
        let first = places.take(seconds(9)).now_or_never();
        assert!(first.is_some(), "there is one");
        let mut waiting: Vec<_> = [7, 3, 3, 5].map(|used| Box::pin(places.take(seconds(used)))).into_iter().collect();
        for waiting in &mut waiting {
            assert!(futures::poll!(waiting).is_pending());
        }
        let mut held = first;
        for next in [1, 2, 3, 0] {
            drop(held);
            held = (&mut waiting[next]).now_or_never();
            assert!(held.is_some(), "{next}");
        }
        drop(held);
        assert!(places.take(seconds(0)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn none_is_lost_with_who_waits_no_longer() {
        let places = Places::new(1);
        let held = places.take(seconds(0)).await;
        let mut gone = Box::pin(places.take(seconds(0)));
        let mut given = Box::pin(places.take(seconds(1)));
        assert!(futures::poll!(&mut gone).is_pending() && futures::poll!(&mut given).is_pending());
        drop(gone);
        drop(held);
        // It was given, and is not looked at any more.
        drop(given);
        assert!(places.take(seconds(0)).now_or_never().is_some());
    }
}
