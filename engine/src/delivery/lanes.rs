//! What is claimed waits for its turn in the lane of its target.
//!
//! A lane has as many workers as the target may have calls at once. A worker waits for its turn (`slots`) and for a place in the sandbox, takes a portion, asks
//! once more whether all of it may still be sent, and makes one call after another. How large a portion is follows from how long its last call took: what was asked is
//! good for [`FRESH`], so that quick targets ask seldom, and slow ones before each call. What waits for its turn can be given back at any time.

use super::Deliverer;
use super::lane::{Lane, Waiting, Ways, Worker};
use super::memory;
use super::pace::Pace;
use super::settler::SettlerHandle;
use super::slots::Slots;
use crate::host::{Place, Ready};
use crate::rules::grants;
use crate::rules::rescue;
use crate::store::{Claimed, Interventions};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use uuid::Uuid;

/// A notification is sent at most so long after it was found that its user still wants it.
const FRESH: Duration = Duration::from_millis(10);
/// The most calls in a portion: more would save nothing, and less is asked for nothing when an engine stops.
const LARGEST_PORTION: usize = 64;
/// With so many lanes, those in which nothing waits are not kept, unless they are known to be slow.
const MANY: usize = 1000;

/// The lanes of all targets.
pub(super) struct Lanes {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
    lanes: HashMap<Key, Arc<Lane>>,
    /// What was known of targets when this engine began: until when each counts as slow.
    paces: HashMap<Uuid, Option<Instant>>,
}

/// A target has a lane for what may be killing engines, and goes alone therefore, so that nothing else waits behind that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    target: Uuid,
    alone: bool,
}

/// What all workers have in common.
struct Shared {
    deliverer: Deliverer,
    settler: SettlerHandle,
    /// Told whenever fewer notifications are under way.
    fewer: Notify,
    stopping: AtomicBool,
    slots: Slots,
}

