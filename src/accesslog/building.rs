//! Columns that are filled line by line.

use crate::escape;
use crate::text_column::TextColumn;
use arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, NullBufferBuilder, TimestampMicrosecondArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, TimeUnit};
use bytes::Bytes;
use std::sync::Arc;

/// A column being built.
#[derive(Debug)]
pub(super) enum Building {
    Text(TextColumn),
    Int(Vec<i32>, NullBufferBuilder),
    Long(Vec<i64>, NullBufferBuilder),
    Double(Vec<f64>, NullBufferBuilder),
    Time(Vec<i64>, NullBufferBuilder, TimeUnit),
}

impl Building {
    /// An empty column of `data_type`.
    pub(super) fn of(data_type: &DataType) -> Building {
        let nulls = NullBufferBuilder::new(0);
        match data_type {
            DataType::Int32 => Building::Int(Vec::new(), nulls),
            DataType::Int64 => Building::Long(Vec::new(), nulls),
            DataType::Float64 => Building::Double(Vec::new(), nulls),
            DataType::Timestamp(unit, _) => Building::Time(Vec::new(), nulls, *unit),
            _ => Building::Text(TextColumn::with_capacity(0)),
        }
    }

    pub(super) fn push_null(&mut self) {
        match self {
            Building::Text(column) => column.push_null(),
            Building::Int(values, nulls) => {
                values.push(0);
                nulls.append_null();
            }
            Building::Long(values, nulls) | Building::Time(values, nulls, _) => {
                values.push(0);
                nulls.append_null();
            }
            Building::Double(values, nulls) => {
                values.push(0.0);
                nulls.append_null();
            }
        }
    }

    pub(super) fn finish(&mut self, block: &Bytes) -> ArrayRef {
        match self {
            Building::Text(column) => column.finish(block),
            Building::Int(values, nulls) => Arc::new(Int32Array::new(std::mem::take(values).into(), nulls.finish())),
            Building::Long(values, nulls) => Arc::new(Int64Array::new(std::mem::take(values).into(), nulls.finish())),
            Building::Double(values, nulls) => Arc::new(Float64Array::new(std::mem::take(values).into(), nulls.finish())),
            Building::Time(values, nulls, TimeUnit::Microsecond) => {
                Arc::new(TimestampMicrosecondArray::new(std::mem::take(values).into(), nulls.finish()).with_timezone("UTC"))
            }
            Building::Time(values, nulls, _) => {
                Arc::new(TimestampMillisecondArray::new(std::mem::take(values).into(), nulls.finish()).with_timezone("UTC"))
            }
        }
    }
}

/// `value` as it was before it was escaped as JSON; nothing where nothing is escaped in it.
pub(super) fn escaped_json(value: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', value)?;
    let mut text = Vec::with_capacity(value.len());
    escape::unescape_json(value, &mut text);
    Some(text)
}

/// Appends `value` as it was before it was escaped as JSON; nothing is appended, and false given, where nothing is escaped in it.
pub(super) fn push_json(column: &mut TextColumn, value: &[u8]) -> bool {
    let decoded = escaped_json(value);
    decoded.iter().for_each(|text| column.push_changed(text));
    decoded.is_some()
}
