//! Opening the database: connections as this engine wants them, with the schema of this engine.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor};

use super::Postgres;
use super::notices::Notifier;
use crate::rules::limits::Invalid;
use crate::store::Result;
use crate::store::migrations::{self, POSTGRES};
use crate::store::statement::Connection;

/// Two to four keep two processors busy; the others are for lists and looks, and for commits that wait for the disk.
const CONNECTIONS: u32 = 8;
/// How long a verb waits for a connection before it gives up.
const WAIT: Duration = Duration::from_secs(10);
/// A connection that nobody has used for so long is asked whether it is still there before it is used.
const TRUSTED: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(300);

/// What every connection is told first.
///
/// Each statement of the store goes through an index, whatever the planner believes of tables that grow and shrink by
/// hundred thousands between two looks of its own: with stale statistics it would join batches with whole tables. So there is one plan for
/// each, made once (a test looks at all of them): made anew for each execution, the plans of foreign keys and triggers, which run for each row, took
/// more time than all else. A commit that was answered is on the disk, even where the server was told to be less careful by default.
const SESSION: &str = "
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET enable_material = off;
    SET enable_memoize = off;
    SET enable_bitmapscan = off;
    SET jit = off;
    SET default_transaction_isolation = 'read committed';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
";

impl Postgres {
    pub async fn open(url: &str) -> Result<Postgres> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| {
                // Not the URL itself: it may hold a password.
                tracing::debug!(%error, "reading the database's URL");
                let sentence =
                    "The URL of the database cannot be read: it is `postgres://user:password@host:port/database`.";
                Invalid::new("url", sentence)
            })?
            .application_name("notification-engine")
            .log_slow_statements(tracing::log::LevelFilter::Off, Duration::ZERO);
        let connected = tokio::time::timeout(WAIT, options.connect()).await;
        let mut first = connected.map_err(|_| sqlx::Error::PoolTimedOut)??;
        check_encoding(&mut first).await?;
        migrate(&mut first).await.map_err(|error| migrations::refusal(POSTGRES, error))?;
        first.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(WAIT)
            .idle_timeout(IDLE)
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(AssertSqlSafe(SESSION)).await.map(drop) })
            })
            .before_acquire(|connection, metadata| {
                Box::pin(async move { Ok(metadata.idle_for < TRUSTED || connection.ping().await.is_ok()) })
            })
            .connect_lazy_with(options);
        Ok(Postgres { notifier: Notifier::start(pool.clone()), pool })
    }
}

/// Refuses a database that cannot keep every text: one letter in what a component says would keep the outcomes of all others from being written. What is kept as
/// bytes (SQL_ASCII) is kept as it is.
async fn check_encoding(connection: &mut PgConnection) -> Result<()> {
    let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(connection).await?;
    if ["UTF8", "SQL_ASCII"].contains(&encoding.as_str()) {
        return Ok(());
    }
    let sentence = format!(
        "The database keeps texts as {encoding}, in which not all can be written: name one that was made with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`."
    );
    Err(Invalid::new("url", sentence).into())
}

/// Brings the schema up to date. Engines that start at once wait for each other at an advisory lock.
async fn migrate(connection: &mut PgConnection) -> std::result::Result<(), MigrateError> {
    if migrations::are_missing(POSTGRES, &mut Connection::Postgres(connection)).await? {
        migrations::migrator(POSTGRES).run_direct(None, connection, false).await?;
    }
    Ok(())
}
