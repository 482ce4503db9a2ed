//! The engine's heart: at each beat it says that it lives, compares its clock with the database's, and takes the claims of engines that do
//! not live any more.

use super::{Deliverer, log_text, silent_since};
use crate::rules::clock::{Verdict, verdict};
use crate::rules::rescue;
use crate::store::{Lost, StoreError};
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often an engine says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Where time has gone back by less, what waits is late by less than a rescue may take, and nothing is done about it.
const SET_BACK: SignedDuration = SignedDuration::from_secs(20);

/// What is remembered from one beat to the next.
#[derive(Default)]
struct Before {
    /// When the silence of others last said nothing about them: the database was away, or a clock was set.
    disturbed: Option<Instant>,
    /// Whether the clock's being far behind was doubted.
    doubted: bool,
    /// By how much it went back, where that is not written down yet.
    went_back: Option<Duration>,
}

impl Deliverer {
    /// Beats for as long as it is let, and counts the claims that it takes.
    pub(super) async fn beat(self, taken: Arc<AtomicU64>) {
        let mut before = Before::default();
        for beat in 1_u32.. {
            tokio::time::sleep(HEARTBEAT).await;
            match self.beat_once(beat, &mut before).await {
                Ok(0) => {}
                Ok(rescued) => {
                    taken.fetch_add(rescued, Ordering::Relaxed);
                    tracing::warn!(rescued, "claims were lost, and are dealt with as unknown");
                }
                Err(error) => {
                    before.disturbed = Some(Instant::now());
                    tracing::error!(error = log_text(&error), "the engine could not say that it lives");
                }
            }
        }
    }

    /// How many claims it took.
    async fn beat_once(&self, beat: u32, before: &mut Before) -> Result<u64, StoreError> {
        self.follow(before).await?;
        let now = self.clock.now();
        self.store.heartbeat(self.engine, now).await?;
        let silent = silent_since(now);
        let has_silent = self.store.has_silent_engines(self.engine, silent).await?;
        if rescue::is_due(beat, before.disturbed.map(|disturbed| disturbed.elapsed()), has_silent) {
            return self.store.rescue(self.engine, Lost::OfSilentSince(silent), now).await;
        }
        Ok(0)
    }

    /// Puts the engine's clock right.
    async fn follow(&self, before: &mut Before) -> Result<(), StoreError> {
        let asked = Instant::now();
        let time = self.store.time().await?;
        let behind = self.clock.behind(time);
        let verdict = verdict(behind, asked.elapsed(), before.doubted);
        before.doubted = verdict == Verdict::Doubted;
        match verdict {
            Verdict::Agrees => {}
            Verdict::Drifted => self.clock.put_right(behind),
            Verdict::Doubted => {
                tracing::warn!(%time, ?behind, "the clock of the database was put far ahead; it is believed if it stays so");
            }
            Verdict::WasSet => {
                tracing::warn!(%time, ?behind, "the clock of the database was set, and the engine follows");
                self.clock.put_right(behind);
                before.disturbed = Some(Instant::now());
                if behind < -SET_BACK {
                    *before.went_back.get_or_insert_default() += behind.unsigned_abs();
                }
            }
        }
        // Until it is written: what was due would else wait for as long as the clock went back.
        if let Some(by) = before.went_back {
            let moved = self.store.time_went_back(time, by).await?;
            before.went_back = None;
            tracing::warn!(moved, "what had been due before the clock was set back is due still");
        }
        Ok(())
    }
}
