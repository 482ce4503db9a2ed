//! What lists are filtered by, and the rows that they consist of: models with the names that people want to see beside
//! them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::rules::attempt::Attempt;
use crate::rules::budget::Said;
use crate::rules::grants::Capability;
use crate::rules::notification::Notification;
use crate::rules::sealed::SealedSecret;
use crate::rules::status::Status;
use crate::rules::target::{Target, TargetUserRecord};

/// Which records to list; what is `None` does not matter.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "the fields are ids of the models named")]
pub struct RecordFilter {
    pub user: Option<Uuid>,
    pub target: Option<Uuid>,
}

/// Which notifications to list, newest first; what is `None` does not matter.
#[derive(Debug, Clone, Copy)]
pub struct NotificationFilter {
    /// Where they stand.
    pub status: Option<Status>,
    /// The user's id.
    pub user: Option<Uuid>,
    /// The target's id.
    pub target: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
}

impl Default for NotificationFilter {
    fn default() -> NotificationFilter {
        NotificationFilter { status: None, user: None, target: None, limit: 100 }
    }
}

/// A record in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedRecord {
    /// The record.
    #[serde(flatten)]
    pub record: TargetUserRecord,
    /// Of its user.
    pub username: String,
    /// Of its target, for people.
    pub target_name: String,
}

/// A notification in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedNotification {
    /// The notification.
    #[serde(flatten)]
    pub notification: Notification,
    /// Who is notified.
    pub username: String,
    /// Through which target, for people.
    pub target_name: String,
    /// Where: the record's address.
    pub target_user_id: String,
}

/// A notification with its history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotificationHistory {
    /// The notification.
    #[serde(flatten)]
    pub listed: ListedNotification,
    /// In the order in which they were made.
    pub attempts: Vec<Attempt>,
}

/// What making something, or bringing it up to date, has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Upserted {
    /// There was none.
    Added,
    /// It differed.
    Changed,
    /// It was like that already.
    Unchanged,
}

/// A user who wants nothing, in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedOptOut {
    /// Who that is.
    pub username: String,
    /// Whether the opt-out stands; if not, they have opted in again.
    pub active: bool,
    /// When that last changed.
    pub modified_date: Timestamp,
}

/// What became of a notification that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It is stored.
    Created(Uuid),
    /// There was one with its idempotency key already: this one.
    Duplicate(Uuid),
}

impl Creation {
    /// The id of the notification that there is now.
    pub fn id(self) -> Uuid {
        match self {
            Creation::Created(id) | Creation::Duplicate(id) => id,
        }
    }

    /// Whether it was there already.
    pub const fn is_duplicate(&self) -> bool {
        matches!(self, Creation::Duplicate(_))
    }
}

/// How a notification stands that is to be imported and is here already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the others are explained at `Notification` and `Claim`")]
pub struct KnownNotification {
    pub id: Uuid,
    pub status: Status,
    pub scheduled_delivery: Timestamp,
    pub attempted_delivery: Option<Timestamp>,
    pub retry_attempts: u32,
    /// Whether an engine is at work on it.
    pub is_claimed: bool,
    pub fence: i64,
    pub modified_date: Timestamp,
}

/// A secret in a list, still encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSecret {
    /// The secret.
    pub secret: SealedSecret,
    /// What people call the target that it is for; `None`: all of the tenant.
    pub target_name: Option<String>,
    /// When it was set, or encrypted anew.
    pub modified_date: Timestamp,
}

/// A component that is to be put behind a target, which has been checked.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The target.
    pub target: Target,
    /// Whether it is to be made.
    pub is_new: bool,
    /// As `sha256:…`.
    pub digest: String,
    /// The component.
    pub bytes: Vec<u8>,
    /// Granted to it from the beginning.
    pub grants: Vec<Capability>,
    /// Set for it from the beginning.
    pub settings: Map<String, Value>,
    /// Limits on its calls from the beginning.
    pub limits: Said,
}
