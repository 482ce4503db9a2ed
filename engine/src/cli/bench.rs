//! `engine bench`

use super::context::Context;
use super::exit::Code;
use super::log::Log;
use super::output::{self, Format};
use super::run::deliverer;
use crate::clock::Clock;
use crate::development::bench::{self, Plan, Progress};
use crate::development::inbox::Inbox;
use crate::store::Store;
use anyhow::Context as _;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug, clap::Args)]
pub struct Bench {
    /// How many notifications wait when the measurement begins.
    #[arg(long, default_value_t = 20_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    notifications: u32,
    /// How many more there are that are not due yet.
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    future: u32,
    /// How many go into one call of the handler, if the target takes several.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    batch_size: u32,
    /// What they go through: a component that does nothing, or e-mail into an inbox inside the process.
    #[arg(long, value_enum, default_value_t)]
    target: Through,
    /// A database to use, `sqlite:FILE` or `postgres://…`; its notifications stay in it. Otherwise a temporary file.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Through {
    #[default]
    Noop,
    Email,
}

impl Bench {
    pub async fn execute(self, format: Format, log: &Log) -> anyhow::Result<Code> {
        let folder = tempfile::tempdir().context("The benchmark needs a temporary folder, and cannot make one.")?;
        let mut inbox = Inbox::start().await.context("The benchmark's inbox cannot listen on this machine.")?;
        let own = || format!("sqlite:{}", folder.path().join("engine.db").display());
        let plan = Plan {
            notifications: self.notifications as usize,
            future: self.future as usize,
            batch_size: self.batch_size as usize,
            module: match self.target {
                Through::Noop => "noop",
                Through::Email => "email",
            },
            database: self.database.unwrap_or_else(own),
        };
        let settings = bench::settings(&plan, folder.path(), &inbox)?;
        log.start(&settings)?;
        // What arrives in the inbox must not fill the memory that is measured.
        let emptying = tokio::spawn(async move { while inbox.next().await.is_some() {} });
        let store = Store::open(&plan.database).await?;
        let clock = Clock::showing(store.time().await?);
        let context = Context { settings: Arc::new(settings), store, clock, output: format };
        let bar = Bar::new(&plan);
        let measured = bench::measure(
            &plan,
            &context.store,
            &context.clock,
            Uuid::now_v7,
            |observer| deliverer(&context, observer),
            |progress| bar.show(progress),
        )
        .await;
        bar.0.finish_and_clear();
        emptying.abort();
        context.store.close().await;
        let figures = measured?;
        let used = bench::used_by_this_process();
        let milliseconds = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        if format == Format::Json {
            output::json(&json!({
                "notifications": plan.notifications,
                "future": plan.future,
                "batch_size": plan.batch_size,
                "target": plan.module,
                "database": plan.database.split(':').next(),
                "per_second": figures.per_second.round(),
                "due_to_sent_ms_p50": milliseconds(figures.due_to_sent_p50),
                "due_to_sent_ms_p99": milliseconds(figures.due_to_sent_p99),
                "cpu_seconds": used.map(|used| used.cpu.as_secs_f64()),
                "peak_rss_bytes": used.map(|used| used.peak_memory),
            }))?;
        } else {
            output::text(&format!(
                "{:.0} notifications per second ({} through `{}`, {} in a call)\nFrom due to sent: {} ms at the median, {} ms for 99 of 100",
                figures.per_second,
                plan.notifications,
                plan.module,
                plan.batch_size,
                milliseconds(figures.due_to_sent_p50),
                milliseconds(figures.due_to_sent_p99),
            ))?;
            if let Some(used) = used {
                output::text(&format!(
                    "{:.1} s of processor time in all, {} MiB of memory at the most",
                    used.cpu.as_secs_f64(),
                    used.peak_memory >> 20
                ))?;
            }
        }
        Ok(Code::Done)
    }
}

/// A bar on the terminal, one for each part of the measurement.
struct Bar(ProgressBar);

impl Bar {
    fn new(plan: &Plan) -> Bar {
        let bar = ProgressBar::new(plan.notifications as u64);
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:40} {pos}/{len}") {
            bar.set_style(style);
        }
        Bar(bar)
    }

    fn show(&self, progress: Progress) {
        let (what, done) = match progress {
            Progress::Filled(done) => ("filling", done),
            Progress::Drained(done) => ("draining", done),
            Progress::Trickled(done) => ("timing from due to sent", done),
        };
        self.0.set_message(what);
        self.0.set_position(done as u64);
    }
}
