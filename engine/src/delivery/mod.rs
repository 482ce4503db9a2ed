//! Delivery: what is due is claimed, attempted and settled, until it is told to stop.
//!
//! In reading order: here the loop, `preparing` (targets are made ready to be called), `lanes` and `lane` (what is claimed waits for its turn in its target), `memory` (how much that may be), `slots` (when it is its turn), `attempt` (one call of a handler, a
//! pipeline over one value), `settler` (outcomes are written back in batches), `heart` (engines hear of each other, and what time it is), `pauses`
//! (targets whose component cannot be used), `newest` (what a target may use has changed), `purge` (what is not kept any longer).

mod attempt;
mod heart;
mod lane;
mod lanes;
mod memory;
mod newest;
mod pauses;
mod preparing;
mod purge;
mod settler;
mod slots;

use crate::clock::Clock;
use crate::host::{Catalog, Ready};
use crate::rules::attempt::Attempt;
use crate::rules::budget::Limit;
use crate::rules::notification::{Notification, OnUnknown};
use crate::rules::outcome::Outcome;
use crate::rules::retry::{RetryPolicy, Settlement};
use crate::rules::status::Status;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::settings::Settings;
use crate::store::{ClaimRequest, Claimed, DelivererLock, Ended, Lost, Store, StoreError, Targets, Watch};
use crate::targets::Unready;
use jiff::{SignedDuration, Timestamp};
use lanes::{Lanes, Terms};
use preparing::{Prepared, Preparing};
use settler::Settler;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// After what silence an engine is taken for dead.
const SILENCE: SignedDuration = SignedDuration::from_secs(20);
/// How much longer a claim is valid than a call may take: the time that it may wait for a free slot.
const WAITING: SignedDuration = SignedDuration::from_secs(150);
/// How often a waiting engine looks for what is due even if nobody has told it.
const LOOK: Duration = Duration::from_millis(500);
/// How often it looks while targets are full: what is due in them says nothing about others.
const GLANCE: Duration = Duration::from_millis(10);
/// How often it looks for claims that cannot wait any longer.
const LATE: Duration = Duration::from_secs(5);
/// How long to wait before something is tried again that must be written: at first, and at most.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long outcomes may still take to be written after calls were cut off.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long it waits after the database could not be used.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What happened to one notification, told once it is written down.
#[derive(Debug)]
pub enum Event<'a> {
    /// It was attempted.
    Attempted { claimed: &'a Claimed, attempt: &'a Attempt, outcome: &'a Outcome, settlement: &'a Settlement },
    /// It ended without an attempt.
    Ended(&'a Ended),
    /// Its target cannot deliver, for this reason; it waits.
    Waits { user: &'a User, notification: &'a Notification, target: &'a Target, reason: &'a str },
}

impl Event<'_> {
    /// What the notification has become.
    pub fn status(&self) -> Status {
        match self {
            Event::Attempted { settlement, .. } => settlement.status,
            Event::Ended(ended) => ended.status,
            Event::Waits { notification, .. } => notification.status,
        }
    }
}

/// Who is told of events.
pub type Observer = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// All that delivery needs.
#[derive(Clone)]
pub struct Deliverer {
    pub store: Store,
    pub catalog: Arc<Catalog>,
    pub settings: Arc<Settings>,
    pub clock: Clock,
    /// This engine's name among engines.
    pub engine: Uuid,
    /// A random number from -1 to 1.
    pub jitter: fn() -> f64,
    pub observer: Observer,
}

/// For how long an engine begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    ToStay,
    /// It may have ended before its first heartbeat.
    ForNow,
}

/// How delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// All that was being sent has been settled.
    Drained,
    /// The same, but not all that was due had begun: it stays due.
    Early,
    /// Calls were cut off; what they were sending is found as *unknown* at the next start.
    CutOff,
}

