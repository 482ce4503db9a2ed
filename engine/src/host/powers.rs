//! What one target may use, from its component's manifest, the operator's settings and what its tenant has set up.

use super::HostError;
use super::call::Powers;
use super::catalog::{Catalog, Source};
use super::http::HttpClient;
use super::module::Module;
use super::redaction::Redactor;
use super::smtp::Mailer;
use crate::rules::budget::{Budget, Limit, in_force};
use crate::rules::grants::{self, Grants, OperatorWord, operators_origins};
use crate::rules::origin::Origin;
use crate::rules::schema::Schema;
use crate::rules::sealed::SealedSecret;
use crate::rules::setup::{ENGINES_OWN, Setup, read_again, read_setting, whole};
use crate::rules::spelling::nearest;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::settings::{Secret, TargetSettings, no_folder};
use lettre::message::Mailbox;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How many bytes the secrets of one target may have together: all are looked for in whatever comes back.
const MOST_SECRETS: usize = 48 * 1024;

/// The powers of a module, for a target if there is one.
pub fn of(
    catalog: &Catalog,
    module: &Module,
    source: Source,
    of: Option<(Tenant, &Target, &Setup)>,
) -> Result<Powers, HostError> {
    let name = &module.name;
    // The operator's word is for the operator's own: another tenant may install a component under any name.
    let is_anothers = source == Source::Installed && of.is_some_and(|(tenant, _, _)| tenant != Tenant::DEFAULT);
    let said = if is_anothers { TargetSettings::default() } else { catalog.settings.of_target(name) };
    let sender = check(name, &said, module.manifest.templates)?;
    let target = grants::quoted(of.map_or(name, |(_, target, _)| &target.name));
    let unusable = |why: String| HostError::new(format!("The settings of {target} cannot be used: {why}."));
    check_secrets(module, &said).map_err(unusable)?;
    check_for_secrets(module, &said)?;
    let word = OperatorWord {
        bundled: source == Source::Bundled,
        base_url: said.base_url,
        smtp: said.smtp,
        sender: sender.as_ref().map(|sender| sender.email.to_string()),
        templates: said.templates.is_some(),
        secrets: said.secrets,
        allowed: catalog.settings.sandbox.allowed(),
    };
    // What the operator has set stands; the engine's own keys are nobody else's.
    let mut settings = of.map(|(_, _, setup)| setup.settings.clone()).unwrap_or_default();
    settings.retain(|key, _| !ENGINES_OWN.contains(&key.as_str()));
    // A variable is always text, which is read as what the component wants there.
    // What is required is missed when something is to be sent: addresses can be recorded before.
    let known = Schema::requiring_nothing(&module.manifest.settings);
    settings.retain(|key, _| !said.values.contains_key(key));
    let mut settings: Map<String, Value> = settings
        .into_iter()
        .map(|(key, value)| {
            let value = read_again(&known, &key, value);
            (key, value)
        })
        .collect();
    known.check("what was set", &settings, &[]).map_err(|misfit| {
        let key = grants::shell(misfit.key.as_deref().unwrap_or("KEY"));
        unusable(format!("{misfit}; `engine target set {target} {key}=` takes it away"))
    })?;
    let operators = said.values.into_iter().map(|(key, value)| match value.as_str() {
        Some(text) if !ENGINES_OWN.contains(&key.as_str()) => {
            let read = read_setting(&known, &key, text);
            (key, read)
        }
        Some(_) | None => (key, whole(value)),
    });
    let operators: Map<String, Value> = operators.collect();
    for (key, value) in operators.iter().filter(|(key, _)| said.from_variables.contains(*key)) {
        let variable = format!("the variable ENGINE_TARGET__{}__{}", name.to_uppercase(), key.to_uppercase());
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        known.check(&variable, &alone, &ENGINES_OWN).map_err(|why| unusable(why.to_string()))?;
    }
    let section = format!("[target.{name}]");
    known.check(&section, &operators, &ENGINES_OWN).map_err(|why| unusable(why.to_string()))?;
    settings.extend(operators);
    let held = secrets(catalog, module, &word, of);
    let bytes: usize = held.values.values().map(|secret| secret.reveal().len()).sum();
    if bytes > MOST_SECRETS {
        let why = format!("they have {bytes} bytes together, and {MOST_SECRETS} are the most");
        return Err(HostError::new(format!("The secrets of {target} cannot be used: {why}.")));
    }
    let granted = of.map(|(_, _, setup)| setup.grants.clone()).unwrap_or_default();
    let target = of.map_or("", |(_, target, _)| &target.name);
    let grants = Grants::new(target, name, &module.manifest, granted, word, held.bound).with_own_secrets(held.own);
    let values = module.manifest.secrets.iter().filter_map(|asked| {
        let value = held.values.get(&asked.name)?;
        Some((asked.name.clone(), (asked.format, Secret::new(asked.text(value.reveal())))))
    });
    let secrets: BTreeMap<_, _> = values.collect();
    // A provider may answer with what it was given, or with what somebody has set, prefix and all.
    let whole = held.values.iter().map(|(name, secret)| (name.as_str(), secret.reveal()));
    let filled_in = secrets.iter().map(|(name, (_, secret))| (name.as_str(), secret.reveal()));
    let mut all: Vec<(&str, &str)> = filled_in.chain(whole).collect();
    // What a component only names, and what is large, takes nothing from the others.
    let goes_nowhere = |name: &str| grants::secret_anywhere(&grants, name, true).is_err();
    all.sort_by_cached_key(|(name, value)| (goes_nowhere(name), value.len()));
    let redactor = Redactor::of(all.into_iter());
    let of_tenant = of.map(|(_, _, setup)| setup.limits.clone()).unwrap_or_default();
    let limits = in_force(&catalog.settings.sandbox.budget(), &said.limits, &of_tenant);
    let connect = Budget::from_decision(&limits).time(Limit::HttpConnect);
    Ok(Powers {
        module: name.clone(),
        limits: Some(limits),
        http: Some(HttpClient::new(&grants, catalog.host.network(), connect)?),
        mailer: Some(Mailer::new(&catalog.relay, grants.is_bundled())),
        sender,
        unreadable: held.unreadable,
        redactor,
        secrets,
        templates: said.templates,
        settings,
        grants,
    })
}

