//! Notifications: made, found, listed, removed.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::{HistoryRow, ListedNotificationRow};
use crate::rules::duplicates;
use crate::rules::notification::NewNotification;
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, query, sql};
use crate::store::values::Batch;
use crate::store::{
    Creation, ListedNotification, NotificationFilter, NotificationHistory, Result, Store, StoreError, Thing, trouble,
};

impl Store {
    /// Stores notifications, all or none, each as SCHEDULED. Fails with `OptedOut` for a user who wants nothing, with
    /// `NotFound` or `Inactive` for a record that cannot be sent to. One whose idempotency key exists already is not an
    /// error and not stored again; where the key is the application's own, none of its request is, and only the duplicates are answered.
    pub async fn create(&self, tenant: Tenant, batch: &[NewNotification], now: Timestamp) -> Result<Vec<Creation>> {
        for notification in batch {
            notification.check()?;
        }
        let records = Batch::of_ids(batch.iter().map(|new| new.target_user_record));
        let standings = Batch::of(batch.iter().map(|new| {
            [
                new.id.into(),
                new.target_user_record.into(),
                new.scheduled_delivery.into(),
                new.retry_time_interval.into(),
                new.max_retries.into(),
                new.expires_at.into(),
                new.idempotency_key.clone().into(),
                new.on_unknown.map(|choice| choice.as_str()).into(),
            ]
        }));
        let texts = Batch::of(batch.iter().map(|new| {
            let extra = serde_json::to_string(&new.extra).unwrap_or_default();
            [new.id.into(), new.title.as_str().into(), new.body.as_str().into(), extra.into()]
        }));
        let keys: Vec<(Uuid, Option<String>)> = batch.iter().map(|new| (new.id, new.idempotency_key.clone())).collect();
        let is_own = |new: &NewNotification| new.idempotency_key.as_deref().is_some_and(duplicates::is_given);
        let has_own_keys = batch.iter().any(is_own);
        let created = self.write(move |mut connection| {
            Box::pin(async move {
                refuse_unreachable(&mut connection, tenant, records).await?;
                let created: Vec<Uuid> = query(sql!("create_notifications"))
                    .bind(tenant)
                    .bind_batch(standings)
                    .bind(now)
                    .all(&mut connection)
                    .await?;
                query(sql!("create_texts")).bind(tenant).bind_batch(texts).execute(&mut connection).await?;
                let created = HashSet::from_iter(created);
                let answers = answers(&mut connection, tenant, keys, &created).await?;
                if has_own_keys && answers.iter().any(Creation::is_duplicate) {
                    return withdraw(&mut connection, tenant, answers).await;
                }
                Ok(answers)
            })
        });
        let created = created.await?;
        self.announce();
        Ok(created)
    }

    /// One notification with its history.
    pub async fn find_notification(&self, tenant: Tenant, id: Uuid) -> Result<NotificationHistory> {
        let row: Option<HistoryRow> =
            self.read_optional(query(sql!("find_notification")).bind(tenant).bind(id)).await?;
        row.map(NotificationHistory::from).ok_or_else(|| not_found(id))
    }

    /// The notifications with these idempotency keys, of those that there are, in their order.
    pub async fn find_by_idempotency_keys(&self, tenant: Tenant, keys: &[String]) -> Result<Vec<Uuid>> {
        let keys = Batch::of(keys.iter().map(|key| [key.as_str().into()]));
        self.read_all::<Uuid, _>(query(sql!("find_by_idempotency_keys")).bind(tenant).bind_batch(keys)).await
    }

    /// The notifications that pass the filter, newest first.
    pub async fn list_notifications(
        &self,
        tenant: Tenant,
        filter: &NotificationFilter,
    ) -> Result<Vec<ListedNotification>> {
        let notifications = query(sql!("list_notifications"))
            .bind(tenant)
            .bind(filter.status.map(|status| status.as_str()))
            .bind(filter.user)
            .bind(filter.target)
            .bind(filter.limit);
        self.read_all::<ListedNotificationRow, _>(notifications).await
    }

    /// Removes at most `limit` notifications, with their histories, that ended before `before`; the oldest first. Returns how many.
    pub async fn purge(&self, tenant: Tenant, before: Timestamp, limit: u32) -> Result<u64> {
        self.write(move |mut connection| {
            Box::pin(async move {
                let purge = query(sql!("purge")).bind(tenant).bind(first_id_of(before)).bind(before).bind(limit);
                Ok(purge.execute(&mut connection).await?)
            })
        })
        .await
    }

    /// Removes a notification with its history. Fails with `InUse` while it is being delivered.
    pub async fn remove_notification(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.write(move |mut connection| {
            Box::pin(async move {
                let remedy = "it is being delivered, so try again in a minute";
                let in_use = StoreError::InUse { what: Thing::Notification, name: id.to_string(), remedy };
                let removed = query(sql!("remove_notification"))
                    .bind(tenant)
                    .bind(id)
                    .execute(&mut connection)
                    .await
                    .map_err(|error| trouble::if_needed(error, in_use))?;
                if removed == 0 { Err(not_found(id)) } else { Ok(()) }
            })
        })
        .await
    }
}

/// The smallest id of version 7 that can be made at a time (RFC 9562): 48 bits of milliseconds come first.
fn first_id_of(time: Timestamp) -> Uuid {
    let milliseconds = u128::try_from(time.as_millisecond()).unwrap_or_default();
    Uuid::from_u128(milliseconds << 80)
}

/// Fails for the first record that does not exist, is inactive, or belongs to a user who opted out.
pub async fn refuse_unreachable(connection: &mut Connection<'_>, tenant: Tenant, records: Batch) -> Result<()> {
    let obstacle: Option<(Uuid, Option<String>, Option<String>)> =
        query(sql!("creation_obstacle")).bind(tenant).bind_batch(records).optional(connection).await?;
    let Some((id, username, target_user_id)) = obstacle else { return Ok(()) };
    match (username, target_user_id) {
        (Some(username), _) => Err(StoreError::OptedOut { username }),
        (None, Some(target_user_id)) => Err(StoreError::Inactive { id, target_user_id }),
        (None, None) => Err(StoreError::not_found(Thing::Record, id.to_string())),
    }
}

/// What became of each, in the order in which they were given.
async fn answers(
    connection: &mut Connection<'_>,
    tenant: Tenant,
    keys: Vec<(Uuid, Option<String>)>,
    created: &HashSet<Uuid>,
) -> Result<Vec<Creation>> {
    let mut answers = Vec::with_capacity(keys.len());
    for (id, key) in keys {
        if created.contains(&id) {
            answers.push(Creation::Created(id));
            continue;
        }
        let existing = query(sql!("find_by_idempotency_key")).bind(tenant).bind(key).one(connection).await?;
        answers.push(Creation::Duplicate(existing));
    }
    Ok(answers)
}

/// Removes again what a request stored beside what an earlier one with its key did: the earlier one is answered alone.
async fn withdraw(connection: &mut Connection<'_>, tenant: Tenant, answers: Vec<Creation>) -> Result<Vec<Creation>> {
    let (duplicates, created): (Vec<_>, Vec<_>) = answers.into_iter().partition(Creation::is_duplicate);
    for one in created {
        query(sql!("remove_notification")).bind(tenant).bind(one.id()).execute(connection).await?;
    }
    Ok(duplicates)
}

pub fn not_found(id: Uuid) -> StoreError {
    StoreError::not_found(Thing::Notification, id.to_string())
}
