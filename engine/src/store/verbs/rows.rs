//! Rows into models.
//!
//! A model comes out of a statement as one JSON array. Each array has a type here that names its elements in their order, which
//! is the order of the model's fields.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::rules::attempt::{Attempt, Phase, Usage};
use crate::rules::budget::Limit;
use crate::rules::grants::Capability;
use crate::rules::notification::{Notification, OnUnknown};
use crate::rules::origin::Origin;
use crate::rules::outcome::OutcomeKind;
use crate::rules::sealed::SealedSecret;
use crate::rules::setup::Setup;
use crate::rules::status::Status;
use crate::rules::target::{Pause, PauseKind, Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::store::{ListedNotification, ListedOptOut, ListedRecord, ListedSecret, NotificationHistory};

/// A time in milliseconds since 1970.
#[derive(Deserialize)]
pub struct Time(#[serde(with = "millisecond::required")] pub Timestamp);

/// A time, or none.
#[derive(Deserialize)]
pub struct MaybeTime(#[serde(with = "millisecond::optional")] pub Option<Timestamp>);

/// Yes or no. SQLite says 1 or 0.
#[derive(Clone, Copy)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Flag, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Word(bool),
            Number(u8),
        }
        Ok(Flag(match Spelling::deserialize(deserializer)? {
            Spelling::Word(flag) => flag,
            Spelling::Number(number) => number != 0,
        }))
    }
}

/// Reads a row as its model.
pub fn model<'de, R, M, D>(deserializer: D) -> Result<M, D::Error>
where
    R: Deserialize<'de>,
    M: From<R>,
    D: Deserializer<'de>,
{
    R::deserialize(deserializer).map(M::from)
}

/// A user.
#[derive(Deserialize)]
pub struct UserRow {
    id: Uuid,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    time_zone: String,
    locale: String,
    attributes: Map<String, Value>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> User {
        let UserRow { id, username, email, first_name, last_name, time_zone, locale, attributes } = row;
        User { id, username, email, first_name, last_name, time_zone, locale, attributes }
    }
}

/// A user who wants nothing, in a list.
#[derive(Deserialize)]
pub struct OptOutRow(String, Flag, Time);

impl From<OptOutRow> for ListedOptOut {
    fn from(OptOutRow(username, active, modified_date): OptOutRow) -> ListedOptOut {
        ListedOptOut { username, active: active.0, modified_date: modified_date.0 }
    }
}

/// A target.
#[derive(Deserialize)]
pub struct TargetRow {
    id: Uuid,
    name: String,
    notification_module_name: String,
    pause_kind: Option<PauseKind>,
    pause_reason: Option<String>,
    paused_since: MaybeTime,
    slowed_until: MaybeTime,
    faults: u32,
    revision: i64,
}

impl From<TargetRow> for Target {
    fn from(row: TargetRow) -> Target {
        let pause = match (row.pause_kind, row.pause_reason, row.paused_since.0) {
            (Some(kind), Some(reason), Some(since)) => Some(Pause { kind, reason, since }),
            _ => None,
        };
        Target {
            id: row.id,
            name: row.name,
            notification_module_name: row.notification_module_name,
            pause,
            slowed_until: row.slowed_until.0,
            faults: row.faults,
            revision: row.revision,
        }
    }
}

/// What a target is set up with: its revision, the digest of its component, grants, settings, limits, secrets.
#[derive(Deserialize)]
pub struct SetupRow(
    i64,
    Option<String>,
    Vec<(String, String)>,
    Vec<(String, String)>,
    Vec<(String, u64)>,
    Vec<SecretRow>,
);

impl From<SetupRow> for Setup {
    fn from(SetupRow(revision, component, grants, settings, limits, secrets): SetupRow) -> Setup {
        Setup {
            revision,
            component,
            // One that this engine does not know opens nothing.
            grants: grants.iter().filter_map(|(kind, scope)| Capability::stored(kind, scope)).collect(),
            settings: settings
                .into_iter()
                .filter_map(|(name, value)| Some((name, serde_json::from_str(&value).ok()?)))
                .collect(),
            limits: limits.iter().filter_map(|(name, amount)| Some((Limit::named(name)?, *amount))).collect(),
            secrets: secrets.into_iter().map(SealedSecret::from).collect(),
        }
    }
}

/// A secret, encrypted, its bytes as hexadecimal digits.
#[derive(Deserialize)]
pub struct SecretRow(Uuid, String, Option<Uuid>, String, String, Vec<String>);

impl From<SecretRow> for SealedSecret {
    fn from(SecretRow(id, name, target, key_id, ciphertext, origins): SecretRow) -> SealedSecret {
        let digits = ciphertext.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
        SealedSecret {
            id,
            name,
            target,
            key_id,
            // What is not hexadecimal cannot be opened, whatever it is taken for.
            ciphertext: digits.map(|pair| u8::from_str_radix(pair, 16).unwrap_or_default()).collect(),
            origins: origins.iter().filter_map(|origin| Origin::parse(origin).ok()).collect(),
        }
    }
}