/// What a worker has taken. It is under way until this is dropped, whatever comes of it.
struct Taken<'a> {
    shared: &'a Shared,
    lane: &'a Lane,
    many: usize,
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
    pub(super) fn new(deliverer: &Deliverer, settler: SettlerHandle, paces: HashMap<Uuid, Option<Instant>>) -> Self {
        let settings = &deliverer.settings;
        let shared = Shared {
            slots: Slots::new(settings.delivery.concurrency_per_tenant, settings.sandbox.instances as usize),
            deliverer: deliverer.clone(),
            settler,
            fewer: Notify::new(),
            stopping: AtomicBool::new(false),
        };
        Lanes { shared: Arc::new(shared), workers: JoinSet::new(), lanes: HashMap::new(), paces }
    }

    /// How many notifications are under way, those included that wait for a slot.
    pub(super) fn under_way(&self) -> usize {
        self.lanes.values().map(|lane| lane.under_way()).sum()
    }

    /// The targets that have as much to do as they can, so that others are claimed for instead; and whether those that are neither full nor known to be slow, nor
    /// unknown yet, have more than a batch under way together. Then all in which anything waits are full: what some have to wait for keeps no room from others.
    pub(super) fn full_targets(&self) -> (Vec<Uuid>, bool) {
        let settings = &self.shared.deliverer.settings.delivery;
        let (enough, enough_of_slow) = (settings.claim_batch / 2, settings.concurrency_per_target);
        let held = self.lanes.iter().map(|(key, lane)| {
            let queue = lane.queue();
            (key.target, lane, queue.waiting.len(), queue.memory, queue.is_put_off())
        });
        let held: Vec<(Uuid, &Arc<Lane>, usize, usize, bool)> = held.collect();
        let is_short = held.iter().map(|(.., memory, _)| memory).sum::<usize>() > memory::SHORT;
        let share = memory::share(held.iter().filter(|(.., memory, _)| *memory > 0).count());
        let (mut full, mut under_way, mut waits) = (Vec::new(), 0, Vec::new());
        for (id, lane, waiting, memory, is_put_off) in held {
            let may_be_slow = lane.ways.pace.is_new() || lane.ways.pace.is_slow();
            let has_enough = waiting > enough || memory > share || (may_be_slow && waiting > enough_of_slow);
            if has_enough || is_put_off || (is_short && (waiting > 0 || may_be_slow)) {
                full.push(id);
                continue;
            }
            if waiting > 0 {
                waits.push(id);
            }
            if !may_be_slow {
                under_way += lane.under_way();
            }
        }
        let is_crowded = under_way > settings.claim_batch;
        if is_crowded {
            full.append(&mut waits);
        }
        (full, is_crowded)
    }

    /// Takes claims out again, unsent, until the rest takes no more memory than it may: the latest of the target that has most.
    pub(super) fn make_room(&self) -> Vec<Claimed> {
        let memory = |lane: &Lane| lane.queue().memory;
        let mut taken = Vec::new();
        while self.lanes.values().map(|lane| memory(lane)).sum::<usize>() > memory::MOST {
            let most = self.lanes.values().max_by_key(|lane| memory(lane));
            let Some(waiting) = most.and_then(|lane| lane.queue().give_way()) else { break };
            taken.push(waiting.claimed);
        }
        taken
    }

    /// Takes claims out again whose lease could end before their turn comes: to others they would look as if this engine had died over them.
    pub(super) fn take_late(&self) -> Vec<Claimed> {
        let is_late = |waiting: &Waiting| self.shared.deliverer.is_too_late(waiting.terms.lease_until);
        let late: Vec<Waiting> = self.lanes.values().flat_map(|lane| lane.queue().take_while(is_late)).collect();
        late.into_iter().map(|waiting| waiting.claimed).collect()
    }

    /// Lines claims of one target up, and sees to it that there are workers for them.
    pub(super) fn begin(&mut self, ready: &Arc<Ready>, claimed: Vec<Claimed>, terms: Terms) {
        if self.lanes.len() >= MANY {
            self.lanes.retain(|_, lane| lane.queue().workers > 0 || lane.ways.pace.is_slow());
        }
        let (suspects, others): (Vec<Claimed>, Vec<Claimed>) =
            claimed.into_iter().partition(|claimed| rescue::goes_alone(claimed.lease_deaths));
        self.line_up(ready, others, false, terms);
        self.line_up(ready, suspects, true, terms);
    }

    fn line_up(&mut self, ready: &Arc<Ready>, claimed: Vec<Claimed>, alone: bool, terms: Terms) {
        let Some(first) = claimed.first() else { return };
        let target = first.target.id;
        let lane = self.lane(Key { target, alone }, ready);
        let mut queue = lane.queue();
        // Those that are sending may be for long: what waits has workers beside them.
        let sending = lane.sending.load(Ordering::Acquire);
        let wanted = claimed.len().div_ceil(calls_of(&self.shared, ready)) + queue.waiting.len() + sending;
        if first.target.faults > 0 {
            lane.ways.faults.failing.store(true, Ordering::Relaxed);
        }
        let pauses = lane.ways.faults.pauses.load(Ordering::Relaxed);
        let wait = |claimed: Claimed| {
            let (marked, memory) = (self.shared.deliverer.is_marked(ready, &claimed), claimed.memory());
            Waiting { claimed, memory, terms, ready: ready.clone(), marked, pauses }
        };
        claimed.into_iter().map(wait).for_each(|waiting| queue.push_back(waiting));
        // One of all that go alone is sent at a time.
        let most = if alone { 1 } else { self.shared.deliverer.settings.delivery.concurrency_per_target.min(wanted) };
        while queue.workers < most {
            queue.workers += 1;
            self.workers.spawn(self.shared.clone().work(lane.clone()));
        }
    }

    /// The lane, made if there is none yet. How a target does is known to both of its lanes.
    fn lane(&mut self, key: Key, ready: &Ready) -> Arc<Lane> {
        let beside = self.lanes.get(&Key { alone: !key.alone, ..key }).map(|lane| lane.ways.clone());
        let known = self.paces.get(&key.target);
        let pace = || known.map_or_else(|| Pace::of(ready.source), |slow| Pace::from_before(*slow));
        let make = || Arc::new(Lane::of(beside.unwrap_or_else(|| Arc::new(Ways::of(pace())))));
        self.lanes.entry(key).or_insert_with(make).clone()
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
        let queues = self.lanes.values().map(|lane| std::mem::take(&mut *lane.queue()).waiting);
        queues.flatten().map(|waiting| waiting.claimed).collect()
    }
}

