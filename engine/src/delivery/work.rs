//! What an engine has under way: what is due is claimed, begun where there is room, and given back where there is none.

use super::lanes::{Lanes, Terms};
use super::preparing::{Prepared, Preparing};
use super::settler::Settler;
use super::{Chosen, Deliverer, Event, GLANCE, Stopped, memory};
use crate::host::Ready;
use crate::rules::tenant::Tenant;
use crate::store::{ClaimRequest, Claimed, Claims, StoreError};
use crate::targets::Unready;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often it looks for claims that cannot wait any longer.
const LATE: Duration = Duration::from_secs(5);
/// In how many parts a batch is claimed where more than one is under way.
const PARTS: usize = 8;
/// How long outcomes may still take to be written after calls were cut off.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long they take where nothing is in their way.
const A_MOMENT: Duration = Duration::from_secs(1);

/// What a look for work brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Some,
    None,
    /// Nothing could be claimed before something that is under way has ended.
    NoRoom,
}

/// What is under way: claims that wait for a slot, calls, outcomes that wait to be written.
pub(super) struct Work {
    deliverer: Deliverer,
    /// What is left of it.
    chosen: Chosen,
    lanes: Lanes,
    /// Claims whose target is being made ready: its component may have to be compiled, which must not hold up others.
    preparing: Preparing,
    settler: Settler,
    /// Until when the last claim is valid. No two have the same, so that it tells them apart.
    lease_until: Timestamp,
    /// When nothing was found to be due, and in which targets it was not looked.
    looked: Option<(Vec<Uuid>, Instant)>,
    /// Of which targets the last claims brought those above all that end without an attempt, and so take no room: others are claimed for in between.
    ending: BTreeSet<Uuid>,
    /// Whether the last claim failed: what it took, if it took anything, nobody knows of.
    unanswered: bool,
}

impl Work {
    /// Nothing yet.
    pub(super) fn new(deliverer: &Deliverer, chosen: Chosen, paces: HashMap<Uuid, Option<Instant>>) -> Self {
        let settler = Settler::start(deliverer.store.clone(), deliverer.clock.clone(), deliverer.observer.clone());
        let lanes = Lanes::new(deliverer, settler.handle(), paces);
        let (deliverer, preparing, lease_until) = (deliverer.clone(), Preparing::default(), Timestamp::MIN);
        let ending = BTreeSet::new();
        Work { deliverer, chosen, lanes, preparing, settler, lease_until, looked: None, ending, unanswered: false }
    }

    /// How many notifications are claimed and not handed to the settler yet.
    fn under_way(&self) -> usize {
        self.lanes.under_way() + self.preparing.claims()
    }

