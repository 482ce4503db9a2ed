//! What a target may use can change while much is claimed for it: a grant that is taken away, or a secret that is changed, counts soon.

use super::{Deliverer, log_text};
use crate::host::Ready;
use crate::rules::tenant::Tenant;
use crate::store::Claimed;
use crate::targets::{self, Unready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what was taken away may still be used by calls that begin.
const NOTICED: Duration = Duration::from_secs(1);

/// The target of a lane as it was last set up, and when somebody last asked.
#[derive(Default)]
pub(super) struct Newest(Mutex<(Option<Arc<Ready>>, Option<Instant>)>);

impl Newest {
    /// The newest that is known, and whether it is time to ask for a newer one.
    fn look(&self, claimed: &Arc<Ready>) -> (Arc<Ready>, bool) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newer = |known: &&Arc<Ready>| known.revision > claimed.revision;
        let ready = newest.0.as_ref().filter(is_newer).unwrap_or(claimed).clone();
        let is_time = newest.1.is_none_or(|asked| asked.elapsed() >= NOTICED);
        if is_time {
            newest.1 = Some(Instant::now());
        }
        (ready, is_time)
    }

    /// Holds its component no longer: nothing waits that was claimed before.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
    }

    fn keep(&self, ready: &Arc<Ready>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(ready.clone());
    }
}

impl Deliverer {
    /// The target of these claims as it is set up now, or as it was a moment ago. `None` if that cannot be known, or its component cannot be used
    /// any more; the claims are given back then.
    pub(super) async fn newest(&self, newest: &Newest, claimed: &Arc<Ready>, batch: &[Claimed]) -> Option<Arc<Ready>> {
        let (ready, is_time) = newest.look(claimed);
        let target = &batch.first()?.target;
        if !is_time {
            return Some(ready);
        }
        match targets::changed(&self.store, &self.catalog, Tenant::DEFAULT, target, &ready).await {
            Ok(None) => Some(ready),
            Ok(Some(changed)) => {
                newest.keep(&changed);
                Some(changed)
            }
            Err(Unready::Store(error)) => {
                tracing::error!(error = log_text(&error), "how a target is set up cannot be looked at");
                self.give_back(batch).await;
                None
            }
            Err(Unready::Module(error)) => {
                if let Err(error) = self.pause_for_component(Tenant::DEFAULT, target, &error, batch).await {
                    tracing::error!(error = log_text(&error), "a target cannot be paused");
                    self.give_back(batch).await;
                }
                None
            }
        }
    }
}
