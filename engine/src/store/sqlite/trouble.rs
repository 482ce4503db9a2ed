//! What SQLite says when it cannot, in words that tell people what to do.

use std::sync::Arc;

use crate::store::StoreError;

/// The primary result codes that deserve a sentence of their own, <https://www.sqlite.org/rescode.html>. An extended
/// code holds its primary one in the lowest byte.
mod code {
    pub const BUSY: u32 = 5;
    pub const LOCKED: u32 = 6;
    pub const READONLY: u32 = 8;
    pub const IOERR: u32 = 10;
    pub const CORRUPT: u32 = 11;
    pub const FULL: u32 = 13;
    pub const CANTOPEN: u32 = 14;
    pub const NOTADB: u32 = 26;
}

/// The primary result code, if SQLite itself refused.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// Whether another process was in the way for longer than the busy timeout.
pub fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::BUSY | code::LOCKED))
}

impl From<Arc<sqlx::Error>> for StoreError {
    fn from(error: Arc<sqlx::Error>) -> StoreError {
        let (sentence, passing) = match primary_code(&error) {
            Some(code::BUSY | code::LOCKED) => {
                ("Another process keeps the database to itself: try again when it has finished.", true)
            }
            Some(code::FULL) => ("There is no room left on the disk of the database: free some.", true),
            Some(code::READONLY) => {
                ("The database cannot be written: check the permissions of its file and folder.", false)
            }
            Some(code::CANTOPEN) => {
                ("The database cannot be opened: check that its folder exists and may be written.", false)
            }
            Some(code::CORRUPT | code::NOTADB) => (
                "The database file is damaged, or not a database: restore it from a backup, or name another file.",
                false,
            ),
            Some(code::IOERR) => ("The disk of the database fails: check it before going on.", true),
            _ => ("The database did something unexpected: the log says what.", false),
        };
        StoreError::Unavailable { sentence: sentence.to_owned(), passing, source: Some(error) }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        StoreError::from(Arc::new(error))
    }
}

/// `refusal` if the row exists already; otherwise what went wrong.
pub fn if_taken(error: sqlx::Error, refusal: StoreError) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => refusal,
        _ => error.into(),
    }
}

/// `refusal` if something else needs the row: another one points at it, or an engine is at work on it.
pub fn if_needed(error: sqlx::Error, refusal: StoreError) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_foreign_key_violation() || database.message() == "claimed" => refusal,
        _ => error.into(),
    }
}
