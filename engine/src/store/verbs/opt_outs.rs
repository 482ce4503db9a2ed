//! Opt-outs.

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::{Flag, OptOutRow};
use super::users;
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, query, sql};
use crate::store::{ListedOptOut, Result, Store};

impl Store {
    /// All who have ever opted out, by username.
    pub async fn list_opt_outs(&self, tenant: Tenant) -> Result<Vec<ListedOptOut>> {
        self.read_all::<OptOutRow, _>(query(sql!("list_opt_outs")).bind(tenant)).await
    }

    /// Whether a user wants nothing at the moment.
    pub async fn is_opted_out(&self, tenant: Tenant, user: Uuid) -> Result<bool> {
        let answer: Flag = self.read_one(query(sql!("is_opted_out")).bind(tenant).bind(user)).await?;
        Ok(answer.0)
    }

    /// Notes that a user wants nothing, and turns what waits for them into OPTED OUT; returns how many notifications
    /// that were. What is claimed at this moment is marked: it is sent only if its send has begun, and is not tried again.
    pub async fn opt_out(&self, tenant: Tenant, user: Uuid, now: Timestamp) -> Result<u64> {
        self.write_again(move |mut connection| {
            Box::pin(async move {
                set_opt_out(&mut connection, tenant, user, true, now).await?;
                let waited: Vec<Flag> =
                    query(sql!("end_opted_out")).bind(tenant).bind(user).bind(now).all(&mut connection).await?;
                Ok(waited.into_iter().filter(|ended| ended.0).count() as u64)
            })
        })
        .await
    }

    /// Notes that a user wants notifications again. Nothing that was ended comes back.
    pub async fn opt_in(&self, tenant: Tenant, user: Uuid, now: Timestamp) -> Result<()> {
        self.write(move |mut connection| {
            Box::pin(async move { set_opt_out(&mut connection, tenant, user, false, now).await })
        })
        .await
    }
}

async fn set_opt_out(
    connection: &mut Connection<'_>,
    tenant: Tenant,
    user: Uuid,
    active: bool,
    now: Timestamp,
) -> Result<()> {
    users::username(connection, tenant, user).await?;
    query(sql!("set_opt_out")).bind(tenant).bind(user).bind(active).bind(now).execute(connection).await?;
    Ok(())
}
