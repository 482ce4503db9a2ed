//! What is claimed waits for its turn in the lane of its target.
//!
//! A lane has as many workers as the target may have calls at once. A worker takes a portion, waits for its turn (`slots`) and for a place in the sandbox, asks
//! once more whether all of it may still be sent, and makes one call after another. How large a portion is follows from how long its last call took: what was asked is
//! good for [`FRESH`], so that quick targets ask seldom, and slow ones before each call.

use super::Deliverer;
use super::attempt::Faults;
use super::memory::{self, PORTION};
use super::newest::Newest;
use super::settler::SettlerHandle;
use super::slots::{Pace, Slots};
use crate::host::Ready;
use crate::rules::grants;
use crate::rules::rescue;
use crate::store::{Claimed, Interventions};
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use uuid::Uuid;

/// A notification is sent at most so long after it was found that its user still wants it.
const FRESH: Duration = Duration::from_millis(10);
/// The most calls in a portion: more would save nothing, and less is asked for nothing when an engine stops.
const LARGEST_PORTION: usize = 64;
/// How many lanes are kept in which nothing waits.
const MOST_IDLE: usize = 1000;

/// The lanes of all targets.
pub(super) struct Lanes {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
    lanes: HashMap<Uuid, Arc<Lane>>,
}

/// What all workers have in common.
struct Shared {
    deliverer: Deliverer,
    settler: SettlerHandle,
    /// Notifications that are claimed and not handed to the settler yet.
    under_way: AtomicUsize,
    /// How many bytes they take.
    memory: AtomicUsize,
    /// Told whenever there are fewer of them.
    fewer: Notify,
    stopping: AtomicBool,
    slots: Slots,
}

/// What waits in one target.
#[derive(Default)]
struct Lane {
    queue: Mutex<Queue>,
    pace: Pace,
    /// How many bytes all that is under way in it takes.
    memory: AtomicUsize,
    /// How its component does.
    faults: Faults,
    /// How the target is set up.
    newest: Newest,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    workers: usize,
}

/// A claim in its lane.
struct Waiting {
    claimed: Claimed,
    /// How many bytes it takes.
    memory: usize,
    terms: Terms,
    ready: Arc<Ready>,
    /// Whether it is written down that its send begins.
    marked: bool,
    /// How often the component had failed too often by then.
    pauses: usize,
}

/// What a batch was claimed with.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// Until when its claims are valid.
    pub lease_until: Timestamp,
    /// What had been decided about them by then.
    pub seen: Interventions,
}

impl Lanes {
    pub(super) fn new(deliverer: &Deliverer, settler: SettlerHandle) -> Self {
        let settings = &deliverer.settings;
        let shared = Shared {
            slots: Slots::new(settings.delivery.concurrency_per_tenant, settings.sandbox.instances as usize),
            deliverer: deliverer.clone(),
            settler,
            under_way: AtomicUsize::new(0),
            memory: AtomicUsize::new(0),
            fewer: Notify::new(),
            stopping: AtomicBool::new(false),
        };
        Lanes { shared: Arc::new(shared), workers: JoinSet::new(), lanes: HashMap::new() }
    }

