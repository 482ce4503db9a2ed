//! The store in a SQLite file: one writer, a few readers, and what else a file needs that several processes use at
//! once.
//!
//! The file is in WAL mode with `synchronous=FULL`: a commit that was answered survives the loss of power. All writes
//! of this process go through one task (`writer.rs`), reads through a small pool of connections that cannot write.
//! Other processes may write beside this one; SQLite makes them wait for each other.

mod deliverer;
mod open;
mod watch;
mod writer;

pub use deliverer::DelivererLock;
pub use watch::FileWatch;

use std::path::PathBuf;

use futures::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::statement::Connection;
use super::{Result, Watch};
use writer::Writer;

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

    pub fn lock_deliverer(&self) -> Result<DelivererLock> {
        deliverer::lock(&self.file)
    }

    pub async fn watch(&self) -> Result<Watch> {
        Ok(Watch::File(FileWatch::new(&self.reading).await?))
    }

    /// Runs `work` in a transaction of the writer and answers when it is committed; what fails leaves nothing behind.
    pub async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// A connection that cannot write.
    pub async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>> {
        Ok(self.readers.acquire().await?)
    }
}
