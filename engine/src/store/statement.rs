//! One statement of the store, in the dialect of each database, and how it is run.
//!
//! Every statement that returns something returns it as one JSON value in one column. So a verb is written once for all
//! databases; and it is quicker: sqlx copies the columns of a row one by one, and for the wide rows of a claim one text
//! takes half the time.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use crate::rules::tenant::Tenant;

/// The texts of a named statement.
macro_rules! sql {
    ($name:literal) => {
        $crate::store::statement::Statement {
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sql/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sql/postgres/", $name, ".sql")),
        }
    };
}
pub(super) use sql;

#[derive(Clone, Copy)]
pub struct Statement {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

/// A connection in which statements run; inside a transaction where something is written.
pub enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// What can be bound to a parameter.
pub enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Flag(bool),
    Id(Option<Uuid>),
}

/// A statement with its parameters, in their order.
pub struct Query {
    statement: Statement,
    values: Vec<Value>,
}

pub fn query(statement: Statement) -> Query {
    Query { statement, values: Vec::new() }
}

/// Rows as one JSON text, which a statement takes apart again.
pub fn document<T: Serialize>(rows: impl Iterator<Item = T>) -> String {
    // Texts, numbers and lists of them can always be written; an empty text would be refused by the database.
    serde_json::to_string(&rows.collect::<Vec<_>>()).unwrap_or_default()
}

/// The statement of a query for one database, with all values bound.
macro_rules! bound {
    ($text:expr, $values:expr) => {{
        let mut bound = sqlx::query($text);
        for value in $values {
            bound = match value {
                Value::Integer(value) => bound.bind(value),
                Value::Text(value) => bound.bind(value),
                Value::Flag(value) => bound.bind(value),
                Value::Id(value) => bound.bind(value),
            };
        }
        bound
    }};
}

impl Query {
    pub fn bind(mut self, value: impl Into<Value>) -> Query {
        self.values.push(value.into());
        self
    }

    /// Runs it; how many rows it changed.
    pub async fn execute(self, connection: &mut Connection<'_>) -> Result<u64, sqlx::Error> {
        let Query { statement, values } = self;
        Ok(match connection {
            Connection::Sqlite(c) => bound!(statement.sqlite, values).execute(&mut **c).await?.rows_affected(),
            Connection::Postgres(c) => bound!(statement.postgres, values).execute(&mut **c).await?.rows_affected(),
        })
    }

    /// All rows.
    pub async fn all<R: DeserializeOwned>(self, connection: &mut Connection<'_>) -> Result<Vec<R>, sqlx::Error> {
        let Query { statement, values } = self;
        match connection {
            Connection::Sqlite(c) => {
                bound!(statement.sqlite, values).fetch_all(&mut **c).await?.iter().map(read).collect()
            }
            Connection::Postgres(c) => {
                bound!(statement.postgres, values).fetch_all(&mut **c).await?.iter().map(read).collect()
            }
        }
    }

    /// The first row, if there is any.
    pub async fn optional<R: DeserializeOwned>(
        self,
        connection: &mut Connection<'_>,
    ) -> Result<Option<R>, sqlx::Error> {
        let Query { statement, values } = self;
        match connection {
            Connection::Sqlite(c) => {
                bound!(statement.sqlite, values).fetch_optional(&mut **c).await?.as_ref().map(read).transpose()
            }
            Connection::Postgres(c) => {
                bound!(statement.postgres, values).fetch_optional(&mut **c).await?.as_ref().map(read).transpose()
            }
        }
    }

    /// The one row that there always is.
    pub async fn one<R: DeserializeOwned>(self, connection: &mut Connection<'_>) -> Result<R, sqlx::Error> {
        self.optional(connection).await?.ok_or(sqlx::Error::RowNotFound)
    }
}

/// The value in a row's only column, read as an `R`.
fn read<'r, T: Row, R: DeserializeOwned>(row: &'r T) -> Result<R, sqlx::Error>
where
    usize: sqlx::ColumnIndex<T>,
    &'r str: sqlx::Decode<'r, T::Database> + sqlx::Type<T::Database>,
{
    let text: &str = row.try_get(0)?;
    serde_json::from_str(text)
        .map_err(|error| sqlx::Error::ColumnDecode { index: "0".to_owned(), source: Box::new(error) })
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Integer(Some(value))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Integer(Some(value.into()))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Value {
        Value::Integer(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Value {
        Value::Integer(Some(value.as_millisecond()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(value: Option<Timestamp>) -> Value {
        Value::Integer(value.map(Timestamp::as_millisecond))
    }
}

impl From<Tenant> for Value {
    fn from(value: Tenant) -> Value {
        Value::Integer(Some(value.0))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Value {
        Value::Text(value)
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Value {
        Value::Text(value.map(str::to_owned))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Flag(value)
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Value {
        Value::Id(Some(value))
    }
}

impl From<Option<Uuid>> for Value {
    fn from(value: Option<Uuid>) -> Value {
        Value::Id(value)
    }
}
