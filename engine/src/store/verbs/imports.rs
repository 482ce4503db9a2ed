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
use crate::store::values::{Batch, Value};
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
        let ids = Batch::of_ids(ids.iter().copied());
        self.read_all::<KnownRow, _>(query(sql!("known_notifications")).bind(tenant).bind_batch(ids)).await
    }

    /// Stores notifications as they stand, all or none, without the history of their attempts; gives the ids of those that it wrote. Of those
    /// that are here already it writes only what waits, is not claimed, and has ended elsewhere or was never claimed. What would wait for a
    /// user who has opted out is OPTED OUT.
    pub async fn import_notifications(&self, tenant: Tenant, batch: &[Notification]) -> Result<Vec<Uuid>> {
        let batch = batch.to_vec();
        self.write(move |mut connection| {
            Box::pin(async move {
                let records = Batch::of_ids(batch.iter().map(|new| new.target_user_record));
                let lifted: Vec<Uuid> =
                    query(sql!("lift_opt_outs")).bind(tenant).bind_batch(records).all(&mut connection).await?;
                let written = import(&mut connection, tenant, &batch, &lifted).await?;
                let lifted = Batch::of_ids(lifted.into_iter());
                query(sql!("put_opt_outs_back")).bind(tenant).bind_batch(lifted).execute(&mut connection).await?;
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
    opted_out: &[Uuid],
) -> Result<Vec<Uuid>> {
    let ids = Batch::of_ids(batch.iter().map(|new| new.id));
    let there: Vec<KnownRow> = query(sql!("known_notifications")).bind(tenant).bind_batch(ids).all(connection).await?;
    let there: HashSet<Uuid> = there.into_iter().map(|row| row.id).collect();
    // The statement asks for keys that are taken, and does not see those of its own rows.
    let mut keys = HashSet::new();
    let standings = Batch::of(batch.iter().map(|new| {
        [
            new.id.into(),
            new.target_user_record.into(),
            new.status.as_str().into(),
            new.scheduled_delivery.into(),
            new.attempted_delivery.into(),
            new.retry_time_interval.into(),
            new.retry_attempts.into(),
            new.max_retries.into(),
            new.idempotency_key.as_deref().filter(|key| keys.insert(*key)).into(),
            new.created_date.into(),
            new.modified_date.into(),
        ]
    }));
    let text = |new: &Notification| -> [Value; 4] {
        let extra = serde_json::to_string(&new.extra).unwrap_or_default();
        [new.id.into(), new.title.as_str().into(), new.body.as_str().into(), extra.into()]
    };
    let opted_out = document(opted_out.iter().map(|user| user.simple()));
    let written: Vec<Uuid> =
        query(sql!("import_notifications")).bind(tenant).bind_batch(standings).bind(opted_out).all(connection).await?;
    let new = Batch::of(batch.iter().filter(|new| !there.contains(&new.id)).map(text));
    query(sql!("create_texts")).bind(tenant).bind_batch(new).execute(connection).await?;
    let changed = batch.iter().filter(|new| there.contains(&new.id) && written.contains(&new.id));
    let changed = Batch::of(changed.map(text));
    query(sql!("update_texts")).bind(tenant).bind_batch(changed).execute(connection).await?;
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
