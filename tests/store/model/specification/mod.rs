//! The delivery core, written down: what the store's verbs of delivery do, for one tenant, without a database.
//!
//! The verbs are the store's, with the same arguments and the same answers, in files of the same names. What is decided is asked of
//! `engine::rules`, as the store does; only what the statements do stands here a second time. Nothing of it is fast, and all of it is meant
//! to be read: here what is kept, and how it comes to be.

mod claims;
mod interventions;
mod settlements;
mod surroundings;

use std::collections::BTreeMap;

use engine::rules::attempt::Attempt;
use engine::rules::notification::{NewNotification, Notification, OnUnknown};
use engine::rules::status::Status;
use engine::rules::target::{Target, TargetUserRecord};
use engine::rules::user::User;
use engine::store::{Claim, Creation, Thing};
use jiff::Timestamp;
use uuid::Uuid;

use super::calls::Refusal;
use crate::store::TENANT;

type Result<T> = std::result::Result<T, Refusal>;

/// Everything that is kept, by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    pub users: BTreeMap<Uuid, User>,
    pub targets: BTreeMap<Uuid, Target>,
    pub records: BTreeMap<Uuid, TargetUserRecord>,
    /// Of each user who has ever opted out, whether that stands, and since when.
    pub opt_outs: BTreeMap<Uuid, (bool, Timestamp)>,
    pub notifications: BTreeMap<Uuid, Kept>,
    /// When each engine that runs was last heard of.
    pub engines: BTreeMap<Uuid, Timestamp>,
}

/// A notification with what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub notification: Notification,
    /// How many claims there have been. It is never reset.
    pub fence: i64,
    pub claim: Option<Held>,
    /// In the order in which they were made.
    pub attempts: Vec<Attempt>,
    pub lease_deaths: u32,
    /// Marks of what became of it while it was claimed; with either of them it never waits again.
    pub opted_out: bool,
    pub canceled: bool,
}

/// A claim, as it stands beside its notification.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub engine: Uuid,
    pub since: Timestamp,
    pub until: Timestamp,
    /// The policy under which its send may have begun.
    pub sending: Option<OnUnknown>,
}

impl Kept {
    /// Whether it waits for its time, and no engine is at work on it.
    pub fn waits(&self) -> bool {
        self.notification.status.claimable() && self.claim.is_none()
    }

    /// What it is instead of waiting again.
    pub fn taken_back(&self) -> Option<Status> {
        match (self.opted_out, self.canceled) {
            (true, _) => Some(Status::OptedOut),
            (false, true) => Some(Status::Canceled),
            (false, false) => None,
        }
    }

    fn change(&mut self, status: Status, now: Timestamp) {
        self.notification.status = status;
        self.notification.modified_date = now;
    }
}

/// Creation.
impl Model {
    /// All or none; what has an idempotency key that is there already is not stored again.
    pub fn create(&mut self, batch: &[NewNotification], now: Timestamp) -> Result<Vec<Creation>> {
        for new in batch {
            new.check().map_err(|invalid| Refusal::Invalid(invalid.field))?;
        }
        for new in batch {
            self.refuse_unreachable(new.target_user_record)?;
        }
        Ok(batch.iter().map(|new| self.create_one(new.clone(), now)).collect())
    }

    fn create_one(&mut self, new: NewNotification, now: Timestamp) -> Creation {
        let same_key =
            |kept: &&Kept| new.idempotency_key.is_some() && kept.notification.idempotency_key == new.idempotency_key;
        if let Some(known) = self.notifications.values().find(same_key) {
            return Creation::Duplicate(known.notification.id);
        }
        let notification = Notification {
            id: new.id,
            tenant: TENANT,
            target_user_record: new.target_user_record,
            title: new.title,
            body: new.body,
            extra: new.extra,
            status: Status::Scheduled,
            scheduled_delivery: new.scheduled_delivery,
            attempted_delivery: None,
            retry_time_interval: new.retry_time_interval,
            retry_attempts: 0,
            max_retries: new.max_retries,
            expires_at: new.expires_at,
            idempotency_key: new.idempotency_key,
            on_unknown: new.on_unknown,
            created_date: now,
            modified_date: now,
        };
        let (attempts, fence) = (Vec::new(), 0);
        let kept =
            Kept { notification, fence, claim: None, attempts, lease_deaths: 0, opted_out: false, canceled: false };
        self.notifications.insert(new.id, kept);
        Creation::Created(new.id)
    }

    fn refuse_unreachable(&self, record: Uuid) -> Result<()> {
        let record = self.records.get(&record).ok_or(Refusal::NotFound(Thing::Record))?;
        match record {
            _ if self.is_opted_out(record.user) => Err(Refusal::OptedOut),
            TargetUserRecord { active: false, .. } => Err(Refusal::Inactive),
            _ => Ok(()),
        }
    }
}

/// What everything else asks.
impl Model {
    /// Whether a claim is still valid: it has not ended, and there was none after it.
    pub fn holds(&self, claim: &Claim) -> bool {
        let kept = self.notifications.get(&claim.notification).filter(|_| claim.tenant == TENANT);
        kept.is_some_and(|kept| kept.claim.is_some() && kept.fence == claim.fence)
    }

    fn held(&mut self, claim: &Claim) -> Option<&mut Kept> {
        self.holds(claim).then(|| self.kept_mut(claim.notification))
    }

    fn kept_mut(&mut self, id: Uuid) -> &mut Kept {
        self.notifications.get_mut(&id).expect("it was found before")
    }

    pub fn record_of(&self, kept: &Kept) -> &TargetUserRecord {
        &self.records[&kept.notification.target_user_record]
    }

    pub fn is_opted_out(&self, user: Uuid) -> bool {
        self.opt_outs.get(&user).is_some_and(|(active, _)| *active)
    }
}
