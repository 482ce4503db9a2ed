//! Targets.

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::TargetRow;
use crate::rules::limits::{self, Invalid};
use crate::rules::spelling::nearest;
use crate::rules::target::{MAX_FAULTS, MAX_REASON, Pause, Target};
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, Query, query, sql};
use crate::store::{Result, Store, StoreError, Thing, trouble};

impl Store {
    /// Stores a new target. Fails with `AlreadyExists` if the name is taken.
    pub async fn add_target(&self, tenant: Tenant, target: &Target, now: Timestamp) -> Result<()> {
        target.check()?;
        let target = target.clone();
        self.write(move |mut connection| Box::pin(async move { insert(&mut connection, tenant, &target, now).await }))
            .await
    }

    /// All targets, by name.
    pub async fn list_targets(&self, tenant: Tenant) -> Result<Vec<Target>> {
        self.read_all::<TargetRow, _>(query(sql!("list_targets")).bind(tenant)).await
    }

    /// The target with this display name, else the only one with this module name. Fails with `Invalid` if several
    /// share the module.
    pub async fn find_target(&self, tenant: Tenant, name: &str) -> Result<Target> {
        let found: Vec<Target> =
            self.read_all::<TargetRow, _>(query(sql!("find_targets")).bind(tenant).bind(name)).await?;
        if let Some(named) = found.iter().find(|target| target.name == name) {
            return Ok(named.clone());
        }
        match found.as_slice() {
            [] => {
                let all = self.list_targets(tenant).await?;
                let names = all.iter().flat_map(|target| [&target.name, &target.notification_module_name]);
                let near = nearest(name, names.map(String::as_str)).map(str::to_owned);
                Err(StoreError::NotFound { what: Thing::Target, name: name.to_owned(), near })
            }
            [only] => Ok(only.clone()),
            several => {
                let names = several.iter().map(|target| format!("`{}`", target.name)).collect::<Vec<_>>().join(", ");
                let sentence = format!("Several targets use the module `{name}`: name one of {names}.");
                Err(Invalid::new("target", sentence).into())
            }
        }
    }

    /// Removes a target with its grants, settings and secrets, and its component if no other has it. Fails with `InUse` while it has records.
    pub async fn remove_target(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.write(move |mut connection| {
            Box::pin(async move {
                let name = name(&mut connection, tenant, id).await?;
                let in_use = StoreError::InUse {
                    what: Thing::Target,
                    name,
                    remedy: "`engine record list` shows its records, and `engine record remove` takes one away with its notifications",
                };
                query(sql!("remove_target"))
                    .bind(tenant)
                    .bind(id)
                    .execute(&mut connection)
                    .await
                    .map_err(|error| trouble::if_needed(error, in_use))?;
                Ok(())
            })
        })
        .await?;
        self.remove_unused_components(tenant).await;
        Ok(())
    }

    /// Stops sending to a target until it is resumed. A target that is paused already keeps its first reason.
    pub async fn pause_target(&self, tenant: Tenant, id: Uuid, pause: &Pause) -> Result<()> {
        self.change_target(tenant, id, pausing(tenant, id, pause)).await
    }

    /// Sends to a target again: neither paused nor slowed down, and its component's faults forgotten.
    pub async fn resume_target(&self, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<()> {
        let change = query(sql!("resume_target")).bind(tenant).bind(id).bind(now);
        self.change_target(tenant, id, change).await?;
        self.announce();
        Ok(())
    }

    /// Counts a call in which a target's component, of this digest, failed; how many those are in a row. None, if another was installed meanwhile. With the
    /// last that is borne (`MAX_FAULTS`) the target is paused.
    pub async fn count_fault(&self, tenant: Tenant, id: Uuid, digest: &str, pause: &Pause) -> Result<u32> {
        let count = query(sql!("count_fault")).bind(tenant).bind(id).bind(digest);
        let pausing = pausing(tenant, id, pause);
        self.write(move |mut connection| {
            Box::pin(async move {
                name(&mut connection, tenant, id).await?;
                let faults = count.optional(&mut connection).await?.unwrap_or_default();
                if faults >= MAX_FAULTS {
                    // At once, so that no other component is paused for this one.
                    pausing.execute(&mut connection).await?;
                }
                Ok(faults)
            })
        })
        .await
    }

    /// Begins to count anew: a target's component has not failed.
    pub async fn forget_faults(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.change_target(tenant, id, query(sql!("forget_faults")).bind(tenant).bind(id)).await
    }

    /// Sends nothing to a target before `until`; a later time that stands already is kept.
    pub async fn slow_down_target(&self, tenant: Tenant, id: Uuid, until: Timestamp, now: Timestamp) -> Result<()> {
        let change = query(sql!("slow_down_target")).bind(tenant).bind(id).bind(until).bind(now);
        self.change_target(tenant, id, change).await
    }

    /// Runs a statement about a target, which must exist but need not be changed by it.
    async fn change_target(&self, tenant: Tenant, id: Uuid, change: Query) -> Result<()> {
        self.write(move |mut connection| {
            Box::pin(async move {
                name(&mut connection, tenant, id).await?;
                change.execute(&mut connection).await?;
                Ok(())
            })
        })
        .await
    }
}

fn pausing(tenant: Tenant, id: Uuid, pause: &Pause) -> Query {
    let reason = limits::cut(&pause.reason, MAX_REASON);
    query(sql!("pause_target")).bind(tenant).bind(id).bind(pause.kind.as_str()).bind(reason).bind(pause.since)
}

/// Stores a new target.
pub async fn insert(connection: &mut Connection<'_>, tenant: Tenant, target: &Target, now: Timestamp) -> Result<()> {
    let pause = target.pause.as_ref();
    query(sql!("add_target"))
        .bind(tenant)
        .bind(target.id)
        .bind(target.name.as_str())
        .bind(target.notification_module_name.as_str())
        .bind(pause.map(|pause| pause.kind.as_str()))
        .bind(pause.map(|pause| limits::cut(&pause.reason, MAX_REASON)))
        .bind(pause.map(|pause| pause.since))
        .bind(target.slowed_until)
        .bind(now)
        .execute(connection)
        .await
        .map_err(|error| {
            let taken = StoreError::AlreadyExists { what: Thing::Target, name: target.name.clone() };
            trouble::if_taken(error, taken)
        })?;
    Ok(())
}

/// Tells the engines that what a target is set up with has changed.
pub async fn bump_revision(connection: &mut Connection<'_>, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<()> {
    query(sql!("bump_revision")).bind(tenant).bind(id).bind(now).execute(connection).await?;
    Ok(())
}

/// What people call the target with this id, which must exist.
pub async fn name(connection: &mut Connection<'_>, tenant: Tenant, id: Uuid) -> Result<String> {
    let name: Option<String> = query(sql!("target_name")).bind(tenant).bind(id).optional(connection).await?;
    name.ok_or_else(|| StoreError::not_found(Thing::Target, id.to_string()))
}
