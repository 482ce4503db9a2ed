//! What has ended long enough ago is removed, some at a time, so that it never stands before what is due.

use super::{Deliverer, log_text};
use crate::rules::tenant::Tenant;
use crate::store::StoreError;
use jiff::SignedDuration;
use std::time::Duration;

/// How much is removed in one transaction, and how long others have their turn in between.
const BATCH: u32 = 500;
const PAUSE: Duration = Duration::from_millis(100);
/// How often is looked for more.
const EVERY: Duration = Duration::from_secs(600);

impl Deliverer {
    /// Removes what the settings do not keep, for as long as the engine runs.
    pub(super) async fn purge_always(self) {
        loop {
            if let Err(error) = self.purge().await {
                tracing::error!(error = log_text(&error), "what has ended long ago cannot be removed");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Removes all that the settings do not keep.
    pub(super) async fn purge(&self) -> Result<(), StoreError> {
        let Some(kept) = self.settings.retention.ended.and_then(|kept| SignedDuration::try_from(kept).ok()) else {
            return Ok(());
        };
        let Ok(before) = self.clock.now().checked_sub(kept) else { return Ok(()) };
        while self.store.purge(Tenant::DEFAULT, before, BATCH).await? == u64::from(BATCH) {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}