impl Terms {
    /// What is true of both.
    fn and(self, other: Terms) -> Terms {
        Terms { lease_until: self.lease_until.min(other.lease_until), seen: self.seen.min(other.seen) }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.lane.taken.fetch_sub(self.many, Ordering::AcqRel);
        self.lane.sending.fetch_sub(1, Ordering::AcqRel);
        self.shared.fewer.notify_one();
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

impl Shared {
    /// Works until nothing waits in the lane any more.
    async fn work(self: Arc<Self>, lane: Arc<Lane>) {
        let mut worker = Worker::of(&lane);
        let mut calls = 1;
        while let Some(next) = worker.next() {
            let turn = async {
                // Before the slot, so that those who wait for each other leave the slots to others.
                let alone = if next.alone { self.slots.alone().await } else { None };
                (alone, self.slots.take(&lane.ways.pace, next.slots).await)
            };
            let _turn = tokio::select! {
                biased;
                turn = turn => turn,
                // Others have taken it, or it was given back: what comes then may not have to wait so long.
                () = worker.has_to_wait_otherwise(next) => continue,
            };
            let place = self.deliverer.catalog.places().take(lane.ways.pace.used()).await;
            // Meanwhile others may have taken it, or it was given back.
            let portion = lane.take(next, calls, |ready| calls_of(&self, ready));
            if portion.is_empty() {
                continue;
            }
            let taken = Taken { shared: &self, lane: &lane, many: portion.len() };
            let (began, made, left) = self.portion(&lane, &place, portion).await;
            lane.put_back(left);
            drop(taken);
            let each = began.elapsed() / made.max(1);
            calls = (FRESH.as_nanos() / each.as_nanos().max(1)).clamp(1, LARGEST_PORTION as u128) as usize;
        }
    }

    /// Sends a portion, as far as what was asked about it is fresh. Since when, how many calls that were, and what is left.
    async fn portion(&self, lane: &Lane, place: &Place, portion: Vec<Waiting>) -> (Instant, u32, Vec<Waiting>) {
        let Shared { deliverer, settler, .. } = self;
        let began = Instant::now();
        let Some(first) = portion.first() else { return (began, 0, Vec::new()) };
        let (claimed_for, marked, target) = (first.ready.clone(), first.marked, first.claimed.target.id);
        let faults = &lane.ways.faults;
        // The strictest of all.
        let terms = portion.iter().map(|waiting| waiting.terms).fold(first.terms, Terms::and);
        let pauses = portion.iter().map(|waiting| waiting.pauses).min().unwrap_or_default();
        let mut batch: Vec<Claimed> = portion.into_iter().map(|waiting| waiting.claimed).collect();
        if self.stopping.load(Ordering::Acquire) || deliverer.is_too_late(terms.lease_until) {
            deliverer.give_back(&batch).await;
            return (began, 0, Vec::new());
        }
        let Some(ready) = deliverer.newest(&lane.ways.newest, &claimed_for, &batch).await else {
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
            let (finished, queued) = deliverer.attempt(&ready, place, call, faults).await;
            let is_news = lane.ways.pace.took(called.elapsed(), queued);
            settler.settle(finished).await;
            if is_news {
                deliverer.note_pace(target, &lane.ways.pace).await;
            }
            made += 1;
        }
        (began, made, Vec::new())
    }
}
