//! The store: everything that is kept, behind verbs in the words of the domain. sqlx is used here and nowhere else.
//!
//! In reading order: here what a store is and how it is opened; `verbs/`, what it can do, a file for each thing that is kept, written
//! once for all databases; `sql/<database>`, their statements, a file each, named alike in all databases; `statement`, how a
//! statement is run in either; `sqlite/` and `postgres/`, what each database needs: opening, transactions, notices.
//!
//! A verb either does all that it says or nothing, and what it returned is on the disk. Times and ids are arguments:
//! nothing here reads a clock or makes a random number. No transaction outlives a verb, so none is ever open while something
//! is being sent.
//!
//! `django` is no store: it reads the database of another program, of which everything is to be imported.

mod claim;
pub mod django;
mod error;
mod listing;
mod migrations;
mod postgres;
mod sqlite;
mod statement;
mod trouble;
mod values;
mod verbs;
mod watch;

pub use claim::{
    Canceling, Claim, ClaimRequest, Claimed, Claims, Ended, Interventions, Lost, PreviousAttempt, Recheck, Settled,
    Settling, Targets,
};
pub use error::{StoreError, Thing};
pub use listing::{
    Creation, Installation, KnownNotification, ListedNotification, ListedOptOut, ListedRecord, ListedSecret,
    NotificationFilter, NotificationHistory, RecordFilter, Upserted,
};
pub use sqlite::DelivererLock;
pub use watch::Watch;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use crate::rules::limits::Invalid;
use postgres::Postgres;
use sqlite::Sqlite;
use statement::{Connection, Query};

/// After how long a transaction is tried again that was ended for another's sake, one time after another.
const AGAIN_AFTER: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1)];

/// What the engine's own log leaves out: a parameter of a database's URL that the library does not know, with its value, which may be a password.
pub const NOT_LOGGED: &str = "sqlx_postgres::options=off";

type Result<T> = std::result::Result<T, StoreError>;

/// An open database. Clones share it.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    /// Whether it tells others that something may be due, and is told.
    hints: bool,
}

/// The databases that a store can be in.
#[expect(clippy::large_enum_variant, reason = "there is one for each store, behind a pointer")]
enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens the database at `url` (`sqlite:engine.db`, `postgres://user@host/database`) and brings its schema up to date; makes a file
    /// if there is none. Refuses a schema from the future.
    pub async fn open(url: &str) -> Result<Store> {
        let database = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Database::Sqlite(Sqlite::open(url).await?),
            Some("postgres" | "postgresql") => Database::Postgres(Postgres::open(url).await?),
            _ => {
                let sentence = format!(
                    "`{}` names no database: use `sqlite:` and the path of a file, or `postgres://user:password@host/database`.",
                    url.split_once("://").map_or(url, |(scheme, _)| scheme)
                );
                return Err(Invalid::new("url", sentence).into());
            }
        };
        Ok(Store { database: Arc::new(database), hints: true })
    }

    /// The same store, which neither tells others that something may be due nor is told: hints make things quicker, and nothing depends on them.
    pub fn without_hints(self) -> Store {
        Store { hints: false, ..self }
    }

    /// Finishes what is being written and closes all connections. Verbs that are called afterwards fail.
    pub async fn close(&self) {
        match &*self.database {
            Database::Sqlite(database) => database.close().await,
            Database::Postgres(database) => database.close().await,
        }
    }

    /// Makes this process the one that delivers from a file, until the guard is dropped; refuses if there is another. Only those who
    /// deliver need it. `None` where many may deliver from one database, as on PostgreSQL.
    pub fn lock_deliverer(&self) -> Result<Option<DelivererLock>> {
        match &*self.database {
            Database::Sqlite(database) => database.lock_deliverer().map(Some),
            Database::Postgres(_) => Ok(None),
        }
    }

    /// A watch that tells when something was written, by this process or another.
    pub async fn watch(&self) -> Result<Watch> {
        if !self.hints {
            return Ok(Watch::Blind);
        }
        match &*self.database {
            Database::Sqlite(database) => database.watch().await,
            Database::Postgres(database) => database.watch().await,
        }
    }

    /// Tells other engines, soon, that something may be due. Whoever looks at a file notices by itself.
    fn announce(&self) {
        match &*self.database {
            Database::Postgres(database) if self.hints => database.announce(),
            Database::Sqlite(_) | Database::Postgres(_) => {}
        }
    }

    /// Runs `work` in a transaction and answers when it is committed; what fails leaves nothing behind.
    async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        match &*self.database {
            Database::Sqlite(database) => database.write(work).await,
            Database::Postgres(database) => database.write(work).await,
        }
    }

    /// The same once more where the database ended it for another transaction's sake: somebody waits for it who would have to do so.
    async fn write_again<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>> + Clone + Send + 'static,
    {
        for wait in AGAIN_AFTER {
            match self.write(work.clone()).await {
                Err(error) if error.is_of_a_race() => tokio::time::sleep(wait).await,
                done => return done,
            }
        }
        self.write(work).await
    }

    /// Runs `work`, which only reads.
    async fn read<T, W>(&self, work: W) -> Result<T>
    where
        W: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>>,
    {
        match &*self.database {
            Database::Sqlite(database) => work(Connection::Sqlite(&mut *database.reader().await?)).await,
            Database::Postgres(database) => work(Connection::Postgres(&mut *database.reader().await?)).await,
        }
    }

    /// Runs one statement that only reads; the first row, if there is any.
    async fn read_optional<R: DeserializeOwned + Send>(&self, query: Query) -> Result<Option<R>> {
        self.read(move |mut connection| Box::pin(async move { Ok(query.optional(&mut connection).await?) })).await
    }

    /// Runs one statement that only reads, and that always finds a row.
    async fn read_one<R: DeserializeOwned + Send>(&self, query: Query) -> Result<R> {
        self.read(move |mut connection| Box::pin(async move { Ok(query.one(&mut connection).await?) })).await
    }

    /// Runs one statement that only reads; all rows, each of which says what it means.
    async fn read_all<R: DeserializeOwned + Into<M> + Send, M>(&self, query: Query) -> Result<Vec<M>> {
        let rows: Vec<R> =
            self.read(move |mut connection| Box::pin(async move { Ok(query.all(&mut connection).await?) })).await?;
        Ok(rows.into_iter().map(R::into).collect())
    }
}
