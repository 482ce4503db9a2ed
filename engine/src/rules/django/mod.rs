//! What rows of django-notification-system become here. Its models are ours, but for the unit of an interval, the meaning of a number of
//! retries, and standings that its code let happen and that cannot be here.

mod row;

pub use row::Row;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use uuid::Uuid;

use crate::rules::duplicates;
use crate::rules::limits::{self, Invalid};
use crate::rules::notification::{MAX_MAX_RETRIES, MAX_RETRY_TIME_INTERVAL, NewNotification, Notification};
use crate::rules::status::Status;
use crate::rules::target::{Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::{UserUpdate, check_email};

/// The statuses that it has.
const STATUSES: [Status; 6] = [
    Status::Scheduled,
    Status::Delivered,
    Status::DeliveryFailure,
    Status::Retry,
    Status::InactiveDevice,
    Status::OptedOut,
];
/// Characters in the name of a table, in PostgreSQL.
const MAX_TABLE: usize = 63;

/// What had to be said differently of a notification, because it cannot be here as it was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// It waited for a user who wants nothing.
    WaitedForOptedOut,
    /// SCHEDULED, and attempted.
    ScheduledButAttempted,
    /// RETRY, and never attempted.
    RetryButNotAttempted,
    /// It ended with an attempt, and nobody noted when.
    AttemptWithoutTime,
    /// `max_retries` was 0, which its code took for ever.
    ForEver,
    /// Its attempts were used up, and it would have been tried for ever.
    UsedUp,
    /// More retries than there can be.
    ManyRetries,
    /// A longer interval than there can be.
    LongInterval,
}

impl Adjustment {
    /// What follows a number of notifications.
    pub const fn clause(self) -> &'static str {
        match self {
            Adjustment::WaitedForOptedOut => "waited for a user who has opted out: OPTED OUT here.",
            Adjustment::ScheduledButAttempted => "SCHEDULED although attempted: RETRY here.",
            Adjustment::RetryButNotAttempted => "RETRY although never attempted: SCHEDULED here.",
            Adjustment::AttemptWithoutTime => "ended without the time of an attempt: that of the last change here.",
            Adjustment::ForEver => "with max_retries 0, which repeated for ever: one attempt here.",
            Adjustment::UsedUp => "waiting although all attempts were used up: one more attempt here.",
            Adjustment::ManyRetries => "with more retries than there can be: 1000 here.",
            Adjustment::LongInterval => "with an interval of more than a year: a year here.",
        }
    }
}

/// Whether a user wants nothing, and since when that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptOut {
    /// If not, they opted in again.
    pub active: bool,
    /// When that last changed.
    pub modified_date: Timestamp,
}

/// The name of a table as it stands in a statement, quoted; it may begin with that of a schema.
pub fn table(name: &str) -> Result<String, Invalid> {
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.len() <= MAX_TABLE
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() <= 2 && parts.iter().all(|part| is_name(part)) {
        return Ok(format!("\"{}\"", parts.join("\".\"")));
    }
    let sentence = format!("`{name}` is not the name of a table: use letters, digits and `_`, as in `accounts_user`.");
    Err(Invalid::new("users_table", sentence))
}

/// A user, and why their e-mail address is not taken, if it is none. What is empty there is not known, and changes nothing about who is
/// known here.
pub fn user(row: &Row) -> Result<(UserUpdate, Option<Invalid>), Invalid> {
    let known = |column| Ok(row.maybe_text(column)?.filter(|text| !text.is_empty()).map(str::to_owned));
    let email = known("email")?;
    let no_address = email.as_deref().and_then(|email| check_email(email).err());
    let update = UserUpdate {
        username: row.text("username")?.to_owned(),
        email: email.filter(|_| no_address.is_none()),
        first_name: known("first_name")?,
        last_name: known("last_name")?,
        time_zone: None,
        locale: None,
        attributes: None,
    };
    update.apply(None, Uuid::nil()).check()?;
    Ok((update, no_address))
}

/// A target.
pub fn target(row: &Row) -> Result<Target, Invalid> {
    let target = Target {
        id: row.id("id")?,
        name: row.text("name")?.to_owned(),
        notification_module_name: row.text("notification_module_name")?.to_owned(),
        pause: None,
        slowed_until: None,
        faults: 0,
        revision: 0,
    };
    target.check()?;
    Ok(target)
}

/// A record of a user in a target, which have these ids here.
pub fn record(row: &Row, user: Uuid, target: Uuid) -> Result<TargetUserRecord, Invalid> {
    let record = TargetUserRecord {
        id: row.id("id")?,
        user,
        target,
        target_user_id: row.text("target_user_id")?.to_owned(),
        description: row.text("description")?.to_owned(),
        active: row.flag("active")?,
        inactive_reason: None,
    };
    record.check()?;
    Ok(record)
}

/// Whether a user wants nothing.
pub fn opt_out(row: &Row, zone: &TimeZone) -> Result<OptOut, Invalid> {
    Ok(OptOut { active: row.flag("active")?, modified_date: row.time("modified_date", zone)? })
}

