//! What the operator has set, read once and checked once: after this, no text is read again.
//!
//! The only reader of settings files, of variables and of the files that they name. `engine.default.toml` explains every key.

mod check;
mod key;
mod layers;
mod sandbox;
mod target;
mod values;

pub use key::EngineKey;
pub use sandbox::{LARGEST_COMPONENT, Sandbox};
pub use target::{TargetSettings, no_folder};

use crate::rules::notification::OnUnknown;
use crate::rules::retry::Backoff;
use crate::rules::sealed::MIN_VALUE;
use crate::rules::spelling::shown;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use values::{backoff, duration, listen, maybe_duration, on_unknown, path};

/// The default file, which is the documentation of the settings and their schema.
pub const DEFAULTS: &str = include_str!("../../engine.default.toml");

/// The file that is read when none is named, if it is there.
const USUAL_FILE: &str = "engine.toml";

/// Why the settings cannot be used: one sentence that says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl SettingsError {
    /// Names of keys may hold anything, and what is shown must not command a terminal.
    fn new(text: impl Into<String>) -> Self {
        SettingsError(shown(&text.into()))
    }
}

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    pub database: Database,
    pub server: Server,
    pub log: Log,
    pub smtp: Smtp,
    pub targets: Targets,
    /// By the module's name.
    pub target: BTreeMap<String, TargetSettings>,
    pub delivery: Delivery,
    pub retention: Retention,
    pub sandbox: Sandbox,
    /// The operator's own secrets, from `ENGINE_SECRET__NAME`, by their names in small letters.
    pub secrets: BTreeMap<String, Secret>,
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    merged: toml::Table,
}

/// A value that must not be printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret of this value.
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The value, for the place where it is used and no other.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: String,
    pub hints: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    #[serde(deserialize_with = "listen")]
    pub listen: Option<std::net::SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    None,
    Starttls,
    Tls,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub username: String,
    #[serde(deserialize_with = "path")]
    pub password_file: Option<PathBuf>,
    /// What the password file holds.
    #[serde(skip)]
    pub password: Option<Secret>,
    pub hello_name: String,
    pub connections: usize,
    #[serde(deserialize_with = "duration")]
    pub idle: Duration,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    pub paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    pub concurrency_per_tenant: usize,
    pub concurrency_per_target: usize,
    pub claim_batch: usize,
    pub call_batch: usize,
    #[serde(deserialize_with = "backoff")]
    pub backoff: Backoff,
    #[serde(deserialize_with = "on_unknown")]
    pub on_unknown: Option<OnUnknown>,
    #[serde(deserialize_with = "duration")]
    pub stop_timeout: Duration,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// `None`: for ever.
    #[serde(deserialize_with = "maybe_duration")]
    pub ended: Option<Duration>,
}

/// The keys as they stand in the merged table, before those that need a look of their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    database: Database,
    server: Server,
    log: Log,
    smtp: Smtp,
    targets: Targets,
    target: BTreeMap<String, toml::Table>,
    delivery: Delivery,
    retention: Retention,
    sandbox: Sandbox,
}

impl Settings {
    /// Reads `config`, or else `engine.toml` if it is in the current folder, and lays the variables over it.
    pub fn load(
        config: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Settings, SettingsError> {
        let usual = Path::new(USUAL_FILE);
        let file = config.or_else(|| usual.is_file().then_some(usual));
        let text = match file {
            Some(file) => read_some(file, LARGEST).map_err(|e| {
                SettingsError::new(format!("The settings file {} cannot be read: {e}.", file.display()))
            })?,
            None => String::new(),
        };
        let name = file.map_or_else(|| USUAL_FILE.to_owned(), |f| f.display().to_string());
        let mut settings = Self::from_text(&name, &text, variables)?;
        settings.file = file.map(Path::to_owned);
        Ok(settings)
    }

    /// The settings that a file's text and variables make; `name` is the file's, for messages.
    pub fn from_text(
        name: &str,
        text: &str,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Settings, SettingsError> {
        let schema = layers::parse("engine.default.toml", DEFAULTS)?;
        let mut merged = schema.clone();
        layers::overlay(&mut merged, layers::parse(name, text)?, &schema, name)?;
        let variables: Vec<_> = variables.collect();
        for (origin, layer) in layers::variables(variables.iter().cloned(), &schema)? {
            layers::overlay(&mut merged, layer, &schema, &origin)?;
        }
        let secrets = variables
            .iter()
            // An empty one is how many tools write that there is none.
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.strip_prefix(layers::SECRET_PREFIX)?.to_lowercase(), value)))
            .map(|(name, value)| {
                if value.chars().count() < MIN_VALUE {
                    return Err(SettingsError::new(format!(
                        "The secret of {}{} has fewer than {MIN_VALUE} characters: where it is cut out of texts, these would lose other words. Use a longer one.",
                        layers::SECRET_PREFIX,
                        name.to_uppercase()
                    )));
                }
                Ok((name, Secret::new(value)))
            })
            .collect::<Result<_, SettingsError>>()?;
        let key_file = variables.iter().find(|(name, _)| name == "ENGINE_KEY_FILE").map(|(_, value)| value.into());

