//! What the component of a target knows is set, and what was missing lets it go on.

use super::InstallError;
use crate::host::{Catalog, Module, Ready};
use crate::rules::limits::Invalid;
use crate::rules::schema::Schema;
use crate::rules::setup::{ENGINES_OWN, read_setting};
use crate::rules::spelling::nearest;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Sets what the component of a target knows, as it was typed; an empty value takes a setting away. The operator's comes before it.
pub async fn set(
    store: &Store,
    catalog: &Catalog,
    tenant: Tenant,
    target: &Target,
    typed: &[(String, String)],
    now: Timestamp,
) -> Result<Map<String, Value>, InstallError> {
    let setup = store.target_setup(tenant, target.id).await?;
    let Some(digest) = &setup.component else {
        let (name, module) = (&target.name, &target.notification_module_name);
        let sentence = format!(
            "The component of {name} was not installed: its settings are the operator's, under [target.{module}]."
        );
        return Err(Invalid::new("target", sentence).into());
    };
    let bytes = store.find_component(tenant, digest).await?.unwrap_or_default();
    // Also if what is set already keeps it from being used.
    let module = catalog.check(&target.notification_module_name, &bytes).await?;
    let settings = read_settings(&module, typed)?;
    let is_known =
        |key: &str| setup.settings.contains_key(key) || !module.manifest.settings["properties"][key].is_null();
    if let Some((key, _)) = settings.iter().find(|(key, value)| value.is_null() && !is_known(key)) {
        let names = setup.settings.keys().map(String::as_str).chain(ENGINES_OWN);
        let near = match nearest(key, names) {
            None => ".".to_owned(),
            Some(near) if ENGINES_OWN.contains(&near) => {
                format!("; `{near}` would be the operator's, under [target.{}].", module.name)
            }
            Some(near) => format!("; did you mean `{near}`?"),
        };
        let sentence = format!("`{}` of {} is not set{near}", key.escape_debug(), target.name);
        return Err(Invalid::new("setting", sentence).into());
    }
    store.set_target(tenant, target.id, &settings, now).await?;
    Ok(settings)
}

/// Settings as the component's schema has them, which must know each; null where one is to be taken away.
pub(super) fn read_settings(module: &Module, typed: &[(String, String)]) -> Result<Map<String, Value>, Invalid> {
    if let Some((key, _)) = typed.iter().find(|(key, _)| ENGINES_OWN.contains(&key.as_str())) {
        let name = &module.name;
        let sentence =
            format!("`{key}` is the operator's to set, under [target.{name}] in the settings: leave it out.");
        return Err(Invalid::new("setting", sentence));
    }
    if let Some((key, _)) = typed.iter().find(|(key, _)| module.manifest.secrets.iter().any(|asked| asked.name == *key))
    {
        let sentence = format!("`{key}` is a secret: `engine secret set {key} --origin https://…` reads its value.");
        return Err(Invalid::new("setting", sentence));
    }
    let (removed, typed): (Vec<_>, Vec<_>) = typed.iter().partition(|(_, text)| text.is_empty());
    let mut schema = module.manifest.settings.clone();
    let known = Schema::requiring_nothing(&schema);
    let mut settings = typed.iter().map(|(key, text)| (key.clone(), read_setting(&known, key, text))).collect();
    if let Some(keys) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        keys.retain(|key, _| !ENGINES_OWN.contains(&key.as_str()));
    }
    Schema::requiring_nothing(&schema)
        .check("what is set", &settings, &[])
        .map_err(|why| Invalid::new("setting", format!("This cannot be set: {why}.")))?;
    // Also one that this version does not know any more.
    settings.extend(removed.iter().map(|(key, _)| (key.clone(), Value::Null)));
    Ok(settings)
}

/// Lets a target go on that was paused since it lacked what is there now. Whether it was.
pub async fn go_on(
    store: &Store,
    tenant: Tenant,
    target: &Target,
    ready: &Ready,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let goes_on = target.is_unready() && ready.unmet().is_none();
    if goes_on {
        store.resume_target(tenant, target.id, now).await?;
    }
    Ok(goes_on)
}
