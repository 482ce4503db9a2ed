//! The store: everything that is kept, behind verbs in the words of the domain. sqlx is used here and nowhere else.
//!
//! `Store` is the same for every database; the URL decides which one is behind it. Each database has a folder of its
//! own with one file for each group of verbs, and a folder `sql/<database>` with one file for each statement, named
//! alike in all of them. A verb either does all that it says or nothing, and what it returned is on the disk. Times and
//! ids are arguments: nothing here reads a clock or makes a random number. No transaction outlives a verb, so none is
//! ever open while something is being sent.
//!
//! `django` is no store: it reads the database of another program, of which everything is to be imported.

mod claim;
pub mod django;
mod error;
mod listing;
mod migrations;
mod sqlite;

pub use claim::{
    Claim, ClaimRequest, Claimed, Claims, Ended, Lost, PreviousAttempt, Recheck, Settled, Settling, Targets,
};
pub use error::{StoreError, Thing};
pub use listing::{
    Creation, KnownNotification, ListedNotification, ListedOptOut, ListedRecord, NotificationFilter,
    NotificationHistory, RecordFilter, Upserted,
};
pub use sqlite::{DelivererLock, Watch};

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::rules::limits::Invalid;
use crate::rules::notification::{NewNotification, Notification};
use crate::rules::retry::OnUnknownPolicies;
use crate::rules::target::{Pause, Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::{User, UserUpdate};
use sqlite::Sqlite;

type Result<T> = std::result::Result<T, StoreError>;

/// An open database. Clones share it.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
}

/// The databases that a store can be in.
enum Backend {
    Sqlite(Sqlite),
}

/// Hands a verb on to the database behind the store.
macro_rules! on_backend {
    ($store:ident.$verb:ident($($argument:expr),*)) => {
        match &*$store.backend {
            Backend::Sqlite(database) => database.$verb($($argument),*).await,
        }
    };
}

impl Store {
    /// Opens the database at `url` (`sqlite:engine.db`, `sqlite:///var/lib/engine/engine.db`), makes it if there is
    /// none, and brings its schema up to date. Refuses a schema from the future.
    pub async fn open(url: &str) -> Result<Store> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Store { backend: Arc::new(Backend::Sqlite(Sqlite::open(url).await?)) }),
            Some("postgres" | "postgresql") => {
                Err(Invalid::new("url", "PostgreSQL is not supported yet: use `sqlite:` and the path of a file.")
                    .into())
            }
            _ => {
                Err(Invalid::new("url", format!("`{url}` names no database: use `sqlite:` and the path of a file."))
                    .into())
            }
        }
    }

    /// Finishes what is being written and closes all connections. Verbs that are called afterwards fail.
    pub async fn close(&self) {
        on_backend!(self.close())
    }

    /// Makes this process the one that delivers from the database, until the guard is dropped; refuses if there is
    /// another. Only those who deliver need it.
    pub async fn lock_deliverer(&self) -> Result<DelivererLock> {
        on_backend!(self.lock_deliverer())
    }

    /// A watch that tells cheaply whether anything was written since it was last asked, by this process or another.
    pub async fn watch(&self) -> Result<Watch> {
        on_backend!(self.watch())
    }
}

/// Users and their opt-outs.
impl Store {
    /// Stores a new user. Fails with `AlreadyExists` if the username is taken.
    pub async fn add_user(&self, tenant: Tenant, user: &User, now: Timestamp) -> Result<()> {
        user.check()?;
        on_backend!(self.add_user(tenant, user, now))
    }

    /// All users, by username.
    pub async fn list_users(&self, tenant: Tenant) -> Result<Vec<User>> {
        on_backend!(self.list_users(tenant))
    }

    /// The user with this username.
    pub async fn find_user(&self, tenant: Tenant, username: &str) -> Result<User> {
        on_backend!(self.find_user(tenant, username))
    }

    /// Removes a user with their records, notifications and history. Fails with `InUse` while something is being
    /// delivered to them.
    pub async fn remove_user(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        on_backend!(self.remove_user(tenant, id))
    }

    /// Makes users known, or brings them up to date, all or none; the ids of new ones come with them. Answers in the same order.
    pub async fn upsert_users(
        &self,
        tenant: Tenant,
        batch: &[(Uuid, UserUpdate)],
        now: Timestamp,
    ) -> Result<Vec<(Upserted, User)>> {
        on_backend!(self.upsert_users(tenant, batch, now))
    }

    /// All who have ever opted out, by username.
    pub async fn list_opt_outs(&self, tenant: Tenant) -> Result<Vec<ListedOptOut>> {
        on_backend!(self.list_opt_outs(tenant))
    }

    /// Whether a user wants nothing at the moment.
    pub async fn is_opted_out(&self, tenant: Tenant, user: Uuid) -> Result<bool> {
        on_backend!(self.is_opted_out(tenant, user))
    }

