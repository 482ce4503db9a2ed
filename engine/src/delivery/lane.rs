//! The lane of one target: what waits in it, and how the target does.

use super::attempt::Faults;
use super::lanes::Terms;
use super::memory::{self, PORTION};
use super::newest::Newest;
use super::pace::Pace;
use crate::host::Ready;
use crate::rules::rescue;
use crate::store::Claimed;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// For how long nothing is claimed for a target for which there was no room, at first; twice as long each time that it happens again, so many times.
const FIRST_PUT_OFF: Duration = Duration::from_secs(1);
const MOST_PUT_OFF: u32 = 5;

/// What waits in one target.
pub(super) struct Lane {
    queue: Mutex<Queue>,
    /// How many are in its workers' hands.
    pub taken: AtomicUsize,
    /// How many of its workers have some in their hands.
    pub sending: AtomicUsize,
    pub ways: Arc<Ways>,
}

/// How a target does.
pub(super) struct Ways {
    pub pace: Pace,
    /// How its component does.
    pub faults: Faults,
    /// How it is set up.
    pub newest: Newest,
}

impl Ways {
    pub(super) fn of(pace: Pace) -> Self {
        Ways { pace, faults: Faults::default(), newest: Newest::default() }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    pub waiting: VecDeque<Waiting>,
    /// How many bytes that takes.
    pub memory: usize,
    pub workers: usize,
    /// What its first one has to wait for, for workers that wait.
    front: watch::Sender<Option<Next>>,
    /// How often in a row something was given back for want of room, and until when nothing more is claimed therefore.
    put_off: u32,
    not_before: Option<Instant>,
}

/// A claim in its lane.
pub(super) struct Waiting {
    pub claimed: Claimed,
    /// How many bytes it takes.
    pub memory: usize,
    pub terms: Terms,
    pub ready: Arc<Ready>,
    /// Whether it is written down that its send begins.
    pub marked: bool,
    /// How often the component had failed too often by then.
    pub pauses: usize,
}

/// What a worker of a lane has to wait for, before it takes what waits there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    /// Whether it goes alone.
    pub alone: bool,
    /// How many slots it takes.
    pub slots: usize,
}

/// One worker of a lane, which has one less when this is dropped: also where it ends by a panic.
pub(super) struct Worker<'a> {
    lane: &'a Lane,
    front: watch::Receiver<Option<Next>>,
    has_ended: bool,
}

impl Waiting {
    fn goes_alone(&self) -> bool {
        rescue::goes_alone(self.claimed.lease_deaths)
    }

    fn next(&self) -> Next {
        Next { alone: self.goes_alone(), slots: self.memory.div_ceil(PORTION).max(1) }
    }
}

impl Next {
    /// Whether who has waited for this need not wait for `other`.
    fn is_enough_for(self, other: Next) -> bool {
        self.slots >= other.slots && (self.alone || !other.alone)
    }
}

impl Queue {
    pub(super) fn push_back(&mut self, waiting: Waiting) {
        self.memory += waiting.memory;
        self.waiting.push_back(waiting);
        self.tell_workers();
    }

    fn push_front(&mut self, waiting: Waiting) {
        self.memory += waiting.memory;
        self.waiting.push_front(waiting);
        self.tell_workers();
    }

    /// What came last, which there is no room for: it is not to come again at once.
    pub(super) fn give_way(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_back()?;
        self.memory -= waiting.memory;
        self.tell_workers();
        if self.not_before.is_none_or(|until| until <= Instant::now()) {
            self.not_before = Some(Instant::now() + FIRST_PUT_OFF * 2_u32.pow(self.put_off.min(MOST_PUT_OFF)));
            self.put_off += 1;
        }
        Some(waiting)
    }

    /// Whether nothing more is claimed yet.
    pub(super) fn is_put_off(&self) -> bool {
        self.not_before.is_some_and(|until| Instant::now() < until)
    }

