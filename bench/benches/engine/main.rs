//! `cargo bench -p bench`: the cost of a sandboxed call, mails per second beside plain lettre, the memory of an idle engine.
//!
//! Shared machines are noisy, so what is compared runs in turn in one go and is told as a ratio; what is absolute is a median.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails has nothing to tell"
)]

mod idle;
mod mail;
mod sandbox;

use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if arguments.first().is_some_and(|first| first == "sink") {
        return runtime.block_on(mail::sink());
    }
    // cargo passes `--bench`; other words choose what to measure.
    let chosen = |name: &str| {
        let mut words = arguments.iter().filter(|word| !word.starts_with('-')).peekable();
        words.peek().is_none() || words.any(|word| word == name)
    };
    if chosen("sandbox") {
        runtime.block_on(sandbox::measure());
    }
    if chosen("mail") {
        runtime.block_on(mail::measure());
    }
    if chosen("idle") {
        idle::measure();
    }
}

/// The value below which this share of the sorted values lies.
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}
