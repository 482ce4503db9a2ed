//! Settlements, and rescue, which settles for those who will not.

use engine::rules::attempt::Attempt;
use engine::rules::rescue::{self, Rescue};
use engine::rules::retry::{RecordChange, TargetChange};
use engine::rules::target::Pause;
use engine::store::{Claim, Lost, Settled, Settling};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Kept, Model, Result};
use crate::store::TENANT;

impl Model {
    /// Writes outcomes back. A claim is good for one of them.
    pub fn settle(&mut self, batch: &[Settled], now: Timestamp) -> Vec<Settling> {
        batch.iter().map(|settled| self.settle_one(settled, now)).collect()
    }

    fn settle_one(
        &mut self,
        Settled { claim, settlement, attempt, lease_deaths }: &Settled,
        now: Timestamp,
    ) -> Settling {
        let Some(kept) = self.held(claim) else { return Settling::Stale };
        let instead = kept.taken_back().filter(|_| settlement.status.claimable());
        kept.change(instead.unwrap_or(settlement.status), now);
        kept.notification.scheduled_delivery = settlement.scheduled_delivery;
        kept.notification.attempted_delivery = settlement.attempted_delivery;
        kept.notification.retry_attempts = settlement.retry_attempts;
        kept.attempts.push(attempt.clone());
        kept.lease_deaths += lease_deaths;
        kept.claim = None;
        let record = kept.notification.target_user_record;
        let target = self.records[&record].target;
        let recorded = match &settlement.record {
            RecordChange::None => Ok(()),
            RecordChange::SwitchOff { reason } => self.switch_off(record, reason),
        };
        let targeted = match &settlement.target {
            TargetChange::None => Ok(()),
            TargetChange::SlowDown { until } => self.slow_down(target, *until),
            TargetChange::Pause { kind, reason } => {
                self.pause(target, Pause { kind: *kind, reason: reason.clone(), since: now })
            }
        };
        recorded.and(targeted).expect("what a notification belongs to is there");
        instead.map_or(Settling::Applied, Settling::Ended)
    }

    /// Takes claims from those who will not settle them any more.
    pub fn rescue(&mut self, engine: Uuid, lost: Lost, now: Timestamp) -> u64 {
        let is_dead = |holder: Uuid| match lost {
            _ if holder == engine => false,
            Lost::OfOthers => true,
            Lost::OfSilentSince(time) => self.engines.get(&holder).is_none_or(|heard_of| *heard_of < time),
        };
        let rescued = |kept: &Kept| {
            let held = kept.claim.as_ref().filter(|held| held.until <= now || is_dead(held.engine))?;
            let standing = kept.notification.standing();
            let Rescue { settlement, outcome, lease_deaths } =
                rescue::rescue(&standing, held.sending, kept.lease_deaths, now);
            let claim = Claim { tenant: TENANT, notification: kept.notification.id, fence: kept.fence };
            let attempt = Attempt::new(kept.attempts.len() as u32 + 1, held.since, now, &outcome, held.engine);
            Some(Settled { claim, settlement, attempt, lease_deaths })
        };
        let rescued: Vec<Settled> = self.notifications.values().filter_map(rescued).collect();
        self.settle(&rescued, now);
        // They are known again when they are heard of.
        self.engines.retain(|other, heard_of| {
            *other == engine || matches!(lost, Lost::OfSilentSince(time) if *heard_of >= time)
        });
        rescued.len() as u64
    }

    pub fn heartbeat(&mut self, engine: Uuid, now: Timestamp) -> Result<()> {
        self.engines.insert(engine, now);
        Ok(())
    }

    pub fn engine_stopped(&mut self, engine: Uuid) -> Result<()> {
        self.engines.remove(&engine);
        Ok(())
    }
}
