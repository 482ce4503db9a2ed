//! Notifications: made, found, listed, removed.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Row, query};
use uuid::Uuid;

use super::rows::{self, AttemptRow, ListedNotificationRow};
use super::{Sqlite, sql, trouble};
use crate::rules::notification::NewNotification;
use crate::rules::tenant::Tenant;
use crate::store::{Creation, ListedNotification, NotificationFilter, NotificationHistory, Result, StoreError, Thing};

impl Sqlite {
    pub async fn create(&self, tenant: Tenant, batch: &[NewNotification], now: Timestamp) -> Result<Vec<Creation>> {
        // A batch goes to SQLite as one text for each table: a statement for each row would cost several times as much.
        let records = document(batch.iter().map(|new| new.target_user_record.simple()));
        let standings = document(batch.iter().map(|new| {
            (
                new.id.simple(),
                new.target_user_record.simple(),
                new.scheduled_delivery.as_millisecond(),
                new.retry_time_interval,
                new.max_retries,
                new.expires_at.map(Timestamp::as_millisecond),
                &new.idempotency_key,
                new.on_unknown.map(|choice| choice.as_str()),
            )
        }));
        let texts = document(batch.iter().map(|new| {
            (new.id.simple(), &new.title, &new.body, serde_json::to_string(&new.extra).unwrap_or_default())
        }));
        let keys: Vec<(Uuid, Option<String>)> = batch.iter().map(|new| (new.id, new.idempotency_key.clone())).collect();
        self.write(move |connection| {
            Box::pin(async move {
                refuse_unreachable(connection, tenant, records).await?;
                let created: Vec<Uuid> = sqlx::query_scalar(sql!("create_notifications"))
                    .bind(tenant.0)
                    .bind(standings)
                    .bind(now.as_millisecond())
                    .fetch_all(&mut *connection)
                    .await?;
                query(sql!("create_texts")).bind(tenant.0).bind(texts).execute(&mut *connection).await?;
                let created = HashSet::from_iter(created);
                answers(connection, tenant, keys, created).await
            })
        })
        .await
    }

    pub async fn find_notification(&self, tenant: Tenant, id: Uuid) -> Result<NotificationHistory> {
        // In one transaction, so that the history belongs to the status beside it.
        let mut transaction = self.readers.begin().await?;
        let row = query(sql!("find_notification")).bind(tenant.0).bind(id).fetch_optional(&mut *transaction).await?;
        let row = row.ok_or_else(|| not_found(id))?;
        let attempts = query(sql!("attempts_of")).bind(tenant.0).bind(id).fetch_all(&mut *transaction).await?;
        transaction.rollback().await?;
        Ok(NotificationHistory {
            listed: rows::read::<ListedNotificationRow>(&row)?.into(),
            attempts: rows::read_all::<AttemptRow, _>(&attempts)?,
        })
    }

    pub async fn list_notifications(
        &self,
        tenant: Tenant,
        filter: &NotificationFilter,
    ) -> Result<Vec<ListedNotification>> {
        let rows = query(sql!("list_notifications"))
            .bind(tenant.0)
            .bind(filter.status.map(|status| status.as_str()))
            .bind(filter.user)
            .bind(filter.target)
            .bind(filter.limit)
            .fetch_all(&self.readers)
            .await?;
        Ok(rows::read_all::<ListedNotificationRow, _>(&rows)?)
    }

    pub async fn remove_notification(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                let remedy = "it is being delivered, so try again in a minute";
                let in_use = StoreError::InUse { what: Thing::Notification, name: id.to_string(), remedy };
                let removed = query(sql!("remove_notification"))
                    .bind(tenant.0)
                    .bind(id)
                    .execute(connection)
                    .await
                    .map_err(|error| trouble::if_needed(error, in_use))?;
                if removed.rows_affected() == 0 { Err(not_found(id)) } else { Ok(()) }
            })
        })
        .await
    }
}

/// Rows as one JSON text, which a statement takes apart again.
pub fn document<T: Serialize>(rows: impl Iterator<Item = T>) -> String {
    // Texts, numbers and lists of them can always be written; an empty text would be refused by SQLite.
    serde_json::to_string(&rows.collect::<Vec<_>>()).unwrap_or_default()
}

/// Fails for the first record that does not exist, is inactive, or belongs to a user who opted out.
async fn refuse_unreachable(connection: &mut SqliteConnection, tenant: Tenant, records: String) -> Result<()> {
    let obstacle = query(sql!("creation_obstacle")).bind(tenant.0).bind(records).fetch_optional(connection).await?;
    let Some(row) = obstacle else { return Ok(()) };
    let id: Uuid = row.try_get(0)?;
    match (row.try_get(1)?, row.try_get(2)?) {
        (Some(username), _) => Err(StoreError::OptedOut { username }),
        (None, Some(target_user_id)) => Err(StoreError::Inactive { target_user_id }),
        (None, None) => Err(StoreError::NotFound { what: Thing::Record, name: id.to_string() }),
    }
}

/// What became of each, in the order in which they were given.
async fn answers(
    connection: &mut SqliteConnection,
    tenant: Tenant,
    keys: Vec<(Uuid, Option<String>)>,
    created: HashSet<Uuid>,
) -> Result<Vec<Creation>> {
    let mut answers = Vec::with_capacity(keys.len());
    for (id, key) in keys {
        if created.contains(&id) {
            answers.push(Creation::Created(id));
            continue;
        }
        let existing =
            query(sql!("find_by_idempotency_key")).bind(tenant.0).bind(key).fetch_one(&mut *connection).await?;
        answers.push(Creation::Duplicate(existing.try_get(0)?));
    }
    Ok(answers)
}

fn not_found(id: Uuid) -> StoreError {
    StoreError::NotFound { what: Thing::Notification, name: id.to_string() }
}
