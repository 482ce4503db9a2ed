//! `engine settings …`

use super::context::{catalog, start_log, variables};
use super::exit::Code;
use super::output::{self, Format};
use crate::clock::Clock;
use crate::settings::{self, EngineKey};
use anyhow::Context as _;
use clap::Subcommand;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub enum Settings {
    /// Whether the settings can be used, those of each target by its component included, without doing anything.
    Check,
    /// The settings that hold now, or the explained defaults.
    Show {
        /// The default file, which explains every key.
        #[arg(long)]
        defaults: bool,
    },
}

impl Settings {
    pub async fn execute(self, config: Option<&Path>, format: Format) -> anyhow::Result<Code> {
        if let Settings::Show { defaults: true } = self {
            output::text(settings::DEFAULTS.trim_end())?;
            return Ok(Code::Done);
        }
        let settings = Arc::new(settings::Settings::load(config, variables())?);
        start_log(&settings)?;
        if matches!(self, Settings::Check) {
            settings.check_folders()?;
            check_targets(&settings).await?;
        }
        match (self, format) {
            (Settings::Check, Format::Text) => {
                let from = settings.file.as_ref().map_or("no file".to_owned(), |file| file.display().to_string());
                output::text(&format!("The settings are valid (from {from} and the variables)."))?;
            }
            (Settings::Check, Format::Json) => {
                output::json(&serde_json::json!({ "valid": true, "file": settings.file }))?;
            }
            (Settings::Show { .. }, Format::Text) => output::text(settings.to_toml().trim_end())?,
            (Settings::Show { .. }, Format::Json) => output::json(&settings.to_json())?,
        }
        Ok(Code::Done)
    }
}

/// Whether there is a component for each `[target.NAME]`, and whether it can read what stands there.
async fn check_targets(settings: &Arc<settings::Settings>) -> anyhow::Result<()> {
    // Where there is no engine yet, none is left behind: what is compiled here goes again.
    let passing = tempfile::tempdir().context("Components cannot be checked without a temporary folder.")?;
    let (key, cache) = match settings.engine_key_if_made()? {
        Some(key) => (key, settings.cache()),
        None => (EngineKey::read_or_make(&passing.path().join("engine.key"))?, passing.path().join("engine.cache")),
    };
    let catalog = catalog(settings, &key, &cache, Clock::system())?;
    for module in settings.target.keys() {
        catalog.get(module).await?;
    }
    Ok(())
}
