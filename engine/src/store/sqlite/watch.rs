//! Notices that something was committed, without looking at any row.

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::store::Result;

/// Tells whether anything was written since it was last asked, by this process or another.
#[derive(Debug)]
pub struct FileWatch {
    /// The version counts the commits of all other connections, so that the watch needs one of its own, which never
    /// writes.
    connection: SqliteConnection,
    version: i64,
}

impl FileWatch {
    pub(super) async fn new(reading: &SqliteConnectOptions) -> Result<FileWatch> {
        let mut connection = reading.connect().await?;
        let version = version(&mut connection).await?;
        Ok(FileWatch { connection, version })
    }

    /// Whether anything was written since the last call, or since the watch was made. Costs microseconds; 100 ms
    /// between two calls are often enough.
    pub async fn changed(&mut self) -> Result<bool> {
        let version = version(&mut self.connection).await?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }
}

async fn version(connection: &mut SqliteConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?)
}
