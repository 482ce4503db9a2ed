//! What is bound to the parameters of a statement: a value, or a batch of rows.

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use uuid::Uuid;

use crate::rules::tenant::Tenant;

/// What can be bound to a parameter.
#[derive(Clone)]
pub enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Flag(bool),
    Id(Option<Uuid>),
    /// Never in a batch: a JSON text would be twice as long.
    Bytes(Vec<u8>),
}

/// Rows that go to the database at once: a statement for each of them would cost several times as much.
#[derive(Clone)]
pub struct Batch {
    width: usize,
    /// Row after row.
    values: Vec<Value>,
}

impl Batch {
    /// Rows of as many columns as each array has; all values of a column are of one kind.
    pub fn of<const WIDTH: usize>(rows: impl Iterator<Item = [Value; WIDTH]>) -> Batch {
        Batch { width: WIDTH.max(1), values: rows.flatten().collect() }
    }

    /// One column.
    pub fn of_ids(ids: impl Iterator<Item = Uuid>) -> Batch {
        Batch::of(ids.map(|id| [id.into()]))
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// As JSON: a list of rows, each of them a list, or of values if there is one column.
    pub fn document(&self) -> String {
        // An empty text, which the database would refuse, cannot be: all of it can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Column after column, each with its values in the order of the rows.
    pub fn into_columns(self) -> Vec<Vec<Value>> {
        let height = self.values.len() / self.width;
        let mut columns: Vec<Vec<Value>> = (0..self.width).map(|_| Vec::with_capacity(height)).collect();
        let mut values = self.values.into_iter();
        for _ in 0..height {
            for (column, value) in columns.iter_mut().zip(&mut values) {
                column.push(value);
            }
        }
        columns
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.values.len() / self.width))?;
        for row in self.values.chunks(self.width) {
            match row {
                [only] => rows.serialize_element(only)?,
                row => rows.serialize_element(row)?,
            }
        }
        rows.end()
    }
}

/// What is in a column that holds values of this kind alone.
impl Value {
    pub fn integer(self) -> Option<i64> {
        if let Value::Integer(value) = self { value } else { None }
    }

    pub fn text(self) -> Option<String> {
        if let Value::Text(value) = self { value } else { None }
    }

    pub fn flag(self) -> Option<bool> {
        if let Value::Flag(value) = self { Some(value) } else { None }
    }

    pub fn id(self) -> Option<Uuid> {
        if let Value::Id(value) = self { value } else { None }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Integer(value) => value.serialize(serializer),
            Value::Text(value) => value.serialize(serializer),
            Value::Flag(value) => value.serialize(serializer),
            Value::Id(value) => value.map(Uuid::simple).serialize(serializer),
            Value::Bytes(value) => value.serialize(serializer),
        }
    }
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

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Bytes(value)
    }
}

impl From<Option<Uuid>> for Value {
    fn from(value: Option<Uuid>) -> Value {
        Value::Id(value)
    }
}
