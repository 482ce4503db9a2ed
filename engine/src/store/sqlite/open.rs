//! Opening the file: made if absent, readable by its owner only, in WAL mode, with the schema of this engine.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _};

use super::Sqlite;
use super::writer::Writer;
use crate::rules::limits::Invalid;
use crate::store::migrations::{self, SQLITE};
use crate::store::statement::Connection;
use crate::store::{Result, StoreError, trouble};

/// Whether the file holds tables and none of this engine's: it is the database of another program, which is not to be changed.
const OF_ANOTHER: &str = "SELECT count(*) > 0 AND count(*) FILTER (WHERE name = '_sqlx_migrations') = 0
    FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
/// How long a statement waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Two processes that make the same new file may meet where SQLite does not wait by itself.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// Readers serve lists and looks; deliveries hardly need them.
const READERS: u32 = 3;
/// Memory for pages, of each connection at most; the claim's index of a long queue fits into the writer's.
const WRITER_CACHE_KIB: u32 = 32 * 1024;
const READER_CACHE_KIB: u32 = 4 * 1024;
/// Pages in the log before they are folded into the file, which costs a wait for the disk: 16 MiB.
const CHECKPOINT_PAGES: u32 = 4096;

impl Sqlite {
    pub async fn open(url: &str) -> Result<Sqlite> {
        let options = SqliteConnectOptions::from_str(url).map_err(|error| {
            tracing::debug!(%error, url, "reading the database's URL");
            Invalid::new("url", format!("`{url}` is not a database: use `sqlite:` and the path of a file."))
        })?;
        let name = options.get_filename().to_owned();
        // sqlx gives a database in memory a file name of its own, so that only the URL tells.
        if url.contains(":memory:") || url.contains("mode=memory") || name.as_os_str().is_empty() {
            let sentence = "A database in memory would lose what it accepted: use `sqlite:` and the path of a file.";
            return Err(Invalid::new("url", sentence).into());
        }
        let file = make_file(&name)?;
        // One statement at a time runs on a connection; what a claim returns should fit into the channel from SQLite's
        // thread.
        let options = options
            .filename(&file)
            .create_if_missing(false)
            .read_only(false)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .synchronous(SqliteSynchronous::Full)
            .row_buffer_size(1024);
        let writing = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
            .pragma("temp_store", "memory");
        let reading = options.read_only(true).pragma("cache_size", format!("-{READER_CACHE_KIB}"));
        refuse_another_programs(&reading).await?;
        let writer = Writer::start(connect_and_migrate(&writing).await?, writing.clone());
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .idle_timeout(Duration::from_secs(60))
            .connect_lazy_with(reading.clone());
        Ok(Sqlite { file, reading, readers, writer })
    }
}

/// `engine.db` and `lock` make `engine.db.lock`.
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the file if there is none, readable by its owner only, as it will hold addresses and messages; SQLite gives
/// the files that it makes beside it the same permissions. Returns its path without symbolic links.
fn make_file(name: &Path) -> Result<PathBuf> {
    let unusable = |error: std::io::Error| StoreError::Unavailable {
        sentence: format!(
            "The database file {} cannot be made or found: check that its folder exists and may be written.",
            name.display()
        ),
        passing: false,
        source: Some(Arc::new(error)),
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(name) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(unusable(error)),
    }
    name.canonicalize().map_err(unusable)
}

/// Looks into the file before anything is changed about it, be it its journal.
async fn refuse_another_programs(reading: &SqliteConnectOptions) -> Result<()> {
    let mut connection = reading.connect().await?;
    let of_another: bool = sqlx::query_scalar(OF_ANOTHER).fetch_one(&mut connection).await?;
    connection.close().await?;
    if of_another {
        return Err(migrations::refusal(SQLITE, MigrateError::VersionMismatch(0)));
    }
    Ok(())
}

async fn connect_and_migrate(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    let mut tries = 0;
    loop {
        tries += 1;
        let outcome = async {
            let mut connection = options.connect().await.map_err(MigrateError::Execute)?;
            migrate(&mut connection).await?;
            Ok(connection)
        };
        match outcome.await {
            Ok(connection) => return Ok(connection),
            Err(error) if tries < TRIES && may_pass(&error) => tokio::time::sleep(BETWEEN_TRIES).await,
            Err(error) => return Err(migrations::refusal(SQLITE, error)),
        }
    }
}

/// Brings the schema up to date, in one transaction that no other process can be in at the same time.
async fn migrate(connection: &mut SqliteConnection) -> std::result::Result<(), MigrateError> {
    if !migrations::are_missing(SQLITE, &mut Connection::Sqlite(connection)).await? {
        return Ok(());
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrations::migrator(SQLITE).run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}

fn may_pass(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => trouble::is_busy(error),
        _ => false,
    }
}
