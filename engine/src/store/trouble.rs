//! What a database says when it cannot, in words that tell people what to do.

use std::io;
use std::sync::Arc;

use sqlx::postgres::PgDatabaseError;

use super::StoreError;

/// The primary result codes of SQLite that deserve a sentence of their own, <https://www.sqlite.org/rescode.html>. An extended
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

/// SQLite's primary result code, if SQLite itself refused.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// Whether another process was in the way of SQLite for longer than the busy timeout.
pub fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::BUSY | code::LOCKED))
}

/// A sentence, and whether waiting may help.
type Advice = (&'static str, bool);

const UNEXPECTED: Advice = ("The database did something unexpected: the log says what.", false);

impl From<Arc<sqlx::Error>> for StoreError {
    fn from(error: Arc<sqlx::Error>) -> StoreError {
        let of_postgres = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
            .map(PgDatabaseError::code);
        let (sentence, passing) = match (&*error, of_postgres) {
            (_, Some(state)) => said_by_postgres(state),
            (sqlx::Error::Database(_), None) => said_by_sqlite(primary_code(&error)),
            (sqlx::Error::Io(error), None) => unreachable(error),
            (sqlx::Error::Tls(_), None) => (
                "The connection to the database cannot be encrypted: check `sslmode` in its URL, and its certificate.",
                false,
            ),
            (sqlx::Error::PoolTimedOut, None) => (
                "The database has not answered for ten seconds: check that it runs and is not overloaded, and the host and port in its URL.",
                true,
            ),
            (sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed, None) => {
                ("The database is closed: this engine is stopping.", false)
            }
            (sqlx::Error::Protocol(_), None) => {
                ("The connection to the database broke: try again, or check the host and port in its URL.", true)
            }
            _ => UNEXPECTED,
        };
        StoreError::Unavailable { sentence: sentence.to_owned(), passing, source: Some(error) }
    }
}

fn said_by_sqlite(code: Option<u32>) -> Advice {
    match code {
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
        Some(code::CORRUPT | code::NOTADB) => {
            ("The database file is damaged, or not a database: restore it from a backup, or name another file.", false)
        }
        Some(code::IOERR) => ("The disk of the database fails: check it before going on.", true),
        _ => UNEXPECTED,
    }
}

/// By the state that PostgreSQL names, <https://www.postgresql.org/docs/15/errcodes-appendix.html>; the first two characters are its
/// class.
fn said_by_postgres(state: &str) -> Advice {
    match state {
        "28P01" | "28000" => {
            ("The database server refuses this user: check the user and the password in the database's URL.", false)
        }
        "3D000" => {
            ("There is no such database on the server: make it, or name another one in the database's URL.", false)
        }
        "42501" => (
            "This user may not do that in the database: make the user its owner, or grant CREATE on its schema.",
            false,
        ),
        "25006" => ("The database only reads: name the server that takes writes.", true),
        "53100" => ("There is no room left on the disk of the database server: free some.", true),
        "53300" => {
            ("The database server takes no more connections: raise its max_connections, or stop something else.", true)
        }
        // It closed the connection in the middle of a transaction, because it had not heard of it for long.
        "25P03" => ("The connection to the database broke: try again.", true),
        "55P03" => ("Something else was at the same rows of the database: try again.", true),
        _ => match state.get(..2) {
            Some("40") => ("Something else was at the same rows of the database: try again.", true),
            Some("08") => ("The connection to the database broke: try again.", true),
            Some("53") => ("The database server has run out of something: its log says of what.", true),
            Some("57") => ("The database server is stopping or starting: try again in a moment.", true),
            Some("58") => ("The database server's disk fails: check it before going on.", true),
            _ => UNEXPECTED,
        },
    }
}

fn unreachable(error: &io::Error) -> Advice {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound | io::ErrorKind::TimedOut => (
            "The database server cannot be reached: check that it runs, and the host and port in the database's URL.",
            true,
        ),
        // The kind that the standard library gives it has no name.
        _ if error.to_string().contains("lookup address") => (
            "The host in the database's URL is not found: check how it is spelled; `@`, `/` and `:` in a user or a password are written %40, %2F and %3A.",
            true,
        ),
        _ => ("The connection to the database broke: try again, or check the host and port in its URL.", true),
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

#[cfg(test)]
mod tests {
    use super::said_by_postgres;

    /// What is not tried again is lost: an outcome, above all.
    #[test]
    fn what_passes_by_itself_is_tried_again() {
        for state in ["08006", "25006", "25P03", "40001", "40003", "40P01", "53100", "53300", "55P03", "57P01", "58030"]
        {
            assert!(said_by_postgres(state).1, "{state}");
        }
        for state in ["22P02", "23505", "28P01", "3D000", "42501", "42P01"] {
            assert!(!said_by_postgres(state).1, "{state}");
        }
    }
}
