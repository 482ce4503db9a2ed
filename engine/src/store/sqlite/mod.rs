//! The store in a SQLite file: one writer, a few readers, and what else a file needs that several processes use at
//! once.
//!
//! The file is in WAL mode with `synchronous=FULL`: a commit that was answered survives the loss of power. All writes
//! of this process go through one task (`writer.rs`), reads through a small pool of connections that cannot write.
//! Other processes may write beside this one; SQLite makes them wait for each other.

mod claims;
mod deliverer;
mod engines;
mod imports;
mod notifications;
mod open;
mod opt_outs;
mod records;
mod rows;
mod settlements;
mod targets;
mod trouble;
mod users;
mod watch;
mod writer;

pub use deliverer::DelivererLock;
pub use watch::Watch;

use std::path::PathBuf;

use futures::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};

use super::Result;
use writer::Writer;

/// The text of a named statement.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!("../sql/sqlite/", $name, ".sql"))
    };
}
use sql;

/// An open file.
pub struct Sqlite {
    /// Without symbolic links, so that one file has one lock.
    file: PathBuf,
    reading: SqliteConnectOptions,
    readers: SqlitePool,
    writer: Writer,
}

impl Sqlite {
    pub async fn close(&self) {
        // The writer last: the last connection folds the log into the file, and readers may not.
        self.readers.close().await;
        self.writer.close().await;
    }

    pub async fn lock_deliverer(&self) -> Result<DelivererLock> {
        deliverer::lock(&self.file)
    }

    pub async fn watch(&self) -> Result<Watch> {
        Watch::new(&self.reading).await
    }

    /// Runs `work` in a transaction of the writer and answers when it is committed; what fails leaves nothing behind.
    async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.writer.run(work).await
    }
}
