//! `cargo xtask demo`: from a fresh clone to an engine at work, in one command.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{toolchain, workspace};

pub fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    toolchain::get()?;
    let engine = build()?;
    let status = Command::new(&engine).arg("demo").args(arguments).status();
    Ok(workspace::exit_code(status.with_context(|| format!("cannot run {}", engine.display()))?))
}

/// The engine's executable, fresh. Not `cargo run --package engine`: see [`workspace`].
pub fn build() -> anyhow::Result<PathBuf> {
    let mut cargo = workspace::cargo("build");
    cargo.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped()).stderr(Stdio::inherit());
    let output = cargo.spawn().and_then(|child| child.wait_with_output()).context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the engine could not be built, for the reason that cargo gave above");
    }
    executable(&String::from_utf8_lossy(&output.stdout)).context("cargo did not say where it put the engine")
}

/// The engine's executable, out of cargo's messages: only cargo knows where its target folder is.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut executables = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    executables.find(|path| path.file_stem() == Some(OsStr::new("engine")) && !in_examples(path))
}

fn in_examples(path: &Path) -> bool {
    path.parent().and_then(Path::file_name) == Some(OsStr::new("examples"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_found_among_the_messages() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
not a message
{"reason":"compiler-artifact","executable":"/t/debug/xtask"}
{"reason":"compiler-artifact","executable":"/t/debug/engine"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/t/debug/engine")));
        assert_eq!(executable("{}"), None);
    }
}
