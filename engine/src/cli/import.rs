//! `engine user import`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::import::{self, BadLine, Tally};
use crate::rules::tenant::Tenant;
use anyhow::{Context as _, anyhow};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(
    after_help = "Columns and members: username, email, first_name, last_name, time_zone, locale, attributes (a JSON object). Exit code: 1 when a line was bad."
)]
pub struct Import {
    /// A CSV file, or one that ends with .jsonl or .ndjson and has a JSON object per line.
    file: PathBuf,
    /// Store nobody if any line is bad.
    #[arg(long)]
    all_or_nothing: bool,
}

impl Import {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let (mut users, mut bad) = (Vec::new(), Vec::new());
        let file = File::open(&self.file)
            .with_context(|| format!("The file {} cannot be opened; is its name right?", self.file.display()))?;
        let lines = import::read_users(file, format_of(&self.file))
            .map_err(|why| anyhow!("{} cannot be imported. {why}", self.file.display()))?;
        for line in lines {
            match line {
                Ok(user) => users.push(user),
                Err(line) => bad.push(line),
            }
        }
        let tally = if self.all_or_nothing && !bad.is_empty() {
            Tally::default()
        } else {
            let bar = bar(users.len() as u64);
            let (store, now) = (&context.store, context.clock.now());
            let mut progress = |done| bar.set_position(done);
            let new_id = || context.new_id();
            let tally =
                import::import_users(store, Tenant::DEFAULT, users, self.all_or_nothing, now, new_id, &mut progress)
                    .await?;
            bar.finish_and_clear();
            tally
        };
        if self.all_or_nothing && !bad.is_empty() && context.output == Format::Text {
            output::aside("engine: nobody is stored, because of the lines that are told below (--all-or-nothing).");
        }
        say(context.output, &tally, &bad)?;
        Ok(if bad.is_empty() { Code::Done } else { Code::Failed })
    }
}

fn format_of(file: &Path) -> import::Format {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("jsonl" | "ndjson") => import::Format::JsonLines,
        _ => import::Format::Csv,
    }
}

/// A bar on standard error, which shows only where that is a terminal.
fn bar(users: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} users");
    ProgressBar::new(users).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn say(format: Format, tally: &Tally, bad: &[BadLine]) -> anyhow::Result<()> {
    let Tally { added, changed, unchanged } = tally;
    match format {
        Format::Json => {
            let bad: Vec<_> = bad.iter().map(|line| json!({ "line": line.number, "why": line.why })).collect();
            output::json(&json!({ "added": added, "changed": changed, "unchanged": unchanged, "bad": bad }))
        }
        Format::Text => {
            for line in bad {
                output::aside(&format!("line {}: {}", line.number, line.why));
            }
            output::text(&format!(
                "{added} users added, {changed} changed, {unchanged} as they were; {} bad lines left out.",
                bad.len()
            ))
        }
    }
}
