//! The migrations that this engine knows, inside the binary.
//!
//! A list, rather than sqlx's macro: the macro compiles the database drivers a second time, for the compiler's own use.

use std::sync::Arc;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::StoreError;
use super::statement::{Connection, query, sql};
use super::verbs::Flag;

/// Number, name and statements of each, in order. (The number stands again in the file's name, which a macro cannot make of it.)
type Known = &'static [(i64, &'static str, &'static str)];

macro_rules! known {
    ($folder:literal: $($number:literal $name:literal $file:literal),+ $(,)?) => {
        &[$((
            $number,
            $name,
            include_str!(concat!("../../migrations/", $folder, "/", $file, ".sql")),
        )),+]
    };
}

/// The same for each database.
macro_rules! all_of {
    ($folder:literal) => {
        known!(
            $folder:
            1 "models" "0001_models",
            2 "opt_outs_win" "0002_opt_outs_win",
            3 "twilio_and_expo" "0003_twilio_and_expo",
            4 "faults" "0004_faults",
            5 "cancel_and_sending" "0005_cancel_and_sending",
            6 "lighter_delivery" "0006_lighter_delivery",
            7 "request_hash" "0007_request_hash",
            8 "compatibility" "0008_compatibility",
            9 "lighter_settlement" "0009_lighter_settlement",
            10 "installed_components" "0010_installed_components",
            11 "usage" "0011_usage",
            12 "interventions" "0012_interventions",
            13 "lighter_history" "0013_lighter_history",
            14 "target_limits" "0014_target_limits",
            15 "target_paces" "0015_target_paces",
        )
    };
}

pub const SQLITE: Known = all_of!("sqlite");
pub const POSTGRES: Known = all_of!("postgres");

pub fn migrator(known: Known) -> Migrator {
    let migrations = known.iter().map(|&(number, name, statements)| {
        Migration::new(number, name.into(), MigrationType::Simple, statements.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// Whether the database has not seen all of them. One that has seen more is as good, as long as it says so (`compatibility`): so engines of two
/// versions can be at work at once. Fails with `VersionMissing` otherwise.
pub async fn are_missing(known: Known, connection: &mut Connection<'_>) -> Result<bool, MigrateError> {
    let has_any: Flag = query(sql!("has_migrations")).one(connection).await?;
    let applied: Option<i64> = if has_any.0 { query(sql!("newest_migration")).one(connection).await? } else { None };
    match applied {
        Some(applied) if applied > newest(known) => {
            let least_known: i64 = query(sql!("least_known_migration")).one(connection).await?;
            if least_known > newest(known) { Err(MigrateError::VersionMissing(applied)) } else { Ok(false) }
        }
        Some(applied) => Ok(applied < newest(known)),
        None => Ok(true),
    }
}

/// Why the schema cannot be brought up to date, in words for people.
pub fn refusal(known: Known, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) => StoreError::FutureSchema { found, known: newest(known) },
        MigrateError::Execute(error) => error.into(),
        other => StoreError::Unavailable {
            sentence: "The database's schema is not one that this engine made: restore a backup, or name another one."
                .to_owned(),
            passing: false,
            source: Some(Arc::new(other)),
        },
    }
}

/// The number of the newest.
fn newest(known: Known) -> i64 {
    known.last().map_or(0, |(number, ..)| *number)
}
