//! Which component is behind a module's name, and what it may use: found once, then shared by all calls.
//!
//! A component is searched in the folders of the settings, the last first, and then among the bundled ones.

use super::call::Powers;
use super::http::HttpClient;
use super::module::Module;
use super::modules::{Host, LARGEST, ModuleError};
use super::smtp::Relay;
use super::{HostError, sender};
use crate::rules::grants::{self, Grants, OperatorWord};
use crate::rules::manifest::SecretAsked;
use crate::rules::schema;
use crate::rules::spelling::nearest;
use crate::rules::target::check_module_name;
use crate::settings::{Secret, Settings};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::collections::{BTreeSet, HashMap};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// A module that can be called, and with what.
#[derive(Debug)]
pub struct Ready {
    pub module: Module,
    pub powers: Arc<Powers>,
}

impl Ready {
    /// What it cannot send without and does not have: a setting, a secret that has no value, or one that it may not use.
    pub fn lack(&self) -> Option<String> {
        if let Some(key) = schema::lacking(&self.powers.settings, &self.module.manifest.settings) {
            return Some(format!("`{key}` is not set under [target.{}].", self.module.name));
        }
        let mut required = self.module.manifest.secrets.iter().filter(|secret| secret.required);
        required.find_map(|SecretAsked { name, .. }| {
            let granted = grants::secret(&self.powers.grants, name).map_err(|denial| denial.message);
            granted.and_then(|()| self.powers.has_secret(name)).err()
        })
    }
}

/// The keys of a target's section that the engine itself reads, so that a component need not know them.
pub const ENGINES_OWN: [&str; 5] = ["base_url", "from_email", "secrets", "smtp", "templates"];

type Found = Arc<OnceCell<Result<Arc<Ready>, ModuleError>>>;

/// The modules of one engine.
pub struct Catalog {
    host: Host,
    settings: Arc<Settings>,
    relay: Arc<Relay>,
    found: Mutex<HashMap<String, Found>>,
}

impl Catalog {
    /// A catalog of what the settings and the engine itself bring.
    pub fn new(host: Host, settings: Arc<Settings>) -> Result<Self, HostError> {
        let relay = Arc::new(Relay::new(&settings.smtp)?);
        Ok(Catalog { host, settings, relay, found: Mutex::default() })
    }

    /// The module of this name. What was found, or why it cannot be used, stays so until the engine is started again.
    pub async fn get(&self, name: &str) -> Result<Arc<Ready>, ModuleError> {
        let cell = self.found.lock().await.entry(name.to_owned()).or_default().clone();
        cell.get_or_init(|| self.find(name)).await.clone()
    }

