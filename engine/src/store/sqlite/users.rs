//! Users.

use jiff::Timestamp;
use sqlx::query;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::rows::{self, UserRow};
use super::{Sqlite, sql, trouble};
use crate::rules::tenant::Tenant;
use crate::rules::user::{User, UserUpdate};
use crate::store::{Result, StoreError, Thing, Upserted};

impl Sqlite {
    pub async fn add_user(&self, tenant: Tenant, user: &User, now: Timestamp) -> Result<()> {
        let user = user.clone();
        self.write(move |connection| Box::pin(async move { insert(connection, tenant, &user, now).await })).await
    }

    pub async fn upsert_users(
        &self,
        tenant: Tenant,
        batch: &[(Uuid, UserUpdate)],
        now: Timestamp,
    ) -> Result<Vec<(Upserted, User)>> {
        let batch = batch.to_vec();
        self.write(move |connection| {
            Box::pin(async move {
                let mut answers = Vec::with_capacity(batch.len());
                for (new_id, update) in &batch {
                    answers.push(upsert(connection, tenant, *new_id, update, now).await?);
                }
                Ok(answers)
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
}

/// Stores a new user.
async fn insert(connection: &mut SqliteConnection, tenant: Tenant, user: &User, now: Timestamp) -> Result<()> {
    query(sql!("add_user"))
        .bind(tenant.0)
        .bind(user.id)
        .bind(&user.username)
        .bind(&user.email)
        .bind(&user.first_name)
        .bind(&user.last_name)
        .bind(&user.time_zone)
        .bind(&user.locale)
        .bind(attributes(user))
        .bind(now.as_millisecond())
        .execute(connection)
        .await
        .map_err(|error| {
            let taken = StoreError::AlreadyExists { what: Thing::User, name: user.username.clone() };
            trouble::if_taken(error, taken)
        })?;
    Ok(())
}

/// Makes one user known, or brings them up to date.
async fn upsert(
    connection: &mut SqliteConnection,
    tenant: Tenant,
    new_id: Uuid,
    update: &UserUpdate,
    now: Timestamp,
) -> Result<(Upserted, User)> {
    let row = query(sql!("find_user")).bind(tenant.0).bind(&update.username).fetch_optional(&mut *connection).await?;
    let known = row.as_ref().map(rows::read::<UserRow>).transpose()?.map(User::from);
    let user = update.apply(known.as_ref(), new_id);
    user.check()?;
    match known {
        None => {
            insert(connection, tenant, &user, now).await?;
            Ok((Upserted::Added, user))
        }
        Some(known) if known == user => Ok((Upserted::Unchanged, user)),
        Some(_) => {
            query(sql!("update_user"))
                .bind(tenant.0)
                .bind(user.id)
                .bind(&user.email)
                .bind(&user.first_name)
                .bind(&user.last_name)
                .bind(&user.time_zone)
                .bind(&user.locale)
                .bind(attributes(&user))
                .bind(now.as_millisecond())
                .execute(connection)
                .await?;
            Ok((Upserted::Changed, user))
        }
    }
}

fn attributes(user: &User) -> String {
    serde_json::Value::from(user.attributes.clone()).to_string()
}

/// What people call the user with this id, who must exist.
pub async fn username(connection: &mut SqliteConnection, tenant: Tenant, id: Uuid) -> Result<String> {
    let name = sqlx::query_scalar(sql!("username")).bind(tenant.0).bind(id).fetch_optional(connection).await?;
    name.ok_or_else(|| StoreError::NotFound { what: Thing::User, name: id.to_string() })
}
