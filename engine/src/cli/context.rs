//! What most commands need: the settings, the log, the database, and the sandbox when a component has to be asked.

use super::log::Log;
use super::output::{self, Format};
use crate::clock::Clock;
use crate::host::{Catalog, Compiler, Host};
use crate::settings::{EngineKey, Settings};
use crate::store::Store;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long to wait before a database that is away is tried again: at first, and at most.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What a command works with.
pub struct Context {
    pub settings: Arc<Settings>,
    pub store: Store,
    pub clock: Clock,
    pub output: Format,
}

impl Context {
    /// Reads the settings, starts the log, opens the database.
    pub async fn open(config: Option<&Path>, output: Format, log: &Log) -> anyhow::Result<Self> {
        Self::with(config, output, log, async |settings| Ok(Store::open(&settings.database.url).await?)).await
    }

    /// The same for who stays: a database that is away is waited for.
    pub async fn open_patiently(config: Option<&Path>, output: Format, log: &Log) -> anyhow::Result<Self> {
        Self::with(config, output, log, async |settings| {
            let mut said = String::new();
            let mut wait = FIRST_WAIT;
            loop {
                match Store::open(&settings.database.url).await {
                    Err(error) if error.is_worth_another_try() => {
                        let sentence = error.to_string();
                        if sentence != said {
                            output::aside(&format!("engine: {sentence} It is tried again; stop with Ctrl-C."));
                            said = sentence;
                        }
                        tokio::time::sleep(wait).await;
                        wait = (wait * 2).min(LONGEST_WAIT);
                    }
                    opened => return Ok(opened?),
                }
            }
        })
        .await
    }

    async fn with(
        config: Option<&Path>,
        output: Format,
        log: &Log,
        open: impl AsyncFnOnce(&Settings) -> anyhow::Result<Store>,
    ) -> anyhow::Result<Self> {
        let settings = Settings::load(config, variables())?;
        log.start(&settings)?;
        let new = settings.database_file().filter(|file| !file.exists());
        let store = open(&settings).await?;
        let store = if settings.database.hints { store } else { store.without_hints() };
        if let Some(file) = new {
            // A command in the wrong folder is noticed by this, and by nothing else.
            let file = file.canonicalize().unwrap_or(file);
            output::aside(&format!("engine: a new database was made: {}", file.display()));
        }
        let clock = Clock::showing(store.time().await?);
        Ok(Context { settings: Arc::new(settings), store, clock, output })
    }

    /// The components, in their sandbox.
    pub fn catalog(&self) -> anyhow::Result<Catalog> {
        if let Some(missing) = self.settings.missing_folders().into_iter().next() {
            anyhow::bail!(missing);
        }
        catalog(&self.settings, &self.settings.engine_key()?, &self.settings.cache(), self.clock.clone())
    }

    /// A new id.
    pub fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// The components that the settings name, compiled into `cache` under `key`.
pub fn catalog(settings: &Arc<Settings>, key: &EngineKey, cache: &Path, clock: Clock) -> anyhow::Result<Catalog> {
    let compiler = Compiler::apart(&settings.sandbox, Compiler::own_program()?);
    let host = Host::new(&settings.sandbox, cache, key, clock)?.compiled_by(compiler);
    Ok(Catalog::new(host, settings.clone())?)
}

/// The variables of the environment. What is not UTF-8 is none of ours, or is refused for what it then holds.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}