    /// Whether nothing is.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way() == 0
    }

    /// Whether as many have begun as it may be.
    pub(super) fn is_done(&self) -> bool {
        self.chosen.limit == Some(0)
    }

    /// Claims what is due at `now` and there is room for, and begins it.
    pub(super) async fn claim(&mut self, now: Timestamp) -> Result<Found, StoreError> {
        while let Some(prepared) = self.preparing.next_ready() {
            self.begin_prepared(prepared).await?;
        }
        let late: Vec<Claimed> =
            self.lanes.take_late().into_iter().chain(self.preparing.take_late(&self.deliverer)).collect();
        self.put_off(&late).await;
        let batch = self.deliverer.settings.delivery.claim_batch;
        // A second batch is claimed while the first is being sent, so that no slot waits for the database; where there is more than one, only a part, and for
        // those in which nothing waits. What waits for a target that is slow, or is being made ready, takes nobody's room.
        let (mut full, is_crowded) = self.lanes.full_targets();
        let batch = if is_crowded || self.ending.len() >= PARTS { batch.div_ceil(PARTS) } else { batch };
        if self.is_done() {
            return Ok(Found::None);
        }
        if self.unanswered {
            let Deliverer { store, engine, clock, .. } = &self.deliverer;
            store.release_unanswered(*engine, self.lease_until, clock.now()).await?;
            self.unanswered = false;
        }
        let after_the_last = self.lease_until.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
        self.lease_until = self.deliverer.lease_from(self.deliverer.clock.now()).max(after_the_last);
        full.extend(self.preparing.targets());
        full.extend(&self.ending);
        full.sort_unstable();
        full.dedup();
        // That nothing else is due will not have changed with every call that ends.
        if self.looked.as_ref().is_some_and(|(but, when)| *but == full && when.elapsed() < GLANCE) {
            return Ok(if std::mem::take(&mut self.ending).is_empty() { Found::NoRoom } else { Found::Some });
        }
        let some_are_full = !full.is_empty();
        let request = ClaimRequest {
            engine: self.deliverer.engine,
            now,
            lease_until: self.lease_until,
            limit: u32::try_from(batch.min(self.chosen.limit.unwrap_or(batch))).unwrap_or(u32::MAX),
            bytes: memory::CLAIM,
            targets: self.chosen.targets_but(full.clone()),
        };
        let seen = self.deliverer.store.interventions().await?;
        self.unanswered = true;
        let claims = self.deliverer.store.claim_due(&request).await?;
        self.unanswered = false;
        let found = claims.claimed.len() + claims.ended.len();
        self.looked = (found == 0 && some_are_full).then(|| (full, Instant::now()));
        if let Some(left) = &mut self.chosen.limit {
            *left = left.saturating_sub(found);
        }
        let ending = mostly_ended(&claims);
        // After those the others, and then those again.
        let went_past_some = ending.is_empty() && !std::mem::take(&mut self.ending).is_empty();
        self.ending.extend(ending);
        for ended in &claims.ended {
            (self.deliverer.observer)(&Event::Ended(ended));
        }
        let mut by_target: HashMap<Uuid, Vec<Claimed>> = HashMap::new();
        for claimed in claims.claimed {
            by_target.entry(claimed.target.id).or_default().push(claimed);
        }
        for claimed in by_target.into_values() {
            self.begin(claimed, Terms { lease_until: request.lease_until, seen }).await;
        }
        let without_room = self.lanes.make_room();
        self.put_off(&without_room).await;
        Ok(match (found, some_are_full) {
            (0, _) if went_past_some => Found::Some,
            (0, false) => Found::None,
            // What is due may be in a target that had no room when it was looked.
            (0, true) => Found::NoRoom,
            (_, _) => Found::Some,
        })
    }

    /// Begins the attempts of one target's claims, at once if the target is ready to be called.
    async fn begin(&mut self, claimed: Vec<Claimed>, terms: Terms) {
        let Some(first) = claimed.first() else { return };
        let target = first.target.clone();
        match self.deliverer.catalog.known(Tenant::DEFAULT, target.id, target.revision) {
            Some(Ok(ready)) => self.line_up(&ready, claimed, terms).await,
            Some(Err(_)) | None => {
                let mut claimed = claimed;
                let mut begun = memory::fitting(claimed.iter().map(Claimed::memory), memory::PREPARING);
                // The target is made ready all the same.
                if self.preparing.memory() > memory::ALL_PREPARING {
                    begun = 0;
                }
                let later = claimed.split_off(begun);
                self.preparing.begin(&self.deliverer, target, claimed, terms);
                self.put_off(&later).await;
            }
        }
    }

    /// Lets claims wait for their turn, unless their component lacks what it requires: it is not called without.
    async fn line_up(&mut self, ready: &Arc<Ready>, claimed: Vec<Claimed>, terms: Terms) {
        match ready.unmet() {
            None => self.lanes.begin(ready, claimed, terms),
            Some(unmet) => {
                if let Some(left) = &mut self.chosen.limit {
                    *left += claimed.len();
                }
                self.deliverer.pause_unready(&unmet, &claimed).await;
            }
        }
    }

    /// Gives claims back for which there is no room yet: others may be attempted instead.
    async fn put_off(&mut self, claimed: &[Claimed]) {
        if claimed.is_empty() {
            return;
        }
        self.deliverer.give_back(claimed).await;
        if let Some(left) = &mut self.chosen.limit {
            *left += claimed.len();
        }
    }

    /// Begins the attempts of a target that has been made ready, or pauses it if its component cannot be used.
    async fn begin_prepared(&mut self, prepared: Prepared) -> Result<(), StoreError> {
        let Prepared { target, claimed, terms, ready } = prepared;
        match ready {
            Ok(ready) => {
                self.line_up(&ready, claimed, terms).await;
                Ok(())
            }
            Err(Unready::Store(error)) => {
                self.deliverer.give_back(&claimed).await;
                Err(error)
            }
            // It has been tried for some time, and that it lasts is not the component's fault.
            Err(Unready::Trouble(error)) if self.preparing.is_to_be_tried_again(target.id) => {
                tracing::warn!(target = target.name, reason = %error, "a target cannot be made ready yet");
                self.put_off(&claimed).await;
                Ok(())
            }
            Err(Unready::Module(error) | Unready::Trouble(error)) => {
                // Nothing of it was attempted, so others may be.
                if let Some(left) = &mut self.chosen.limit {
                    *left += claimed.len();
                }
                self.deliverer.pause_for_component(Tenant::DEFAULT, &target, &error, &claimed).await
            }
        }
    }

    /// Waits until something that was under way has ended, or can begin, or may wait no longer.
    pub(super) async fn room(&mut self) {
        let some_wait = self.under_way() > 0;
        tokio::select! {
            () = self.lanes.room() => {}
            () = self.preparing.one_ready() => {}
            () = tokio::time::sleep(LATE), if some_wait => {}
        }
    }

    /// Fails if outcomes could not be written.
    pub(super) async fn finish(
        mut self,
        stop_now: impl Future<Output = ()>,
        most: Duration,
    ) -> Result<Stopped, StoreError> {
        tokio::pin!(stop_now);
        self.lanes.stop_beginning();
        let stopped = tokio::select! {
            // Where nothing is under way, nothing is cut off, however soon it is to end.
            biased;
            () = self.lanes.all_ended() => Stopped::Drained,
            () = &mut stop_now => Stopped::CutOff,
            () = tokio::time::sleep(most) => Stopped::CutOff,
        };
        let not_begun: Vec<Claimed> = self.lanes.cut_off().await.into_iter().chain(self.preparing.end()).collect();
        drop(self.lanes);
        let written = async {
            self.deliverer.give_back(&not_begun).await;
            self.settler.flush().await
        };
        let in_time = async {
            match stopped {
                Stopped::Drained | Stopped::Early => {
                    stop_now.await;
                    tokio::time::sleep(A_MOMENT).await;
                }
                Stopped::CutOff => tokio::time::sleep(LAST_WORDS).await,
            }
        };
        tokio::select! {
            written = written => written.map(|()| stopped),
            () = in_time => {
                tracing::error!("outcomes could not be written before the stop; what they tell of is dealt with as unknown");
                Ok(Stopped::CutOff)
            }
        }
    }
}

/// The targets of which more ended than are to be sent.
fn mostly_ended(claims: &Claims) -> BTreeSet<Uuid> {
    let mut more_ended: HashMap<Uuid, isize> = HashMap::new();
    claims.ended.iter().for_each(|ended| *more_ended.entry(ended.target.id).or_default() += 1);
    claims.claimed.iter().for_each(|claimed| *more_ended.entry(claimed.target.id).or_default() -= 1);
    more_ended.into_iter().filter(|(_, more)| *more > 0).map(|(target, _)| target).collect()
}