        let raw: Raw =
            Raw::deserialize(merged.clone()).map_err(|e| SettingsError::new(unreadable(&e.to_string(), &variables)))?;
        let mut of_variables = layers::keys_of_targets(variables.iter().map(|(name, _)| name.as_str()));
        let target = raw
            .target
            .into_iter()
            .map(|(module, keys)| {
                let read = TargetSettings::read(&module, keys, of_variables.remove(&module).unwrap_or_default());
                (module, read)
            })
            .collect();
        let mut settings = Settings {
            sandbox: raw.sandbox.raised_by(&target),
            database: raw.database,
            server: raw.server,
            log: raw.log,
            smtp: raw.smtp,
            targets: raw.targets,
            target,
            delivery: raw.delivery,
            retention: raw.retention,
            secrets,
            file: None,
            key_file,
            merged,
        };
        settings.check()?;
        Ok(settings)
    }

    /// What holds now, as TOML; passwords and secrets are not settings and do not stand in it.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(&self.shown()).unwrap_or_default()
    }

    /// The same as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self.shown()).unwrap_or_default()
    }

    /// All values, without the password that may stand in the database's URL.
    fn shown(&self) -> toml::Table {
        let mut shown = self.merged.clone();
        if let Some(database) = shown.get_mut("database").and_then(toml::Value::as_table_mut) {
            database.insert("url".to_owned(), self.shown_database().into());
        }
        shown
    }

    /// The database's file, if it is one.
    pub fn database_file(&self) -> Option<PathBuf> {
        let path = self.database.url.strip_prefix("sqlite:")?;
        path.strip_prefix("//").unwrap_or(path).split('?').next().map(PathBuf::from)
    }

    /// The folder in which the database lies, and beside it what belongs to it.
    pub fn folder(&self) -> PathBuf {
        match self.database_file().as_deref().and_then(Path::parent) {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// Where compiled components are kept.
    pub fn cache(&self) -> PathBuf {
        self.sandbox.cache.clone().unwrap_or_else(|| self.folder().join("engine.cache"))
    }

    /// This engine's own key, made at the first call if there is none yet.
    pub fn engine_key(&self) -> Result<EngineKey, SettingsError> {
        match &self.key_file {
            Some(file) => EngineKey::read(file),
            None => EngineKey::read_or_make(&self.folder().join("engine.key")),
        }
    }

    /// The same, if there is one; nothing is made.
    pub fn engine_key_if_made(&self) -> Result<Option<EngineKey>, SettingsError> {
        let usual = self.folder().join("engine.key");
        let file = self.key_file.as_ref().unwrap_or(&usual);
        if self.key_file.is_some() || file.exists() { EngineKey::read(file).map(Some) } else { Ok(None) }
    }

    /// The database as it may be shown: a file, or whose server it is. Whatever else stands in the URL may be a password, or hold one.
    pub fn shown_database(&self) -> String {
        let url = &self.database.url;
        if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !path.contains("://")) {
            return format!("sqlite:{}", path.split('?').next().unwrap_or_default());
        }
        let (scheme, _) = url.split_once(':').unwrap_or((url, ""));
        match url::Url::parse(url) {
            Ok(url) if url.has_host() => {
                let user = if url.username().is_empty() { "" } else { "…@" };
                let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
                format!("{scheme}://{user}{}{port}{}", url.host_str().unwrap_or_default(), url.path())
            }
            Ok(_) | Err(_) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => format!("{scheme}:…"),
            Ok(_) | Err(_) => "…".to_owned(),
        }
    }

    /// What the operator says about a module; nothing, if it has no section.
    pub fn of_target(&self, module: &str) -> TargetSettings {
        self.target.get(module).cloned().unwrap_or_default()
    }
}

/// How many bytes are read of a file of settings, and of one that holds a password.
const LARGEST: u64 = 1 << 20;
const LONGEST_PASSWORD: u64 = 1024;

