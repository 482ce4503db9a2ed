//! Which component is behind a module's name, and what it may use: found once, then shared by all calls.
//!
//! A component that was installed for a target is found by its digest; any other is searched in the folders of the settings, the last first,
//! and then among the bundled ones. What a target may use follows from its setup, and is made anew when that has changed.

use super::call::Powers;
use super::module::Module;
use super::modules::{Host, ModuleError, Read as ReadBytes, Unloaded};
use super::places::Places;
use super::shelf::{Prepared, Shelf};
use super::smtp::Relay;
use super::stopwatch::beside_the_runtime;
use super::{HostError, powers};
use crate::rules::budget::{self, Budget, Limit, Said};
use crate::rules::grants;
use crate::rules::limits::Invalid;
use crate::rules::manifest::SecretAsked;
use crate::rules::schema;
use crate::rules::setup::{ENGINES_OWN, Setup};
use crate::rules::spelling::nearest;
use crate::rules::target::{Target, check_module_name};
use crate::rules::tenant::Tenant;
use crate::settings::Settings;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// A module that can be called, and with what.
#[derive(Debug)]
pub struct Ready {
    pub module: Arc<Module>,
    pub powers: Arc<Powers>,
    pub source: Source,
    /// The revision of the target's setup that this follows; 0 without a target.
    pub revision: i64,
}

/// Where a component came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Bundled,
    Folder,
    Installed,
}

impl Source {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Source::Bundled => "bundled with the engine",
            Source::Folder => "from a folder of `[targets] paths`",
            Source::Installed => "installed",
        }
    }
}

impl Ready {
    /// The settings that it cannot send without and does not have, each with the way to set it.
    pub fn lacking_settings(&self) -> Vec<String> {
        let name = &self.module.name;
        let target = grants::quoted(self.powers.grants.target());
        let lacking = schema::lacking(&self.powers.settings, &self.module.manifest.settings);
        let told = |key: &str| match self.source {
            Source::Installed if ENGINES_OWN.contains(&key) => {
                format!("`{key}` is not set: the operator writes it under [target.{name}] in the settings.")
            }
            Source::Installed => {
                let set = format!("`engine target set {target} {}=…`", grants::shell(key));
                format!("`{key}` is not set under [target.{name}]; {set} sets it.")
            }
            Source::Bundled | Source::Folder => format!("`{key}` is not set under [target.{name}]."),
        };
        lacking.map(told).collect()
    }

    /// What its component is not called without, if it lacks that: the settings that it requires, and secrets that are there and cannot be read: another engine
    /// may, or this one when it is started again.
    pub fn unmet(&self) -> Option<ModuleError> {
        let mut lacking = self.lacking_settings();
        let is_used = |name: &str| {
            let asked = self.module.manifest.secrets.iter().find(|asked| asked.name == name);
            let is_required = asked.is_some_and(|asked| asked.required);
            is_required || grants::secret_anywhere(&self.powers.grants, name, self.signs()).is_ok()
        };
        let unreadable = self.powers.unreadable.iter().filter(|(name, _)| is_used(name));
        lacking.extend(unreadable.map(|(_, why)| why.clone()));
        (!lacking.is_empty()).then(|| ModuleError(lacking.join(" ")))
    }

    /// Whether its component can make signatures.
    fn signs(&self) -> bool {
        self.module.imports.iter().any(|import| import.starts_with(SIGNING))
    }

    /// What somebody may have meant otherwise, though nothing is wrong with it: settings that its component takes, and does not name.
    pub fn remarks(&self) -> Vec<String> {
        let mut settings = self.powers.settings.clone();
        settings.retain(|key, _| !ENGINES_OWN.contains(&key.as_str()));
        let misspelt = schema::perhaps_misspelt(&settings, &self.module.manifest.settings, &ENGINES_OWN);
        misspelt.map(|(key, near)| format!("Its component names no setting `{key}`; did you mean `{near}`?")).collect()
    }

