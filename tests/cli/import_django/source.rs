//! A database of an application that uses django-notification-system, filled row by row as its bugs would have it.

use crate::support::program::Program;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::path::PathBuf;

pub struct Source {
    pub file: PathBuf,
    pub url: String,
}

/// The time of everything that does not say another.
pub const NOON: &str = "2026-03-20 12:00:00.123456";

/// An id as Django writes it into SQLite.
pub fn id(number: u32) -> String {
    format!("{number:032x}")
}

/// Whether an id of the engine's was made of that one: its beginning is the time.
pub fn is_of(here: &str, number: u32) -> bool {
    here.replace('-', "").ends_with(&id(number)[20..])
}

/// Rows of users and records: each user's record has the id 10 + the user's.
pub const ADA: u32 = 1;
pub const BOB: u32 = 2;
/// Has opted out.
pub const CLEO: u32 = 3;

impl Source {
    /// With the tables only.
    pub fn empty(program: &Program) -> Source {
        let file = program.folder.path().join("django.sqlite3");
        let url = format!("sqlite:{}", file.display());
        let source = Source { file, url };
        source.execute(include_str!("schema.sql"));
        source
    }

    /// With the three targets, three users with an e-mail record each, and an opt-out of the last.
    pub fn new(program: &Program) -> Source {
        let source = Source::empty(program);
        for (number, name) in [(101, "Email"), (102, "Twilio"), (103, "Expo")] {
            source.target(number, name, &name.to_lowercase());
        }
        for (number, name) in [(ADA, "ada"), (BOB, "bob"), (CLEO, "cleo")] {
            source.execute(&format!(
                "INSERT INTO auth_user (id, username, last_name, email, first_name)
                VALUES ({number}, '{name}', '', '{name}@example.org', '{}')",
                name.to_uppercase()
            ));
            source.record(10 + number, number, 101, &format!("{name}@example.org"));
        }
        source.opt_out(201, CLEO, true, NOON);
        source
    }

    pub fn target(&self, number: u32, name: &str, module: &str) {
        self.execute(&format!(
            "INSERT INTO notification_system_target VALUES ('{NOON}', '{NOON}', '{}', '{name}', '{module}')",
            id(number)
        ));
    }

    pub fn record(&self, number: u32, user: u32, target: u32, address: &str) {
        self.execute(&format!(
            "INSERT INTO notification_system_target_user_record
            VALUES ('{NOON}', '{NOON}', '{}', '{address}', 'of {user}', 1, '{}', {user})",
            id(number),
            id(target)
        ));
    }

    pub fn opt_out(&self, number: u32, user: u32, active: bool, modified: &str) {
        self.execute(&format!(
            "INSERT INTO notification_system_opt_out VALUES ('{NOON}', '{modified}', '{}', {active}, {user})",
            id(number)
        ));
    }

    /// A SCHEDULED notification that was due at noon, to the user's e-mail record; then what is changed of it.
    pub fn notification(&self, number: u32, user: u32, changes: &str) {
        self.execute(&format!(
            "INSERT INTO notification_system_notification VALUES ('{NOON}', '{NOON}', '{}', 'Title {number}',
                'Body {number}', '{{}}', 'SCHEDULED', '{NOON}', NULL, 60, 0, 3, '{}')",
            id(number),
            id(10 + user)
        ));
        if !changes.is_empty() {
            self.change(number, changes);
        }
    }

    pub fn change(&self, number: u32, changes: &str) {
        self.execute(&format!("UPDATE notification_system_notification SET {changes} WHERE id = '{}'", id(number)));
    }

    pub fn execute(&self, statements: &str) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(&self.file).create_if_missing(true).foreign_keys(false);
            let mut connection = options.connect().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// Imports, whether or not rows are left out, and gives the report.
    pub fn import(&self, program: &Program, more: &[&str]) -> Value {
        let ran = program.run(&[&["import", "django", "--from", &self.url, "--output", "json"], more].concat());
        let report = ran.json();
        let has_left_out = report["left_out"] != json!([]);
        assert_eq!(ran.code, Some(i32::from(has_left_out)), "{ran:?}");
        report
    }
}

/// The counts of one kind: added, changed, unchanged, left out.
pub fn counts(report: &Value, kind: &str) -> [u64; 4] {
    ["added", "changed", "unchanged", "left_out"].map(|name| report["tallies"][kind][name].as_u64().unwrap())
}
