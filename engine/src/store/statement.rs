//! One statement of the store, in the dialect of each database, and how it is run.
//!
//! A row that is read is one value of serde: in SQLite the statement makes it, as one JSON text, since sqlx copies the columns of a row one
//! by one; PostgreSQL sends wide rows faster as they are (`postgres/row.rs`), and narrow ones as JSON too. So a verb is written once for all databases.

use futures::TryStreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::postgres::{PgArguments, PgConnection, Postgres};
use sqlx::query::Query as Bound;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};

use super::postgres;
use super::values::{Batch, Value};

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

/// A statement with its parameters, in their order.
pub struct Query {
    statement: Statement,
    parameters: Vec<Parameter>,
}

enum Parameter {
    One(Value),
    /// One JSON text for SQLite, an array for each column for PostgreSQL.
    Many(Batch),
}

pub fn query(statement: Statement) -> Query {
    Query { statement, parameters: Vec::new() }
}

/// Values as one JSON text, which a statement takes apart again.
pub fn document<T: Serialize>(values: impl Iterator<Item = T>) -> String {
    // Texts, numbers and lists of them can always be written; an empty text would be refused by the database.
    serde_json::to_string(&values.collect::<Vec<_>>()).unwrap_or_default()
}

impl Query {
    pub fn bind(mut self, value: impl Into<Value>) -> Query {
        self.parameters.push(Parameter::One(value.into()));
        self
    }

    /// Binds rows. A statement that is given none is not run: it would do nothing.
    pub fn bind_batch(mut self, batch: Batch) -> Query {
        self.parameters.push(Parameter::Many(batch));
        self
    }

    /// Runs it; how many rows it changed.
    pub async fn execute(self, connection: &mut Connection<'_>) -> Result<u64, sqlx::Error> {
        if self.is_idle() {
            return Ok(0);
        }
        Ok(match connection {
            Connection::Sqlite(c) => self.for_sqlite().execute(&mut **c).await?.rows_affected(),
            Connection::Postgres(c) => self.for_postgres().execute(&mut **c).await?.rows_affected(),
        })
    }

    /// All rows.
    pub async fn all<R: DeserializeOwned>(self, connection: &mut Connection<'_>) -> Result<Vec<R>, sqlx::Error> {
        if self.is_idle() {
            return Ok(Vec::new());
        }
        match connection {
            Connection::Sqlite(c) => self.for_sqlite().fetch_all(&mut **c).await?.iter().map(read).collect(),
            Connection::Postgres(c) => {
                self.for_postgres().fetch_all(&mut **c).await?.iter().map(postgres::read).collect()
            }
        }
    }

    /// The first rows, until they take `most` bytes together or there is no other: one more than that at the most, so that there is always one.
    pub async fn all_within<R: DeserializeOwned>(
        self,
        connection: &mut Connection<'_>,
        most: usize,
        bytes: impl Fn(&R) -> usize,
    ) -> Result<Vec<R>, sqlx::Error> {
        let (mut rows, mut taken) = (Vec::new(), 0);
        let mut is_last = |row: R| {
            taken += bytes(&row);
            rows.push(row);
            taken >= most
        };
        match connection {
            Connection::Sqlite(c) => {
                let mut found = self.for_sqlite().fetch(&mut **c);
                while let Some(row) = found.try_next().await? {
                    if is_last(read(&row)?) {
                        break;
                    }
                }
            }
            Connection::Postgres(c) => {
                let mut found = self.for_postgres().fetch(&mut **c);
                while let Some(row) = found.try_next().await? {
                    if is_last(postgres::read(&row)?) {
                        break;
                    }
                }
            }
        }
        Ok(rows)
    }

    /// The first row, if there is any.
    pub async fn optional<R: DeserializeOwned>(
        self,
        connection: &mut Connection<'_>,
    ) -> Result<Option<R>, sqlx::Error> {
        if self.is_idle() {
            return Ok(None);
        }
        match connection {
            Connection::Sqlite(c) => self.for_sqlite().fetch_optional(&mut **c).await?.as_ref().map(read).transpose(),
            Connection::Postgres(c) => {
                self.for_postgres().fetch_optional(&mut **c).await?.as_ref().map(postgres::read).transpose()
            }
        }
    }

    /// The bytes in the only column of the first row, if there is any: for what is too large to be JSON.
    pub async fn bytes(self, connection: &mut Connection<'_>) -> Result<Option<Vec<u8>>, sqlx::Error> {
        match connection {
            Connection::Sqlite(c) => {
                self.for_sqlite().fetch_optional(&mut **c).await?.map(|row| row.try_get(0)).transpose()
            }
            Connection::Postgres(c) => {
                self.for_postgres().fetch_optional(&mut **c).await?.map(|row| row.try_get(0)).transpose()
            }
        }
    }

    /// The one row that there always is.
    pub async fn one<R: DeserializeOwned>(self, connection: &mut Connection<'_>) -> Result<R, sqlx::Error> {
        self.optional(connection).await?.ok_or(sqlx::Error::RowNotFound)
    }

    fn is_idle(&self) -> bool {
        self.parameters.iter().any(|parameter| matches!(parameter, Parameter::Many(batch) if batch.is_empty()))
    }

    fn for_sqlite(self) -> Bound<'static, Sqlite, SqliteArguments> {
        let query = sqlx::query(self.statement.sqlite);
        self.parameters.into_iter().fold(query, |query, parameter| match parameter {
            Parameter::One(Value::Integer(value)) => query.bind(value),
            Parameter::One(Value::Text(value)) => query.bind(value),
            Parameter::One(Value::Flag(value)) => query.bind(value),
            Parameter::One(Value::Id(value)) => query.bind(value),
            Parameter::One(Value::Bytes(value)) => query.bind(value),
            Parameter::Many(batch) => query.bind(batch.document()),
        })
    }

    fn for_postgres(self) -> Bound<'static, Postgres, PgArguments> {
        let query = sqlx::query(self.statement.postgres);
        self.parameters.into_iter().fold(query, |query, parameter| match parameter {
            Parameter::One(Value::Integer(value)) => query.bind(value),
            Parameter::One(Value::Text(value)) => query.bind(value),
            Parameter::One(Value::Flag(value)) => query.bind(value),
            Parameter::One(Value::Id(value)) => query.bind(value),
            Parameter::One(Value::Bytes(value)) => query.bind(value),
            Parameter::Many(batch) => postgres::bind(query, batch),
        })
    }
}

/// The value in a row's only column.
fn read<R: DeserializeOwned>(row: &sqlx::sqlite::SqliteRow) -> Result<R, sqlx::Error> {
    let text: &str = row.try_get(0)?;
    serde_json::from_str(text)
        .map_err(|error| sqlx::Error::ColumnDecode { index: "0".to_owned(), source: Box::new(error) })
}
