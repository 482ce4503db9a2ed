//! The `engine` binary: arguments → settings → one library call → exit code.

use clap::Parser;
use engine::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    // clap prints usage errors itself and ends with 2.
    engine::cli::main(Cli::parse())
}