    /// Those at its front of which this is true.
    pub(super) fn take_while(&mut self, is_meant: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let many = self.waiting.iter().take_while(|waiting| is_meant(waiting)).count();
        self.take_front(many)
    }

    fn take_front(&mut self, many: usize) -> Vec<Waiting> {
        let taken: Vec<Waiting> = self.waiting.drain(..many).collect();
        self.memory -= taken.iter().map(|waiting| waiting.memory).sum::<usize>();
        self.tell_workers();
        taken
    }

    fn next(&self) -> Option<Next> {
        self.waiting.front().map(Waiting::next)
    }

    /// Whoever waits for something else than what its first one has to wait for now, waits for nothing.
    fn tell_workers(&self) {
        let next = self.next();
        self.front.send_if_modified(|front| std::mem::replace(front, next) != next);
    }
}

impl<'a> Worker<'a> {
    /// One that the queue of this lane has counted.
    pub(super) fn of(lane: &'a Lane) -> Self {
        let front = lane.queue().front.subscribe();
        Worker { lane, front, has_ended: false }
    }

    /// What it is to wait for; its end if nothing waits in its lane.
    pub(super) fn next(&mut self) -> Option<Next> {
        let mut queue = self.lane.queue();
        let next = queue.next();
        if next.is_none() {
            self.lane.ends(&mut queue);
            self.has_ended = true;
        }
        next
    }

    /// Waits until it is something else that it has to wait for.
    pub(super) async fn has_to_wait_otherwise(&mut self, than: Next) {
        // It would only fail once there is no lane.
        let _ = self.front.wait_for(|front| *front != Some(than)).await;
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.lane.ends(&mut self.lane.queue());
        }
    }
}

impl Lane {
    pub(super) fn of(ways: Arc<Ways>) -> Self {
        Lane { queue: Mutex::default(), taken: AtomicUsize::new(0), sending: AtomicUsize::new(0), ways }
    }

    /// How many notifications are under way in it.
    pub(super) fn under_way(&self) -> usize {
        let queue = self.queue();
        queue.waiting.len() + self.taken.load(Ordering::Acquire)
    }

    /// A panic while it was held is impossible: nothing is called in between.
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ends(&self, queue: &mut Queue) {
        queue.workers = queue.workers.saturating_sub(1);
        if queue.workers == 0 {
            self.ways.newest.forget();
        }
    }

    /// Takes what goes into the next so many calls of one component, each with as many as `calls_of` says; none if what is next must be waited for otherwise.
    pub(super) fn take(&self, next: Next, calls: usize, calls_of: impl FnOnce(&Ready) -> usize) -> Vec<Waiting> {
        let mut queue = self.queue();
        let Some(first) = queue.waiting.front().filter(|first| next.is_enough_for(first.next())) else {
            return Vec::new();
        };
        let (ready, size) = (first.ready.clone(), calls_of(&first.ready));
        // Those that wait for other workers are left to them.
        let share = queue.waiting.len().div_ceil(queue.workers.max(1));
        let marked = first.marked;
        // A mark says that a send has begun, so that it is made for one call.
        let calls = if marked { 1 } else { calls };
        let most = (calls * size).min(share.max(size));
        let most = most.min(memory::fitting(queue.waiting.iter().map(|waiting| waiting.memory), PORTION));
        let together = |waiting: &&Waiting| {
            Arc::ptr_eq(&waiting.ready, &ready) && waiting.marked == marked && !waiting.goes_alone()
        };
        let same = if first.goes_alone() { 1 } else { queue.waiting.iter().take(most).take_while(together).count() };
        let taken = queue.take_front(same);
        queue.put_off = 0;
        // While the queue is held, so that what is under way is never missed.
        self.taken.fetch_add(taken.len(), Ordering::AcqRel);
        self.sending.fetch_add(usize::from(!taken.is_empty()), Ordering::AcqRel);
        taken
    }

    pub(super) fn put_back(&self, waiting: Vec<Waiting>) {
        let mut queue = self.queue();
        waiting.into_iter().rev().for_each(|waiting| queue.push_front(waiting));
    }
}
