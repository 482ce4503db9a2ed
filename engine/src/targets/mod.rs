//! Targets as they are set up: what the store keeps for one is passed to the catalog, which makes it ready to be called.
//!
//! The store and the host do not know each other; here, in creation and in delivery they meet. In reading order: here how a target is
//! made ready, `install` how a component comes to be behind one, `setup` how what it knows is set.

mod install;
mod setup;

pub use install::{InstallError, Wish, example_refused, install};
pub use setup::{go_on, set};

use crate::host::{Catalog, Fault, ModuleError, Ready, Unloaded};
use crate::rules::grants::{self, Denial};
use crate::rules::outcome::Failure;
use crate::rules::target::{Target, check_target_user_id};
use crate::rules::tenant::Tenant;
use crate::store::{Store, StoreError};
use futures::FutureExt;
use std::sync::Arc;

/// Why a target cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// Its component cannot be used; the sentence says what to do.
    #[error(transparent)]
    Module(#[from] ModuleError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This machine is short of something, or the component is being replaced, which passes.
    #[error(transparent)]
    Trouble(ModuleError),
}

/// A target with its component and what that may use, as it was set up at `target.revision` or later. What is known already costs nothing.
pub async fn ready(store: &Store, catalog: &Catalog, tenant: Tenant, target: &Target) -> Result<Arc<Ready>, Unready> {
    if let Some(known) = catalog.known(tenant, target.id, target.revision) {
        return Ok(known?);
    }
    let setup = store.target_setup(tenant, target.id).await?;
    let digest = setup.component.as_deref().unwrap_or_default();
    let read = || {
        async move {
            let found = store.find_component(tenant, digest).await.map_err(Unloaded::Unread)?;
            found.ok_or_else(|| ModuleError::changed().into())
        }
        .boxed()
    };
    match catalog.prepare(tenant, target, &setup, &read).await {
        Ok(ready) => Ok(ready),
        Err(Unloaded::Unread(error)) => Err(Unready::Store(error)),
        Err(Unloaded::Trouble(error)) => Err(Unready::Trouble(error)),
        // While it waited to be read, another may have taken its place.
        Err(Unloaded::Module(error)) => match store.target_setup(tenant, target.id).await?.component == setup.component
        {
            true => Err(Unready::Module(error)),
            false => Err(Unready::Trouble(error)),
        },
    }
}

/// The normal form of an address, or why it can be none: as its component says, which is at fault if that cannot be kept, or the operator, whom it would be sent to
/// in vain.
pub async fn normal_address(ready: &Ready, target_user_id: &str) -> Result<Result<String, Failure>, Fault> {
    let answer = ready.module.check_address(&ready.powers, target_user_id).await.result?;
    if let Ok(normal) = &answer
        && normal != target_user_id
        && let Err(why) = check_target_user_id(normal)
    {
        let message = format!("What the component made of the address cannot be kept: {}", why.sentence);
        return Err(Fault { code: "wrong_result", message });
    }
    // What was given is said when it is stored.
    Ok(answer.and_then(|normal| match grants::record(&ready.powers.grants, &normal) {
        Ok(()) => Ok(normal),
        Err(Denial { code, message }) => Err(Failure { code: code.to_owned(), message }),
    }))
}

/// How a target stands now.
pub enum Standing {
    AsBefore,
    /// It is set up otherwise: a grant was taken away, a secret was changed.
    Changed(Arc<Ready>),
    /// It has another component, which whoever holds the one before must not wait for: there may be no room for both.
    Replaced,
    /// Nothing is to be sent to it.
    Paused,
}

/// How the target stands now that was made ready as `known`.
pub async fn standing(
    store: &Store,
    catalog: &Catalog,
    tenant: Tenant,
    target: &Target,
    known: &Ready,
) -> Result<Standing, Unready> {
    let (revision, paused) = store.target_standing(tenant, target.id).await?;
    if paused {
        return Ok(Standing::Paused);
    }
    if revision <= known.revision {
        return Ok(Standing::AsBefore);
    }
    if let Some(ready) = catalog.known(tenant, target.id, revision) {
        return Ok(Standing::Changed(ready?));
    }
    let setup = store.target_setup(tenant, target.id).await?;
    match catalog.prepare_again(tenant, target, &setup, known) {
        Some(ready) => Ok(Standing::Changed(ready?)),
        None => Ok(Standing::Replaced),
    }
}
