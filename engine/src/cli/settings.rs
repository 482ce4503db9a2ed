//! `engine settings …`

use super::context::{catalog, variables};
use super::exit::Code;
use super::log::Log;
use super::output::{self, Format};
use crate::clock::Clock;
use crate::host::{Meant, Source};
use crate::settings::{self, EngineKey};
use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;
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
    pub async fn execute(self, config: Option<&Path>, format: Format, log: &Log) -> anyhow::Result<Code> {
        if let Settings::Show { defaults: true } = self {
            output::text(settings::DEFAULTS.trim_end())?;
            return Ok(Code::Done);
        }
        let settings = match (settings::Settings::load(config, variables()), &self, format) {
            (Err(error), Settings::Check, Format::Json) => {
                output::json(&json!({ "valid": false, "file": config, "problems": [error.to_string()] }))?;
                return Ok(Code::Failed);
            }
            (loaded, ..) => Arc::new(loaded?),
        };
        log.start(&settings)?;
        match (self, format) {
            (Settings::Check, _) => return check(&settings, format).await,
            (Settings::Show { .. }, Format::Text) => output::text(settings.to_toml().trim_end())?,
            (Settings::Show { .. }, Format::Json) => output::json(&settings.to_json())?,
        }
        Ok(Code::Done)
    }
}

async fn check(settings: &Arc<settings::Settings>, format: Format) -> anyhow::Result<Code> {
    let mut found = Checked { problems: settings.missing_folders(), ..Checked::default() };
    if found.problems.is_empty() {
        found = check_targets(settings).await?;
    }
    let Checked { problems, unchecked, remarks } = found;
    match format {
        Format::Json => {
            let valid = problems.is_empty();
            output::json(
                &json!({ "valid": valid, "file": settings.file, "problems": problems, "unchecked": unchecked, "remarks": remarks }),
            )?;
        }
        Format::Text => {
            unchecked.iter().chain(&remarks).for_each(|what| output::aside(&format!("engine: {what}")));
            problems.iter().for_each(|problem| output::aside(&format!("engine: {problem}")));
            if problems.is_empty() {
                let from = settings.file.as_ref().map_or("no file".to_owned(), |file| file.display().to_string());
                let so_far = if unchecked.is_empty() { "" } else { ", as far as they were checked" };
                output::text(&format!("The settings are valid{so_far} (from {from} and the variables)."))?;
            }
        }
    }
    Ok(if problems.is_empty() { Code::Done } else { Code::Failed })
}

/// What a check came to, in sentences.
#[derive(Default)]
struct Checked {
    problems: Vec<String>,
    /// What was not looked at, and who does.
    unchecked: Vec<String>,
    /// What nothing is wrong with, and somebody may have meant otherwise.
    remarks: Vec<String>,
}

/// What keeps the components that are meant to be used from being so, and secrets that none of them asks for.
async fn check_targets(settings: &Arc<settings::Settings>) -> anyhow::Result<Checked> {
    // Where there is no engine yet, none is left behind: what is compiled here goes again.
    let passing = tempfile::tempdir().context("Components cannot be checked without a temporary folder.")?;
    let (key, cache) = match settings.engine_key_if_made()? {
        Some(key) => (key, settings.cache()),
        None => (EngineKey::read_or_make(&passing.path().join("engine.key"))?, passing.path().join("engine.cache")),
    };
    let catalog = catalog(settings, &key, &cache, Clock::system())?;
    let (mut problems, mut unchecked, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
    for module in catalog.meant().await {
        match catalog.get(&module).await {
            // What is installed, and what is granted, is in the database, which is not asked.
            Err(_) if catalog.is_elsewhere(&module) => match catalog.wrong_section(&module) {
                Some(wrong) => problems.push(wrong),
                None => unchecked.push(format!(
                    "[target.{module}] was not checked, as no folder has that component: `engine target show {module}` does, if it is installed."
                )),
            },
            Err(error) => problems.push(error.to_string()),
            Ok(ready) => {
                let lacks = if ready.source == Source::Bundled { ready.lacks() } else { ready.lacking_settings() };
                problems.extend(lacks.into_iter().map(|lack| format!("The component {module} cannot send: {lack}")));
                remarks.extend(ready.remarks().into_iter().map(|remark| format!("[target.{module}]: {remark}")));
            }
        }
    }
    problems.extend(catalog.unknown_secrets().await.into_iter().map(|(name, meant)| {
        let variable = format!("ENGINE_SECRET__{}", name.to_uppercase());
        match meant {
            Meant::Asked(near) => format!("No component asks for the secret of {variable}; did you mean `{near}`?"),
            Meant::Said { name: said, module } => format!(
                "No component that is bundled or in a folder asks for the secret of {variable}, and `secrets` under [target.{module}] names `{said}`: one of the two is misspelt."
            ),
            Meant::Unknown => format!(
                "No component that is bundled or in a folder asks for the secret of {variable}: take the variable out, or let one that is installed use it, with `secrets = [\"{name}\"]` under its [target.NAME]."
            ),
        }
    }));
    Ok(Checked { problems, unchecked, remarks })
}
