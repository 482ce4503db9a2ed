//! An attempt: `claim → slot → call → outcome → settlement`, for one call of a handler and the notifications it is about.
//!
//! Whatever happens on the way becomes an outcome, and all outcomes meet in the settler.

use super::settler::{Finished, SettlerHandle};
use super::{Deliverer, Event, log_text};
use crate::host::{Delivery, Previous, Ready};
use crate::rules::attempt::Attempt;
use crate::rules::notification::OnUnknown;
use crate::rules::retry;
use crate::store::{Claim, Claimed, Recheck};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Before the end of its lease a claim is given back rather than begun: a call, the writing of its outcome, and some room.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// After so many calls in a row in which its component failed, a target is paused.
pub(super) const MOST_FAULTS: usize = 5;

/// The attempts that are under way or wait for a slot.
pub(super) struct Attempts {
    deliverer: Deliverer,
    settler: SettlerHandle,
    tasks: JoinSet<()>,
    under_way: Arc<AtomicUsize>,
    stopping: Arc<AtomicBool>,
    tenant_slots: Arc<Semaphore>,
    targets: HashMap<Uuid, Slots>,
}

/// The slots of one target, how many notifications wait for one, and how its component does.
struct Slots {
    free: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    faults: Arc<Faults>,
}

/// The calls in which a target's component failed.
#[derive(Default)]
struct Faults {
    in_a_row: AtomicUsize,
    /// How often that were too many. What was claimed before is not called after.
    pauses: AtomicUsize,
}

impl Faults {
    /// Counts a fault, and says whether it is one too many.
    fn too_many(&self) -> bool {
        let too_many = self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 == MOST_FAULTS;
        if too_many {
            self.in_a_row.store(0, Ordering::Relaxed);
            self.pauses.fetch_add(1, Ordering::Relaxed);
        }
        too_many
    }
}

/// Counts up while it lives.
struct Counted(Arc<AtomicUsize>, usize);

impl Counted {
    fn new(count: &Arc<AtomicUsize>, by: usize) -> Self {
        count.fetch_add(by, Ordering::Relaxed);
        Counted(count.clone(), by)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Attempts {
    pub(super) fn new(deliverer: &Deliverer, settler: SettlerHandle) -> Self {
        Attempts {
            tenant_slots: Arc::new(Semaphore::new(deliverer.settings.delivery.concurrency_per_tenant)),
            deliverer: deliverer.clone(),
            settler,
            tasks: JoinSet::new(),
            under_way: Arc::default(),
            stopping: Arc::default(),
            targets: HashMap::new(),
        }
    }

    /// How many notifications are under way, those included that wait for a slot.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// The targets that have as much to do as they can, so that others are claimed for instead.
    pub(super) fn full_targets(&self) -> Vec<Uuid> {
        let enough = self.deliverer.settings.delivery.claim_batch / 2;
        self.targets.iter().filter(|(_, t)| t.waiting.load(Ordering::Relaxed) > enough).map(|(id, _)| *id).collect()
    }

    /// Begins to attempt claims of one target, as many in a call as its component takes.
    pub(super) fn begin(&mut self, ready: Arc<Ready>, claimed: Vec<Claimed>, lease_until: Timestamp) {
        let Some(first) = claimed.first() else { return };
        let most = self.deliverer.settings.delivery.concurrency_per_target;
        let slots = self.targets.entry(first.target.id).or_insert_with(|| Slots {
            free: Arc::new(Semaphore::new(most)),
            waiting: Arc::default(),
            faults: Arc::default(),
        });
        let size = ready.module.manifest.largest_batch.max(1) as usize;
        let mut claimed = claimed.into_iter().peekable();
        while claimed.peek().is_some() {
            let batch: Vec<Claimed> = claimed.by_ref().take(size).collect();
            let counted = Counted::new(&self.under_way, batch.len());
            let waiting = Counted::new(&slots.waiting, batch.len());
            let (of_target, of_tenant) = (slots.free.clone(), self.tenant_slots.clone());
            let (deliverer, settler, ready) = (self.deliverer.clone(), self.settler.clone(), ready.clone());
            let (stopping, faults) = (self.stopping.clone(), slots.faults.clone());
            let pauses = faults.pauses.load(Ordering::Relaxed);
            self.tasks.spawn(async move {
                let _counted = counted;
                // Closed semaphores, which these never are, would only mean that nothing bounds the calls.
                let _target_slot = of_target.acquire().await;
                let _tenant_slot = of_tenant.acquire().await;
                drop(waiting);
                if stopping.load(Ordering::Relaxed) || deliverer.is_too_late(lease_until) {
                    deliverer.give_back(&batch).await;
                    return;
                }
                let batch = deliverer.still_to_be_sent(batch).await;
                if batch.is_empty() {
                    return;
                }
                if faults.pauses.load(Ordering::Relaxed) > pauses {
                    deliverer.hold_back(&batch).await;
                    return;
                }
                let finished = deliverer.attempt(&ready, batch, &faults).await;
                drop((_target_slot, _tenant_slot));
                settler.settle(finished).await;
            });
        }
    }

    /// What waits for a slot is given back from now on, unsent.
    pub(super) fn stop_beginning(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) async fn one_ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending().await
        }
        while self.tasks.try_join_next().is_some() {}
    }

