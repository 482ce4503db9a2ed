//! What the operator says about one target, `[target.NAME]`: the keys that are the engine's own, and all of them as the component reads them.

use super::{Settings, SettingsError};
use crate::rules::budget::{Limit, Said};
use crate::rules::origin::Origin;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the operator says about one target.
#[derive(Debug, Clone, Default)]
pub struct TargetSettings {
    /// The origin that the operator opens to it.
    pub base_url: Option<Origin>,
    /// Whether a component that is not bundled may send mail.
    pub smtp: bool,
    /// The folder that its creator may read, if it asks for templates.
    pub templates: Option<PathBuf>,
    /// What one of its calls may use, where that is not what others may.
    pub limits: Said,
    /// The operator's secrets that a component may use which is not bundled.
    pub secrets: Vec<String>,
    /// All keys, as the component reads them.
    pub values: serde_json::Map<String, serde_json::Value>,
    /// Those of them that come from variables, and those below them (`limits.cpu`).
    pub from_variables: BTreeSet<String>,
    /// Why they cannot be used, in a sentence. Nothing else is known of them then, and that target alone is held up.
    pub wrong: Option<String>,
}

/// What the settings name outside of themselves.
impl Settings {
    /// The folders that do not exist, a sentence each. One that is missing would quietly change which components are used, or stop them all.
    pub fn missing_folders(&self) -> Vec<String> {
        let database = self.database_file().map(|_| ("`database.url`".to_owned(), self.folder()));
        let paths = self.targets.paths.iter().map(|folder| ("`targets.paths`".to_owned(), folder.clone()));
        let named = database.into_iter().chain(paths);
        named.filter_map(|(key, folder)| no_folder(&key, &folder)).collect()
    }

    /// What is wrong with `[target.NAME]` of single targets, a sentence each.
    pub fn wrong_targets(&self) -> impl Iterator<Item = &str> {
        self.target.values().filter_map(|said| said.wrong.as_deref())
    }
}

/// What to do if the folder that a key names is none.
pub fn no_folder(key: &str, folder: &Path) -> Option<String> {
    let is_none = !folder.is_dir();
    is_none.then(|| format!("{key} names {}, which is no folder: make it, or name another.", folder.display()))
}

impl TargetSettings {
    /// The keys of `[target.module]`, read once.
    pub(super) fn read(module: &str, keys: toml::Table, from_variables: BTreeSet<String>) -> Self {
        let section = Section { module, from_variables: &from_variables };
        // Whatever else is wrong, these were named.
        let secrets = section.secrets(&keys).unwrap_or_default();
        let checked = section.checked(keys);
        let read = checked.unwrap_or_else(|why| TargetSettings {
            wrong: Some(why.to_string()),
            secrets,
            ..TargetSettings::default()
        });
        TargetSettings { from_variables, ..read }
    }

    /// A key of `[target.module]` as messages name it: with its variable, if it comes from one.
    pub fn named(&self, module: &str, key: &str) -> String {
        Section { module, from_variables: &self.from_variables }.named(key)
    }
}

/// One `[target.NAME]` as it is read.
struct Section<'a> {
    module: &'a str,
    from_variables: &'a BTreeSet<String>,
}

