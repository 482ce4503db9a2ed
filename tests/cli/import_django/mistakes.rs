//! What is no database of the predecessor's ends in a sentence, and is not made or changed.

use super::source::Source;
use crate::support::program::Program;
use std::fs;

fn refused(program: &Program, from: &str, more: &[&str], part: &str) {
    program.refused(&[&["import", "django", "--from", from], more].concat(), part);
}

#[test]
fn what_is_no_database_is_told() {
    let program = Program::new();
    for (from, part) in [
        ("mysql://app:hidden@db.example/app", "is not the URL of a database"),
        ("db.sqlite3", "is not the URL of a database"),
        ("", "is not the URL of a database"),
        ("sqlite:missing.sqlite3", "There is no file missing.sqlite3"),
        ("sqlite:missing.sqlite3?mode=rwc", "There is no file missing.sqlite3"),
        ("sqlite::memory:", "There is no file"),
        ("sqlite:.", "There is no file"),
        ("postgres://ada:hidden@127.0.0.1:1/app", "cannot be reached"),
        ("postgres://ada:hidden@127.0.0.1:port/app", "is not the URL of a PostgreSQL database"),
    ] {
        refused(&program, from, &[], part);
        let ran = program.run(&["import", "django", "--from", from]);
        assert!(!ran.stderr.contains("hidden"), "a password is not repeated: {ran:?}");
    }
    assert!(!program.folder.path().join("missing.sqlite3").exists());
    fs::write(
        program.folder.path().join("text.sqlite3"),
        "It is a text, and longer than the header of a database.".repeat(9),
    )
    .unwrap();
    refused(&program, "sqlite:text.sqlite3", &[], "is not a SQLite database");
    fs::write(program.folder.path().join("empty.sqlite3"), "").unwrap();
    refused(&program, "sqlite:empty.sqlite3", &[], "There is no table `auth_user`");
    assert_eq!(fs::read(program.folder.path().join("empty.sqlite3")).unwrap(), b"");
}

#[test]
fn what_is_another_applications_database_is_told() {
    let program = Program::new();
    let source = Source::new(&program);
    refused(&program, &source.url, &["--users-table", "accounts_user"], "There is no table `accounts_user`");
    let injected = "auth_user; DROP TABLE auth_user";
    refused(&program, &source.url, &["--users-table", injected], "is not the name of a table");
    refused(&program, &source.url, &["--users-table", "notification_system_target"], "has no column `username`");
    refused(&program, &source.url, &["--time-zone", "Mars"], "`Mars` is not a time zone");
    source.execute("ALTER TABLE notification_system_notification DROP COLUMN max_retries");
    refused(&program, &source.url, &[], "has no column `max_retries`");
    source.execute("DROP TABLE notification_system_opt_out");
    refused(&program, &source.url, &[], "There is no table `notification_system_opt_out`");
    assert_eq!(program.json(&["notification", "list"]), serde_json::json!([]));
    assert_eq!(program.json(&["user", "list"]), serde_json::json!([]), "nothing was begun");
    // The engine's own database is none of Django's.
    refused(&program, "sqlite:engine.db", &[], "There is no table `auth_user`");
}
