//! The database of an application that uses django-notification-system: opened to be read, and never written or made.
//!
//! All of it is read in one transaction, so that every row is of the same moment. SQLite lets nobody write meanwhile: there, all is first
//! copied to a temporary place, which takes seconds where an import may take minutes. The statements are the same for both databases: they
//! make texts of everything, and `rules::django` makes models of the texts.

mod open;
mod trouble;

use futures::StreamExt;
use futures::stream::BoxStream;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ColumnIndex, Connection as _, Database, Decode, Executor};

use super::Result;
use crate::rules::django::Row;

/// The text of a named statement.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!("../sql/django/", $name, ".sql"))
    };
}

/// An open database of Django's.
pub struct Source {
    connection: Connection,
    /// The statement that reads the users, whose table may have another name.
    users: String,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What can be read, in an order in which nothing comes before what it points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the models")]
pub enum Table {
    Users,
    Targets,
    Records,
    OptOuts,
    Notifications,
}

impl Table {
    const ALL: [Table; 5] = [Table::Users, Table::Targets, Table::Records, Table::OptOuts, Table::Notifications];

    /// Where its rows wait, on SQLite.
    const fn copy(self) -> &'static str {
        match self {
            Table::Users => "temp.users",
            Table::Targets => "temp.targets",
            Table::Records => "temp.records",
            Table::OptOuts => "temp.opt_outs",
            Table::Notifications => "temp.notifications",
        }
    }

    /// What its rows consist of, in the order of the statement.
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Table::Users => &["id", "username", "email", "first_name", "last_name"],
            Table::Targets => &["id", "name", "notification_module_name"],
            Table::Records => &["id", "user_id", "target_id", "target_user_id", "description", "active"],
            Table::OptOuts => &["id", "user_id", "active", "modified_date"],
            Table::Notifications => &[
                "id",
                "target_user_record_id",
                "title",
                "body",
                "extra",
                "status",
                "scheduled_delivery",
                "attempted_delivery",
                "retry_time_interval",
                "retry_attempts",
                "max_retries",
                "created_date",
                "modified_date",
            ],
        }
    }
}

impl Source {
    /// All rows of a table.
    pub fn rows(&mut self, table: Table) -> BoxStream<'_, Result<Row>> {
        let columns = table.columns();
        let statement = self.statement(table);
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                // Safe: the name is one of ours.
                let copied = AssertSqlSafe(format!("SELECT * FROM {}", table.copy()));
                sqlx::query(copied).fetch(connection).map(move |row| read(columns, row)).boxed()
            }
            Connection::Postgres(connection) => {
                sqlx::query(statement).persistent(false).fetch(connection).map(move |row| read(columns, row)).boxed()
            }
        }
    }

    /// The statement that reads a table.
    fn statement(&self, table: Table) -> AssertSqlSafe<String> {
        let statement = match table {
            Table::Users => &self.users,
            Table::Targets => sql!("targets"),
            Table::Records => sql!("records"),
            Table::OptOuts => sql!("opt_outs"),
            Table::Notifications => sql!("notifications"),
        };
        // Safe: what is put into a statement is a checked and quoted name.
        AssertSqlSafe(statement.to_owned())
    }

    /// Copies all rows aside and ends the transaction, on SQLite.
    async fn copy(&mut self) -> Result<()> {
        let statements = Table::ALL.map(|table| (table.copy(), self.statement(table).0));
        let Connection::Sqlite(connection) = &mut self.connection else { return Ok(()) };
        for (copy, statement) in statements {
            // Safe: as in `statement`, and the name is one of ours.
            let copied = AssertSqlSafe(format!("CREATE TABLE {copy} AS {statement}"));
            connection.execute(copied).await.map_err(trouble::unreadable)?;
        }
        connection.execute("COMMIT").await.map_err(trouble::unreadable)?;
        Ok(())
    }

    /// Ends the reading.
    pub async fn close(self) {
        let closed = match self.connection {
            Connection::Sqlite(connection) => connection.close().await,
            Connection::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "closing the database that was read");
        }
    }
}

/// The texts of a row, as bytes: what is not UTF-8 concerns this row and not the others.
fn read<R>(columns: &'static [&'static str], row: std::result::Result<R, sqlx::Error>) -> Result<Row>
where
    R: sqlx::Row,
    usize: ColumnIndex<R>,
    for<'r> Option<Vec<u8>>: Decode<'r, R::Database>,
    R::Database: Database,
{
    let row = row.map_err(trouble::unreadable)?;
    let values = (0..columns.len()).map(|place| row.try_get_unchecked(place));
    Ok(Row::new(columns, values.collect::<std::result::Result<_, _>>().map_err(trouble::unreadable)?))
}
