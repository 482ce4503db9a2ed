//! Users.

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::UserRow;
use crate::rules::tenant::Tenant;
use crate::rules::user::{User, UserUpdate};
use crate::store::statement::{Connection, query, sql};
use crate::store::{Result, Store, StoreError, Thing, Upserted, trouble};

impl Store {
    /// Stores a new user. Fails with `AlreadyExists` if the username is taken.
    pub async fn add_user(&self, tenant: Tenant, user: &User, now: Timestamp) -> Result<()> {
        user.check()?;
        let user = user.clone();
        self.write(move |mut connection| Box::pin(async move { insert(&mut connection, tenant, &user, now).await }))
            .await
    }

    /// Makes users known, or brings them up to date, all or none; the ids of new ones come with them. Answers in the same order.
    pub async fn upsert_users(
        &self,
        tenant: Tenant,
        batch: &[(Uuid, UserUpdate)],
        now: Timestamp,
    ) -> Result<Vec<(Upserted, User)>> {
        let batch = batch.to_vec();
        self.write(move |mut connection| {
            Box::pin(async move {
                let mut answers = Vec::with_capacity(batch.len());
                for (new_id, update) in &batch {
                    answers.push(upsert(&mut connection, tenant, *new_id, update, now).await?);
                }
                Ok(answers)
            })
        })
        .await
    }

    /// All users, by username.
    pub async fn list_users(&self, tenant: Tenant) -> Result<Vec<User>> {
        self.read_all::<UserRow, _>(query(sql!("list_users")).bind(tenant)).await
    }

    /// The user with this username.
    pub async fn find_user(&self, tenant: Tenant, username: &str) -> Result<User> {
        let row: Option<UserRow> = self.read_optional(query(sql!("find_user")).bind(tenant).bind(username)).await?;
        row.map(User::from).ok_or_else(|| StoreError::not_found(Thing::User, username.to_owned()))
    }

    /// Removes a user with their records, notifications and history. Fails with `InUse` while something is being
    /// delivered to them.
    pub async fn remove_user(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.write_again(move |mut connection| {
            Box::pin(async move {
                let name = username(&mut connection, tenant, id).await?;
                let remedy = "something is being delivered to them, so try again in a minute";
                let in_use = StoreError::InUse { what: Thing::User, name, remedy };
                query(sql!("remove_user"))
                    .bind(tenant)
                    .bind(id)
                    .execute(&mut connection)
                    .await
                    .map_err(|error| trouble::if_needed(error, in_use))?;
                Ok(())
            })
        })
        .await
    }
}

impl Store {
    /// Gives a user another name. Fails with `AlreadyExists` if it is taken.
    pub async fn rename_user(&self, tenant: Tenant, id: Uuid, name: &str, now: Timestamp) -> Result<()> {
        let name = name.to_owned();
        let renamed = User { username: name.clone(), ..User::default() };
        renamed.check()?;
        self.write(move |mut connection| {
            Box::pin(async move {
                username(&mut connection, tenant, id).await?;
                let rename = query(sql!("rename_user")).bind(tenant).bind(id).bind(name.as_str()).bind(now);
                rename.execute(&mut connection).await.map_err(|error| {
                    trouble::if_taken(error, StoreError::AlreadyExists { what: Thing::User, name: name.clone() })
                })?;
                Ok(())
            })
        })
        .await
    }
}

/// Stores a new user.
async fn insert(connection: &mut Connection<'_>, tenant: Tenant, user: &User, now: Timestamp) -> Result<()> {
    query(sql!("add_user"))
        .bind(tenant)
        .bind(user.id)
        .bind(user.username.as_str())
        .bind(user.email.as_str())
        .bind(user.first_name.as_str())
        .bind(user.last_name.as_str())
        .bind(user.time_zone.as_str())
        .bind(user.locale.as_str())
        .bind(attributes(user))
        .bind(now)
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
    connection: &mut Connection<'_>,
    tenant: Tenant,
    new_id: Uuid,
    update: &UserUpdate,
    now: Timestamp,
) -> Result<(Upserted, User)> {
    let row: Option<UserRow> =
        query(sql!("find_user")).bind(tenant).bind(update.username.as_str()).optional(connection).await?;
    let known = row.map(User::from);
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
                .bind(tenant)
                .bind(user.id)
                .bind(user.email.as_str())
                .bind(user.first_name.as_str())
                .bind(user.last_name.as_str())
                .bind(user.time_zone.as_str())
                .bind(user.locale.as_str())
                .bind(attributes(&user))
                .bind(now)
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
pub async fn username(connection: &mut Connection<'_>, tenant: Tenant, id: Uuid) -> Result<String> {
    let name: Option<String> = query(sql!("username")).bind(tenant).bind(id).optional(connection).await?;
    name.ok_or_else(|| StoreError::not_found(Thing::User, id.to_string()))
}
