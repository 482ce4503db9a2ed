//! `cargo xtask test`: all tests, with what they need besides cargo.

use std::process::ExitCode;

use anyhow::Context;

use crate::{peers, postgres, toolchain, workspace};

pub fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    toolchain::run()?;
    let python = peers::python()?;
    let postgres = postgres::programs()?;
    let status =
        workspace::cargo("test").args(arguments).env("TEST_PYTHON", python).env("TEST_POSTGRES", postgres).status();
    Ok(workspace::exit_code(status.context("cannot run cargo")?))
}