impl Deliverer {
    /// Delivers until `stop`, then finishes what is being sent; `stop_now`, or the time the settings give, cuts that short.
    /// `begun` is called once the database is this engine's to deliver from.
    pub async fn run(
        &self,
        begun: impl FnOnce(),
        stop: impl Future<Output = ()>,
        stop_now: impl Future<Output = ()>,
    ) -> Result<Stopped, StoreError> {
        let _lock = self.begin(Begins::ToStay).await?;
        begun();
        let heart = tokio::spawn(self.clone().beat());
        let purging = tokio::spawn(self.clone().purge_always());
        let mut watch = self.store.watch().await?;
        let mut work = Work::new(self, self.paces().await?);
        tokio::pin!(stop);
        loop {
            let claimed = match work.claim(self.clock.now()).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(error = log_text(&error), "what is due cannot be claimed");
                    tokio::select! {
                        () = &mut stop => break,
                        () = tokio::time::sleep(PAUSE_AFTER_FAILURE) => continue,
                    }
                }
            };
            match claimed {
                Found::Some => {
                    if futures::FutureExt::now_or_never(&mut stop).is_some() {
                        break;
                    }
                }
                Found::NoRoom => tokio::select! {
                    () = &mut stop => break,
                    () = work.room() => {}
                    () = tokio::time::sleep(GLANCE) => {}
                },
                Found::None => tokio::select! {
                    () = &mut stop => break,
                    () = work.room() => {}
                    () = self.something_due(&mut watch) => {}
                },
            }
        }
        let stopped = work.finish(stop_now, self.settings.delivery.stop_timeout).await;
        heart.abort();
        purging.abort();
        self.end().await;
        stopped
    }

    /// Delivers what is due now, once, until `stop`, and finishes as `run` does; what becomes due meanwhile waits for the next time.
    pub async fn process_due(
        &self,
        chosen: Chosen,
        stop: impl Future<Output = ()>,
        stop_now: impl Future<Output = ()>,
    ) -> Result<Stopped, StoreError> {
        let _lock = self.begin(Begins::ForNow).await?;
        let heart = tokio::spawn(self.clone().beat());
        let now = self.clock.now();
        let mut work = Work { chosen, ..Work::new(self, self.paces().await?) };
        let result = {
            tokio::pin!(stop);
            loop {
                match work.claim(now).await {
                    Ok(Found::Some) => {
                        if futures::FutureExt::now_or_never(&mut stop).is_some() {
                            break Ok(Stopped::Early);
                        }
                    }
                    Ok(Found::None) if work.is_idle() => break Ok(Stopped::Drained),
                    Ok(Found::None | Found::NoRoom) => tokio::select! {
                        () = &mut stop => break Ok(Stopped::Early),
                        () = work.room() => {}
                    },
                    Err(error) => break Err(error),
                }
            }
        };
        let stopped = work.finish(stop_now, self.settings.delivery.stop_timeout).await;
        let purged = self.purge().await;
        heart.abort();
        self.end().await;
        Ok(match (result?, stopped?) {
            (Stopped::Early, Stopped::Drained) => Stopped::Early,
            (_, stopped) => {
                purged?;
                stopped
            }
        })
    }

    /// Takes the database for itself, where it can, and picks up what a dead engine has left. Where others may be at work, one that stays leaves that to its
    /// heart: the database may have been away until now, and all others with it.
    async fn begin(&self, begins: Begins) -> Result<Option<DelivererLock>, StoreError> {
        let lock = self.store.lock_deliverer()?;
        let now = self.clock.now();
        self.store.heartbeat(self.engine, now).await?;
        // Whoever has the database for itself knows that all others are dead.
        let rescued = match (&lock, begins) {
            (Some(_), _) => self.store.rescue(self.engine, Lost::OfOthers, now).await?,
            (None, Begins::ForNow) => {
                self.store.rescue(self.engine, Lost::OfSilentSince(silent_since(now)), now).await?
            }
            (None, Begins::ToStay) => 0,
        };
        if rescued > 0 {
            tracing::warn!(
                rescued,
                "notifications were being sent when an engine died; they are dealt with as unknown"
            );
        }
        self.resume_unusable().await?;
        Ok(lock)
    }

    async fn end(&self) {
        if let Err(error) = self.store.engine_stopped(self.engine).await {
            tracing::warn!(error = log_text(&error), "the engine could not say that it has stopped");
        }
        self.catalog.close().await;
    }

    /// Waits until something may be due: its time has come, or somebody wrote. Whoever writes after the watch was made or last asked
    /// ends the wait, so that nothing comes between looking and waiting.
    async fn something_due(&self, watch: &mut Watch) {
        loop {
            let looked = async {
                let next = self.store.next_due().await?;
                let until = next.map(|due| self.clock.until(due));
                if until == Some(Duration::ZERO) {
                    return Ok(true);
                }
                watch.wait(until.map_or(LOOK, |until| until.min(LOOK))).await?;
                Ok::<_, StoreError>(false)
            };
            match looked.await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    tracing::error!(error = log_text(&error), "the database cannot be looked at");
                    tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                }
            }
        }
    }

    fn lease_from(&self, now: Timestamp) -> Timestamp {
        let wall =
            SignedDuration::try_from(self.settings.sandbox.largest().time(Limit::Wall)).unwrap_or(SignedDuration::MAX);
        now.checked_add(wall.saturating_add(WAITING)).unwrap_or(Timestamp::MAX)
    }

    fn retry_policy(&self, on_unknown: OnUnknown) -> RetryPolicy {
        RetryPolicy { backoff: self.settings.delivery.backoff, on_unknown, ..RetryPolicy::default() }
    }
}

