//! What people decide about a notification.

use engine::rules::notification::Notification;
use engine::rules::status::Status;
use engine::store::{Canceling, Thing};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Kept, Model, Result};
use crate::store::model::calls::Refusal;

impl Model {
    pub fn cancel_notification(&mut self, id: Uuid, now: Timestamp) -> Result<Canceling> {
        let kept = self.find(id)?;
        if !kept.notification.status.claimable() {
            return Err(Refusal::Invalid("status"));
        }
        kept.canceled = true;
        if kept.claim.is_some() {
            kept.change(kept.notification.status, now);
            return Ok(Canceling::Marked);
        }
        kept.change(Status::Canceled, now);
        Ok(Canceling::Canceled)
    }

    /// Due at once, with all its retries before it again.
    pub fn retry_notification(&mut self, id: Uuid, now: Timestamp) -> Result<()> {
        let Notification { target_user_record, expires_at, status, .. } = self.find(id)?.notification;
        if !matches!(status, Status::Retry | Status::Unknown | Status::DeliveryFailure) {
            return Err(Refusal::Invalid("status"));
        }
        self.refuse_unreachable(target_user_record)?;
        if expires_at.is_some_and(|expiry| expiry <= now) {
            return Err(Refusal::Invalid("expires_at"));
        }
        let kept = self.find(id)?;
        if kept.claim.is_some() {
            return Err(Refusal::Invalid("status"));
        }
        kept.change(Status::Retry, now);
        kept.notification.scheduled_delivery = now;
        kept.notification.retry_attempts = 0;
        kept.lease_deaths = 0;
        (kept.opted_out, kept.canceled) = (false, false);
        Ok(())
    }

    pub fn resolve_notification(&mut self, id: Uuid, delivered: bool, now: Timestamp) -> Result<()> {
        let kept = self.find(id)?;
        if kept.notification.status != Status::Unknown {
            return Err(Refusal::Invalid("status"));
        }
        kept.change(if delivered { Status::Delivered } else { Status::DeliveryFailure }, now);
        Ok(())
    }

    pub fn remove_notification(&mut self, id: Uuid) -> Result<()> {
        if self.find(id)?.claim.is_some() {
            return Err(Refusal::InUse(Thing::Notification));
        }
        self.notifications.remove(&id);
        Ok(())
    }

    /// Forgets what was made and ended before a time, the oldest first.
    pub fn purge(&mut self, before: Timestamp, limit: u32) -> u64 {
        let is_old = |kept: &&Kept| {
            let is_open = match kept.notification.status {
                Status::Scheduled | Status::Retry | Status::Sent | Status::Unknown => true,
                Status::Delivered
                | Status::DeliveryFailure
                | Status::InactiveDevice
                | Status::OptedOut
                | Status::Expired
                | Status::Canceled => false,
            };
            !is_open && kept.notification.modified_date < before && made_at(kept.notification.id) < before
        };
        let old = self.notifications.values().filter(is_old).take(limit as usize);
        let old: Vec<Uuid> = old.map(|kept| kept.notification.id).collect();
        self.notifications.retain(|id, _| !old.contains(id));
        old.len() as u64
    }

    fn find(&mut self, id: Uuid) -> Result<&mut Kept> {
        self.notifications.get_mut(&id).ok_or(Refusal::NotFound(Thing::Notification))
    }
}

/// An id of version 7 begins with the milliseconds at which it was made.
fn made_at(id: Uuid) -> Timestamp {
    Timestamp::from_millisecond((id.as_u128() >> 80) as i64).expect("48 bits are a time")
}
