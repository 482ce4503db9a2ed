//! `cargo xtask toolchain`: a compiler for components.

use anyhow::bail;
use guest_build::{Error, TARGET, toolchain};

use crate::debian;

/// Sees to it that there is one, and tells how a project of one's own uses it.
pub fn run() -> anyhow::Result<()> {
    get()?;
    let found = toolchain::find()?;
    let path: Vec<String> = found.linkers.iter().map(|folder| folder.display().to_string()).collect();
    let variables = match path.is_empty() {
        true => String::new(),
        false => format!("RUSTC={} PATH={}:$PATH ", found.rustc.display(), path.join(":")),
    };
    println!("In a project of your own: {variables}cargo build --release --target {TARGET}");
    Ok(())
}

/// Sees to it that there is one.
pub fn get() -> anyhow::Result<()> {
    match toolchain::find() {
        Ok(found) => {
            println!("Components are compiled by {}", found.rustc.display());
            Ok(())
        }
        Err(Error::NoToolchain) if debian::is_this() => {
            println!(
                "There is no compiler for components yet. Where rustup can download one, `rustup target add {TARGET}` is the"
            );
            println!("quicker way; this one is put together from Debian's packages, once, in about three minutes.");
            debian::make()
        }
        // Downloading into a person's rustup is for that person to decide.
        Err(Error::NoToolchain) => {
            bail!(
                "there is no compiler for components: run `rustup target add {TARGET}` (this command makes one on Debian only)"
            )
        }
        Err(other) => Err(other.into()),
    }
}
