//! How the calls of targets go is kept from one engine to the next.

use super::pace::Pace;
use super::{Deliverer, log_text};
use crate::rules::tenant::Tenant;
use crate::store::StoreError;
use std::collections::HashMap;
use std::time::Instant;
use uuid::Uuid;

impl Deliverer {
    /// What is known of targets from before, by when it ends that each counts as slow.
    pub(super) async fn paces(&self) -> Result<HashMap<Uuid, Option<Instant>>, StoreError> {
        let paces = self.store.paces(Tenant::DEFAULT).await?;
        let until = |until| Instant::now() + self.clock.until(until);
        Ok(paces.into_iter().map(|(target, slow_until)| (target, slow_until.map(until))).collect())
    }

    /// Keeps it for the engines after this one. That it cannot be kept is no reason to end.
    pub(super) async fn note_pace(&self, target: Uuid, pace: &Pace) {
        let slow_until = pace.slow_for().map(|left| self.clock.now() + left);
        if let Err(error) = self.store.note_pace(Tenant::DEFAULT, target, slow_until).await {
            tracing::warn!(error = log_text(&error), "how long the calls of a target take cannot be kept");
        }
    }
}
