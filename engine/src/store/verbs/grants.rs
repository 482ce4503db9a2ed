//! What is granted to targets, the limits on their calls, and all that a target is set up with.

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::{Flag, SetupRow};
use super::targets;
use crate::rules::budget::{Limit, Said};
use crate::rules::grants::Capability;
use crate::rules::setup::Setup;
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, query, sql};
use crate::store::values::Batch;
use crate::store::{Result, Store, StoreError, Thing};

impl Store {
    /// Grants these to a target, on top of what it has; how many of them are new.
    pub async fn grant(&self, tenant: Tenant, target: Uuid, grants: &[Capability], now: Timestamp) -> Result<u64> {
        let grants = grants.to_vec();
        self.write(move |mut connection| {
            Box::pin(async move {
                targets::name(&mut connection, tenant, target).await?;
                let added = add(&mut connection, tenant, target, &grants, now).await?;
                if added > 0 {
                    targets::bump_revision(&mut connection, tenant, target, now).await?;
                }
                Ok(added)
            })
        })
        .await
    }

    /// Takes these from a target, exactly as they were granted; how many of them it had.
    pub async fn revoke(&self, tenant: Tenant, target: Uuid, grants: &[Capability], now: Timestamp) -> Result<u64> {
        let rows = rows(grants);
        self.write(move |mut connection| {
            Box::pin(async move {
                targets::name(&mut connection, tenant, target).await?;
                let remove = query(sql!("remove_grants")).bind(tenant).bind(target).bind_batch(rows);
                let removed = remove.execute(&mut connection).await?;
                if removed > 0 {
                    targets::bump_revision(&mut connection, tenant, target, now).await?;
                }
                Ok(removed)
            })
        })
        .await
    }

    /// Sets these limits on a target's calls, and removes those, so that the operator's hold again.
    pub async fn limit_target(
        &self,
        tenant: Tenant,
        target: Uuid,
        limits: &Said,
        removed: &[Limit],
        now: Timestamp,
    ) -> Result<()> {
        let limits = limits.clone();
        let removed = Batch::of(removed.iter().map(|limit| [limit.name().into()]));
        self.write(move |mut connection| {
            Box::pin(async move {
                targets::name(&mut connection, tenant, target).await?;
                limit(&mut connection, tenant, target, &limits).await?;
                let remove = query(sql!("remove_target_limits")).bind(tenant).bind(target).bind_batch(removed);
                remove.execute(&mut connection).await?;
                targets::bump_revision(&mut connection, tenant, target, now).await
            })
        })
        .await
    }

    /// All that a target is set up with, as it was at one moment.
    pub async fn target_setup(&self, tenant: Tenant, target: Uuid) -> Result<Setup> {
        let row: Option<SetupRow> = self.read_optional(query(sql!("target_setup")).bind(tenant).bind(target)).await?;
        row.map(Setup::from).ok_or_else(|| StoreError::not_found(Thing::Target, target.to_string()))
    }

    /// The revision of a target's setup: cheap enough to be asked again and again.
    pub async fn target_revision(&self, tenant: Tenant, target: Uuid) -> Result<i64> {
        let revision = self.read_optional(query(sql!("target_revision")).bind(tenant).bind(target)).await?;
        revision.ok_or_else(|| StoreError::not_found(Thing::Target, target.to_string()))
    }

    /// The same, and whether the target is paused.
    pub async fn target_standing(&self, tenant: Tenant, target: Uuid) -> Result<(i64, bool)> {
        let found = self.read_optional::<(i64, Flag)>(query(sql!("target_standing")).bind(tenant).bind(target)).await?;
        let (revision, paused) = found.ok_or_else(|| StoreError::not_found(Thing::Target, target.to_string()))?;
        Ok((revision, paused.0))
    }
}

/// Grants as rows. What only the operator gives is never one.
fn rows(grants: &[Capability]) -> Batch {
    let granted = grants.iter().filter(|grant| **grant != Capability::Templates);
    Batch::of(granted.map(|grant| [grant.kind().into(), grant.scope().into()]))
}

/// Sets these limits.
pub async fn limit(connection: &mut Connection<'_>, tenant: Tenant, target: Uuid, limits: &Said) -> Result<()> {
    let amount = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    let rows = Batch::of(limits.iter().map(|(limit, most)| [limit.name().into(), amount(*most).into()]));
    query(sql!("set_target_limits")).bind(tenant).bind(target).bind_batch(rows).execute(connection).await?;
    Ok(())
}

/// Grants these; how many of them are new.
pub async fn add(
    connection: &mut Connection<'_>,
    tenant: Tenant,
    target: Uuid,
    grants: &[Capability],
    now: Timestamp,
) -> Result<u64> {
    let add = query(sql!("add_grants")).bind(tenant).bind(target).bind_batch(rows(grants)).bind(now);
    Ok(add.execute(connection).await?)
}