/// What is wrong with `[target.name]`, as far as it is the engine's own to read, or whose mail it sends. The folder of templates counts if its component
/// asks for it.
pub fn check(name: &str, said: &TargetSettings, asks_for_templates: bool) -> Result<Option<Mailbox>, HostError> {
    let folder = said.templates.as_deref().filter(|_| asks_for_templates);
    let no_folder = folder.and_then(|folder| no_folder(&said.named(name, "templates"), folder));
    if let Some(wrong) = said.wrong.clone().or(no_folder) {
        return Err(HostError::new(wrong));
    }
    let Some(text) = said.values.get("from_email") else { return Ok(None) };
    let text = text.as_str().unwrap_or_default();
    text.parse().map(Some).map_err(|_| {
        HostError::new(format!(
            "{} must be an e-mail address such as \"News <news@example.org>\", and \"{}\" is none.",
            said.named(name, "from_email"),
            text.escape_debug()
        ))
    })
}

/// A secret that stands where settings do is nobody's to read there. It is not repeated.
fn check_for_secrets(module: &Module, said: &TargetSettings) -> Result<(), HostError> {
    let name = &module.name;
    let is_setting = |name: &str| !module.manifest.settings["properties"][name].is_null();
    let mut asked = module.manifest.secrets.iter().map(|asked| asked.name.as_str());
    match asked.find(|name| said.values.contains_key(*name) && !is_setting(name)) {
        Some(secret) => Err(HostError::new(format!(
            "{} is a secret, and stands where settings do: take it out there, and write it as the variable ENGINE_SECRET__{}, with `secrets = [\"{secret}\"]` under [target.{name}], or set it by `engine secret set {secret} --origin https://…`.",
            said.named(name, secret),
            secret.to_uppercase()
        ))),
        None => Ok(()),
    }
}

/// What the operator lets a component use it has to ask for, or the name is misspelt.
fn check_secrets(module: &Module, said: &TargetSettings) -> Result<(), String> {
    let mut asked = module.manifest.secrets.iter().map(|asked| asked.name.as_str());
    let Some(unknown) = said.secrets.iter().find(|name| asked.clone().all(|asked| asked != name.as_str())) else {
        return Ok(());
    };
    let key = said.named(&module.name, "secrets");
    let meant = match nearest(unknown, asked.clone()).or_else(|| asked.next()) {
        Some(near) => format!("which its component does not ask for: write `{near}`, or take it out"),
        None => "and its component asks for no secret: take it out".to_owned(),
    };
    Err(format!("{key} names `{unknown}`, {meant}"))
}

/// The secrets that a module asks for, as far as there are any.
#[derive(Default)]
struct Held {
    values: BTreeMap<String, Secret>,
    bound: BTreeMap<String, Vec<Origin>>,
    unreadable: BTreeMap<String, String>,
    /// Those that were set for the target alone.
    own: BTreeSet<String>,
}

/// One that was set for the target comes before one of its tenant, and that before the operator's, which is for the operator's targets alone.
fn secrets(catalog: &Catalog, module: &Module, word: &OperatorWord, of: Option<(Tenant, &Target, &Setup)>) -> Held {
    let mut held = Held::default();
    let operators = operators_origins(&module.manifest, word);
    for name in module.manifest.secrets.iter().map(|asked| &asked.name) {
        let sealed = of.and_then(|(tenant, target, setup)| Some((tenant, of_target(target, setup, name)?)));
        let (value, origins) = match sealed {
            Some((tenant, secret)) => {
                if secret.target.is_some() {
                    held.own.insert(name.clone());
                }
                match catalog.host.secret_key().open(tenant, secret) {
                    Ok(value) => (Secret::new(value), secret.origins.clone()),
                    Err(why) => {
                        tracing::error!(module = module.name, "{why}");
                        held.unreadable.insert(name.clone(), why.to_string());
                        continue;
                    }
                }
            }
            None => match catalog.settings.secrets.get(name) {
                Some(secret) if word.bundled || word.secrets.contains(name) => (secret.clone(), operators.clone()),
                Some(_) | None => continue,
            },
        };
        held.values.insert(name.clone(), value);
        held.bound.insert(name.clone(), origins);
    }
    held
}

fn of_target<'a>(target: &Target, setup: &'a Setup, name: &str) -> Option<&'a SealedSecret> {
    let named = || setup.secrets.iter().filter(|secret| secret.name == name);
    named().find(|secret| secret.target == Some(target.id)).or_else(|| named().find(|secret| secret.target.is_none()))
}
