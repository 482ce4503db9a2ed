//! Users and their opt-outs.

use jiff::Timestamp;
use sqlx::query;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::rows::{self, UserRow};
use super::{Sqlite, sql, trouble};
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::store::{Result, StoreError, Thing};

impl Sqlite {
    pub async fn add_user(&self, tenant: Tenant, user: &User, now: Timestamp) -> Result<()> {
        let user = user.clone();
        self.write(move |connection| {
            Box::pin(async move {
                query(sql!("add_user"))
                    .bind(tenant.0)
                    .bind(user.id)
                    .bind(&user.username)
                    .bind(&user.email)
                    .bind(&user.first_name)
                    .bind(&user.last_name)
                    .bind(&user.time_zone)
                    .bind(&user.locale)
                    .bind(serde_json::Value::from(user.attributes.clone()).to_string())
                    .bind(now.as_millisecond())
                    .execute(connection)
                    .await
                    .map_err(|error| {
                        let taken = StoreError::AlreadyExists { what: Thing::User, name: user.username };
                        trouble::if_taken(error, taken)
                    })?;
                Ok(())
            })
        })
        .await
    }

    pub async fn list_users(&self, tenant: Tenant) -> Result<Vec<User>> {
        let rows = query(sql!("list_users")).bind(tenant.0).fetch_all(&self.readers).await?;
        Ok(rows::read_all::<UserRow, _>(&rows)?)
    }

    pub async fn find_user(&self, tenant: Tenant, username: &str) -> Result<User> {
        let row = query(sql!("find_user")).bind(tenant.0).bind(username).fetch_optional(&self.readers).await?;
        let row = row.ok_or_else(|| StoreError::NotFound { what: Thing::User, name: username.to_owned() })?;
        Ok(rows::read::<UserRow>(&row)?.into())
    }

    pub async fn remove_user(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                let name = username(connection, tenant, id).await?;
                let remedy = "something is being delivered to them, so try again in a minute";
                let in_use = StoreError::InUse { what: Thing::User, name, remedy };
                query(sql!("remove_user"))
                    .bind(tenant.0)
                    .bind(id)
                    .execute(connection)
                    .await
                    .map_err(|error| trouble::if_needed(error, in_use))?;
                Ok(())
            })
        })
        .await
    }

    pub async fn is_opted_out(&self, tenant: Tenant, user: Uuid) -> Result<bool> {
        Ok(sqlx::query_scalar(sql!("is_opted_out")).bind(tenant.0).bind(user).fetch_one(&self.readers).await?)
    }

    pub async fn opt_out(&self, tenant: Tenant, user: Uuid, now: Timestamp) -> Result<u64> {
        self.write(move |connection| {
            Box::pin(async move {
                set_opt_out(connection, tenant, user, true, now).await?;
                let ended = query(sql!("end_opted_out"))
                    .bind(tenant.0)
                    .bind(user)
                    .bind(now.as_millisecond())
                    .execute(connection)
                    .await?;
                Ok(ended.rows_affected())
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
    username(connection, tenant, user).await?;
    query(sql!("set_opt_out"))
        .bind(tenant.0)
        .bind(user)
        .bind(active)
        .bind(now.as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}

/// What people call the user with this id, who must exist.
pub async fn username(connection: &mut SqliteConnection, tenant: Tenant, id: Uuid) -> Result<String> {
    let name = sqlx::query_scalar(sql!("username")).bind(tenant.0).bind(id).fetch_optional(connection).await?;
    name.ok_or_else(|| StoreError::NotFound { what: Thing::User, name: id.to_string() })
}