    /// How many notifications are under way, those included that wait for a slot.
    pub(super) fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::Acquire)
    }

    /// How many bytes they take.
    pub(super) fn memory(&self) -> usize {
        self.shared.memory.load(Ordering::Acquire)
    }

    /// The targets that have as much to do as they can, so that others are claimed for instead, and how many notifications wait in these.
    pub(super) fn full_targets(&self) -> (Vec<Uuid>, usize) {
        let enough = self.shared.deliverer.settings.delivery.claim_batch / 2;
        let held = |(id, lane): (&Uuid, &Arc<Lane>)| {
            let (waiting, memory) = (lane.queue().waiting.len(), lane.memory.load(Ordering::Acquire));
            (memory > 0).then_some((*id, waiting, memory))
        };
        let busy: Vec<(Uuid, usize, usize)> = self.lanes.iter().filter_map(held).collect();
        let share = memory::share(busy.len());
        let full = busy.into_iter().filter(|(_, waiting, memory)| *waiting > enough || *memory > share);
        full.fold((Vec::new(), 0), |(mut ids, all), (id, waiting, _)| {
            ids.push(id);
            (ids, all + waiting)
        })
    }

    /// Takes claims out again, unsent, until the rest takes no more memory than it may: the latest of the target that has most.
    pub(super) fn make_room(&self) -> Vec<Claimed> {
        let mut taken = Vec::new();
        while self.memory() > memory::MOST {
            let waits = |lane: &&Arc<Lane>| !lane.queue().waiting.is_empty();
            let most = self.lanes.values().filter(waits).max_by_key(|lane| lane.memory.load(Ordering::Acquire));
            let Some((lane, waiting)) = most.and_then(|lane| Some((lane, lane.queue().waiting.pop_back()?))) else {
                break;
            };
            self.shared.ended(lane, 1, waiting.memory);
            taken.push(waiting.claimed);
        }
        taken
    }

    /// Lines claims of one target up, and sees to it that there are workers for them.
    pub(super) fn begin(&mut self, ready: &Arc<Ready>, claimed: Vec<Claimed>, terms: Terms) {
        let Some(first) = claimed.first() else { return };
        if self.lanes.len() >= MOST_IDLE {
            self.lanes.retain(|_, lane| lane.queue().workers > 0);
        }
        let lane = self.lanes.entry(first.target.id).or_default();
        self.shared.under_way.fetch_add(claimed.len(), Ordering::AcqRel);
        let mut queue = lane.queue();
        let wanted = claimed.len().div_ceil(calls_of(&self.shared, ready)) + queue.waiting.len();
        if first.target.faults > 0 {
            lane.faults.failing.store(true, Ordering::Relaxed);
        }
        let pauses = lane.faults.pauses.load(Ordering::Relaxed);
        let wait = |claimed: Claimed| {
            let (marked, memory) = (self.shared.deliverer.is_marked(ready, &claimed), claimed.memory());
            for all in [&self.shared.memory, &lane.memory] {
                all.fetch_add(memory, Ordering::AcqRel);
            }
            Waiting { claimed, memory, terms, ready: ready.clone(), marked, pauses }
        };
        queue.waiting.extend(claimed.into_iter().map(wait));
        let most = self.shared.deliverer.settings.delivery.concurrency_per_target.min(wanted);
        while queue.workers < most {
            queue.workers += 1;
            self.workers.spawn(self.shared.clone().work(lane.clone()));
        }
    }

    /// What waits for its turn is given back from now on, unsent.
    pub(super) fn stop_beginning(&self) {
        self.shared.stopping.store(true, Ordering::Release);
    }

    /// Waits until something that was under way has ended.
    pub(super) async fn room(&mut self) {
        self.shared.fewer.notified().await;
        while self.workers.try_join_next().is_some() {}
    }

    pub(super) async fn all_ended(&mut self) {
        while self.workers.join_next().await.is_some() {}
    }

    /// Ends what is under way where it stands; what had only waited for its turn.
    pub(super) async fn cut_off(&mut self) -> Vec<Claimed> {
        self.workers.shutdown().await;
        let queues = self.lanes.values().map(|lane| std::mem::take(&mut lane.queue().waiting));
        queues.flatten().map(|waiting| waiting.claimed).collect()
    }
}

impl Terms {
    /// What is true of both.
    fn and(self, other: Terms) -> Terms {
        Terms { lease_until: self.lease_until.min(other.lease_until), seen: self.seen.min(other.seen) }
    }
}

impl Waiting {
    fn goes_alone(&self) -> bool {
        rescue::goes_alone(self.claimed.lease_deaths)
    }
}

impl Lane {
    /// A panic while it was held is impossible: nothing is called in between.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next so many, which all go to one component; none, and one worker less, if nothing waits.
    fn take(&self, calls: usize, shared: &Shared) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        let Some(first) = queue.waiting.front() else {
            queue.workers -= 1;
            if queue.workers == 0 {
                self.newest.forget();
            }
            return None;
        };
        let ready = first.ready.clone();
        // Those that wait for other workers are left to them.
        let share = queue.waiting.len().div_ceil(queue.workers.max(1));
        let marked = first.marked;
        // A mark says that a send has begun, so that it is made for one call.
        let calls = if marked { 1 } else { calls };
        let most = (calls * calls_of(shared, &ready)).min(share.max(calls_of(shared, &ready)));
        let most = most.min(memory::fitting(queue.waiting.iter().map(|waiting| waiting.memory), PORTION));
        let together = |waiting: &&Waiting| {
            Arc::ptr_eq(&waiting.ready, &ready) && waiting.marked == marked && !waiting.goes_alone()
        };
        let same = if first.goes_alone() { 1 } else { queue.waiting.iter().take(most).take_while(together).count() };
        Some(queue.waiting.drain(..same).collect())
    }

    fn put_back(&self, waiting: Vec<Waiting>) {
        let mut queue = self.queue();
        for waiting in waiting.into_iter().rev() {
            queue.waiting.push_front(waiting);
        }
    }
}

