//! `cargo bench -p bench`: the cost of a sandboxed call, what a call costs beside others that spin, mails per second beside plain lettre, the memory of an idle engine.
//! `cargo bench -p bench -- queues`: a backlog beside another queue, only when it is asked for, since it installs that one.
//!
//! Shared machines are noisy, so what is compared runs in turn in one go and is told as a ratio; what is absolute is a median.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails has nothing to tell"
)]

mod idle;
mod isolation;
mod mail;
mod powers;
mod queues;
mod sandbox;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if arguments.first().is_some_and(|first| first == "sink") {
        runtime.block_on(mail::sink());
        return ExitCode::SUCCESS;
    }
    // cargo passes `--bench`; other words choose what to measure.
    let chosen = |name: &str| {
        let mut words = arguments.iter().filter(|word| !word.starts_with('-')).peekable();
        words.peek().is_none() || words.any(|word| word == name)
    };
    if chosen("sandbox") {
        runtime.block_on(sandbox::measure());
    }
    if chosen("isolation") {
        runtime.block_on(isolation::measure());
    }
    if chosen("mail") {
        runtime.block_on(mail::measure());
    }
    if chosen("idle") {
        idle::measure();
    }
    if arguments.iter().any(|word| word == "queues")
        && let Err(sentence) = runtime.block_on(queues::measure())
    {
        eprintln!("{sentence}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The engine's program, beside the one that measures.
fn engine_binary() -> Option<PathBuf> {
    let bench = std::env::current_exe().unwrap();
    let binary = bench.parent().and_then(Path::parent).unwrap().join("engine");
    binary.is_file().then_some(binary)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value below which this share of the sorted values lies.
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}
