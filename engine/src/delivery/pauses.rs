//! Targets whose component cannot be used, or fails in call after call: they alone are paused. The next start tries a component that could not
//! be used again; one that has failed too often is called again when a person says so.

use super::attempt::Faults;
use super::{Deliverer, Event, log_text};
use crate::host::{Fault, ModuleError, Ready};
use crate::rules::target::{MAX_FAULTS, Pause, PauseKind, Target};
use crate::rules::tenant::Tenant;
use crate::store::{Claimed, StoreError};
use std::sync::atomic::Ordering;

impl Deliverer {
    /// Pauses a target with the reason, and gives its claims back, even if that cannot be written: nothing was sent, and nothing counts.
    pub(super) async fn pause_for_component(
        &self,
        tenant: Tenant,
        target: &Target,
        error: &ModuleError,
        claimed: &[Claimed],
    ) -> Result<(), StoreError> {
        let reason = error.to_string();
        tracing::error!(target = target.name, reason, "a target is paused because its component cannot be used");
        let paused = self.store.pause_target(tenant, target.id, &self.pause_with(&reason)).await;
        self.hold_back(claimed, &reason).await;
        paused
    }

    /// The same where that it cannot be written is no reason to end.
    pub(super) async fn pause_unready(&self, why: &ModuleError, claimed: &[Claimed]) {
        let Some(first) = claimed.first() else { return };
        if let Err(error) = self.pause_for_component(Tenant::DEFAULT, &first.target, why, claimed).await {
            tracing::error!(error = log_text(&error), "a target cannot be paused");
        }
    }

    /// Counts what came of a call, and pauses the target whose component has failed once too often. That this cannot be written down is no
    /// reason to end.
    pub(super) async fn remember(&self, claimed: &Claimed, ready: &Ready, fault: Option<&Fault>, faults: &Faults) {
        let (target, id) = (&claimed.target, claimed.notification.id);
        let remembered = async {
            match fault {
                None if faults.failing.swap(false, Ordering::Relaxed) => {
                    self.store.forget_faults(Tenant::DEFAULT, target.id).await
                }
                Some(fault) if fault.is_its_own() => {
                    faults.failing.store(true, Ordering::Relaxed);
                    let reason = format!(
                        "The component ({}) failed in {MAX_FAULTS} calls in a row, at last with notification {id}: {fault} Another version of it is called once it is installed.",
                        ready.module.version()
                    );
                    let (digest, pause) = (&ready.module.digest, self.pause_with(&reason));
                    let counted = self.store.count_fault(Tenant::DEFAULT, target.id, digest, &pause).await?;
                    if counted >= MAX_FAULTS {
                        faults.pauses.fetch_add(1, Ordering::Relaxed);
                    }
                    // Those calls that were under way meanwhile say nothing new.
                    if counted == MAX_FAULTS {
                        tracing::error!(target = target.name, reason, "a target is paused because its component fails");
                    }
                    Ok(())
                }
                _ => Ok(()),
            }
        };
        if let Err(error) = remembered.await {
            tracing::error!(target = target.name, error = log_text(&error), "a component's faults cannot be counted");
        }
    }

    /// Gives claims back that were taken before their target was paused.
    pub(super) async fn hold_back(&self, claimed: &[Claimed], reason: &str) {
        self.give_back(claimed).await;
        self.tell_of_waiting(claimed, reason);
    }

    fn pause_with(&self, reason: &str) -> Pause {
        Pause { kind: PauseKind::Component, reason: reason.to_owned(), since: self.clock.now() }
    }

    fn tell_of_waiting(&self, claimed: &[Claimed], reason: &str) {
        for Claimed { user, notification, target, .. } in claimed {
            (self.observer)(&Event::Waits { user, notification, target, reason });
        }
    }

    /// Resumes the targets that were paused for a component which could not be used: whether it can now is found when something is due, and others
    /// do not wait for that.
    pub(super) async fn resume_unusable(&self) -> Result<(), StoreError> {
        for target in self.store.list_targets(Tenant::DEFAULT).await? {
            if target.is_unready() {
                self.store.resume_target(Tenant::DEFAULT, target.id, self.clock.now()).await?;
            }
        }
        Ok(())
    }
}
