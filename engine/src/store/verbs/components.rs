//! Components that were installed, and the targets that they are behind.

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{grants, targets};
use crate::rules::setup;
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, query, sql};
use crate::store::values::Batch;
use crate::store::{Installation, Result, Store, Upserted};

impl Store {
    /// Keeps a component and puts it behind a target, which is made if it is new; what is granted and set comes on top of what a known target has, and a setting
    /// that is null is taken away. All or nothing. The component must have been checked. Fails with `AlreadyExists` if another target has the name.
    pub async fn install(&self, tenant: Tenant, installation: &Installation, now: Timestamp) -> Result<Upserted> {
        installation.target.check()?;
        for (name, value) in &installation.settings {
            setup::check_setting(name, value)?;
        }
        let Installation { target, is_new, digest, bytes, grants, settings, limits } = installation.clone();
        let written = self.write(move |mut connection| {
            Box::pin(async move {
                if is_new {
                    targets::insert(&mut connection, tenant, &target, now).await?;
                } else {
                    targets::name(&mut connection, tenant, target.id).await?;
                }
                let kept = query(sql!("put_component")).bind(tenant).bind(digest.as_str()).bind(bytes).bind(now);
                kept.execute(&mut connection).await?;
                let used = query(sql!("set_target_component")).bind(tenant).bind(target.id).bind(digest);
                used.execute(&mut connection).await?;
                // Another component may be another's work.
                query(sql!("forget_pace")).bind(tenant).bind(target.id).execute(&mut connection).await?;
                grants::add(&mut connection, tenant, target.id, &grants, now).await?;
                set(&mut connection, tenant, target.id, &settings).await?;
                grants::limit(&mut connection, tenant, target.id, &limits).await?;
                targets::bump_revision(&mut connection, tenant, target.id, now).await?;
                Ok(if is_new { Upserted::Added } else { Upserted::Changed })
            })
        });
        let change = written.await?;
        self.remove_unused_components(tenant).await;
        Ok(change)
    }

    /// Removes the components behind which no target is left, in a transaction of its own: one of these may be put behind a target just now, which must not
    /// fail because of that. What could not be removed goes the next time.
    pub(super) async fn remove_unused_components(&self, tenant: Tenant) {
        let removed = self.write(move |mut connection| {
            let remove = query(sql!("remove_unused_components")).bind(tenant);
            Box::pin(async move { Ok(remove.execute(&mut connection).await?) })
        });
        if let Err(error) = removed.await {
            tracing::debug!("components that no target uses cannot be removed yet: {error}");
        }
    }

    /// Sets what the component of a target knows; a setting that is null is taken away. It must have been checked.
    pub async fn set_target(
        &self,
        tenant: Tenant,
        id: Uuid,
        settings: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<()> {
        for (name, value) in settings {
            setup::check_setting(name, value)?;
        }
        let settings = settings.clone();
        self.write(move |mut connection| {
            Box::pin(async move {
                targets::name(&mut connection, tenant, id).await?;
                set(&mut connection, tenant, id, &settings).await?;
                targets::bump_revision(&mut connection, tenant, id, now).await
            })
        })
        .await
    }

    /// The bytes of the component with this digest, if it was installed.
    pub async fn find_component(&self, tenant: Tenant, digest: &str) -> Result<Option<Vec<u8>>> {
        let find = query(sql!("find_component")).bind(tenant).bind(digest);
        self.read(move |mut connection| Box::pin(async move { Ok(find.bytes(&mut connection).await?) })).await
    }
}

async fn set(
    connection: &mut Connection<'_>,
    tenant: Tenant,
    target: Uuid,
    settings: &Map<String, Value>,
) -> Result<()> {
    let (removed, kept): (Vec<_>, Vec<_>) = settings.iter().partition(|(_, value)| value.is_null());
    let rows = Batch::of(kept.iter().map(|(name, value)| [name.as_str().into(), value.to_string().into()]));
    query(sql!("set_target_settings")).bind(tenant).bind(target).bind_batch(rows).execute(connection).await?;
    let names = Batch::of(removed.iter().map(|(name, _)| [name.as_str().into()]));
    query(sql!("remove_target_settings")).bind(tenant).bind(target).bind_batch(names).execute(connection).await?;
    Ok(())
}
