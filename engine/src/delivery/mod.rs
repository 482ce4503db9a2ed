//! Delivery: what is due is claimed, attempted and settled, until it is told to stop.
//!
//! In reading order: here the loop, `work` (what is under way: claimed, begun, given back), `preparing` (targets are made ready to be called),
//! `lanes` and `lane` (what is claimed waits for its turn in its target), `memory` (how much that may be), `slots` (when it is its turn), `pace` and `kept_paces`
//! (how its calls go, and that this is kept), `attempt` (one call of a handler, a pipeline over one value), `settler` (outcomes are written back in batches), `heart`
//! (engines hear of each other, and what time it is), `pauses` (targets whose component cannot be used), `newest` (what a target may use has
//! changed), `purge` (what is not kept any longer).

mod attempt;
mod heart;
mod kept_paces;
mod lane;
mod lanes;
mod memory;
mod newest;
mod pace;
mod pauses;
mod preparing;
mod purge;
mod settler;
mod slots;
mod work;

use crate::clock::Clock;
use crate::host::Catalog;
use crate::rules::attempt::Attempt;
use crate::rules::budget::Limit;
use crate::rules::notification::{Notification, OnUnknown};
use crate::rules::outcome::Outcome;
use crate::rules::retry::{RetryPolicy, Settlement};
use crate::rules::status::Status;
use crate::rules::target::Target;
use crate::rules::user::User;
use crate::settings::Settings;
use crate::store::{Claimed, DelivererLock, Ended, Lost, Store, StoreError, Targets, Watch};
use jiff::{SignedDuration, Timestamp};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;
use work::{Found, Work};

/// After what silence an engine is taken for dead.
const SILENCE: SignedDuration = SignedDuration::from_secs(20);
/// How much longer a claim is valid than a call may take: the time that it may wait for a free slot.
const WAITING: SignedDuration = SignedDuration::from_secs(150);
/// How often a waiting engine looks for what is due even if nobody has told it.
const LOOK: Duration = Duration::from_millis(500);
/// How often it looks while targets are full: what is due in them says nothing about others.
const GLANCE: Duration = Duration::from_millis(10);
/// How long to wait before something is tried again that must be written: at first, and at most.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long it waits at most for others that are silent, to see whether they live or to take what they have left: its heart does in a third of that.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
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
        let _lock = self.begin().await?;
        begun();
        let heart = tokio::spawn(self.clone().beat(Arc::default()));
        let purging = tokio::spawn(self.clone().purge_always());
        let mut watch = self.store.watch().await?;
        let mut work = Work::new(self, Chosen::default(), self.paces().await?);
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
        let lock = self.begin().await?;
        let rescued = Arc::<AtomicU64>::default();
        let heart = tokio::spawn(self.clone().beat(rescued.clone()));
        let (mut now, began) = (self.clock.now(), Instant::now());
        let mut work = Work::new(self, chosen, self.paces().await?);
        let result = {
            tokio::pin!(stop);
            loop {
                match work.claim(now).await {
                    Ok(Found::Some) => {
                        if futures::FutureExt::now_or_never(&mut stop).is_some() {
                            break Ok(Stopped::Early);
                        }
                    }
                    Ok(Found::None) if work.is_idle() && lock.is_none() && !work.is_done() => {
                        // What the dead were sending is due once the heart has taken it.
                        if rescued.swap(0, Ordering::Relaxed) > 0 {
                            now = self.clock.now();
                            continue;
                        }
                        let is_in_time = began.elapsed() < LONGEST_SILENCE;
                        let silent = silent_since(self.clock.now());
                        if !is_in_time || !self.store.has_silent_engines(self.engine, silent).await? {
                            break Ok(Stopped::Drained);
                        }
                        tokio::select! {
                            () = &mut stop => break Ok(Stopped::Early),
                            () = tokio::time::sleep(LOOK) => {}
                        }
                    }
                    Ok(Found::None) if work.is_idle() => break Ok(Stopped::Drained),
                    Ok(Found::None) => tokio::select! {
                        () = &mut stop => break Ok(Stopped::Early),
                        () = work.room() => {}
                    },
                    // There may be room though nothing ends: a target that was put off for want of it is looked at again.
                    Ok(Found::NoRoom) => tokio::select! {
                        () = &mut stop => break Ok(Stopped::Early),
                        () = work.room() => {}
                        () = tokio::time::sleep(LOOK) => {}
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

    /// Takes the database for itself, where it can, and picks up what a dead engine has left. Where others may be at work, it leaves that to its heart: the
    /// database may have been away until now, and all others with it, who hold outcomes that they are about to write.
    async fn begin(&self) -> Result<Option<DelivererLock>, StoreError> {
        let lock = self.store.lock_deliverer()?;
        let now = self.clock.now();
        self.store.heartbeat(self.engine, now).await?;
        // Whoever has the database for itself knows that all others are dead.
        let rescued = match &lock {
            Some(_) => self.store.rescue(self.engine, Lost::OfOthers, now).await?,
            None => 0,
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