    /// What it cannot send without and does not have: settings, secrets that have no value or that it may not use, a way to its provider, memory.
    pub fn lacks(&self) -> Vec<String> {
        let Ready { module, powers, .. } = self;
        let mut lacks = self.lacking_settings();
        let signs = self.signs();
        let required = module.manifest.secrets.iter().filter(|secret| secret.required);
        // Both, as each is mended by itself.
        lacks.extend(required.flat_map(|SecretAsked { name, .. }| {
            let granted = grants::secret_anywhere(&powers.grants, name, signs).map_err(|denial| denial.message);
            [granted, powers.has_secret(name)].into_iter().filter_map(Result::err)
        }));
        lacks.extend(grants::cut_off(&powers.grants));
        let Some(budget) = powers.limits.as_ref().map(Budget::from_decision) else { return lacks };
        let most = budget.amount(Limit::Memory);
        if module.memory > most {
            let (begins, most) = (Limit::Memory.show(module.memory), Limit::Memory.show(most));
            let whose = powers.said_where(Limit::Memory);
            lacks.push(format!("Its component begins with {begins} of memory, and may have {most} ({whose})."));
        }
        let http = &module.manifest.http;
        for (asks, limit, what) in [
            (!http.origins.is_empty() || http.record_address, Limit::HttpRequests, "HTTP requests"),
            (module.manifest.smtp, Limit::Mails, "mails"),
        ] {
            if asks && budget.amount(limit) == 0 {
                let whose = powers.said_where(limit);
                lacks.push(format!("Its component asks for {what}, and may send none in a call ({whose})."));
            }
        }
        lacks
    }
}

/// What a component imports that uses secrets otherwise than to send them.
const SIGNING: &str = "notification:engine/signing";

/// For what a secret may have been meant that nobody asks for.
#[derive(Debug)]
pub enum Meant {
    /// A component asks for one of much the same name.
    Asked(String),
    /// The operator says one of much the same name for a module, of which it is not known whether its component asks for that: one of the two is misspelt.
    Said {
        name: String,
        module: String,
    },
    Unknown,
}

/// A component from a folder, or a bundled one.
type Loaded = Arc<OnceCell<Result<(Arc<Module>, Source), ModuleError>>>;

/// The modules of one engine.
pub struct Catalog {
    pub(super) host: Host,
    pub(super) settings: Arc<Settings>,
    pub(super) relay: Arc<Relay>,
    /// What the operator and the engine itself bring, by the module's name; it stays.
    loaded: Mutex<HashMap<String, Loaded>>,
    /// What has no target, by the module's name.
    found: Mutex<HashMap<String, Arc<OnceCell<Prepared>>>>,
    /// What was installed, and what each target has come to.
    shelf: Shelf,
}

impl Catalog {
    /// A catalog of what the settings and the engine itself bring.
    pub fn new(host: Host, settings: Arc<Settings>) -> Result<Self, HostError> {
        let relay = Arc::new(Relay::new(&settings.smtp)?);
        let (loaded, found) = Default::default();
        let shelf = Shelf::new(settings.sandbox.compiled);
        Ok(Catalog { host, settings, relay, loaded, found, shelf })
    }

    /// The module of this name with what the operator alone gives it. What was found, or why it cannot be used, stays so until the engine
    /// is started again.
    pub async fn get(&self, name: &str) -> Prepared {
        let cell = self.found.lock().await.entry(name.to_owned()).or_default().clone();
        let ready = cell.get_or_init(async || {
            let (module, source) = self.load(name).await?;
            self.ready(module, source, None)
        });
        ready.await.clone()
    }

    /// What a target has come to, if that is known at this revision of its setup or a later one.
    pub fn known(&self, tenant: Tenant, target: Uuid, revision: i64) -> Option<Prepared> {
        self.shelf.target(tenant, target, revision)
    }

    /// Makes a target ready as it is set up: with connections of its own, so that none outlives a grant that was taken away. `read` gives the bytes of the
    /// component that was installed for it, if it is not loaded yet.
    pub async fn prepare<E>(
        &self,
        tenant: Tenant,
        target: &Target,
        setup: &Setup,
        read: &ReadBytes<'_, E>,
    ) -> Result<Arc<Ready>, Unloaded<E>> {
        let name = &target.notification_module_name;
        let loaded = match &setup.component {
            Some(digest) => match self.installed(name, digest, read).await {
                Err(Unloaded::Unread(error)) => return Err(Unloaded::Unread(error)),
                Err(Unloaded::Trouble(error)) => return Err(Unloaded::Trouble(error)),
                Err(Unloaded::Module(error)) => Err(error),
                Ok(module) => Ok((module, Source::Installed)),
            },
            None => self.load(name).await,
        };
        let prepared = loaded.and_then(|(module, source)| self.ready(module, source, Some((tenant, target, setup))));
        self.shelf.keep(tenant, target.id, setup.revision, &prepared);
        Ok(prepared?)
    }

