//! What the database that is read says when it cannot, in words that tell people what to do.

use std::sync::Arc;

use crate::store::StoreError;

/// PostgreSQL's class of codes for a refused login, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
const LOGIN: &str = "28";
const NO_SUCH_DATABASE: &str = "3D000";
const NO_SUCH_TABLE: &str = "42P01";
const NO_SUCH_SCHEMA: &str = "3F000";
const NOT_ALLOWED: &str = "42501";
/// SQLite's primary result codes, <https://www.sqlite.org/rescode.html>.
const SQLITE_ERROR: &str = "1";
const SQLITE_BUSY: &str = "5";
const SQLITE_CANTOPEN: &str = "14";
const SQLITE_NOTADB: &str = "26";

/// Whether a statement that names one table failed because there is none. SQLite has no code of its own for it.
pub fn is_no_such_table(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some(NO_SUCH_TABLE | NO_SUCH_SCHEMA | SQLITE_ERROR))
}

/// The server did not answer.
pub fn silent() -> StoreError {
    let sentence = "The database to import from does not answer: check host and port.".to_owned();
    StoreError::Unavailable { sentence, passing: true, source: None }
}

/// There is no way to the server, or it does not let us in.
pub fn unreachable(error: sqlx::Error) -> StoreError {
    let sentence = match (code(&error).as_deref(), &error) {
        (Some(code), _) if code.starts_with(LOGIN) => {
            "The database to import from refuses the login: check user and password, which PGPASSWORD can give too."
        }
        (Some(NO_SUCH_DATABASE), _) => "The server has no database of that name: check the end of the URL.",
        (None, sqlx::Error::Tls(_)) => {
            "TLS with the database to import from failed: check its certificate, or `sslmode` in the URL."
        }
        _ => "The database to import from cannot be reached: check host and port, and that it is running.",
    };
    unavailable(sentence, error)
}

/// It cannot be read, or not to its end.
pub fn unreadable(error: sqlx::Error) -> StoreError {
    let sentence = match code(&error).as_deref() {
        Some(NOT_ALLOWED) => {
            "The database to import from does not let its tables be read: grant SELECT to the user in the URL."
        }
        Some(SQLITE_NOTADB) => "The file to import from is not a SQLite database: name another one.",
        Some(SQLITE_BUSY) => {
            "Another process keeps the database to import from to itself: stop the application, and try again."
        }
        Some(SQLITE_CANTOPEN) => {
            "The file to import from cannot be opened: check that it may be read, and its folder too."
        }
        _ => "The database to import from cannot be read: the log says why, at `log.level` info.",
    };
    unavailable(sentence, error)
}

fn unavailable(sentence: &str, error: sqlx::Error) -> StoreError {
    StoreError::Unavailable { sentence: sentence.to_owned(), passing: false, source: Some(Arc::new(error)) }
}

/// PostgreSQL's code, or SQLite's primary one, which is the lowest byte of an extended one.
fn code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    match code.parse::<u32>() {
        // PostgreSQL's have five places.
        Ok(extended) if code.len() < 5 => Some((extended & 0xff).to_string()),
        _ => Some(code.into_owned()),
    }
}