/// A notification to a record which has this id here, of a user who may have opted out; and what had to be said differently.
pub fn notification(
    row: &Row,
    tenant: Tenant,
    record: Uuid,
    opted_out: bool,
    zone: &TimeZone,
) -> Result<(Notification, Vec<Adjustment>), Invalid> {
    let (created_date, modified_date) = (row.time("created_date", zone)?, row.time("modified_date", zone)?);
    let attempted = row.maybe_time("attempted_delivery", zone)?;
    let (status, attempted_delivery, adjustment) =
        standing(status(row.text("status")?)?, attempted, opted_out, modified_date);
    let mut adjustments = Vec::from_iter(adjustment);
    let waits = status.claimable();
    let mut retries = retries(row.number("max_retries")?, row.number("retry_attempts")?, waits);
    let (retry_time_interval, long) = seconds(row.number("retry_time_interval")?);
    retries.adjustments.extend(long);
    if waits {
        // What has ended is not tried again, however often it might have been.
        adjustments.append(&mut retries.adjustments);
    }
    let new = NewNotification {
        // Read as UTC whatever the zone: an import that is repeated with another one finds what it made.
        id: dated(row.id("id")?, row.time("created_date", &TimeZone::UTC)?),
        target_user_record: record,
        title: row.text("title")?.to_owned(),
        body: row.text("body")?.to_owned(),
        extra: row.object("extra")?,
        scheduled_delivery: row.time("scheduled_delivery", zone)?,
        retry_time_interval,
        max_retries: retries.max_retries,
        expires_at: None,
        idempotency_key: None,
        on_unknown: None,
    };
    new.check()?;
    limits::moment("created_date", created_date)?;
    limits::moment("modified_date", modified_date)?;
    attempted_delivery.map_or(Ok(()), |time| limits::moment("attempted_delivery", time))?;
    // An application that asks for it once more asks for the same one, as it did there.
    let key = duplicates::key(record, &new.title, new.scheduled_delivery, &new.extra, 0);
    let notification = Notification {
        id: new.id,
        tenant,
        target_user_record: record,
        title: new.title,
        body: new.body,
        extra: new.extra,
        status,
        scheduled_delivery: limits::to_the_millisecond(new.scheduled_delivery),
        attempted_delivery: attempted_delivery.map(limits::to_the_millisecond),
        retry_time_interval,
        retry_attempts: retries.retry_attempts,
        max_retries: new.max_retries,
        expires_at: None,
        idempotency_key: Some(key),
        on_unknown: None,
        created_date: limits::to_the_millisecond(created_date),
        modified_date: limits::to_the_millisecond(modified_date),
    };
    Ok((notification, adjustments))
}

/// An id that sorts by the time when the notification was made, as all of this engine's do, so that a list has what is new before what was
/// imported; from the same id always the same. The last two groups of digits stay what they were.
fn dated(id: Uuid, made: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(made.as_millisecond()).unwrap_or_default();
    let mut bytes = *id.as_bytes();
    // RFC 9562, version 7: 48 bits of time, the version, and bits that may be anything.
    bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    Uuid::from_bytes(bytes)
}

/// One of its six statuses, spelled as it spells them: it delivers nothing that is spelled otherwise.
fn status(text: &str) -> Result<Status, Invalid> {
    STATUSES.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
        let sentence =
            format!("status `{text}` is none of {}: correct it there.", STATUSES.map(Status::as_str).join(", "));
        Invalid::new("status", sentence)
    })
}

/// Where it really stands, and when it was last attempted.
fn standing(
    status: Status,
    attempted: Option<Timestamp>,
    opted_out: bool,
    modified_date: Timestamp,
) -> (Status, Option<Timestamp>, Option<Adjustment>) {
    match status {
        Status::Scheduled | Status::Retry if opted_out => {
            (Status::OptedOut, attempted, Some(Adjustment::WaitedForOptedOut))
        }
        Status::Scheduled if attempted.is_some() => (Status::Retry, attempted, Some(Adjustment::ScheduledButAttempted)),
        Status::Retry if attempted.is_none() => (Status::Scheduled, None, Some(Adjustment::RetryButNotAttempted)),
        Status::Delivered | Status::DeliveryFailure if attempted.is_none() => {
            (status, Some(modified_date), Some(Adjustment::AttemptWithoutTime))
        }
        Status::Scheduled
        | Status::Retry
        | Status::Delivered
        | Status::DeliveryFailure
        | Status::InactiveDevice
        | Status::OptedOut
        | Status::Sent
        | Status::Unknown
        | Status::Expired
        | Status::Canceled => (status, attempted, None),
    }
}

struct Retries {
    max_retries: u32,
    retry_attempts: u32,
    adjustments: Vec<Adjustment>,
}

/// It counted attempts, and here those are counted that follow the first. What waits must have one left.
fn retries(all_attempts: u64, made: u64, waits: bool) -> Retries {
    let mut adjustments = Vec::new();
    let wanted = all_attempts.saturating_sub(1);
    if all_attempts == 0 {
        adjustments.push(Adjustment::ForEver);
    }
    if wanted > u64::from(MAX_MAX_RETRIES) {
        adjustments.push(Adjustment::ManyRetries);
    }
    let max_retries = fitting(wanted, MAX_MAX_RETRIES);
    let most = if waits { max_retries } else { max_retries + 1 };
    if made > u64::from(most) && all_attempts > 0 {
        adjustments.push(Adjustment::UsedUp);
    }
    Retries { max_retries, retry_attempts: fitting(made, most), adjustments }
}

/// Minutes as seconds.
fn seconds(minutes: u64) -> (u32, Option<Adjustment>) {
    let seconds = minutes.saturating_mul(60);
    let is_long = seconds > u64::from(MAX_RETRY_TIME_INTERVAL);
    (fitting(seconds, MAX_RETRY_TIME_INTERVAL), is_long.then_some(Adjustment::LongInterval))
}

fn fitting(number: u64, most: u32) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX).min(most)
}

#[cfg(test)]
mod tests;
