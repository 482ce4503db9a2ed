//! A component is checked exactly as when it is loaded, and then kept for all engines of the database.

use super::normal_address;
use super::setup::read_settings;
use crate::host::{Catalog, ModuleError, Ready};
use crate::rules::budget::Said;
use crate::rules::grants::Capability;
use crate::rules::limits::Invalid;
use crate::rules::spelling::shown;
use crate::rules::target::{PauseKind, Target};
use crate::rules::tenant::Tenant;
use crate::store::{Installation, Store, StoreError, Upserted};
use jiff::Timestamp;
use uuid::Uuid;

/// What somebody wants to install.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The target's name; `None`: as the component calls itself.
    pub name: Option<String>,
    /// The module's name, which follows from the file's.
    pub module: String,
    /// The component.
    pub bytes: Vec<u8>,
    /// Granted from the beginning.
    pub grants: Vec<Capability>,
    /// Set from the beginning, as it was typed.
    pub settings: Vec<(String, String)>,
    /// Limits on its calls from the beginning.
    pub limits: Said,
}

/// Why nothing was installed: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Module(#[from] ModuleError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Installs a component behind a new target, or behind the one of this name, whose grants, settings and limits stay. A target that was paused because its
/// component could not be used delivers again; one whose component failed too often, only with another version of it. `new_id` is the id of a new
/// target.
pub async fn install(
    store: &Store,
    catalog: &Catalog,
    tenant: Tenant,
    wish: Wish,
    new_id: Uuid,
    now: Timestamp,
) -> Result<(Upserted, Target), InstallError> {
    let module = catalog.check(&wish.module, &wish.bytes).await?;
    let name = wish.name.unwrap_or_else(|| module.manifest.name.clone());
    let settings = read_settings(&module, &wish.settings)?;
    catalog.check_limits(&wish.module, &wish.limits)?;
    let all = store.list_targets(tenant).await?;
    let known = all.iter().find(|target| target.name == name).cloned();
    if let Some(other) = known.as_ref().filter(|known| known.notification_module_name != wish.module) {
        let module = &other.notification_module_name;
        let sentence =
            format!("There already is a target `{name}`, with the module `{module}`: choose another name with --name.");
        return Err(Invalid::new("name", sentence).into());
    }
    let is_new = known.is_none();
    let target = known.unwrap_or(Target {
        id: new_id,
        name,
        notification_module_name: wish.module,
        pause: None,
        slowed_until: None,
        faults: 0,
        revision: 0,
    });
    target.check_beside(&all)?;
    let digest = module.digest.clone();
    let is_another = is_new || store.target_setup(tenant, target.id).await?.component.as_ref() != Some(&digest);
    let (bytes, grants, limits) = (wish.bytes, wish.grants, wish.limits);
    let installation = Installation { target: target.clone(), is_new, digest, bytes, grants, settings, limits };
    let change = store.install(tenant, &installation, now).await?;
    let waits_for_it = target.pause.as_ref().is_some_and(|pause| pause.kind == PauseKind::Component);
    if waits_for_it && (is_another || !target.has_failed_too_often()) {
        store.resume_target(tenant, target.id, now).await?;
    } else if is_another {
        // They were the other's.
        store.forget_faults(tenant, target.id).await?;
    }
    let change = if is_another { change } else { Upserted::Unchanged };
    let installed = store.list_targets(tenant).await?.into_iter().find(|listed| listed.id == target.id);
    Ok((change, installed.unwrap_or(target)))
}

/// Why the address that a component's manifest shows people is none, if so.
pub async fn example_refused(ready: &Ready) -> Option<String> {
    let example = &ready.module.manifest.address.example;
    match normal_address(ready, example).await {
        Ok(Ok(_)) => None,
        Ok(Err(failure)) => Some(format!(
            "The address that its manifest shows as an example, \"{example}\", is refused by its own `check-address`, so one of the two is wrong: {}",
            shown(&failure.message)
        )),
        Err(fault) => {
            Some(format!("Its `check-address` fails even for the example of its manifest: {}", fault.message))
        }
    }
}