    pub(super) async fn all_ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Ends what is under way where it stands.
    pub(super) async fn cut_off(&mut self) {
        self.tasks.shutdown().await;
    }
}

impl Deliverer {
    /// Calls the handler once, and says what follows for each of the notifications. A component that fails in call after call is not
    /// called any more.
    async fn attempt(&self, ready: &Ready, batch: Vec<Claimed>, faults: &Faults) -> Vec<Finished> {
        let deliveries: Vec<Delivery<'_>> = batch.iter().map(delivery).collect();
        let began = self.clock.now();
        let sent = ready.module.send(&ready.powers, &deliveries).await;
        let ended = self.clock.now();
        match &sent.fault {
            None => faults.in_a_row.store(0, Ordering::Relaxed),
            Some(fault) => {
                tracing::error!(module = ready.module.name, code = fault.code, "a component failed: {fault}");
                if fault.is_its_own()
                    && faults.too_many()
                    && let Some(first) = batch.first()
                {
                    self.pause_for_faults(&first.target, fault).await;
                }
            }
        }
        batch
            .into_iter()
            .zip(sent.outcomes)
            .map(|(claimed, outcome)| {
                let proposed = ready.module.manifest.on_unknown;
                let own = claimed.notification.on_unknown;
                let on_unknown = own.or(self.settings.delivery.on_unknown).or(proposed).unwrap_or(OnUnknown::Resend);
                // Nothing asks for receipts yet, so that what a provider has taken counts as delivered.
                let can_learn_more = false;
                let settlement = retry::settle(
                    &claimed.notification.standing(),
                    &outcome,
                    &self.retry_policy(on_unknown),
                    can_learn_more,
                    ended,
                    (self.jitter)(),
                );
                let failed = outcome.failure().is_some();
                let attempt = Attempt {
                    phase: sent.phase.filter(|_| failed),
                    log: sent.log.clone(),
                    component_digest: Some(ready.module.digest.clone()),
                    ..Attempt::new(claimed.attempt, began, ended, &outcome, self.engine)
                };
                Finished { claimed, outcome, settlement, attempt }
            })
            .collect()
    }

    /// What may still be sent: not what its user has opted out of since the claim. Where that cannot be known, nothing.
    async fn still_to_be_sent(&self, batch: Vec<Claimed>) -> Vec<Claimed> {
        let claims: Vec<Claim> = batch.iter().map(|claimed| claimed.claim).collect();
        let answers = match self.store.recheck(&claims, self.clock.now()).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::error!(error = log_text(&error), "what is to be sent cannot be checked once more");
                self.give_back(&batch).await;
                return Vec::new();
            }
        };
        let mut left = Vec::with_capacity(batch.len());
        for (claimed, answer) in batch.into_iter().zip(answers) {
            match answer {
                Recheck::Send => left.push(claimed),
                Recheck::Ended(status) => (self.observer)(&Event::Ended(&claimed.ended(status))),
                Recheck::Stale => tracing::warn!(
                    notification = %claimed.notification.id,
                    "it is not sent: the claim had been taken from this engine"
                ),
            }
        }
        left
    }

    /// Whether a claim's lease could end before a call that began now has been settled.
    fn is_too_late(&self, lease_until: Timestamp) -> bool {
        let wall = SignedDuration::try_from(self.settings.sandbox.wall).unwrap_or(SignedDuration::MAX);
        let needed = wall.saturating_add(MARGIN);
        self.clock.now().checked_add(needed).is_ok_and(|end| end > lease_until)
    }

    pub(super) async fn give_back(&self, batch: &[Claimed]) {
        let claims: Vec<Claim> = batch.iter().map(|claimed| claimed.claim).collect();
        if let Err(error) = self.store.release(&claims, self.clock.now()).await {
            tracing::warn!(error = log_text(&error), "claims could not be given back, and end with their lease");
        }
    }
}

fn delivery(claimed: &Claimed) -> Delivery<'_> {
    Delivery {
        notification: &claimed.notification,
        user: &claimed.user,
        record: &claimed.record,
        attempt: claimed.attempt,
        last_attempt: retry::is_last_attempt(&claimed.notification.standing()),
        previous: claimed.previous.as_ref().map(|previous| Previous {
            last: previous.last,
            provider_id: &previous.provider_id,
            unknown_since: previous.unknown_since,
        }),
    }
}