    /// The same with the component that a target has already; `None` if it is set up with another.
    pub fn prepare_again(&self, tenant: Tenant, target: &Target, setup: &Setup, known: &Ready) -> Option<Prepared> {
        let is_same = match &setup.component {
            Some(digest) => known.module.digest == *digest,
            None => known.source != Source::Installed,
        };
        is_same.then(|| {
            let prepared = self.ready(known.module.clone(), known.source, Some((tenant, target, setup)));
            self.shelf.keep(tenant, target.id, setup.revision, &prepared);
            prepared
        })
    }

    /// In which its components are called.
    pub fn places(&self) -> &Places {
        self.host.places()
    }

    /// How many components are loaded.
    pub async fn loaded(&self) -> usize {
        self.loaded.lock().await.len() + self.shelf.loaded()
    }

    /// Checks the bytes of a component that is to be installed as `name`, exactly as they are checked when they are loaded.
    pub async fn check(&self, name: &str, bytes: &[u8]) -> Result<Arc<Module>, ModuleError> {
        check_module_name(name).map_err(|e| ModuleError(e.to_string()))?;
        if BUNDLED.iter().any(|(bundled, _)| *bundled == name) {
            return Err(ModuleError(format!(
                "`{name}` is the name of a bundled component: give the file another name, or let the operator put it into a folder of `[targets] paths`."
            )));
        }
        let cannot = |e: ModuleError| ModuleError(format!("The component {name} cannot be installed. {e}"));
        Ok(Arc::new(self.host.load(name, bytes).await.map_err(cannot)?))
    }

    /// Whether a tenant may set these limits for a target of this module: lower ones than the operator's.
    pub fn check_limits(&self, module: &str, wanted: &Said) -> Result<(), Invalid> {
        budget::check_tenant(&self.settings.sandbox.budget(), &self.settings.of_target(module).limits, wanted)
    }

    /// The component that was installed under this digest.
    async fn installed<E>(
        &self,
        name: &str,
        digest: &str,
        read: &ReadBytes<'_, E>,
    ) -> Result<Arc<Module>, Unloaded<E>> {
        let load = async || {
            let module = self.host.load_on(Some(&self.shelf), name, read).await;
            match module.and_then(
                |module| if module.digest == digest { Ok(module) } else { Err(ModuleError::changed().into()) },
            ) {
                Err(Unloaded::Module(error)) => {
                    let why = format!("The installed component {name} cannot be used. {error}");
                    Err(Unloaded::Module(ModuleError(why)))
                }
                loaded => loaded.map(Arc::new),
            }
        };
        // Not why it could not be: a compiler that was killed may live the next time.
        self.shelf.component(name, digest).get_or_try_init(load).await.cloned()
    }

    /// The modules that somebody means to use: those with a section in the settings, those in the folders, and bundled ones of which a secret is
    /// set.
    pub async fn meant(&self) -> BTreeSet<String> {
        let mut meant: BTreeSet<String> = self.settings.target.keys().cloned().collect();
        meant.extend(self.files().map(|(name, _)| name));
        for (module, asked) in self.secrets_of_bundled().await {
            if asked.iter().any(|name| self.settings.secrets.contains_key(name)) {
                meant.insert(module.to_owned());
            }
        }
        meant
    }

    /// What is wrong with what the operator says of a module, as far as that can be known without its component.
    pub fn wrong_section(&self, name: &str) -> Option<String> {
        powers::check(name, &self.settings.of_target(name), true).err().map(|error| error.to_string())
    }

    /// Whether a folder has a component of this name.
    pub fn is_in_folders(&self, name: &str) -> bool {
        self.in_folders(name).is_ok_and(|found| found.is_some())
    }

    /// Whether a module that the settings speak of can only be an installed one: no folder has it, it is not bundled, and is not spelled like one that
    /// is.
    pub fn is_elsewhere(&self, name: &str) -> bool {
        let is_near = nearest(name, BUNDLED.iter().map(|(bundled, _)| *bundled)).is_some();
        !self.is_in_folders(name) && !is_near && check_module_name(name).is_ok()
    }

