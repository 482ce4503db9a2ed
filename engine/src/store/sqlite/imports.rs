//! What was kept elsewhere, with its history.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, query};
use uuid::Uuid;

use super::notifications::document;
use super::{Sqlite, records, sql};
use crate::rules::notification::Notification;
use crate::rules::target::TargetUserRecord;
use crate::rules::tenant::Tenant;
use crate::store::{KnownNotification, Result};

impl Sqlite {
    pub async fn add_records(&self, tenant: Tenant, batch: &[TargetUserRecord], now: Timestamp) -> Result<()> {
        let batch = batch.to_vec();
        self.write(move |connection| {
            Box::pin(async move {
                for record in &batch {
                    records::insert(connection, tenant, record, now).await?;
                }
                Ok(())
            })
        })
        .await
    }

    pub async fn known_notifications(&self, tenant: Tenant, ids: &[Uuid]) -> Result<Vec<KnownNotification>> {
        let ids = document(ids.iter().map(|id| id.simple()));
        let rows = query(sql!("known_notifications")).bind(tenant.0).bind(ids).fetch_all(&self.readers).await?;
        rows.iter().map(known).collect()
    }

    pub async fn import_notifications(
        &self,
        tenant: Tenant,
        batch: &[Notification],
        now: Timestamp,
    ) -> Result<Vec<Uuid>> {
        let batch = batch.to_vec();
        self.write(move |connection| {
            Box::pin(async move {
                let records = document(batch.iter().map(|new| new.target_user_record.simple()));
                let lifted: Vec<Uuid> = sqlx::query_scalar(sql!("lift_opt_outs"))
                    .bind(tenant.0)
                    .bind(records)
                    .fetch_all(&mut *connection)
                    .await?;
                let opted_out = document(lifted.iter().map(|user| user.simple()));
                let written = import(connection, tenant, &batch, &opted_out, now).await?;
                query(sql!("put_opt_outs_back")).bind(tenant.0).bind(opted_out).execute(connection).await?;
                Ok(written)
            })
        })
        .await
    }
}

async fn import(
    connection: &mut SqliteConnection,
    tenant: Tenant,
    batch: &[Notification],
    opted_out: &str,
    now: Timestamp,
) -> Result<Vec<Uuid>> {
    let ids = document(batch.iter().map(|new| new.id.simple()));
    let there = query(sql!("known_notifications")).bind(tenant.0).bind(ids).fetch_all(&mut *connection).await?;
    let there: HashSet<Uuid> = there.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>()?;
    // The statement asks for keys that are taken, and does not see those of its own rows.
    let mut keys = HashSet::new();
    let standings = document(batch.iter().map(|new| {
        (
            new.id.simple(),
            new.target_user_record.simple(),
            new.status,
            new.scheduled_delivery.as_millisecond(),
            new.attempted_delivery.map(Timestamp::as_millisecond),
            new.retry_time_interval,
            new.retry_attempts,
            new.max_retries,
            new.idempotency_key.as_ref().filter(|key| keys.insert(*key)),
            new.created_date.as_millisecond(),
            new.modified_date.as_millisecond(),
        )
    }));
    let texts =
        document(batch.iter().filter(|new| !there.contains(&new.id)).map(|new| {
            (new.id.simple(), &new.title, &new.body, serde_json::to_string(&new.extra).unwrap_or_default())
        }));
    let written: Vec<Uuid> = sqlx::query_scalar(sql!("import_notifications"))
        .bind(tenant.0)
        .bind(standings)
        .bind(opted_out)
        .bind(now.as_millisecond())
        .fetch_all(&mut *connection)
        .await?;
    query(sql!("create_texts")).bind(tenant.0).bind(texts).execute(connection).await?;
    Ok(written)
}

fn known(row: &SqliteRow) -> Result<KnownNotification> {
    let time =
        |milliseconds| Timestamp::from_millisecond(milliseconds).map_err(|error| sqlx::Error::Decode(Box::new(error)));
    Ok(KnownNotification {
        id: row.try_get(0)?,
        status: row.try_get::<&str, _>(1)?.parse()?,
        scheduled_delivery: time(row.try_get(2)?)?,
        attempted_delivery: row.try_get::<Option<i64>, _>(3)?.map(time).transpose()?,
        retry_attempts: row.try_get(4)?,
        is_claimed: row.try_get(5)?,
        fence: row.try_get(6)?,
    })
}
