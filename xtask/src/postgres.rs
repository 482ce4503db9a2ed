//! The PostgreSQL that the tests start a server of: the one that is installed, or, for root on Debian, one that is installed now.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::debian;

/// Where Debian puts the programs of a server, a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The oldest that the engine runs on: before it, unique indexes could not hold that two absent values are the same.
const OLDEST: u32 = 15;

/// The folder with `initdb` and `postgres`.
pub fn programs() -> anyhow::Result<PathBuf> {
    if let Some(folder) = find() {
        return Ok(folder);
    }
    let sentence = "the tests need PostgreSQL 15 or newer: on Debian, `apt install postgresql` installs it";
    if !debian::is_this() || !is_root() {
        bail!(sentence);
    }
    println!("PostgreSQL is installed, for the tests");
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--no-install-recommends", "postgresql"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    let installed = install.stdin(Stdio::null()).stdout(Stdio::null()).status().context("cannot run apt-get")?;
    if !installed.success() {
        bail!("apt-get could not install postgresql; `apt-get update` may help");
    }
    find().context(sentence)
}

fn find() -> Option<PathBuf> {
    let versions = Path::new(DEBIAN).read_dir().into_iter().flatten().flatten();
    let recent = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        (version >= OLDEST && has_programs(&folder)).then_some((version, folder))
    });
    let newest = recent.max().map(|(_, folder)| folder);
    newest.or_else(|| env::split_paths(&env::var_os("PATH")?).find(|folder| has_programs(folder)))
}

fn has_programs(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_ctl", "pg_isready"].iter().all(|program| folder.join(program).is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