    /// The names of the secrets that no component asks for, of those that are set, and what each may have been meant for.
    pub async fn unknown_secrets(&self) -> Vec<(String, Meant)> {
        let mut asked: BTreeSet<String> = BTreeSet::new();
        for module in self.meant().await {
            if let Ok(ready) = self.get(&module).await {
                asked.extend(ready.module.manifest.secrets.iter().map(|secret| secret.name.clone()));
            }
        }
        asked.extend(self.secrets_of_bundled().await.into_iter().flat_map(|(_, asked)| asked));
        // What is meant for a component of somebody's own may be asked for by one that is installed.
        let of_targets = &self.settings.target;
        let said = || of_targets.iter().flat_map(|(module, said)| said.secrets.iter().map(move |name| (name, module)));
        let unknown = self.settings.secrets.keys();
        let unknown = unknown.filter(|name| !asked.contains(*name) && said().all(|(said, _)| said != *name));
        let meant = |name: &String| match nearest(name, asked.iter().map(String::as_str)) {
            Some(near) => Meant::Asked(near.to_owned()),
            None => match said().find(|(said, _)| nearest(name, [said.as_str()].into_iter()).is_some()) {
                Some((said, module)) => Meant::Said { name: said.clone(), module: module.clone() },
                None => Meant::Unknown,
            },
        };
        unknown.map(|name| (name.clone(), meant(name))).collect()
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

    /// The component of this name from the folders, or the bundled one.
    async fn load(&self, name: &str) -> Result<(Arc<Module>, Source), ModuleError> {
        let cell = self.loaded.lock().await.entry(name.to_owned()).or_default().clone();
        cell.get_or_init(|| self.find(name)).await.clone()
    }

    async fn find(&self, name: &str) -> Result<(Arc<Module>, Source), ModuleError> {
        check_module_name(name).map_err(|e| match self.files().find(|(stem, _)| stem == name) {
            Some((_, path)) => ModuleError(format!(
                "The component {} cannot be used, as its name would be the module's: {e} Rename the file.",
                path.display()
            )),
            None => ModuleError(e.to_string()),
        })?;
        let named =
            |from: String| move |e: ModuleError| ModuleError(format!("The component {from} cannot be used. {e}"));
        if let Some((path, bytes)) = self.in_folders(name)? {
            let module = self.host.load(name, &bytes).await.map_err(named(path.display().to_string()))?;
            return Ok((Arc::new(module), Source::Folder));
        }
        match BUNDLED.iter().find(|(bundled, _)| *bundled == name) {
            Some((_, bytes)) => {
                let module = self.host.load(name, bytes).await.map_err(named(name.to_owned()))?;
                Ok((Arc::new(module), Source::Bundled))
            }
            None if let Some(path) = self.misnamed(name) => Err(ModuleError(format!(
                "There is no component for the module `{name}`: rename {} to {name}.wasm.",
                path.display()
            ))),
            None => {
                let near = nearest(name, BUNDLED.iter().map(|(bundled, _)| *bundled));
                let near = near.map_or_else(String::new, |near| format!(" did you mean `{near}`? If not,"));
                Err(ModuleError(format!(
                    "There is no component for the module `{name}`;{near} put {name}.wasm into a folder of `[targets] paths`, or give it to `engine target install`."
                )))
            }
        }
    }

    /// The components in the folders, by their names without the ending. That a folder cannot be read is told for each module that is searched there.
    fn files(&self) -> impl Iterator<Item = (String, PathBuf)> {
        let entries = self.settings.targets.paths.iter().filter_map(|folder| std::fs::read_dir(folder).ok());
        entries.flatten().flatten().filter_map(|entry| {
            let stem = entry.file_name().to_str()?.strip_suffix(".wasm")?.to_owned();
            Some((stem, entry.path()))
        })
    }

    /// A file that would be this module's, were it spelled so.
    fn misnamed(&self, name: &str) -> Option<PathBuf> {
        let as_module = |stem: &str| stem.to_lowercase().replace(['-', ' ', '.'], "_");
        self.files().find(|(stem, _)| as_module(stem) == name).map(|(_, path)| path)
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
                    opened.take(self.host.largest() as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
                    return Ok(Some((folder.join(file), bytes)));
                }
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(cannot(e)),
            }
        }
        Ok(None)
    }

    fn ready(&self, module: Arc<Module>, source: Source, of: Option<(Tenant, &Target, &Setup)>) -> Prepared {
        // Strangers' schemas and secrets may take a moment, and many of them more.
        let powers = beside_the_runtime(|| powers::of(self, &module, source, of));
        let powers = powers.map_err(|e| ModuleError(e.to_string()))?;
        let revision = of.map_or(0, |(_, _, setup)| setup.revision);
        Ok(Arc::new(Ready { module, powers: Arc::new(powers), source, revision }))
    }
}