/// A secret in a list.
#[derive(Deserialize)]
pub struct ListedSecretRow(SecretRow, Option<String>, Time);

impl From<ListedSecretRow> for ListedSecret {
    fn from(ListedSecretRow(secret, target_name, modified_date): ListedSecretRow) -> ListedSecret {
        ListedSecret { secret: secret.into(), target_name, modified_date: modified_date.0 }
    }
}

/// A target user record.
#[derive(Deserialize)]
pub struct RecordRow {
    id: Uuid,
    user: Uuid,
    pub target: Uuid,
    target_user_id: String,
    description: String,
    active: Flag,
    inactive_reason: Option<String>,
}

impl From<RecordRow> for TargetUserRecord {
    fn from(row: RecordRow) -> TargetUserRecord {
        let RecordRow { id, user, target, target_user_id, description, active, inactive_reason } = row;
        TargetUserRecord { id, user, target, target_user_id, description, active: active.0, inactive_reason }
    }
}

/// A record in a list.
#[derive(Deserialize)]
pub struct ListedRecordRow {
    record: RecordRow,
    username: String,
    target_name: String,
}

impl From<ListedRecordRow> for ListedRecord {
    fn from(row: ListedRecordRow) -> ListedRecord {
        ListedRecord { record: row.record.into(), username: row.username, target_name: row.target_name }
    }
}

/// A notification, with its texts.
#[derive(Deserialize)]
pub struct NotificationRow {
    pub id: Uuid,
    pub tenant: Tenant,
    target_user_record: Uuid,
    title: String,
    body: String,
    extra: Map<String, Value>,
    status: Status,
    scheduled_delivery: Time,
    attempted_delivery: MaybeTime,
    retry_time_interval: u32,
    retry_attempts: u32,
    max_retries: u32,
    expires_at: MaybeTime,
    idempotency_key: Option<String>,
    on_unknown: Option<OnUnknown>,
    created_date: Time,
    modified_date: Time,
}

impl From<NotificationRow> for Notification {
    fn from(row: NotificationRow) -> Notification {
        Notification {
            id: row.id,
            tenant: row.tenant,
            target_user_record: row.target_user_record,
            title: row.title,
            body: row.body,
            extra: row.extra,
            status: row.status,
            scheduled_delivery: row.scheduled_delivery.0,
            attempted_delivery: row.attempted_delivery.0,
            retry_time_interval: row.retry_time_interval,
            retry_attempts: row.retry_attempts,
            max_retries: row.max_retries,
            expires_at: row.expires_at.0,
            idempotency_key: row.idempotency_key,
            on_unknown: row.on_unknown,
            created_date: row.created_date.0,
            modified_date: row.modified_date.0,
        }
    }
}

/// A notification in a list.
#[derive(Deserialize)]
pub struct ListedNotificationRow {
    notification: NotificationRow,
    username: String,
    target_name: String,
    target_user_id: String,
}

impl From<ListedNotificationRow> for ListedNotification {
    fn from(row: ListedNotificationRow) -> ListedNotification {
        let ListedNotificationRow { notification, username, target_name, target_user_id } = row;
        ListedNotification { notification: notification.into(), username, target_name, target_user_id }
    }
}

/// A notification with its history.
#[derive(Deserialize)]
pub struct HistoryRow {
    notification: NotificationRow,
    username: String,
    target_name: String,
    target_user_id: String,
    attempts: Vec<AttemptRow>,
}

impl From<HistoryRow> for NotificationHistory {
    fn from(row: HistoryRow) -> NotificationHistory {
        let HistoryRow { notification, username, target_name, target_user_id, attempts } = row;
        let listed = ListedNotificationRow { notification, username, target_name, target_user_id }.into();
        NotificationHistory { listed, attempts: attempts.into_iter().map(AttemptRow::into).collect() }
    }
}

/// An attempt.
#[derive(Deserialize)]
struct AttemptRow {
    number: u32,
    started_at: Time,
    finished_at: Time,
    outcome: OutcomeKind,
    code: String,
    message: String,
    provider_id: String,
    phase: Option<Phase>,
    log: String,
    component_digest: Option<String>,
    engine: Uuid,
    request_hash: Option<String>,
    usage: Option<Usage>,
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Attempt {
        Attempt {
            number: row.number,
            started_at: row.started_at.0,
            finished_at: row.finished_at.0,
            outcome: row.outcome,
            code: row.code,
            message: row.message,
            provider_id: row.provider_id,
            phase: row.phase,
            log: row.log,
            component_digest: row.component_digest,
            engine: row.engine,
            request_hash: row.request_hash,
            usage: row.usage,
        }
    }
}
