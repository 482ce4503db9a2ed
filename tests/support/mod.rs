//! What tests arrange with: an engine with everything of its own, the program itself, and servers that answer as told.

pub mod engine;
pub mod http;
pub mod peer;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod smtp;

use std::path::{Path, PathBuf};

/// The folder of the guest programs, `NAME.wasm`.
pub fn guests() -> &'static Path {
    Path::new(env!("GUESTS"))
}

/// A folder for `[targets] paths` that holds these guests only.
pub fn folder_with(guests_by_name: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in guests_by_name {
        std::fs::copy(guest(name), folder.path().join(format!("{name}.wasm"))).unwrap();
    }
    folder
}

/// The file of a guest program.
pub fn guest(name: &str) -> PathBuf {
    let file = guests().join(format!("{name}.wasm"));
    assert!(file.is_file(), "there is no guest program {}", file.display());
    file
}
