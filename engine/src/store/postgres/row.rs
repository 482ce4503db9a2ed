//! Rows in and out of PostgreSQL as they are, without JSON in between: building it on the server costs more than all else of a wide row.
//!
//! A row of one text is a JSON value. A row of several columns is a list of them, one level deep: where a list is expected inside, it takes
//! the columns that come next, so that a model in the middle of a row is read like one that stands alone.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;
use sqlx::postgres::{PgArguments, PgRow, PgValueRef};
use sqlx::query::Query;
use sqlx::{Decode, Postgres, Row, TypeInfo, ValueRef};
use uuid::Uuid;

use crate::store::values::{Batch, Value};

/// Binds a batch: an array for each column.
pub fn bind(query: Query<'static, Postgres, PgArguments>, batch: Batch) -> Query<'static, Postgres, PgArguments> {
    batch.into_columns().into_iter().fold(query, |query, column| match column.first() {
        Some(Value::Integer(_)) => query.bind(column.into_iter().map(Value::integer).collect::<Vec<_>>()),
        Some(Value::Flag(_)) => query.bind(column.into_iter().map(Value::flag).collect::<Vec<_>>()),
        Some(Value::Id(_)) => query.bind(column.into_iter().map(Value::id).collect::<Vec<_>>()),
        Some(Value::Text(_) | Value::Bytes(_)) | None => {
            query.bind(column.into_iter().map(Value::text).collect::<Vec<_>>())
        }
    })
}

/// The value that a row is.
pub fn read<R: DeserializeOwned>(row: &PgRow) -> Result<R, sqlx::Error> {
    if row.len() > 1 {
        let mut columns = Columns { row, next: 0 };
        return R::deserialize(&mut columns).map_err(|error| of_column(columns.next.saturating_sub(1), error));
    }
    let text: &str = row.try_get(0)?;
    serde_json::from_str(text).map_err(|error| of_column(0, error))
}

fn of_column(index: usize, error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: index.to_string(), source: Box::new(error) }
}

/// The columns of a row, of which those before `next` are read.
struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    fn peek(&self) -> Result<PgValueRef<'r>, Error> {
        self.row.try_get_raw(self.next).map_err(Error::custom)
    }

    fn take(&mut self) -> Result<PgValueRef<'r>, Error> {
        let value = self.peek()?;
        self.next += 1;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Columns<'de> {
    type Error = Error;

    /// Ids are bytes here.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.take()?;
        if value.is_null() {
            return visitor.visit_unit();
        }
        match value.type_info().name() {
            "INT8" => visitor.visit_i64(decode(value)?),
            "INT4" => visitor.visit_i32(decode(value)?),
            "BOOL" => visitor.visit_bool(decode(value)?),
            "UUID" => visitor.visit_bytes(decode::<Uuid>(value)?.as_bytes()),
            "TEXT" => visitor.visit_borrowed_str(decode(value)?),
            "JSON" => {
                serde_json::Deserializer::from_str(value.as_str().map_err(Error::custom)?).deserialize_any(visitor)
            }
            other => Err(Error::custom(format!("a column of the type {other}"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek()?.is_null() {
            self.next += 1;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name: BorrowedStrDeserializer<'de, Error> = BorrowedStrDeserializer::new(decode(self.take()?)?);
        visitor.visit_enum(name.into_deserializer())
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Next { columns: self, left: len })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq map identifier
        ignored_any
    }
}

/// The next so many columns.
struct Next<'c, 'r> {
    columns: &'c mut Columns<'r>,
    left: usize,
}

impl<'r> SeqAccess<'r> for Next<'_, 'r> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'r>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.columns).map(Some)
    }
}

fn decode<'r, T: Decode<'r, Postgres>>(value: PgValueRef<'r>) -> Result<T, Error> {
    T::decode(value).map_err(Error::custom)
}
