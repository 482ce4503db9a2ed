//! `engine settings …`

use super::context::{start_log, variables};
use super::exit::Code;
use super::output::{self, Format};
use crate::settings;
use clap::Subcommand;
use std::path::Path;

#[derive(Debug, Subcommand)]
pub enum Settings {
    /// Whether the settings can be used, without doing anything.
    Check,
    /// The settings that hold now, or the explained defaults.
    Show {
        /// The default file, which explains every key.
        #[arg(long)]
        defaults: bool,
    },
}

impl Settings {
    pub fn execute(self, config: Option<&Path>, format: Format) -> anyhow::Result<Code> {
        if let Settings::Show { defaults: true } = self {
            output::text(settings::DEFAULTS.trim_end())?;
            return Ok(Code::Done);
        }
        let settings = settings::Settings::load(config, variables())?;
        start_log(&settings)?;
        if matches!(self, Settings::Check) {
            settings.check_folders()?;
        }
        for (module, target) in &settings.target {
            if let Some(sender) = target.values.get("from_email") {
                crate::host::sender(sender.as_str().unwrap_or_default())
                    .map_err(|why| anyhow::anyhow!("`target.{module}.from_email` must be a sender of mail: {why}."))?;
            }
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
