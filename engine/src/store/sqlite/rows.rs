//! Rows into models.
//!
//! Every statement that returns a model returns it as one JSON array in one column. sqlx copies the columns of a row
//! one by one, and frees them on another thread; for the wide rows of a claim one text takes half the time. Each array
//! has a type here that names its elements in their order, which is the order of the model's fields.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::rules::attempt::{Attempt, Phase};
use crate::rules::notification::{Notification, OnUnknown};
use crate::rules::outcome::OutcomeKind;
use crate::rules::status::Status;
use crate::rules::target::{Pause, PauseKind, Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::store::{ListedNotification, ListedRecord};

/// The array in a row's first column, read as an `R`.
pub fn read<R: DeserializeOwned>(row: &SqliteRow) -> Result<R, sqlx::Error> {
    let text: &str = row.try_get(0)?;
    serde_json::from_str(text)
        .map_err(|error| sqlx::Error::ColumnDecode { index: "0".to_owned(), source: Box::new(error) })
}

/// All rows, each read as an `R`, which says what it means.
pub fn read_all<R: DeserializeOwned + Into<M>, M>(rows: &[SqliteRow]) -> Result<Vec<M>, sqlx::Error> {
    rows.iter().map(|row| Ok(read::<R>(row)?.into())).collect()
}

/// A time in milliseconds since 1970.
#[derive(Deserialize)]
pub struct Time(#[serde(with = "millisecond::required")] pub Timestamp);

/// A time, or none.
#[derive(Deserialize)]
pub struct MaybeTime(#[serde(with = "millisecond::optional")] pub Option<Timestamp>);

/// `id, username, email, first_name, last_name, time_zone, locale, attributes`
#[derive(Deserialize)]
pub struct UserRow(Uuid, String, String, String, String, String, String, Map<String, Value>);

impl From<UserRow> for User {
    fn from(row: UserRow) -> User {
        let UserRow(id, username, email, first_name, last_name, time_zone, locale, attributes) = row;
        User { id, username, email, first_name, last_name, time_zone, locale, attributes }
    }
}

/// `id, name, notification_module_name, pause_kind, pause_reason, paused_since, slowed_until`
#[derive(Deserialize)]
pub struct TargetRow(Uuid, String, String, Option<PauseKind>, Option<String>, MaybeTime, MaybeTime);

impl From<TargetRow> for Target {
    fn from(row: TargetRow) -> Target {
        let TargetRow(id, name, notification_module_name, kind, reason, since, slowed_until) = row;
        let pause = match (kind, reason, since.0) {
            (Some(kind), Some(reason), Some(since)) => Some(Pause { kind, reason, since }),
            _ => None,
        };
        Target { id, name, notification_module_name, pause, slowed_until: slowed_until.0 }
    }
}

/// `id, user, target, target_user_id, description, active, inactive_reason`
#[derive(Deserialize)]
pub struct RecordRow(Uuid, Uuid, Uuid, String, String, u8, Option<String>);

impl RecordRow {
    pub fn target(&self) -> Uuid {
        self.2
    }
}

impl From<RecordRow> for TargetUserRecord {
    fn from(row: RecordRow) -> TargetUserRecord {
        let RecordRow(id, user, target, target_user_id, description, active, inactive_reason) = row;
        TargetUserRecord { id, user, target, target_user_id, description, active: active == 1, inactive_reason }
    }
}

/// The array of a record; then `username, target name`
#[derive(Deserialize)]
pub struct ListedRecordRow(RecordRow, String, String);

impl From<ListedRecordRow> for ListedRecord {
    fn from(row: ListedRecordRow) -> ListedRecord {
        let ListedRecordRow(record, username, target_name) = row;
        ListedRecord { record: record.into(), username, target_name }
    }
}

/// `id, tenant, target_user_record, title, body, extra, status, scheduled_delivery, attempted_delivery, retry_time_interval,
/// retry_attempts, max_retries, expires_at, idempotency_key, on_unknown, created_date, modified_date`
#[derive(Deserialize)]
pub struct NotificationRow(
    Uuid,
    Tenant,
    Uuid,
    String,
    String,
    Map<String, Value>,
    Status,
    Time,
    MaybeTime,
    u32,
    u32,
    u32,
    MaybeTime,
    Option<String>,
    Option<OnUnknown>,
    Time,
    Time,
);

impl NotificationRow {
    pub fn tenant(&self) -> Tenant {
        self.1
    }
}

impl From<NotificationRow> for Notification {
    fn from(row: NotificationRow) -> Notification {
        let NotificationRow(
            id,
            tenant,
            target_user_record,
            title,
            body,
            extra,
            status,
            scheduled_delivery,
            attempted_delivery,
            retry_time_interval,
            retry_attempts,
            max_retries,
            expires_at,
            idempotency_key,
            on_unknown,
            created_date,
            modified_date,
        ) = row;
        Notification {
            id,
            tenant,
            target_user_record,
            title,
            body,
            extra,
            status,
            scheduled_delivery: scheduled_delivery.0,
            attempted_delivery: attempted_delivery.0,
            retry_time_interval,
            retry_attempts,
            max_retries,
            expires_at: expires_at.0,
            idempotency_key,
            on_unknown,
            created_date: created_date.0,
            modified_date: modified_date.0,
        }
    }
}

/// The array of a notification; then `username, target name, target_user_id`
#[derive(Deserialize)]
pub struct ListedNotificationRow(NotificationRow, String, String, String);

impl From<ListedNotificationRow> for ListedNotification {
    fn from(row: ListedNotificationRow) -> ListedNotification {
        let ListedNotificationRow(notification, username, target_name, target_user_id) = row;
        ListedNotification { notification: notification.into(), username, target_name, target_user_id }
    }
}

/// `number, started_at, finished_at, outcome, code, message, provider_id, phase, log, component_digest, engine`
#[derive(Deserialize)]
pub struct AttemptRow(
    u32,
    Time,
    Time,
    OutcomeKind,
    String,
    String,
    String,
    Option<Phase>,
    String,
    Option<String>,
    Uuid,
);

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Attempt {
        let AttemptRow(
            number,
            started_at,
            finished_at,
            outcome,
            code,
            message,
            provider_id,
            phase,
            log,
            component_digest,
            engine,
        ) = row;
        Attempt {
            number,
            started_at: started_at.0,
            finished_at: finished_at.0,
            outcome,
            code,
            message,
            provider_id,
            phase,
            log,
            component_digest,
            engine,
        }
    }
}
