//! Targets whose component cannot be used: they alone are paused, and go on by themselves once it can.

use super::{Deliverer, Event};
use crate::host::ModuleError;
use crate::rules::target::{Pause, PauseKind, Target};
use crate::rules::tenant::Tenant;
use crate::store::{Claim, Claimed, StoreError};

impl Deliverer {
    /// Pauses a target with the reason, and gives its claims back: nothing was sent, and nothing counts.
    pub(super) async fn pause_for_component(
        &self,
        tenant: Tenant,
        target: &Target,
        error: &ModuleError,
        claimed: &[Claimed],
    ) -> Result<(), StoreError> {
        let reason = error.to_string();
        tracing::error!(target = target.name, reason, "a target is paused because its component cannot be used");
        let now = self.clock.now();
        let pause = Pause { kind: PauseKind::Component, reason: crate::rules::limits::cut(&reason, 1000), since: now };
        self.store.pause_target(tenant, target.id, &pause).await?;
        let claims: Vec<Claim> = claimed.iter().map(|claimed| claimed.claim).collect();
        self.store.release(&claims, now).await?;
        for claimed in claimed {
            (self.observer)(&Event::Waits {
                user: &claimed.user,
                notification: &claimed.notification,
                reason: &reason,
            });
        }
        Ok(())
    }

    /// Resumes the targets that were paused for a component which can be used now.
    pub(super) async fn resume_repaired(&self) -> Result<(), StoreError> {
        for target in self.store.list_targets(Tenant::DEFAULT).await? {
            if target.pause.as_ref().is_none_or(|pause| pause.kind != PauseKind::Component) {
                continue;
            }
            match self.catalog.get(&target.notification_module_name).await {
                Ok(_) => self.store.resume_target(Tenant::DEFAULT, target.id, self.clock.now()).await?,
                Err(error) => {
                    tracing::warn!(target = target.name, reason = error.to_string(), "the target stays paused")
                }
            }
        }
        Ok(())
    }
}
