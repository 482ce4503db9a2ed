//! Users, records and targets, as far as delivery depends on them.

use engine::rules::status::Status;
use engine::rules::target::{MAX_FAULTS, Pause, Target, TargetUserRecord};
use engine::store::Thing;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Model, Result};
use crate::store::model::calls::Refusal;

impl Model {
    /// Ends what waits, and marks what is claimed.
    pub fn opt_out(&mut self, user: Uuid, now: Timestamp) -> Result<u64> {
        self.say(user, true, now)?;
        let mut ended = 0;
        for kept in self.notifications.values_mut() {
            let is_theirs = self.records[&kept.notification.target_user_record].user == user;
            if !is_theirs || !kept.notification.status.claimable() {
                continue;
            }
            kept.opted_out = true;
            if kept.claim.is_some() {
                kept.change(kept.notification.status, now);
            } else {
                kept.change(Status::OptedOut, now);
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Nothing that was ended comes back.
    pub fn opt_in(&mut self, user: Uuid, now: Timestamp) -> Result<()> {
        self.say(user, false, now)
    }

    fn say(&mut self, user: Uuid, opted_out: bool, now: Timestamp) -> Result<()> {
        self.users.get(&user).ok_or(Refusal::NotFound(Thing::User))?;
        self.opt_outs.insert(user, (opted_out, now));
        Ok(())
    }

    /// The first reason stays.
    pub fn switch_off(&mut self, record: Uuid, reason: &str) -> Result<()> {
        let record = self.record_mut(record)?;
        if record.active {
            (record.active, record.inactive_reason) = (false, Some(reason.to_owned()));
        }
        Ok(())
    }

    pub fn switch_on(&mut self, record: Uuid) -> Result<()> {
        let record = self.record_mut(record)?;
        (record.active, record.inactive_reason) = (true, None);
        Ok(())
    }

    /// The first reason stays.
    pub fn pause(&mut self, target: Uuid, pause: Pause) -> Result<()> {
        self.target_mut(target)?.pause.get_or_insert(pause);
        Ok(())
    }

    pub fn resume(&mut self, target: Uuid) -> Result<()> {
        let target = self.target_mut(target)?;
        (target.pause, target.slowed_until, target.faults) = (None, None, 0);
        Ok(())
    }

    /// The latest time stays.
    pub fn slow_down(&mut self, target: Uuid, until: Timestamp) -> Result<()> {
        let target = self.target_mut(target)?;
        target.slowed_until = target.slowed_until.max(Some(until));
        Ok(())
    }

    /// The last that is borne pauses the target.
    pub fn count_fault(&mut self, target: Uuid, pause: Pause) -> Result<u64> {
        let target = self.target_mut(target)?;
        target.faults += 1;
        if target.faults >= MAX_FAULTS {
            target.pause.get_or_insert(pause);
        }
        Ok(target.faults.into())
    }

    /// What a pause came from stays.
    pub fn forget_faults(&mut self, target: Uuid) -> Result<()> {
        let target = self.target_mut(target)?;
        if target.pause.is_none() {
            target.faults = 0;
        }
        Ok(())
    }

    fn record_mut(&mut self, id: Uuid) -> Result<&mut TargetUserRecord> {
        self.records.get_mut(&id).ok_or(Refusal::NotFound(Thing::Record))
    }

    fn target_mut(&mut self, id: Uuid) -> Result<&mut Target> {
        self.targets.get_mut(&id).ok_or(Refusal::NotFound(Thing::Target))
    }
}
