//! Secrets, which come here encrypted and leave so.

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::ListedSecretRow;
use super::targets;
use crate::rules::grants::check_secret_name;
use crate::rules::sealed::SealedSecret;
use crate::rules::spelling::nearest;
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, query, sql};
use crate::store::values::Batch;
use crate::store::{ListedSecret, Result, Store, StoreError, Thing};

impl Store {
    /// Sets a secret of a target, or of the whole tenant; one of the same name in the same place is replaced.
    pub async fn set_secret(&self, tenant: Tenant, secret: &SealedSecret, now: Timestamp) -> Result<()> {
        check_secret_name(&secret.name)?;
        let SealedSecret { id, name, target, key_id, ciphertext, mut origins } = secret.clone();
        origins.sort_unstable();
        origins.dedup();
        self.write(move |mut connection| {
            Box::pin(async move {
                if let Some(target) = target {
                    targets::name(&mut connection, tenant, target).await?;
                }
                remove(&mut connection, tenant, target, &name).await?;
                let add = query(sql!("add_secret")).bind(tenant).bind(id).bind(target).bind(name).bind(key_id);
                add.bind(ciphertext).bind(now).execute(&mut connection).await?;
                let origins = Batch::of(origins.iter().map(|origin| [origin.to_string().into()]));
                let bind = query(sql!("add_secret_origins")).bind(tenant).bind(id).bind_batch(origins);
                bind.execute(&mut connection).await?;
                bump_revisions(&mut connection, tenant, target, now).await
            })
        })
        .await
    }

    /// Removes a secret of a target, or of the whole tenant.
    pub async fn remove_secret(&self, tenant: Tenant, target: Option<Uuid>, name: &str, now: Timestamp) -> Result<()> {
        let name = name.to_owned();
        self.write(move |mut connection| {
            Box::pin(async move {
                if remove(&mut connection, tenant, target, &name).await? == 0 {
                    let all: Vec<ListedSecretRow> =
                        query(sql!("list_secrets")).bind(tenant).all(&mut connection).await?;
                    let all: Vec<ListedSecret> = all.into_iter().map(ListedSecret::from).collect();
                    // It may be another target's.
                    let others = all.iter().map(|listed| listed.secret.name.as_str()).filter(|other| *other != name);
                    let near = nearest(&name, others).map(str::to_owned);
                    return Err(StoreError::NotFound { what: Thing::Secret, name, near });
                }
                bump_revisions(&mut connection, tenant, target, now).await
            })
        })
        .await
    }

    /// All secrets by name, encrypted as they are.
    pub async fn list_secrets(&self, tenant: Tenant) -> Result<Vec<ListedSecret>> {
        self.read_all::<ListedSecretRow, _>(query(sql!("list_secrets")).bind(tenant)).await
    }

    /// Writes secrets that were encrypted anew, all or none; `replaced` is the key that each had before. One that was set meanwhile stays as it is
    /// and is not counted.
    pub async fn reseal_secrets(
        &self,
        tenant: Tenant,
        secrets: &[(String, SealedSecret)],
        now: Timestamp,
    ) -> Result<u64> {
        let secrets = secrets.to_vec();
        self.write(move |mut connection| {
            Box::pin(async move {
                let mut changed = 0;
                for (replaced, SealedSecret { id, key_id, ciphertext, .. }) in secrets {
                    let reseal = query(sql!("reseal_secret")).bind(tenant).bind(id).bind(key_id).bind(ciphertext);
                    changed += reseal.bind(replaced).bind(now).execute(&mut connection).await?;
                }
                bump_revisions(&mut connection, tenant, None, now).await?;
                Ok(changed)
            })
        })
        .await
    }
}

async fn remove(connection: &mut Connection<'_>, tenant: Tenant, target: Option<Uuid>, name: &str) -> Result<u64> {
    Ok(query(sql!("remove_secret")).bind(tenant).bind(target).bind(name).execute(connection).await?)
}

/// Tells the engines that what a target has, or all of them, is different.
async fn bump_revisions(
    connection: &mut Connection<'_>,
    tenant: Tenant,
    target: Option<Uuid>,
    now: Timestamp,
) -> Result<()> {
    match target {
        Some(target) => targets::bump_revision(connection, tenant, target, now).await,
        None => {
            query(sql!("bump_revisions")).bind(tenant).bind(now).execute(connection).await?;
            Ok(())
        }
    }
}
