//! Builds the workspace's components: the bundled targets for the engine, the guest programs for the tests.
//!
//! Components are compiled for another target than everything else, and perhaps by another compiler, so a build script
//! runs a second cargo for them. This crate finds that compiler ([`toolchain`]), runs that cargo so that it behaves the same
//! whoever started the first one, and says which files came out. What it must be told is in [`Guest`].

mod cargo;
mod error;
pub mod toolchain;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub use error::Error;
use toolchain::Toolchain;

/// The platform that components are compiled for.
pub const TARGET: &str = "wasm32-wasip2";

/// A package whose components are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guest {
    /// Its library, a `cdylib`.
    Library {
        package: &'static str,
        /// Where the package is, seen from the workspace.
        folder: &'static str,
        /// The library's name, which is also its file's.
        lib: &'static str,
    },
    /// Each of its examples: many small components, one file each, that share one manifest.
    Examples {
        package: &'static str,
        /// Where the package is, seen from the workspace.
        folder: &'static str,
    },
}

impl Guest {
    fn package(&self) -> &'static str {
        match self {
            Self::Library { package, .. } | Self::Examples { package, .. } => package,
        }
    }

    fn folder(&self) -> &'static str {
        match self {
            Self::Library { folder, .. } | Self::Examples { folder, .. } => folder,
        }
    }

    /// The names of its components, in alphabetical order.
    fn names(&self, workspace: &Path) -> Result<Vec<String>, Error> {
        match self {
            Self::Library { lib, .. } => Ok(vec![(*lib).to_owned()]),
            Self::Examples { folder, .. } => examples(&workspace.join(folder).join("examples")),
        }
    }
}

/// A component that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub name: String,
    pub file: PathBuf,
}

/// Builds the components of `guests` and says where they are, in the order of `guests`.
///
/// The files lie in a folder that all callers share and that is cleared when the toolchain changes: a build script that keeps
/// a path for longer should [copy](copy_to) the file into its own folder.
pub fn build(workspace: &Path, guests: &[Guest]) -> Result<Vec<Built>, Error> {
    if guests.is_empty() {
        return Ok(Vec::new());
    }
    let toolchain = toolchain::find()?;
    let target_folder = cargo::target_folder(workspace).join("guests");
    // Two build scripts may get here at once, and one of them may be about to clear the folder.
    let _lock = lock(&target_folder.with_extension("lock"))?;
    clear_after_change(&toolchain, &target_folder)?;

    for guest in guests {
        cargo::build(workspace, &toolchain, &target_folder, guest)?;
    }

    let folder = target_folder.join(TARGET).join(cargo::PROFILE);
    let mut built = Vec::new();
    for guest in guests {
        let folder = match guest {
            Guest::Library { .. } => folder.clone(),
            Guest::Examples { .. } => folder.join("examples"),
        };
        for name in guest.names(workspace)? {
            let file = folder.join(&name).with_extension("wasm");
            if !file.is_file() {
                return Err(Error::NotProduced { package: guest.package().to_owned(), file });
            }
            built.push(Built { name, file });
        }
    }
    Ok(built)
}

/// Copies the components into a folder, which will then hold nothing else, as `<name>.wasm`.
pub fn copy_to(folder: &Path, built: &[Built]) -> Result<(), Error> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Error::io("clear", folder))?;
    }
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    for component in built {
        let copy = folder.join(&component.name).with_extension("wasm");
        fs::copy(&component.file, &copy).map_err(Error::io("write", &copy))?;
    }
    Ok(())
}

/// The files and folders from which the components are made: what a build script gives to `cargo::rerun-if-changed`.
pub fn watched(workspace: &Path, guests: &[Guest]) -> Vec<PathBuf> {
    let mut paths: Vec<_> = guests.iter().map(|guest| workspace.join(guest.folder())).collect();
    paths.extend(["wit", "guest-sdk", "Cargo.toml", "Cargo.lock"].map(|path| workspace.join(path)));
    paths.extend(toolchain::own_stamp());
    // A path that is not there would make cargo run the script every time.
    paths.retain(|path| path.exists());
    paths
}

/// Tells cargo when to run the calling build script again.
pub fn print_watched(workspace: &Path, guests: &[Guest]) {
    for path in watched(workspace, guests) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rerun-if-env-changed={}", toolchain::VARIABLE);
}

/// The examples in a folder, by cargo's rule: each `name.rs` and each `name/main.rs`.
fn examples(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        let is_example = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
        if let Some(name) = path.file_stem().filter(|_| is_example) {
            // The file of a library is named like its crate, in which there are no hyphens.
            names.push(name.to_string_lossy().replace('-', "_"));
        }
    }
    names.sort();
    Ok(names)
}

fn lock(path: &Path) -> Result<File, Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let file = File::create(path).map_err(Error::io("create", path))?;
    file.lock().map_err(Error::io("lock", path))?;
    Ok(file)
}

/// Cargo notices another version of the compiler, but not a standard library that was built anew for the same one.
fn clear_after_change(toolchain: &Toolchain, target_folder: &Path) -> Result<(), Error> {
    let stamp = target_folder.join("toolchain");
    let identity = toolchain.identity();
    if fs::read_to_string(&stamp).is_ok_and(|before| before == identity) {
        return Ok(());
    }
    if target_folder.exists() {
        fs::remove_dir_all(target_folder).map_err(Error::io("clear", target_folder))?;
    }
    fs::create_dir_all(target_folder).map_err(Error::io("create", target_folder))?;
    fs::write(&stamp, identity).map_err(Error::io("write", &stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: Guest = Guest::Library { package: "target-email", folder: "handlers/email", lib: "email" };

    #[test]
    fn a_library_is_one_component() {
        assert_eq!(EMAIL.names(Path::new("/nowhere")).unwrap(), ["email"]);
    }

    #[test]
    fn examples_are_files_and_folders() {
        let folder = std::env::temp_dir().join(format!("guest-build-examples-{}", std::process::id()));
        fs::create_dir_all(folder.join("two")).unwrap();
        fs::create_dir_all(folder.join("not-one")).unwrap();
        for file in ["one-more.rs", "two/main.rs", "not-one/lib.rs", "notes.md"] {
            fs::write(folder.join(file), "").unwrap();
        }
        let found = examples(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found.unwrap(), ["one_more", "two"]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let guest = Guest::Examples { package: "p", folder: "p" };
        let error = guest.names(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read /nowhere/p/examples"), "{error}");
    }

    #[test]
    fn what_is_not_there_is_not_watched() {
        let paths = watched(Path::new("/nowhere"), &[EMAIL]);
        assert!(paths.iter().all(|path| !path.starts_with("/nowhere")), "{paths:?}");
    }
}