/// How many notifications go into one call: one alone to a component that may go where its notification's address is, so that it brings
/// nothing of one user's to another's.
fn calls_of(shared: &Shared, ready: &Ready) -> usize {
    if grants::follows_addresses(&ready.powers.grants) {
        return 1;
    }
    (ready.module.manifest.largest_batch as usize).min(shared.deliverer.settings.delivery.call_batch).max(1)
}

fn memory_of(waiting: &[Waiting]) -> usize {
    waiting.iter().map(|waiting| waiting.memory).sum()
}

impl Shared {
    /// Works until nothing waits in the lane any more.
    async fn work(self: Arc<Self>, lane: Arc<Lane>) {
        let mut calls = 1;
        while let Some(portion) = lane.take(calls, &self) {
            let Some(first) = portion.first() else { continue };
            let (alone, source) = (first.goes_alone(), first.ready.source);
            // Before the slot, so that those who wait for each other leave the slots to others.
            let _alone = if alone { self.slots.alone().await } else { None };
            let _slot = self.slots.take(&lane.pace, source).await;
            let (many, memory) = (portion.len(), memory_of(&portion));
            let (began, made, left) = self.portion(&lane, portion).await;
            self.ended(&lane, many - left.len(), memory - memory_of(&left));
            lane.put_back(left);
            self.fewer.notify_one();
            let each = began.elapsed() / made.max(1);
            calls = (FRESH.as_nanos() / each.as_nanos().max(1)).clamp(1, LARGEST_PORTION as u128) as usize;
        }
    }

    /// So many are not under way any more.
    fn ended(&self, lane: &Lane, many: usize, memory: usize) {
        self.under_way.fetch_sub(many, Ordering::AcqRel);
        for all in [&self.memory, &lane.memory] {
            all.fetch_sub(memory, Ordering::AcqRel);
        }
    }

    /// Sends a portion, as far as what was asked about it is fresh. Since when, how many calls that were, and what is left.
    async fn portion(&self, lane: &Lane, portion: Vec<Waiting>) -> (Instant, u32, Vec<Waiting>) {
        let Shared { deliverer, settler, .. } = self;
        let began = Instant::now();
        let Some(first) = portion.first() else { return (began, 0, Vec::new()) };
        let (claimed_for, marked) = (first.ready.clone(), first.marked);
        // Before all that is asked, which would not be fresh any more after a wait.
        let place = claimed_for.module.place().await;
        let faults = &lane.faults;
        // The strictest of all.
        let terms = portion.iter().map(|waiting| waiting.terms).fold(first.terms, Terms::and);
        let pauses = portion.iter().map(|waiting| waiting.pauses).min().unwrap_or_default();
        let mut batch: Vec<Claimed> = portion.into_iter().map(|waiting| waiting.claimed).collect();
        if self.stopping.load(Ordering::Acquire) || deliverer.is_too_late(terms.lease_until) {
            deliverer.give_back(&batch).await;
            return (began, 0, Vec::new());
        }
        let Some(ready) = deliverer.newest(&lane.newest, &claimed_for, &batch).await else {
            return (began, 0, Vec::new());
        };
        batch = deliverer.still_to_be_sent(&ready, batch, terms.seen).await;
        let began = Instant::now();
        let (size, mut made) = (calls_of(self, &ready), 0);
        let mut batch = batch.into_iter().peekable();
        while batch.peek().is_some() {
            if made > 0 && (began.elapsed() > FRESH || self.stopping.load(Ordering::Acquire)) {
                let wait = |claimed: Claimed| {
                    let memory = claimed.memory();
                    Waiting { claimed, memory, terms, ready: ready.clone(), marked, pauses }
                };
                return (began, made, batch.map(wait).collect());
            }
            if faults.pauses.load(Ordering::Relaxed) > pauses {
                let why = "The target is paused, because its component failed too often in a row.";
                deliverer.hold_back(&batch.collect::<Vec<_>>(), why).await;
                return (began, made, Vec::new());
            }
            let call: Vec<Claimed> = batch.by_ref().take(size).collect();
            let called = Instant::now();
            let finished = deliverer.attempt(&ready, &place, call, faults).await;
            lane.pace.took(called.elapsed());
            settler.settle(finished).await;
            made += 1;
        }
        (began, made, Vec::new())
    }
}
