//! Opt-outs.

use jiff::Timestamp;
use sqlx::query;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::rows::{self, OptOutRow};
use super::{Sqlite, sql, users};
use crate::rules::tenant::Tenant;
use crate::store::{ListedOptOut, Result};

impl Sqlite {
    pub async fn list_opt_outs(&self, tenant: Tenant) -> Result<Vec<ListedOptOut>> {
        let rows = query(sql!("list_opt_outs")).bind(tenant.0).fetch_all(&self.readers).await?;
        Ok(rows::read_all::<OptOutRow, _>(&rows)?)
    }

    pub async fn is_opted_out(&self, tenant: Tenant, user: Uuid) -> Result<bool> {
        Ok(sqlx::query_scalar(sql!("is_opted_out")).bind(tenant.0).bind(user).fetch_one(&self.readers).await?)
    }

    pub async fn opt_out(&self, tenant: Tenant, user: Uuid, now: Timestamp) -> Result<u64> {
        self.write(move |connection| {
            Box::pin(async move {
                set_opt_out(connection, tenant, user, true, now).await?;
                let waited: Vec<bool> = sqlx::query_scalar(sql!("end_opted_out"))
                    .bind(tenant.0)
                    .bind(user)
                    .bind(now.as_millisecond())
                    .fetch_all(connection)
                    .await?;
                Ok(waited.into_iter().filter(|ended| *ended).count() as u64)
            })
        })
        .await
    }

    pub async fn opt_in(&self, tenant: Tenant, user: Uuid, now: Timestamp) -> Result<()> {
        self.write(move |connection| Box::pin(set_opt_out(connection, tenant, user, false, now))).await
    }
}

async fn set_opt_out(
    connection: &mut SqliteConnection,
    tenant: Tenant,
    user: Uuid,
    active: bool,
    now: Timestamp,
) -> Result<()> {
    users::username(connection, tenant, user).await?;
    query(sql!("set_opt_out"))
        .bind(tenant.0)
        .bind(user)
        .bind(active)
        .bind(now.as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}