    /// The modules that somebody means to use: those with a section in the settings, those in the folders, and bundled ones of which a secret is
    /// set.
    pub async fn meant(&self) -> BTreeSet<String> {
        let mut meant: BTreeSet<String> = self.settings.target.keys().cloned().collect();
        for folder in &self.settings.targets.paths {
            // That a folder cannot be read is told for each module that is searched there.
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".wasm")?.to_owned()));
            meant.extend(names);
        }
        for (module, asked) in self.secrets_of_bundled().await {
            if asked.iter().any(|name| self.settings.secrets.contains_key(name)) {
                meant.insert(module.to_owned());
            }
        }
        meant
    }

    /// The names of the secrets that no component asks for, of those that are set, and what each may have been meant for.
    pub async fn unknown_secrets(&self) -> Vec<(String, Option<String>)> {
        let mut asked: BTreeSet<String> = BTreeSet::new();
        for module in self.meant().await {
            if let Ok(ready) = self.get(&module).await {
                asked.extend(ready.module.manifest.secrets.iter().map(|secret| secret.name.clone()));
            }
        }
        asked.extend(self.secrets_of_bundled().await.into_iter().flat_map(|(_, asked)| asked));
        let unknown = self.settings.secrets.keys().filter(|name| !asked.contains(*name));
        let near = |name: &String| nearest(name, asked.iter().map(String::as_str)).map(str::to_owned);
        unknown.map(|name| (name.clone(), near(name))).collect()
    }

    /// Which secrets each bundled component asks for. None is asked while no secret is set.
    async fn secrets_of_bundled(&self) -> Vec<(&'static str, Vec<String>)> {
        let mut all = Vec::new();
        for (module, bytes) in BUNDLED.iter().filter(|_| !self.settings.secrets.is_empty()) {
            if let Ok(loaded) = self.host.load(module, bytes).await {
                all.push((*module, loaded.manifest.secrets.into_iter().map(|secret| secret.name).collect()));
            }
        }
        all
    }

    /// Ends what is kept open towards others.
    pub async fn close(&self) {
        self.relay.close().await;
    }

    async fn find(&self, name: &str) -> Result<Arc<Ready>, ModuleError> {
        check_module_name(name).map_err(|e| ModuleError(e.to_string()))?;
        let named =
            |from: String| move |e: ModuleError| ModuleError(format!("The component {from} cannot be used. {e}"));
        let (module, bundled) = match self.in_folders(name)? {
            Some((path, bytes)) => {
                (self.host.load(name, &bytes).await.map_err(named(path.display().to_string()))?, false)
            }
            None => match BUNDLED.iter().find(|(bundled, _)| *bundled == name) {
                Some((_, bytes)) => (self.host.load(name, bytes).await.map_err(named(name.to_owned()))?, true),
                None => {
                    let near = nearest(name, BUNDLED.iter().map(|(bundled, _)| *bundled));
                    let near = near.map_or_else(String::new, |near| format!(" did you mean `{near}`? If not,"));
                    return Err(ModuleError(format!(
                        "There is no component for the module `{name}`;{near} put {name}.wasm into a folder of `[targets] paths`."
                    )));
                }
            },
        };
        let powers = self.powers(&module, bundled).map_err(|e| ModuleError(e.to_string()))?;
        Ok(Arc::new(Ready { module, powers: Arc::new(powers) }))
    }

    /// Looks for `name`.wasm, in the last folder first. A folder is opened once, and nothing outside of it can be reached.
    fn in_folders(&self, name: &str) -> Result<Option<(PathBuf, Vec<u8>)>, ModuleError> {
        let file = format!("{name}.wasm");
        for folder in self.settings.targets.paths.iter().rev() {
            let cannot = |e: std::io::Error| {
                ModuleError(format!(
                    "The component {} cannot be read: {e}; check `[targets] paths`.",
                    folder.join(&file).display()
                ))
            };
            let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(cannot)?;
            // Asked before it is opened: opening a pipe would wait for somebody to write into it.
            match dir.metadata(&file).and_then(|known| {
                if known.is_file() { dir.open(&file) } else { Err(std::io::Error::other("it is no file")) }
            }) {
                Ok(opened) => {
                    let mut bytes = Vec::new();
                    opened.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
                    return Ok(Some((folder.join(file), bytes)));
                }
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(cannot(e)),
            }
        }
        Ok(None)
    }

    fn powers(&self, module: &Module, bundled: bool) -> Result<Powers, HostError> {
        let said = self.settings.of_target(&module.name);
        // What is required is missed when something is to be sent: addresses can be recorded before.
        let known = schema::requiring_nothing(&module.manifest.settings);
        schema::check(&format!("[target.{}]", module.name), &said.values, &known, &ENGINES_OWN)
            .map_err(|why| HostError::new(format!("The settings of a target cannot be used: {why}.")))?;
        let word = OperatorWord {
            bundled,
            base_url: said.base_url.clone(),
            smtp: said.smtp,
            templates: said.templates.is_some(),
            secrets: said.secrets.clone(),
        };
        let grants = Grants::effective(&module.name, &module.manifest, &word);
        let sender = match said.values.get("from_email") {
            Some(text) => Some(sender(text.as_str().unwrap_or_default()).map_err(|why| {
                HostError::new(format!("`target.{}.from_email` must be a sender of mail: {why}.", module.name))
            })?),
            None => None,
        };
        let secrets = module.manifest.secrets.iter().filter_map(|asked| {
            let secret = self.settings.secrets.get(&asked.name)?;
            Some((asked.name.clone(), (asked.format, Secret::new(asked.text(secret.reveal())))))
        });
        Ok(Powers {
            module: module.name.clone(),
            http: Some(HttpClient::new(&grants, self.host.network())?),
            relay: Some(self.relay.clone()),
            sender,
            secrets: secrets.collect(),
            templates: said.templates,
            settings: said.values,
            grants,
        })
    }
}
