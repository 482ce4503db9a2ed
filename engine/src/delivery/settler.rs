//! Outcomes are written back in batches: many attempts share one commit, and none waits long for it.
//!
//! What cannot be written is tried again, the same batch; senders wait meanwhile once the queue is full, so that no more is
//! sent than can be remembered.

use super::{Event, Observer, log_text, patiently};
use crate::clock::Clock;
use crate::rules::outcome::Outcome;
use crate::rules::retry::{Settlement, TargetChange};
use crate::store::{Claimed, Settled, Settling, Store, StoreError};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinHandle, JoinSet};

/// How many outcomes share a commit, how long the first of them waits for the others, how many commits may be under way at once, and how many outcomes
/// may wait for their turn. What is sent again after an engine has died is at most these, `(1 + WRITING) * BATCH + QUEUE`, and what was being sent.
const BATCH: usize = 500;
const LINGER: Duration = Duration::from_millis(5);
const WRITING: usize = 2;
const QUEUE: usize = 500;

/// How many kibibytes outcomes take that wait to be written, or are being written.
const MOST: u32 = 64 << 10;

/// An attempt that has ended, and what follows from it.
#[derive(Debug)]
pub(super) struct Finished {
    pub claimed: Claimed,
    pub outcome: Outcome,
    pub settled: Settled,
}

/// The task that writes outcomes back.
pub(super) struct Settler {
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    task: JoinHandle<Result<(), StoreError>>,
}

/// A place to hand outcomes in, and the room for them.
#[derive(Clone)]
pub(super) struct SettlerHandle(mpsc::Sender<Waiting>, Arc<Semaphore>);

/// An outcome, and the room that it takes until it is written.
type Waiting = (Finished, Option<OwnedSemaphorePermit>);

impl SettlerHandle {
    /// Hands outcomes in; waits while too many are not written yet.
    pub async fn settle(&self, finished: Vec<Finished>) {
        let SettlerHandle(queue, room) = self;
        for one in finished {
            let kibibytes = (one.claimed.memory() + one.settled.attempt.log.len()).div_ceil(1024);
            let taken = u32::try_from(kibibytes).unwrap_or(MOST).min(MOST);
            // A closed semaphore, which this never is, would only mean that nothing bounds it.
            let room = room.clone().acquire_many_owned(taken).await.ok();
            // The settler ends only after all handles are gone.
            let _ = queue.send((one, room)).await;
        }
    }
}

impl Settler {
    pub fn start(store: Store, clock: Clock, observer: Observer) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let room = Arc::new(Semaphore::new(MOST as usize));
        Settler { queue, room, task: tokio::spawn(write_back(store, clock, observer, waiting)) }
    }

    pub fn handle(&self) -> SettlerHandle {
        SettlerHandle(self.queue.clone(), self.room.clone())
    }

    /// Writes all that has been handed in. All other handles must be gone. Fails if there were outcomes that could not be written.
    pub async fn flush(self) -> Result<(), StoreError> {
        drop(self.queue);
        self.task.await.unwrap_or_else(|error| {
            tracing::error!("the task that writes outcomes back failed: {error}");
            Ok(())
        })
    }
}

async fn write_back(
    store: Store,
    clock: Clock,
    observer: Observer,
    mut waiting: mpsc::Receiver<Waiting>,
) -> Result<(), StoreError> {
    let mut all_written = Ok(());
    let mut writing = JoinSet::new();
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        let full = async {
            while batch.len() < BATCH {
                match waiting.recv().await {
                    Some(next) => batch.push(next),
                    None => break,
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, full).await;
        while writing.len() >= WRITING {
            all_written = all_written.and(written(writing.join_next().await));
        }
        writing.spawn(write(store.clone(), clock.clone(), observer.clone(), batch));
    }
    while !writing.is_empty() {
        all_written = all_written.and(written(writing.join_next().await));
    }
    all_written
}

/// What became of a batch.
fn written(joined: Option<Result<Result<(), StoreError>, JoinError>>) -> Result<(), StoreError> {
    match joined {
        Some(Ok(written)) => written,
        Some(Err(error)) => {
            tracing::error!("a task that writes outcomes back failed: {error}");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Writes a batch, as often as it takes, and tells of it.
async fn write(store: Store, clock: Clock, observer: Observer, batch: Vec<Waiting>) -> Result<(), StoreError> {
    let (batch, _room): (Vec<Finished>, Vec<_>) = batch.into_iter().unzip();
    let (batch, settled): (Vec<(Claimed, Outcome)>, Vec<Settled>) =
        batch.into_iter().map(|finished| ((finished.claimed, finished.outcome), finished.settled)).unzip();
    let (written, all_written) = settle(&store, &clock, &settled).await;
    let mut paused = HashSet::new();
    for (((claimed, outcome), Settled { settlement, attempt, .. }), settling) in batch.iter().zip(&settled).zip(written)
    {
        let Some(settling) = settling else { continue };
        if let (Settling::Applied | Settling::Ended(_), TargetChange::Pause { reason, .. }) =
            (settling, &settlement.target)
            && paused.insert(claimed.target.id)
        {
            tracing::warn!(target = claimed.target.name, reason, "a target is paused until `engine target resume`");
        }
        match settling {
            Settling::Applied => observer(&Event::Attempted { claimed, attempt, outcome, settlement }),
            Settling::Ended(status) => {
                let settlement = Settlement { status, ..settlement.clone() };
                observer(&Event::Attempted { claimed, attempt, outcome, settlement: &settlement });
            }
            Settling::Stale => tracing::warn!(
                notification = %claimed.notification.id,
                "an outcome came too late: the claim had been taken from this engine"
            ),
        }
    }
    all_written
}

/// What became of each outcome, and whether all could be written. One that cannot be does not take the others of its batch along, whose notifications would be
/// sent again.
async fn settle(store: &Store, clock: &Clock, settled: &[Settled]) -> (Vec<Option<Settling>>, Result<(), StoreError>) {
    let written = patiently("outcomes cannot be written yet", || store.settle(settled, clock.now())).await;
    let error = match written {
        Ok(written) => return (written.into_iter().map(Some).collect(), Ok(())),
        Err(error) => error,
    };
    if let [one] = settled {
        // The claim ends with its lease and is dealt with as unknown, which is what it is now.
        let notification = one.claim.notification;
        tracing::error!(error = log_text(&error), %notification, "an outcome cannot be written");
        return (vec![None], Err(error));
    }
    let (first, second) = settled.split_at(settled.len() / 2);
    let (mut written, of_first) = Box::pin(settle(store, clock, first)).await;
    let (others, of_second) = Box::pin(settle(store, clock, second)).await;
    written.extend(others);
    (written, of_first.and(of_second))
}
