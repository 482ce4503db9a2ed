//! Runs the second cargo, in an environment from which everything is gone that the first one set for its build script: a
//! component has to come out the same from `cargo build`, `cargo clippy`, `cargo doc` and the shell, or each would build all of
//! them again.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::toolchain::{self, Toolchain};
use crate::{Error, Guest, TARGET};

/// The profile of the workspace that components are built with.
pub(crate) const PROFILE: &str = "guest";

/// Set by cargo for build scripts, or by people for the engine's own code, such as `RUSTFLAGS`.
const FOREIGN: &[&str] = &[
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "DEBUG",
    "HOST",
    "LD_LIBRARY_PATH",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "TARGET",
];
const FOREIGN_PREFIXES: &[&str] = &["CARGO_CFG_", "CARGO_FEATURE_", "CARGO_MANIFEST_", "CARGO_PKG_", "DEP_"];

/// The first cargo's target folder, or one inside it. The second cargo needs another one than the first, since each locks its own
/// for as long as it runs, and the first is waiting for the second.
pub(crate) fn target_folder(workspace: &Path) -> PathBuf {
    if let Some(out_dir) = env::var_os("OUT_DIR")
        && let Some(folder) = above_out_dir(Path::new(&out_dir))
    {
        return folder.to_owned();
    }
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), |folder| workspace.join(folder))
}

/// `OUT_DIR` is `<target>/<profile>/build/<package>/out`; a platform may stand before the profile.
fn above_out_dir(out_dir: &Path) -> Option<&Path> {
    out_dir.ancestors().nth(4)
}

/// Builds one package. Not several at once: they would agree on the features of what they share, and each selection of packages
/// would then mean building it again.
pub(crate) fn build(workspace: &Path, toolchain: &Toolchain, target_folder: &Path, guest: &Guest) -> Result<(), Error> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.current_dir(workspace);
    match guest {
        // The package may have its library made in other forms too, for its tests: cargo leaves out link-time optimization
        // unless it is told to make nothing but the component.
        Guest::Library { .. } => command.args(["rustc", "--lib", "--crate-type", "cdylib"]),
        Guest::Examples { .. } => command.args(["build", "--examples"]),
    };
    command.args(["--package", guest.package(), "--locked", "--target", TARGET, "--profile", PROFILE]);
    command.arg("--target-dir").arg(target_folder);
    use_toolchain(&mut command, toolchain);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(workspace, toolchain));
    // Where a person has set this, the two cargos would share it, and its lock.
    command.env("CARGO_BUILD_BUILD_DIR", target_folder);

    // What a build script writes to its standard output are orders to the first cargo.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Error::Build { package: guest.package().to_owned() }),
        Err(error) => Err(Error::Program { program: cargo.into(), source: Some(error) }),
    }
}

/// Makes a cargo or a compiler use this toolchain, and nothing that was meant for another.
pub(crate) fn use_toolchain(command: &mut Command, toolchain: &Toolchain) {
    for (name, _) in env::vars_os().filter(|(name, _)| is_foreign(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.env("RUSTC", &toolchain.rustc);
    if let Some(path) = toolchain::path_with(&toolchain.linkers) {
        command.env("PATH", path);
    }
}

fn is_foreign(variable: &str) -> bool {
    FOREIGN.contains(&variable) || FOREIGN_PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// The flags for rustc, with cargo's separator between them. A panic's message names the source file: without these flags, the
/// folders of the machine that built it would be in a component, and the same source would give other bytes elsewhere.
fn flags(workspace: &Path, toolchain: &Toolchain) -> OsString {
    let mut prefixes = vec![(toolchain.sysroot.clone(), "/rust"), (workspace.to_owned(), "/project")];
    prefixes.extend(cargo_home().map(|folder| (folder, "/cargo")));
    let mut flags = OsString::new();
    for (folder, name) in prefixes {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    flags
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_cargo_set_is_foreign() {
        for name in ["RUSTFLAGS", "TARGET", "CARGO_CFG_UNIX", "CARGO_PKG_NAME", "RUSTC_WORKSPACE_WRAPPER"] {
            assert!(is_foreign(name), "{name}");
        }
        // The jobserver's address is passed on, so that both cargos together keep to the number of jobs.
        for name in ["PATH", "HOME", "CARGO_HOME", "CARGO_MAKEFLAGS", "RUSTUP_TOOLCHAIN", "CARGO_NET_OFFLINE"] {
            assert!(!is_foreign(name), "{name}");
        }
    }

    #[test]
    fn the_target_folder_is_above_out_dir() {
        assert_eq!(above_out_dir(Path::new("/w/target/debug/build/engine-0123/out")), Some(Path::new("/w/target")));
        assert_eq!(above_out_dir(Path::new("/out")), None);
    }
}
