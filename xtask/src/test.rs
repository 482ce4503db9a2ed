//! `cargo xtask test`: all tests, with what they need besides cargo; then those of deliveries once more, with engines that tell each other nothing.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::{peers, postgres, toolchain, workspace};

/// What hints could make a difference to.
const WITHOUT_HINTS: [&str; 4] = ["--test", "all", "--", "delivery::"];

pub fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    run_with(arguments, &[])
}

/// The same, with what else some tests need.
pub fn run_with(arguments: &[String], variables: &[(&str, &Path)]) -> anyhow::Result<ExitCode> {
    toolchain::get()?;
    let python = peers::python()?;
    let postgres = postgres::programs()?;
    let tests = || {
        let mut command = workspace::cargo("test");
        command.env("TEST_PYTHON", &python).env("TEST_POSTGRES", &postgres);
        command.envs(variables.iter().copied());
        command
    };
    let status = tests().args(arguments).status().context("cannot run cargo")?;
    if !status.success() || !arguments.is_empty() {
        return Ok(workspace::exit_code(status));
    }
    let once_more = tests().args(WITHOUT_HINTS).env("TEST_WITHOUT_HINTS", "1").status();
    Ok(workspace::exit_code(once_more.context("cannot run cargo")?))
}
