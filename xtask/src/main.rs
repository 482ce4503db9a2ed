//! The project's own commands. Each needs more than cargo alone can do; whatever cargo can do alone is not here.

mod debian;
mod demo;
mod fuzz;
mod languages;
mod peers;
mod postgres;
mod predecessor;
mod step;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make sure that there is a compiler for components; on Debian, put one together if there is none
    Toolchain,
    /// Build the engine and run its demo
    Demo {
        /// Passed on to `engine demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run all tests
    Test {
        /// Passed on to `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kill engines, cut lines, crash servers and fill disks at random, and compare every history with what was sent; takes minutes
    Faults,
    /// Give the engine bytes that a fuzzer makes up: settings, manifests, origins, answers, components; a minute each
    Fuzz(fuzz::Fuzz),
    /// Deliver by components that other languages' toolchains make; installs these, which are hundreds of megabytes
    Languages,
    /// Import and deliver what the real django-notification-system has left behind, on SQLite and PostgreSQL
    Predecessor {
        /// `--only sqlite`, where there is no PostgreSQL
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// One after the other: each keeps both processors busy.
const FAULTS: [&str; 7] = ["--test", "all", "--", "faults::", "--ignored", "--nocapture", "--test-threads=1"];

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Toolchain => toolchain::run().map(|()| ExitCode::SUCCESS),
        Command::Demo { arguments } => demo::run(&arguments),
        Command::Test { arguments } => test::run(&arguments),
        Command::Faults => test::run(&FAULTS.map(str::to_owned)),
        Command::Fuzz(asked) => fuzz::run(&asked),
        Command::Languages => languages::run(),
        Command::Predecessor { arguments } => predecessor::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
