//! What a target may use can change while much is claimed for it: a grant that is taken away, a secret that is changed, or a pause, counts soon.

use super::{Deliverer, log_text};
use crate::host::Ready;
use crate::rules::tenant::Tenant;
use crate::store::Claimed;
use crate::targets::{self, Standing, Unready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long what was taken away may still be used by calls that begin.
const NOTICED: Duration = Duration::from_secs(1);

/// The target of a lane as it last stood.
#[derive(Default)]
pub(super) struct Newest(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Later than what was claimed with it, perhaps.
    ready: Option<Arc<Ready>>,
    paused: bool,
    /// When somebody last asked.
    asked: Option<Instant>,
}

impl Newest {
    /// A panic while it was held is impossible: nothing is called in between.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest that is known, `None` if it is paused, and whether it is time to ask for a newer one.
    fn look(&self, claimed: &Arc<Ready>) -> (Option<Arc<Ready>>, bool) {
        let mut known = self.known();
        let is_newer = |ready: &&Arc<Ready>| ready.revision > claimed.revision;
        let ready = known.ready.as_ref().filter(is_newer).unwrap_or(claimed).clone();
        let is_time = known.asked.is_none_or(|asked| asked.elapsed() >= NOTICED);
        if is_time {
            known.asked = Some(Instant::now());
        }
        ((!known.paused).then_some(ready), is_time)
    }

    /// Holds its component no longer: nothing waits that was claimed before.
    pub(super) fn forget(&self) {
        let mut known = self.known();
        (known.ready, known.paused) = (None, false);
    }
}

impl Deliverer {
    /// The target of these claims as it stands now, or as it did a moment ago. `None` if that cannot be known, it is paused, or its component cannot
    /// be used any more; the claims are given back then, and where it has another component.
    pub(super) async fn newest(&self, newest: &Newest, claimed: &Arc<Ready>, batch: &[Claimed]) -> Option<Arc<Ready>> {
        let (ready, is_time) = newest.look(claimed);
        let target = &batch.first()?.target;
        let standing = match (&ready, is_time) {
            (_, true) => {
                let known = ready.as_ref().unwrap_or(claimed);
                targets::standing(&self.store, &self.catalog, Tenant::DEFAULT, target, known).await
            }
            (Some(_), false) => Ok(Standing::AsBefore),
            (None, false) => Ok(Standing::Paused),
        };
        if is_time && let Ok(standing) = &standing {
            newest.known().paused = matches!(standing, Standing::Paused);
        }
        match standing {
            Ok(Standing::AsBefore) => Some(ready.unwrap_or_else(|| claimed.clone())),
            Ok(Standing::Changed(changed)) => {
                newest.known().ready = Some(changed.clone());
                match changed.unmet() {
                    None => Some(changed),
                    Some(unmet) => {
                        self.pause_unready(&unmet, batch).await;
                        None
                    }
                }
            }
            Ok(Standing::Replaced) => {
                self.give_back(batch).await;
                None
            }
            Ok(Standing::Paused) => {
                self.hold_back(batch, "The target is paused.").await;
                None
            }
            Err(Unready::Store(error)) => {
                tracing::error!(error = log_text(&error), "how a target is set up cannot be looked at");
                self.give_back(batch).await;
                None
            }
            Err(Unready::Trouble(error)) => {
                tracing::warn!(reason = %error, "a target cannot be made ready yet");
                self.give_back(batch).await;
                None
            }
            Err(Unready::Module(error)) => {
                self.pause_unready(&error, batch).await;
                None
            }
        }
    }
}
