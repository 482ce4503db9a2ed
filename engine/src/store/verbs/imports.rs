//! What was kept elsewhere, with its history.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::records;
use super::rows::{Flag, MaybeTime, Time};
use crate::rules::notification::Notification;
use crate::rules::status::Status;
use crate::rules::target::TargetUserRecord;
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, document, query, sql};
use crate::store::{KnownNotification, Result, Store};

impl Store {
    /// Stores new records, all or none. Fails with `AlreadyExists` if a user has one of the addresses in its target already.
    pub async fn add_records(&self, tenant: Tenant, batch: &[TargetUserRecord], now: Timestamp) -> Result<()> {
        for record in batch {
            record.check()?;
        }
        let batch = batch.to_vec();
        self.write(move |mut connection| {
            Box::pin(async move {
                for record in &batch {
                    records::insert(&mut connection, tenant, record, now).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// How those of these notifications stand that there are.
    pub async fn known_notifications(&self, tenant: Tenant, ids: &[Uuid]) -> Result<Vec<KnownNotification>> {
        let ids = document(ids.iter().map(|id| id.simple()));
        self.read_all::<KnownRow, _>(query(sql!("known_notifications")).bind(tenant).bind(ids)).await
    }

    /// Stores notifications as they stand, all or none, without the history of their attempts; gives the ids of those that it wrote. Of those
    /// that are here already it writes only what waits, is not claimed, and has ended elsewhere or was never claimed. What would wait for a
    /// user who has opted out is OPTED OUT.
    pub async fn import_notifications(&self, tenant: Tenant, batch: &[Notification]) -> Result<Vec<Uuid>> {
        let batch = batch.to_vec();
        self.write(move |mut connection| {
            Box::pin(async move {
                let records = document(batch.iter().map(|new| new.target_user_record.simple()));
                let lifted: Vec<Uuid> =
                    query(sql!("lift_opt_outs")).bind(tenant).bind(records).all(&mut connection).await?;
                let opted_out = document(lifted.iter().map(|user| user.simple()));
                let written = import(&mut connection, tenant, &batch, &opted_out).await?;
                query(sql!("put_opt_outs_back")).bind(tenant).bind(opted_out).execute(&mut connection).await?;
                Ok(written)
            })
        })
        .await
    }
}

async fn import(
    connection: &mut Connection<'_>,
    tenant: Tenant,
    batch: &[Notification],
    opted_out: &str,
) -> Result<Vec<Uuid>> {
    let ids = document(batch.iter().map(|new| new.id.simple()));
    let there: Vec<KnownRow> = query(sql!("known_notifications")).bind(tenant).bind(ids).all(connection).await?;
    let there: HashSet<Uuid> = there.into_iter().map(|row| row.id).collect();
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
    let text = |new: &&Notification| {
        let extra = serde_json::to_string(&new.extra).unwrap_or_default();
        (new.id.simple(), new.title.clone(), new.body.clone(), extra)
    };
    let written: Vec<Uuid> =
        query(sql!("import_notifications")).bind(tenant).bind(standings).bind(opted_out).all(connection).await?;
    let new = document(batch.iter().filter(|new| !there.contains(&new.id)).map(|new| text(&new)));
    query(sql!("create_texts")).bind(tenant).bind(new).execute(connection).await?;
    let changed = batch.iter().filter(|new| there.contains(&new.id) && written.contains(&new.id));
    let changed = document(changed.map(|new| text(&new)));
    query(sql!("update_texts")).bind(tenant).bind(changed).execute(connection).await?;
    Ok(written)
}

/// What of a notification decides whether an import may change it.
#[derive(Deserialize)]
struct KnownRow {
    id: Uuid,
    status: Status,
    scheduled_delivery: Time,
    attempted_delivery: MaybeTime,
    retry_attempts: u32,
    is_claimed: Flag,
    fence: i64,
    modified_date: Time,
}

impl From<KnownRow> for KnownNotification {
    fn from(row: KnownRow) -> KnownNotification {
        KnownNotification {
            id: row.id,
            status: row.status,
            scheduled_delivery: row.scheduled_delivery.0,
            attempted_delivery: row.attempted_delivery.0,
            retry_attempts: row.retry_attempts,
            is_claimed: row.is_claimed.0,
            fence: row.fence,
            modified_date: row.modified_date.0,
        }
    }
}
