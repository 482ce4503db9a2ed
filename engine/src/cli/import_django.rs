//! `engine import django`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::import::Tally;
use crate::import::django::{self, Options, Report};
use crate::rules::tenant::Tenant;
use crate::store::django::Source;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Subcommand)]
pub enum Import {
    /// Copy users, targets, records, opt-outs and notifications out of the database of an application that uses django-notification-system.
    ///
    /// The database is only read. It can be done again: what is here already stays as it is, unless it waits here and has ended there.
    #[command(after_help = "Exit code: 1 when rows were left out.")]
    Django(Django),
}

#[derive(Debug, Args)]
pub struct Django {
    /// Its URL: sqlite:/srv/app/db.sqlite3 or postgres://user@host/app. PGPASSWORD can hold the password.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The table of its users.
    #[arg(long, value_name = "TABLE", default_value = "auth_user")]
    users_table: String,
    /// Of times that are stored without one, which is TIME_ZONE of Django's settings if USE_TZ is False.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Write nothing, and say what would be done.
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let Import::Django(django) = self;
        django.execute(context).await
    }
}

impl Django {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let time_zone = TimeZone::get(&self.time_zone).map_err(|_| {
            anyhow!("`{}` is not a time zone: use an IANA name such as `Europe/Berlin`.", self.time_zone)
        })?;
        let options = Options { tenant: Tenant::DEFAULT, time_zone, dry_run: self.dry_run };
        // Before anything is read: what is said there from now on is newer.
        let now = context.clock.now();
        let mut source = Source::open(&self.from, &self.users_table).await?;
        let bar = bar();
        let mut progress = |rows| bar.set_position(rows);
        let new_id = || context.new_id();
        let report = django::import(&context.store, &mut source, &options, now, new_id, &mut progress).await;
        bar.finish_and_clear();
        source.close().await;
        let report = report?;
        match context.output {
            Format::Text => say(&report, self.dry_run)?,
            Format::Json => output::json(&as_json(&report, self.dry_run))?,
        }
        Ok(if report.left_out.is_empty() { Code::Done } else { Code::Failed })
    }
}

/// On standard error, where that is a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos} rows");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

fn say(report: &Report, dry_run: bool) -> anyhow::Result<()> {
    for left in &report.left_out {
        output::aside(&format!("{} {}: {}", left.kind, left.id, left.why));
    }
    if dry_run {
        output::text("Nothing was written. This would be done:")?;
    }
    let left_out = |kind| report.left_out.iter().filter(|left| left.kind == kind).count();
    let rows: Vec<Vec<String>> = report
        .tallies
        .iter()
        .map(|(kind, Tally { added, changed, unchanged })| {
            let numbers = [*added, *changed, *unchanged, left_out(*kind) as u64];
            [format!("{kind}s")].into_iter().chain(numbers.map(|number| number.to_string())).collect()
        })
        .collect();
    output::table("", &["kind", "added", "changed", "as they were", "left out"], &rows)?;
    for ((kind, column), count) in report.left_out_by_column() {
        output::text(&format!("Left out for {column}: {count} {kind}{}.", plural(count)))?;
    }
    for (adjustment, count) in &report.adjusted {
        output::text(&format!("{count} notification{} {}", plural(*count), adjustment.clause()))?;
    }
    for note in &report.notes {
        output::text(note)?;
    }
    Ok(())
}

const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn as_json(report: &Report, dry_run: bool) -> Value {
    let tallies = report.tallies.iter().map(|(kind, Tally { added, changed, unchanged })| {
        let left_out = report.left_out.iter().filter(|left| left.kind == *kind).count();
        (kind, json!({ "added": added, "changed": changed, "unchanged": unchanged, "left_out": left_out }))
    });
    json!({
        "dry_run": dry_run,
        "tallies": tallies.collect::<BTreeMap<_, _>>(),
        "left_out": report.left_out,
        "adjusted": report.adjusted,
        "notes": report.notes,
    })
}