impl Section<'_> {
    fn named(&self, key: &str) -> String {
        let module = self.module;
        let full = format!("`target.{module}.{key}`");
        if !self.from_variables.contains(key) {
            return full;
        }
        let variable = format!("{}__{}", module.to_uppercase(), key.replace('.', "__").to_uppercase());
        format!("{full} (the variable ENGINE_TARGET__{variable})")
    }

    fn checked(&self, keys: toml::Table) -> Result<TargetSettings, SettingsError> {
        let module = self.module;
        let base_url = match keys.get("base_url") {
            None => None,
            Some(value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let refused = |why: &str| {
                    let key = self.named("base_url");
                    SettingsError::new(format!("{key} must be an origin such as \"http://127.0.0.1:8080\": {why}."))
                };
                let origin = Origin::parse(&text).map_err(|why| refused(&why))?;
                if origin.is_many() {
                    return Err(refused("\"*\" is no host that a request can go to"));
                }
                Some(origin)
            }
        };
        let smtp = match keys.get("smtp") {
            None => false,
            Some(toml::Value::Boolean(value)) => *value,
            Some(toml::Value::String(text)) if text == "true" || text == "false" => text == "true",
            Some(_) => {
                return Err(SettingsError::new(format!("{} must be true or false.", self.named("smtp"))));
            }
        };
        let secrets = self.secrets(&keys)?;
        let templates = match keys.get("templates") {
            None => None,
            Some(toml::Value::String(folder)) if !folder.is_empty() => Some(PathBuf::from(folder)),
            Some(_) => {
                let sentence = format!("{} must be the path of a folder.", self.named("templates"));
                return Err(SettingsError::new(sentence));
            }
        };
        let limits = match keys.get("limits") {
            None => Said::new(),
            Some(toml::Value::Table(limits)) => self.limits(limits)?,
            Some(_) => {
                let sentence = format!(
                    "{} must be a table, such as {{ cpu = \"2s\", memory = \"256MiB\" }}, or a variable for each limit, such as ENGINE_TARGET__{}__LIMITS__CPU.",
                    self.named("limits"),
                    module.to_uppercase()
                );
                return Err(SettingsError::new(sentence));
            }
        };
        let values = match serde_json::to_value(&keys) {
            Ok(serde_json::Value::Object(values)) => values,
            _ => return Err(SettingsError::new(format!("[target.{module}] holds what cannot be written as JSON."))),
        };
        let from_variables = BTreeSet::new();
        Ok(TargetSettings { base_url, smtp, templates, limits, secrets, values, from_variables, wrong: None })
    }

    fn secrets(&self, keys: &toml::Table) -> Result<Vec<String>, SettingsError> {
        match keys.get("secrets") {
            None => Ok(Vec::new()),
            Some(toml::Value::String(names)) => Ok(names.split(',').map(|name| name.trim().to_owned()).collect()),
            Some(toml::Value::Array(names)) if names.iter().all(toml::Value::is_str) => {
                Ok(names.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
            }
            Some(_) => {
                let key = self.named("secrets");
                Err(SettingsError::new(format!("{key} must be a list of names, such as [\"api_key\"].")))
            }
        }
    }

    fn limits(&self, limits: &toml::Table) -> Result<Said, SettingsError> {
        let read = |(name, amount): (&String, &toml::Value)| {
            let key = self.named(&format!("limits.{name}"));
            let Some(limit) = Limit::named(name) else {
                let names = Limit::ALL.map(Limit::name).join(", ");
                return Err(SettingsError::new(format!("{key} is none of {names}.")));
            };
            let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
            let amount = limit.read(&text);
            let amount = amount.map_err(|why| SettingsError::new(format!("{key} cannot be used: {why}.")));
            Ok((limit, amount?))
        };
        limits.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_own_keys_are_read_and_all_are_kept() {
        let text = "base_url = 'http://127.0.0.1:8080'\nsmtp = 'true'\nsecrets = 'a, b'\ntemplates = 't'\nsender = '+15550100'";
        let said = TargetSettings::read("x", text.parse().unwrap(), BTreeSet::new());
        assert_eq!(said.wrong, None);
        assert_eq!(said.base_url.unwrap().to_string(), "http://127.0.0.1:8080");
        assert!(said.smtp);
        assert_eq!((said.secrets, said.templates), (vec!["a".to_owned(), "b".to_owned()], Some(PathBuf::from("t"))));
        assert_eq!((said.values.len(), &said.values["sender"]), (5, &"+15550100".into()));
    }

    #[test]
    fn limits_of_single_targets_are_read_and_the_largest_is_known() {
        let text = "[target.a]\nlimits = { cpu = '2s', mails = 2 }\n[target.b]\nlimits = { cpu = 3, memory = '1GiB' }";
        let settings = Settings::from_text("engine.toml", text, std::iter::empty()).unwrap();
        assert_eq!(settings.of_target("a").limits, Said::from([(Limit::Cpu, 2000), (Limit::Mails, 2)]));
        let (all, largest) = (settings.sandbox.budget(), settings.sandbox.largest());
        assert_eq!((all.amount(Limit::Cpu), largest.amount(Limit::Cpu)), (500, 3000));
        assert_eq!((largest.amount(Limit::Memory), largest.amount(Limit::Mails)), (1 << 30, 4));
    }

    #[test]
    fn what_cannot_be_is_refused_in_a_sentence() {
        for (text, part) in [
            ("base_url = 'ftp://h'", "`target.x.base_url` must be an origin"),
            ("base_url = 3", "\"3\" does not say `https://`"),
            ("base_url = 'https://*.h.example'", "\"*\" is no host"),
            ("smtp = 'perhaps'", "`target.x.smtp` must be true or false"),
            ("secrets = 1", "`target.x.secrets` must be a list of names"),
            ("templates = ''", "`target.x.templates` must be the path of a folder"),
            ("limits = 3", "`target.x.limits` must be a table"),
            ("limits = { time = '1s' }", "`target.x.limits.time` is none of cpu, wall,"),
            ("limits = { cpu = '0s' }", "`target.x.limits.cpu` cannot be used: it must be between 1ms"),
        ] {
            let error = TargetSettings::read("x", text.parse().unwrap(), BTreeSet::new()).wrong.expect(text);
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn a_key_that_comes_from_a_variable_is_named_with_it() {
        for (name, value, said) in [
            ("BASE_URL", "ftp://h", "`target.x.base_url` (the variable ENGINE_TARGET__X__BASE_URL) must be an origin"),
            ("SMTP", "perhaps", "`target.x.smtp` (the variable ENGINE_TARGET__X__SMTP) must be true or false"),
            ("LIMITS__CPU", "0s", "`target.x.limits.cpu` (the variable ENGINE_TARGET__X__LIMITS__CPU) cannot be used"),
        ] {
            let variable = (format!("ENGINE_TARGET__X__{name}"), value.to_owned());
            let text = "[target.x.limits]\nwall = '3s'";
            let settings = Settings::from_text("engine.toml", text, std::iter::once(variable)).unwrap();
            let wrong = settings.of_target("x").wrong.expect(value);
            assert!(wrong.starts_with(said), "{wrong}");
        }
    }
}
