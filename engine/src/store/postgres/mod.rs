//! The store in a PostgreSQL database, which many engines share.
//!
//! Verbs run in transactions of the level READ COMMITTED: what two engines may do to the same row is decided by the row's lock and
//! by the fence, never by what was read before. Wherever the engine has to wait for a notice of another, it only takes it as
//! a hint (`notices.rs`).

mod notices;
mod open;
mod row;

pub use notices::Notices;
pub use row::{bind, read};

use futures::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;

use super::statement::Connection;
use super::{Result, Watch};
use notices::Notifier;

/// An open database.
pub struct Postgres {
    pool: PgPool,
    notifier: Notifier,
}

impl Postgres {
    pub async fn close(&self) {
        self.notifier.close().await;
        self.pool.close().await;
    }

    pub async fn watch(&self) -> Result<Watch> {
        Ok(Watch::Notices(Notices::listen(&self.pool).await?))
    }

    /// Tells other engines, soon, that something may be due.
    pub fn announce(&self) {
        self.notifier.announce();
    }

    /// Runs `work` in a transaction and answers when it is committed; what fails leaves nothing behind.
    pub async fn write<T, W>(&self, work: W) -> Result<T>
    where
        W: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let mut transaction = self.pool.begin().await?;
        match work(Connection::Postgres(&mut transaction)).await {
            Ok(value) => {
                transaction.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // If this fails too, the connection is broken, and the server has rolled back already.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }

    /// A connection for statements that only read, each of them on its own.
    pub async fn reader(&self) -> Result<PoolConnection<sqlx::Postgres>> {
        Ok(self.pool.acquire().await?)
    }
}