    /// Notes that a user wants nothing, and turns what waits for them into OPTED OUT; returns how many notifications
    /// that were. What is claimed at this moment is marked: it is sent only if its send has begun, and is not tried again.
    pub async fn opt_out(&self, tenant: Tenant, user: Uuid, now: Timestamp) -> Result<u64> {
        on_backend!(self.opt_out(tenant, user, now))
    }

    /// Notes that a user wants notifications again. Nothing that was ended comes back.
    pub async fn opt_in(&self, tenant: Tenant, user: Uuid, now: Timestamp) -> Result<()> {
        on_backend!(self.opt_in(tenant, user, now))
    }
}

/// Targets.
impl Store {
    /// Stores a new target. Fails with `AlreadyExists` if the name is taken.
    pub async fn add_target(&self, tenant: Tenant, target: &Target, now: Timestamp) -> Result<()> {
        target.check()?;
        on_backend!(self.add_target(tenant, target, now))
    }

    /// All targets, by name.
    pub async fn list_targets(&self, tenant: Tenant) -> Result<Vec<Target>> {
        on_backend!(self.list_targets(tenant))
    }

    /// The target with this display name, else the only one with this module name. Fails with `Invalid` if several
    /// share the module.
    pub async fn find_target(&self, tenant: Tenant, name: &str) -> Result<Target> {
        on_backend!(self.find_target(tenant, name))
    }

    /// Removes a target and what was granted to it. Fails with `InUse` while it has records.
    pub async fn remove_target(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        on_backend!(self.remove_target(tenant, id))
    }

    /// Stops sending to a target until it is resumed. A target that is paused already keeps its first reason.
    pub async fn pause_target(&self, tenant: Tenant, id: Uuid, pause: &Pause) -> Result<()> {
        on_backend!(self.pause_target(tenant, id, pause))
    }

    /// Sends to a target again: neither paused nor slowed down.
    pub async fn resume_target(&self, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<()> {
        on_backend!(self.resume_target(tenant, id, now))
    }

    /// Sends nothing to a target before `until`; a later time that stands already is kept.
    pub async fn slow_down_target(&self, tenant: Tenant, id: Uuid, until: Timestamp, now: Timestamp) -> Result<()> {
        on_backend!(self.slow_down_target(tenant, id, until, now))
    }
}

/// Target user records.
impl Store {
    /// Stores a new record. Fails with `AlreadyExists` if the user has this address in this target already, with
    /// `NotFound` if there is no such user or target.
    pub async fn add_record(&self, tenant: Tenant, record: &TargetUserRecord, now: Timestamp) -> Result<()> {
        record.check()?;
        on_backend!(self.add_record(tenant, record, now))
    }

    /// Stores a record, or changes the description of the one that the user has with this address in this target, which otherwise stays
    /// as it is. Gives what there is afterwards.
    pub async fn upsert_record(
        &self,
        tenant: Tenant,
        record: &TargetUserRecord,
        now: Timestamp,
    ) -> Result<(Upserted, TargetUserRecord)> {
        record.check()?;
        on_backend!(self.upsert_record(tenant, record, now))
    }

    /// The records that pass the filter, by username and address.
    pub async fn list_records(&self, tenant: Tenant, filter: &RecordFilter) -> Result<Vec<ListedRecord>> {
        on_backend!(self.list_records(tenant, filter))
    }

    /// The record with this id.
    pub async fn find_record(&self, tenant: Tenant, id: Uuid) -> Result<ListedRecord> {
        on_backend!(self.find_record(tenant, id))
    }

    /// Where a user can be reached in a target; empty if nowhere.
    pub async fn active_records(&self, tenant: Tenant, user: Uuid, target: Uuid) -> Result<Vec<TargetUserRecord>> {
        on_backend!(self.active_records(tenant, user, target))
    }

    /// Removes a record with its notifications and their history. Fails with `InUse` while something is being delivered
    /// to it.
    pub async fn remove_record(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        on_backend!(self.remove_record(tenant, id))
    }

    /// Sends nothing more to a record, for a reason that people can read. One that is off already keeps its first
    /// reason.
    pub async fn switch_record_off(&self, tenant: Tenant, id: Uuid, reason: &str, now: Timestamp) -> Result<()> {
        on_backend!(self.switch_record_off(tenant, id, reason, now))
    }

