//! The corpus, on any Rust: what is kept of what was made up is checked with all other tests.

use super::*;
use std::fs;
use std::path::{Path, PathBuf};

/// A corpus is committed, so it stays small.
const MOST_FILES: usize = 300;
const MOST_BYTES: usize = 1024 * 1024;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The names and the bytes of what is kept for this check, sorted.
fn kept(name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(corpus().join(name)).unwrap();
    let files = entries.map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

/// Checks all that is kept under this name, and tells which of it fails.
fn replay(name: &str) {
    let (_, check) = CHECKS.into_iter().find(|(known, _)| *known == name).unwrap();
    let files = kept(name);
    assert!(!files.is_empty(), "nothing is kept for {name}");
    let failing = files.iter().filter(|(_, bytes)| std::panic::catch_unwind(|| check(bytes)).is_err());
    let failing: Vec<_> = failing.map(|(file, _)| file).collect();
    assert!(failing.is_empty(), "in corpus/{name}: {failing:?}");
}

#[test]
fn answers() {
    replay("answer");
}

#[test]
fn components() {
    replay("component");
}

#[test]
fn manifests() {
    replay("manifest");
}

#[test]
fn origins() {
    replay("origin");
}

#[test]
fn all_settings() {
    replay("settings");
}

#[test]
fn the_corpus_stays_small() {
    let mut names: Vec<_> =
        fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, CHECKS.map(|(name, _)| name));
    let sizes: Vec<usize> = names.iter().flat_map(|name| kept(name)).map(|(_, bytes)| bytes.len()).collect();
    let bytes: usize = sizes.iter().sum();
    assert!(sizes.len() <= MOST_FILES && bytes <= MOST_BYTES, "{} files, {bytes} bytes", sizes.len());
}