/// An engine that has not been heard of since is taken for dead.
fn silent_since(now: Timestamp) -> Timestamp {
    now.checked_sub(SILENCE).unwrap_or(Timestamp::MIN)
}

/// What is to be delivered.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Only in these targets, by id.
    pub targets: Option<Vec<Uuid>>,
    /// At most so many, the earliest due first.
    pub limit: Option<usize>,
}

impl Chosen {
    /// The targets to claim for, if these have no room.
    fn targets_but(&self, full: Vec<Uuid>) -> Targets {
        match &self.targets {
            None => Targets::AllBut(full),
            Some(chosen) => Targets::Only(chosen.iter().filter(|target| !full.contains(target)).copied().collect()),
        }
    }
}

/// What a look for work brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Some,
    None,
    /// Nothing could be claimed before something that is under way has ended.
    NoRoom,
}

/// What is under way: claims that wait for a slot, calls, outcomes that wait to be written.
struct Work {
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
    /// Whether the last claim failed: what it took, if it took anything, nobody knows of.
    unanswered: bool,
}

impl Work {
    fn new(deliverer: &Deliverer, paces: HashMap<Uuid, Option<Instant>>) -> Self {
        let settler = Settler::start(deliverer.store.clone(), deliverer.clock.clone(), deliverer.observer.clone());
        let lanes = Lanes::new(deliverer, settler.handle(), paces);
        let (chosen, lease_until) = (Chosen::default(), Timestamp::MIN);
        let (deliverer, preparing) = (deliverer.clone(), Preparing::default());
        Work { deliverer, chosen, lanes, preparing, settler, lease_until, looked: None, unanswered: false }
    }

    /// How many notifications are claimed and not handed to the settler yet.
    fn under_way(&self) -> usize {
        self.lanes.under_way() + self.preparing.claims()
    }

    fn is_idle(&self) -> bool {
        self.under_way() == 0
    }

    /// Claims what is due at `now` and there is room for, and begins it.
    async fn claim(&mut self, now: Timestamp) -> Result<Found, StoreError> {
        while let Some(prepared) = self.preparing.next_ready() {
            self.begin_prepared(prepared).await?;
        }
        let late: Vec<Claimed> =
            self.lanes.take_late().into_iter().chain(self.preparing.take_late(&self.deliverer)).collect();
        self.put_off(&late).await;
        let batch = self.deliverer.settings.delivery.claim_batch;
        let (mut full, under_way) = self.lanes.full_targets();
        // A second batch is claimed while the first is being sent, so that no slot waits for the database. What waits for a target that is slow, or
        // is being made ready, takes nobody's room.
        if under_way > batch {
            return Ok(Found::NoRoom);
        }
        if self.chosen.limit == Some(0) {
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
        full.sort_unstable();
        // That nothing else is due will not have changed with every call that ends.
        if self.looked.as_ref().is_some_and(|(but, when)| *but == full && when.elapsed() < GLANCE) {
            return Ok(Found::NoRoom);
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
            Err(Unready::Module(error)) => {
                // Nothing of it was attempted, so others may be.
                if let Some(left) = &mut self.chosen.limit {
                    *left += claimed.len();
                }
                self.deliverer.pause_for_component(Tenant::DEFAULT, &target, &error, &claimed).await
            }
        }
    }

    /// Waits until something that was under way has ended, or can begin, or may wait no longer.
    async fn room(&mut self) {
        let some_wait = self.under_way() > 0;
        tokio::select! {
            () = self.lanes.room() => {}
            () = self.preparing.one_ready() => {}
            () = tokio::time::sleep(LATE), if some_wait => {}
        }
    }

    /// Fails if outcomes could not be written.
    async fn finish(mut self, stop_now: impl Future<Output = ()>, most: Duration) -> Result<Stopped, StoreError> {
        tokio::pin!(stop_now);
        self.lanes.stop_beginning();
        let stopped = tokio::select! {
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
                Stopped::Drained | Stopped::Early => stop_now.await,
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

/// Does what must not be left undone, as often as it takes: a database that is away comes back.
async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
    what: &str,
    mut work: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut wait = FIRST_WAIT;
    loop {
        match work().await {
            Err(error) if error.is_worth_another_try() => {
                tracing::error!(error = log_text(&error), "{what}");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            done => return done,
        }
    }
}

/// An error with its causes, for the log.
fn log_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