/// The text of a file, of which no more than so much is read: it could be without end.
fn read_some(file: &Path, most: u64) -> std::io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(file)?.take(most + 1).read_to_string(&mut text)?;
    if read as u64 > most {
        return Err(std::io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(text)
}

/// Why the settings cannot be read, from serde's words, which end with the key: said where that stands, and once.
fn unreadable(words: &str, variables: &[(String, String)]) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let (why, key) = words.rsplit_once(" in `").unwrap_or((&words, ""));
    let key = key.trim_end_matches('`');
    // Numbers are whole here, and none is negative.
    let why = why.replace("expected u16", "and 0 to 65535 may stand there");
    let why = ["expected u32", "expected u64", "expected usize"]
        .iter()
        .fold(why, |why, expected| why.replace(expected, "and 0 is the least"));
    let why = why.replace("unknown variant", "unknown value");
    let why = why.strip_prefix(&format!("`{key}`: ")).map(str::to_owned).unwrap_or(why);
    let variable = format!("{}{}", layers::PREFIX, key.to_uppercase().replace('.', "__"));
    let is_of_variable = variables.iter().any(|(name, _)| *name == variable);
    match (is_of_variable, key.is_empty() || why.contains(&format!("`{key}`"))) {
        (true, _) => format!("The variable {variable} is not valid: {why}."),
        (false, true) => format!("The settings are not valid: {why}."),
        (false, false) => format!("The settings are not valid: `{key}`: {why}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Settings, String> {
        Settings::from_text("engine.toml", text, std::iter::empty()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_defaults_are_valid() {
        let settings = settings("").unwrap();
        assert_eq!(settings.folder(), Path::new("."));
        assert_eq!(settings.sandbox.budget().amount(crate::rules::budget::Limit::Cpu), 500);
        assert_eq!(settings.of_target("email").values["from_email"], "notifications@localhost");
        assert!(settings.of_target("other").values.is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused_in_a_sentence() {
        for (text, part) in [
            ("[database]\nurl = 'mysql://x'", "`database.url` must be"),
            ("[smtp]\nhost = ''", "`smtp.host` must name"),
            ("[smtp]\nport = 70000", "`smtp.port`: invalid value: integer `70000`, and 0 to 65535 may stand there."),
            ("[smtp]\ntls = 'ssl'", "`smtp.tls`: unknown value `ssl`, expected one of `none`"),
            ("[smtp]\nconnections = -5", "`smtp.connections`: invalid value: integer `-5`, and 0 is the least."),
            ("[sandbox]\ncpu = -1", "`sandbox.cpu`: "),
            ("[sandbox]\ncpu = 1.5", "must be a whole number, or text with a unit, and 1.5 is a number."),
            (
                "[sandbox]\nplain_http = ['http://a.example/api']",
                "valid: `sandbox.plain_http`: \"http://a.example/api\" has more",
            ),
            ("[smtp]\nusername = 'u'", "without `smtp.password_file`"),
            ("[smtp]\nusername='u'\npassword_file='/nonexistent'\nhost='mail.example'", "readable through the network"),
            ("[smtp]\nusername='u'\npassword_file='/nonexistent'", "cannot be read"),
            ("[smtp]\ntimeout = 'soon'", "is not a duration"),
            ("[smtp]\nconnections = 0", "`smtp.connections` must be between 1 and 1000"),
            ("[sandbox]\nmemory = '1KiB'", "`sandbox.memory` cannot be used: it must be between 1MiB and"),
            ("[server]\nlisten = 'here'", "`server.listen` must be an address"),
        ] {
            let error = settings(text).expect_err(text);
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn a_value_of_a_variable_is_told_with_it() {
        let variable = [("ENGINE_SANDBOX__CPU".to_owned(), "5x".to_owned())];
        let error = Settings::from_text("engine.toml", "", variable.into_iter()).unwrap_err().to_string();
        assert!(error.starts_with("The variable ENGINE_SANDBOX__CPU is not valid: "), "{error}");
    }

    #[test]
    fn secrets_come_from_variables_and_are_not_printed() {
        let variables = [("ENGINE_SECRET__TWILIO_AUTH_TOKEN".to_owned(), "hush".to_owned())];
        let settings = Settings::from_text("engine.toml", "", variables.into_iter()).unwrap();
        assert_eq!(settings.secrets["twilio_auth_token"].reveal(), "hush");
        assert!(!format!("{settings:?}").contains("hush"));
        assert!(!settings.to_toml().contains("hush"));
        let with = |value: &str| {
            let variable = ("ENGINE_SECRET__TOKEN".to_owned(), value.to_owned());
            Settings::from_text("engine.toml", "", std::iter::once(variable))
        };
        let error = with("abc").unwrap_err().to_string();
        assert!(
            error.contains("ENGINE_SECRET__TOKEN has fewer than 4 characters") && !error.contains("abc"),
            "{error}"
        );
        assert!(with("").unwrap().secrets.is_empty(), "none");
    }

    #[test]
    fn the_folder_is_the_databases() {
        for (url, folder) in [
            ("sqlite:engine.db", "."),
            ("sqlite:/var/lib/engine/engine.db", "/var/lib/engine"),
            ("sqlite:///var/lib/e.db?mode=rwc", "/var/lib"),
            ("sqlite:data/e.db", "data"),
        ] {
            assert_eq!(settings(&format!("[database]\nurl = '{url}'")).unwrap().folder(), Path::new(folder), "{url}");
        }
    }
}
