//! The invariants of ARCHITECTURE.md, held against the sources: what is absent from where.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, which is what it is for")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files below `folder` that end so, as paths from the root.
fn files(folder: &str, ends: &str) -> Vec<String> {
    let (root, mut found, mut open) = (root(), Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if name.ends_with(ends) {
                found.push(path.strip_prefix(&root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "nothing ends with {ends} below {folder:?}");
    found
}

/// The code of a file, without its tests and comments.
fn code(file: &str) -> String {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Asserts that `word` stands in no file of `folder` but those of `allowed`.
fn only_in(folder: &str, word: &str, allowed: &[&str]) {
    let wrong: Vec<_> = files(folder, ".rs")
        .into_iter()
        .filter(|file| !allowed.iter().any(|allowed| file.starts_with(allowed)))
        .filter(|file| code(file).contains(word))
        .collect();
    assert!(wrong.is_empty(), "`{word}` may stand in {allowed:?} only, and stands in {wrong:?}");
}

#[test]
fn each_library_has_its_room() {
    only_in("engine/src", "sqlx", &["engine/src/store/"]);
    only_in("engine/src", "wasmtime", &["engine/src/host/"]);
    only_in("engine/src", "wasmparser", &["engine/src/host/"]);
    only_in("engine/src", "lettre", &["engine/src/host/"]);
    only_in("engine/src", "axum", &["engine/src/api/", "engine/src/admin/", "engine/src/development/"]);
    only_in("engine/src", "hyper", &["engine/src/api/", "engine/src/development/", "engine/src/host/"]);
    only_in("engine/src", "rpassword", &["engine/src/cli/"]);
    only_in("engine/src", "rustc_demangle", &["engine/src/host/"]);
    only_in("engine/src", "clap", &["engine/src/cli/", "engine/src/main.rs"]);
}

#[test]
fn the_store_and_the_host_do_not_know_each_other() {
    for file in files("engine/src/store", ".rs") {
        assert!(!code(&file).contains("crate::host"), "{file}");
    }
    for file in files("engine/src/host", ".rs") {
        assert!(!code(&file).contains("crate::store"), "{file}");
    }
}

#[test]
fn rules_are_pure() {
    for word in [
        "tokio",
        "async ",
        "std::fs",
        "std::env",
        "std::net::Tcp",
        "::now()",
        "crate::store",
        "crate::host",
        "crate::clock",
    ] {
        for file in files("engine/src/rules", ".rs") {
            assert!(!code(&file).contains(word), "{file} holds `{word}`");
        }
    }
}

#[test]
fn rooms_lead_in_one_direction() {
    for (room, not_to) in [
        ("store", &["crate::targets", "crate::creation", "crate::delivery", "crate::api", "crate::cli"][..]),
        ("host", &["crate::targets", "crate::creation", "crate::delivery", "crate::api", "crate::cli"]),
        ("targets", &["crate::creation", "crate::delivery", "crate::api", "crate::cli"]),
        ("creation", &["crate::delivery", "crate::api", "crate::cli"]),
        ("import", &["crate::host", "crate::delivery", "crate::api", "crate::cli"]),
        ("delivery", &["crate::creation", "crate::api", "crate::cli"]),
        ("api", &["crate::host", "crate::cli"]),
    ] {
        for file in files(&format!("engine/src/{room}"), ".rs") {
            for word in not_to {
                assert!(!code(&file).contains(word), "{file} knows {word}");
            }
        }
    }
}

#[test]
fn time_and_environment_have_one_source() {
    for word in ["Timestamp::now", "SystemTime::now", "Zoned::now"] {
        only_in("engine/src", word, &["engine/src/clock.rs"]);
    }
    only_in("engine/src", "env::var", &["engine/src/settings/", "engine/src/cli/"]);
}

#[test]
fn no_provider_is_named_outside_development() {
    for word in ["twilio", "Twilio", "exp.host", "ExponentPush", "sendgrid", "slack.com", "apple.com"] {
        // A migration made rows for the bundled targets and is called after them, for good.
        only_in("engine/src", word, &["engine/src/development/", "engine/src/store/migrations.rs"]);
    }
}

#[test]
fn handlers_and_guests_know_the_contract_only() {
    for manifest in files("handlers", "Cargo.toml").into_iter().chain(["guest-sdk/Cargo.toml".to_owned()]) {
        let text = std::fs::read_to_string(root().join(&manifest)).unwrap();
        assert!(!text.lines().any(|line| line.starts_with("engine")), "{manifest} depends on the engine");
    }
}

/// The words that stand in `quotes` between two texts of a file, in small letters and sorted.
fn quoted(file: &str, from: &str, to: &str, quotes: char) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    let part = text.split_once(from).and_then(|(_, rest)| rest.split_once(to));
    let (part, _) = part.unwrap_or_else(|| panic!("{file} has no {from} … {to}"));
    let mut words: Vec<_> = part.split(quotes).skip(1).step_by(2).map(str::to_lowercase).collect();
    words.sort();
    words
}

/// Whoever refuses a header too late or lets one through would find it out only by a mail.
#[test]
fn three_places_know_the_same_headers() {
    let contract = quoted("wit/smtp.wit", "`invalid` are those", "headers: list", '`');
    let (beginnings, names): (Vec<_>, Vec<_>) = contract.into_iter().partition(|name| name.ends_with('-'));
    assert_eq!((names.len(), beginnings.len()), (13, 5));
    for (file, of_names, of_beginnings) in [
        ("handlers/email/src/extra/headers.rs", "const NOT_OURS", "const NOT_OUR_BEGINNINGS"),
        ("engine/src/host/smtp/message.rs", "const OURS", "const OUR_BEGINNINGS"),
    ] {
        assert_eq!(quoted(file, of_names, "];", '"'), names, "{file}");
        assert_eq!(quoted(file, of_beginnings, "];", '"'), beginnings, "{file}");
    }
}

#[test]
fn migrations_and_statements_pair_up() {
    let names = |folder: &str| -> Option<Vec<String>> {
        let entries = std::fs::read_dir(root().join(folder)).ok()?;
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        Some(names)
    };
    for folder in ["engine/migrations", "engine/src/store/sql"] {
        let sqlite = names(&format!("{folder}/sqlite")).unwrap();
        if let Some(postgres) = names(&format!("{folder}/postgres")) {
            assert_eq!(sqlite, postgres, "{folder}");
        }
    }
}

/// What the documents call a source file is one: its name, and the folders before it as far as they are said.
#[test]
fn the_documents_name_files_that_there_are() {
    let sources = files("", ".rs");
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "docs/delivery.md", "docs/moving-over.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let named = text.split('`').skip(1).step_by(2).filter(|word| word.ends_with(".rs") && !word.contains(' '));
        for name in named {
            let is_there = sources.iter().any(|file| file == name || file.ends_with(&format!("/{name}")));
            assert!(is_there, "{document} names {name}, which there is not");
        }
    }
}

#[test]
fn files_stay_short() {
    let mut long = Vec::new();
    let all = files("", ".rs");
    for file in &all {
        let lines = std::fs::read_to_string(root().join(file)).unwrap().lines().count();
        assert!(lines <= 600, "{file} has {lines} lines, and 600 is the most");
        if lines > 400 {
            long.push(format!("{file} ({lines})"));
        }
    }
    assert!(long.len() * 20 <= all.len(), "more than one in twenty has over 400 lines: {long:?}");
}
