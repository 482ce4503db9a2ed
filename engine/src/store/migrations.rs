//! The migrations that this engine knows, inside the binary.
//!
//! A list, rather than sqlx's macro: the macro compiles the database drivers a second time, for the compiler's own use.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name and statements of each, in order.
type Known = &'static [(i64, &'static str, &'static str)];

macro_rules! known {
    ($folder:literal: $($number:literal $name:literal),+ $(,)?) => {
        &[$((
            $number,
            $name,
            include_str!(concat!("../../migrations/", $folder, "/000", $number, "_", $name, ".sql")),
        )),+]
    };
}

pub const SQLITE: Known = known!("sqlite": 1 "models", 2 "opt_outs_win", 3 "twilio_and_expo");

pub fn migrator(known: Known) -> Migrator {
    let migrations = known.iter().map(|&(number, name, statements)| {
        Migration::new(number, name.into(), MigrationType::Simple, statements.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// The number of the newest.
pub fn newest(known: Known) -> Option<i64> {
    known.last().map(|(number, ..)| *number)
}
