//! Targets.

use jiff::Timestamp;
use sqlx::query;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use uuid::Uuid;

use super::rows::{self, TargetRow};
use super::{Sqlite, sql, trouble};
use crate::rules::limits::{self, Invalid};
use crate::rules::target::{MAX_REASON, Pause, Target};
use crate::rules::tenant::Tenant;
use crate::store::{Result, StoreError, Thing};

impl Sqlite {
    pub async fn add_target(&self, tenant: Tenant, target: &Target, now: Timestamp) -> Result<()> {
        let target = target.clone();
        self.write(move |connection| {
            Box::pin(async move {
                let pause = target.pause.as_ref();
                query(sql!("add_target"))
                    .bind(tenant.0)
                    .bind(target.id)
                    .bind(&target.name)
                    .bind(&target.notification_module_name)
                    .bind(pause.map(|pause| pause.kind.as_str()))
                    .bind(pause.map(|pause| limits::cut(&pause.reason, MAX_REASON)))
                    .bind(pause.map(|pause| pause.since.as_millisecond()))
                    .bind(target.slowed_until.map(Timestamp::as_millisecond))
                    .bind(now.as_millisecond())
                    .execute(connection)
                    .await
                    .map_err(|error| {
                        let taken = StoreError::AlreadyExists { what: Thing::Target, name: target.name };
                        trouble::if_taken(error, taken)
                    })?;
                Ok(())
            })
        })
        .await
    }

    pub async fn list_targets(&self, tenant: Tenant) -> Result<Vec<Target>> {
        let rows = query(sql!("list_targets")).bind(tenant.0).fetch_all(&self.readers).await?;
        Ok(rows::read_all::<TargetRow, _>(&rows)?)
    }

    pub async fn find_target(&self, tenant: Tenant, name: &str) -> Result<Target> {
        let rows = query(sql!("find_targets")).bind(tenant.0).bind(name).fetch_all(&self.readers).await?;
        let found: Vec<Target> = rows::read_all::<TargetRow, _>(&rows)?;
        if let Some(named) = found.iter().find(|target| target.name == name) {
            return Ok(named.clone());
        }
        match found.as_slice() {
            [] => Err(StoreError::NotFound { what: Thing::Target, name: name.to_owned() }),
            [only] => Ok(only.clone()),
            several => {
                let names = several.iter().map(|target| format!("`{}`", target.name)).collect::<Vec<_>>().join(", ");
                let sentence = format!("Several targets use the module `{name}`: name one of {names}.");
                Err(Invalid::new("target", sentence).into())
            }
        }
    }

    pub async fn remove_target(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                let name = name(connection, tenant, id).await?;
                let in_use = StoreError::InUse { what: Thing::Target, name, remedy: "remove its records first" };
                query(sql!("remove_target"))
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

    pub async fn pause_target(&self, tenant: Tenant, id: Uuid, pause: &Pause) -> Result<()> {
        let reason = limits::cut(&pause.reason, MAX_REASON);
        let change = query(sql!("pause_target"))
            .bind(tenant.0)
            .bind(id)
            .bind(pause.kind.as_str())
            .bind(reason)
            .bind(pause.since.as_millisecond());
        self.change_target(tenant, id, change).await
    }

    pub async fn resume_target(&self, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<()> {
        let change = query(sql!("resume_target")).bind(tenant.0).bind(id).bind(now.as_millisecond());
        self.change_target(tenant, id, change).await
    }

    pub async fn slow_down_target(&self, tenant: Tenant, id: Uuid, until: Timestamp, now: Timestamp) -> Result<()> {
        let change = query(sql!("slow_down_target"))
            .bind(tenant.0)
            .bind(id)
            .bind(until.as_millisecond())
            .bind(now.as_millisecond());
        self.change_target(tenant, id, change).await
    }

    /// Runs a statement about a target, which must exist but need not be changed by it.
    async fn change_target(
        &self,
        tenant: Tenant,
        id: Uuid,
        change: Query<'static, sqlx::Sqlite, SqliteArguments>,
    ) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                name(connection, tenant, id).await?;
                change.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// What people call the target with this id, which must exist.
pub async fn name(connection: &mut SqliteConnection, tenant: Tenant, id: Uuid) -> Result<String> {
    let name = sqlx::query_scalar(sql!("target_name")).bind(tenant.0).bind(id).fetch_optional(connection).await?;
    name.ok_or_else(|| StoreError::NotFound { what: Thing::Target, name: id.to_string() })
}
