//! Finds the compiler for components, of which there are three kinds: the one that a person names, rustup's, and the one that
//! `cargo xtask toolchain` puts together where rustup cannot download anything.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, TARGET, cargo};

/// The variable that names the compiler to take, whatever else is there.
pub const VARIABLE: &str = "GUEST_RUSTC";

/// Raised when `cargo xtask toolchain` would put the toolchain together in another way than before, so that an older one is not taken.
const RECIPE: u32 = 1;

/// A compiler whose standard library exists for [`TARGET`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    pub rustc: PathBuf,
    pub sysroot: PathBuf,
    /// Folders with `wasm-component-ld` and `wasm-ld`, for a compiler that did not bring them along.
    pub linkers: Vec<PathBuf>,
    version: String,
    stamp: String,
}

impl Toolchain {
    /// Makes a cargo or a compiler, which `command` starts, use this toolchain, and nothing that was meant for another one.
    pub fn apply(&self, command: &mut Command) {
        cargo::use_toolchain(command, self);
    }

    /// Differs between two toolchains whose output must not be mixed.
    pub(crate) fn identity(&self) -> String {
        format!("{}\n{}\n{}", self.rustc.display(), self.version, self.stamp)
    }
}

/// The toolchain to build components with.
pub fn find() -> Result<Toolchain, Error> {
    let current = Compiler::current()?;
    let linkers = current.linkers();

    if let Some(named) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        let named = Compiler::ask(named.into())?;
        if !named.has_target() {
            return Err(Error::NotAGuestCompiler { rustc: named.rustc });
        }
        return Ok(named.into_toolchain(linkers, String::new()));
    }
    if current.has_target() {
        return Ok(current.into_toolchain(Vec::new(), String::new()));
    }
    match own_folder() {
        Some(folder) if folder.exists() => at(&folder),
        _ => Err(Error::NoToolchain),
    }
}

/// The toolchain in a folder like [`own_folder`], which need not be in its place yet.
pub fn at(folder: &Path) -> Result<Toolchain, Error> {
    let stamp = fs::read_to_string(stamp_in(folder)).unwrap_or_default();
    Ok(Compiler::ask(rustc_in(folder))?.into_toolchain(Compiler::current()?.linkers(), stamp))
}

/// Where this project keeps what it would be slow to make again: `notification-engine` in the user's cache folder. Absent
/// if the user has no home.
pub fn cache_folder() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("notification-engine"))
}

/// Where `cargo xtask toolchain` puts its toolchain. The folder appears when it is complete, and not before.
pub fn own_folder() -> Option<PathBuf> {
    Some(cache_folder()?.join(format!("{TARGET}-toolchain-{RECIPE}")))
}

/// The compiler of the toolchain in this folder.
pub fn rustc_in(folder: &Path) -> PathBuf {
    folder.join("rustc")
}

/// Says what the toolchain in this folder was made of.
pub fn stamp_in(folder: &Path) -> PathBuf {
    folder.join("stamp")
}

pub(crate) fn own_stamp() -> Option<PathBuf> {
    own_folder().map(|folder| stamp_in(&folder))
}

/// Any compiler, and what it says of itself.
struct Compiler {
    rustc: PathBuf,
    version: String,
    sysroot: PathBuf,
}

impl Compiler {
    /// Cargo names its compiler to build scripts by this variable; elsewhere it is whatever `rustc` means.
    fn current() -> Result<Self, Error> {
        Self::ask(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()).into())
    }

    fn ask(rustc: PathBuf) -> Result<Self, Error> {
        let version = answer(&rustc, &["--version", "--verbose"])?;
        let sysroot = answer(&rustc, &["--print", "sysroot"])?.into();
        Ok(Self { rustc, version, sysroot })
    }

    fn has_target(&self) -> bool {
        self.sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
    }

    /// The two folders in which rustup's toolchains carry the linkers for every target. They are there even if the target is not.
    fn linkers(&self) -> Vec<PathBuf> {
        let Some(host) = host(&self.version) else { return Vec::new() };
        let folder = self.sysroot.join("lib/rustlib").join(host).join("bin");
        vec![folder.join("gcc-ld"), folder]
    }

    fn into_toolchain(self, linkers: Vec<PathBuf>, stamp: String) -> Toolchain {
        Toolchain { rustc: self.rustc, sysroot: self.sysroot, linkers, version: self.version, stamp }
    }
}

fn answer(program: &Path, arguments: &[&str]) -> Result<String, Error> {
    let failed = |source| Error::Program { program: program.to_owned(), source };
    // A compiler of another make must not be given the libraries of the one that runs now.
    let output = Command::new(program)
        .args(arguments)
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .map_err(|error| failed(Some(error)))?;
    let text = String::from_utf8(output.stdout).unwrap_or_default();
    if output.status.success() && !text.trim().is_empty() { Ok(text.trim().to_owned()) } else { Err(failed(None)) }
}

/// The platform that a compiler runs on, out of what `rustc --version --verbose` prints.
fn host(version: &str) -> Option<&str> {
    version.lines().find_map(|line| line.strip_prefix("host: "))
}

/// PATH with these folders in front.
pub(crate) fn path_with(folders: &[PathBuf]) -> Option<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(folders.iter().cloned().chain(env::split_paths(&path))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_read_from_the_version() {
        let version = "rustc 1.95.0 (x 2026-01-01)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0";
        assert_eq!(host(version), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(host("rustc 1.95.0"), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = answer(Path::new("/nowhere/rustc"), &[]).unwrap_err().to_string();
        assert!(error.starts_with("cannot run /nowhere/rustc: "), "{error}");
    }

    #[test]
    fn a_program_that_says_nothing_is_named() {
        let error = answer(Path::new("/bin/true"), &[]).unwrap_err().to_string();
        assert_eq!(error, "/bin/true did not say which version it is or where its libraries are");
    }
}