    /// Sends to a record again.
    pub async fn switch_record_on(&self, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<()> {
        on_backend!(self.switch_record_on(tenant, id, now))
    }
}

/// Notifications.
impl Store {
    /// Stores notifications, all or none, each as SCHEDULED. Fails with `OptedOut` for a user who wants nothing, with
    /// `NotFound` or `Inactive` for a record that cannot be sent to. One whose idempotency key exists already is not an
    /// error and not stored again.
    pub async fn create(&self, tenant: Tenant, batch: &[NewNotification], now: Timestamp) -> Result<Vec<Creation>> {
        for notification in batch {
            notification.check()?;
        }
        on_backend!(self.create(tenant, batch, now))
    }

    /// One notification with its history.
    pub async fn find_notification(&self, tenant: Tenant, id: Uuid) -> Result<NotificationHistory> {
        on_backend!(self.find_notification(tenant, id))
    }

    /// The notifications that pass the filter, newest first.
    pub async fn list_notifications(
        &self,
        tenant: Tenant,
        filter: &NotificationFilter,
    ) -> Result<Vec<ListedNotification>> {
        on_backend!(self.list_notifications(tenant, filter))
    }

    /// Removes a notification with its history. Fails with `InUse` while it is being delivered.
    pub async fn remove_notification(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        on_backend!(self.remove_notification(tenant, id))
    }
}

/// What was kept elsewhere.
impl Store {
    /// Stores new records, all or none. Fails with `AlreadyExists` if a user has one of the addresses in its target already.
    pub async fn add_records(&self, tenant: Tenant, batch: &[TargetUserRecord], now: Timestamp) -> Result<()> {
        for record in batch {
            record.check()?;
        }
        on_backend!(self.add_records(tenant, batch, now))
    }

    /// How those of these notifications stand that there are.
    pub async fn known_notifications(&self, tenant: Tenant, ids: &[Uuid]) -> Result<Vec<KnownNotification>> {
        on_backend!(self.known_notifications(tenant, ids))
    }

    /// Stores notifications as they stand, all or none, without the history of their attempts; gives the ids of those that it wrote. Of those
    /// that are here already it writes only what waits, is not claimed, and has ended elsewhere or was never claimed. What would wait for a
    /// user who has opted out is OPTED OUT.
    pub async fn import_notifications(
        &self,
        tenant: Tenant,
        batch: &[Notification],
        now: Timestamp,
    ) -> Result<Vec<Uuid>> {
        on_backend!(self.import_notifications(tenant, batch, now))
    }
}

/// Delivery: claims and what becomes of them.
impl Store {
    /// Claims what is due, earliest first, in targets that are neither paused nor slowed down; ends what must not be
    /// sent any more. When it returns, the claims are on the disk. Whoever drops the future may leave claims behind
    /// that nobody holds, until their lease ends.
    pub async fn claim_due(&self, request: &ClaimRequest) -> Result<Claims> {
        on_backend!(self.claim_due(request))
    }

    /// What `claim_due` would find, without claiming or ending anything; the claims in it are not valid.
    pub async fn preview_due(&self, now: Timestamp, limit: u32, targets: &Targets) -> Result<Claims> {
        on_backend!(self.preview_due(now, limit, targets))
    }

    /// Asks right before the send whether claims may still be used, and ends what must not be sent any more: the user has opted out, the
    /// record was switched off, the expiry has passed. Answers in the same order.
    pub async fn recheck(&self, claims: &[Claim], now: Timestamp) -> Result<Vec<Recheck>> {
        on_backend!(self.recheck(claims, now))
    }

    /// Writes outcomes back, with their attempts and what they change about records and targets, in one transaction;
    /// answers in the same order. A claim that is not valid any more changes nothing.
    pub async fn settle(&self, batch: &[Settled], now: Timestamp) -> Result<Vec<Settling>> {
        on_backend!(self.settle(batch, now))
    }

    /// Gives claims back that were not used: nothing was sent, and nothing counts. Returns how many were still valid.
    pub async fn release(&self, claims: &[Claim], now: Timestamp) -> Result<u64> {
        on_backend!(self.release(claims, now))
    }

    /// Takes claims from engines that will not settle them: each gets an attempt that is *unknown* (code
    /// `engine_died`), and is sent again or held as the policies say. Returns how many there were.
    pub async fn rescue(&self, engine: Uuid, lost: Lost, policies: &OnUnknownPolicies, now: Timestamp) -> Result<u64> {
        on_backend!(self.rescue(engine, lost, policies, now))
    }

    /// When the next notification can be claimed, or could have been; `None` if nothing waits in any target that is not
    /// paused.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        on_backend!(self.next_due())
    }

    /// Says that an engine is alive; the first time makes it known.
    pub async fn heartbeat(&self, engine: Uuid, now: Timestamp) -> Result<()> {
        on_backend!(self.heartbeat(engine, now))
    }

    /// Says that an engine has stopped. Claims that it left behind are lost ones.
    pub async fn engine_stopped(&self, engine: Uuid) -> Result<()> {
        on_backend!(self.engine_stopped(engine))
    }
}
