//! Opening: which database, is it one of Django's, and does it have what is to be read.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Executor, SqlSafeStr, Statement};

use super::{Connection, Source, Table, trouble};
use crate::rules::django;
use crate::rules::limits::Invalid;
use crate::store::Result;

/// How long a statement waits for the application, which may be writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// What a table of users must have; the rest of its columns may be missing.
const OF_USERS: &[&str] = &["id", "username"];

impl Source {
    /// Opens the database at `url` (`sqlite:/srv/app/db.sqlite3`, `postgres://user@host/app`) and looks whether it has the tables.
    pub async fn open(url: &str, users_table: &str) -> Result<Source> {
        let users_table_quoted = django::table(users_table)?;
        let mut connection = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Connection::Sqlite(sqlite(url).await?),
            Some("postgres" | "postgresql") => Connection::Postgres(postgres(url).await?),
            // Not repeated: there may be a password in it.
            _ => {
                let sentence = "That is not the URL of a database: use `sqlite:` and the path of a file, or \
                                `postgres://user@host/database`.";
                return Err(Invalid::new("url", sentence).into());
            }
        };
        let of_users = connection.columns(&users_table_quoted).await?.ok_or_else(|| {
            let sentence = format!(
                "There is no table `{users_table}` in that database: is it the right one, and are the users in another \
                 table, which --users-table names?"
            );
            Invalid::new("users_table", sentence)
        })?;
        require(&of_users, OF_USERS, users_table)?;
        for (table, name) in [
            (Table::Targets, "notification_system_target"),
            (Table::Records, "notification_system_target_user_record"),
            (Table::OptOuts, "notification_system_opt_out"),
            (Table::Notifications, "notification_system_notification"),
        ] {
            let columns = connection.columns(name).await?.ok_or_else(|| {
                let sentence = format!(
                    "There is no table `{name}` in that database: is it the one in which django-notification-system \
                     keeps its tables?"
                );
                Invalid::new("url", sentence)
            })?;
            require(&columns, table.columns(), name)?;
        }
        let mut users = include_str!("../sql/django/users.sql").replace("{table}", &users_table_quoted);
        for column in ["email", "first_name", "last_name"] {
            let there = if of_users.iter().any(|name| name == column) { column } else { "NULL" };
            users = users.replace(&format!("{{{column}}}"), &format!("CAST({there} AS TEXT)"));
        }
        let mut source = Source { connection, users };
        source.copy().await?;
        Ok(source)
    }
}

impl Connection {
    /// The columns of a table, by its quoted name; `None` if there is none.
    async fn columns(&mut self, table: &str) -> Result<Option<Vec<String>>> {
        // Safe: the name is one of ours, or checked and quoted.
        let statement = AssertSqlSafe(format!("SELECT * FROM {table}")).into_sql_str();
        let prepared = match self {
            Connection::Sqlite(connection) => connection.prepare(statement).await.map(|prepared| names(&prepared)),
            Connection::Postgres(connection) => connection.prepare(statement).await.map(|prepared| names(&prepared)),
        };
        match prepared {
            Ok(names) => Ok(Some(names)),
            Err(error) if trouble::is_no_such_table(&error) => Ok(None),
            Err(error) => Err(trouble::unreadable(error)),
        }
    }
}

fn names<S: Statement>(statement: &S) -> Vec<String> {
    statement.columns().iter().map(|column| column.name().to_owned()).collect()
}

fn require(there: &[String], wanted: &[&str], table: &str) -> Result<()> {
    match wanted.iter().find(|wanted| !there.iter().any(|column| column == *wanted)) {
        None => Ok(()),
        Some(missing) => {
            let sentence = format!(
                "The table `{table}` has no column `{missing}`: this engine reads the tables of django-notification-system \
                 1.5.3."
            );
            Err(Invalid::new("url", sentence).into())
        }
    }
}

async fn sqlite(url: &str) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::from_str(url).map_err(|error| {
        tracing::debug!(%error, "reading the URL of the database that is to be read");
        Invalid::new("url", "That is not the URL of a SQLite database: use `sqlite:` and the path of a file.")
    })?;
    let file = options.get_filename().to_owned();
    if !file.is_file() {
        let sentence = format!("There is no file {}: name the file of the database to import from.", file.display());
        return Err(Invalid::new("url", sentence).into());
    }
    let options = options.read_only(true).create_if_missing(false).busy_timeout(BUSY_TIMEOUT);
    // Copying takes as long as it takes.
    let options = options.disable_statement_logging();
    let mut connection = options.connect().await.map_err(trouble::unreadable)?;
    connection.execute("BEGIN").await.map_err(trouble::unreadable)?;
    Ok(connection)
}

async fn postgres(url: &str) -> Result<PgConnection> {
    let options = PgConnectOptions::from_str(url).map_err(|error| {
        tracing::debug!(%error, "reading the URL of the database that is to be read");
        Invalid::new("url", "That is not the URL of a PostgreSQL database: use `postgres://user@host/database`.")
    })?;
    let options = options.application_name("engine import").disable_statement_logging();
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
    let mut connection = connected.map_err(|_| trouble::silent())?.map_err(trouble::unreachable)?;
    let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    connection.execute(begin).await.map_err(trouble::unreadable)?;
    Ok(connection)
}
