//! The columns of a batch with their types told once, so that writing a row doesn't ask again.

use crate::error::Result;
use arrow::array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, RecordBatch, StringViewArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::fmt::Debug;
use std::io::Write;

/// A column as the text writers see it.
pub(super) enum Column<'a> {
    Text(&'a StringViewArray),
    Int(&'a PrimitiveArray<Int32Type>),
    Long(&'a PrimitiveArray<Int64Type>),
    Float(&'a PrimitiveArray<Float32Type>),
    Double(&'a PrimitiveArray<Float64Type>),
    Boolean(&'a BooleanArray),
    Time(&'a PrimitiveArray<TimestampMillisecondType>),
    /// Times of any other unit.
    OtherTime {
        array: &'a ArrayRef,
        values: &'a ScalarBuffer<i64>,
        unit: TimeUnit,
    },
    /// Any other flat type: shown by arrow; quoted in JSON where the flag says so.
    Other {
        array: &'a ArrayRef,
        formatter: ArrayFormatter<'a>,
        quoted: bool,
    },
}

/// Changes the columns that have a wider or plainer twin into it, so that few types are left to write.
pub(super) fn plain(batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    batch
        .columns()
        .iter()
        .map(|array| {
            Ok(match plain_type(array.data_type()) {
                Some(plain) => cast(array, &plain)?,
                None => array.clone(),
            })
        })
        .collect()
}

fn plain_type(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => Some(DataType::Utf8View),
        DataType::Dictionary(_, values) => Some(plain_type(values).unwrap_or_else(|| (**values).clone())),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => Some(DataType::Int32),
        DataType::UInt32 => Some(DataType::Int64),
        DataType::Float16 => Some(DataType::Float32),
        // A column that is NULL throughout.
        DataType::Null => Some(DataType::Utf8View),
        _ => None,
    }
}

impl<'a> Column<'a> {
    /// The view of a column that [`plain`] gave.
    pub(super) fn of(array: &'a ArrayRef) -> Result<Column<'a>> {
        Ok(match array.data_type() {
            DataType::Utf8View => Column::Text(array.as_string_view()),
            DataType::Int32 => Column::Int(array.as_primitive()),
            DataType::Int64 => Column::Long(array.as_primitive()),
            DataType::Float32 => Column::Float(array.as_primitive()),
            DataType::Float64 => Column::Double(array.as_primitive()),
            DataType::Boolean => Column::Boolean(array.as_boolean()),
            // Text has no place for a zone, so that all times in it are UTC.
            DataType::Timestamp(TimeUnit::Millisecond, _) => Column::Time(array.as_primitive()),
            DataType::Timestamp(unit, _) => Column::OtherTime { array, values: instants(array.as_ref(), *unit), unit: *unit },
            other => {
                let quoted = !other.is_numeric() && !other.is_nested();
                Column::Other { array, formatter: ArrayFormatter::try_new(array.as_ref(), &FORMAT)?, quoted }
            }
        })
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Text(a) => a.is_null(row),
            Column::Int(a) => a.is_null(row),
            Column::Long(a) => a.is_null(row),
            Column::Float(a) => a.is_null(row),
            Column::Double(a) => a.is_null(row),
            Column::Boolean(a) => a.is_null(row),
            Column::Time(a) => a.is_null(row),
            Column::OtherTime { array, .. } | Column::Other { array, .. } => array.is_null(row),
        }
    }
}

/// The values of a column of times.
pub fn instants(array: &dyn Array, unit: TimeUnit) -> &ScalarBuffer<i64> {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
    }
}

const FORMAT: FormatOptions<'static> = FormatOptions::new().with_datetime_format(Some("%Y-%m-%d %H:%M:%S%.f"));

/// Appends a number with a fraction, in the shortest form that reads back the same. Of 32 bits it may leave out digits of large ones,
/// which are whole: these are written with the digits that readers of 64 bits need too.
pub(super) fn write_float<F: Into<f64> + Debug + Copy>(value: F, out: &mut Vec<u8>) {
    /// From here on all numbers of 32 bits are whole.
    const WHOLE: f64 = 16_777_216.0;
    let wide: f64 = value.into();
    // Writing to memory can't fail.
    let _ = if wide.abs() < WHOLE { write!(out, "{value:?}") } else { write!(out, "{wide:?}") };
}
