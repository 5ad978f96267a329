//! From texts to the values of a column.

use super::values::{binary, binary_of_base64, boolean, coarse_timestamp, date, decimal, double, exact_double, integer, single, timestamp};
use crate::accesslog::time_type;
use crate::error::Result;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Decimal128Array, ListArray, MapArray, OffsetSizeTrait, PrimitiveArray,
    StringViewArray, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, FieldRef, Fields, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMillisecondType,
};
use serde::Serialize;
use std::sync::Arc;

/// What becomes of a value that its column's type can't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMismatch {
    /// Its line is rejected.
    #[default]
    Reject,
    /// It is NULL, and counted.
    Null,
    /// Its column is one of text, in all lines.
    Text,
}

/// How strict the types of columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Typing {
    /// The types were guessed and not declared: a double must give back all digits.
    pub guessed: bool,
    pub on_mismatch: OnMismatch,
    /// Times are cut to milliseconds, as those who read a lake do: its tables may hold finer ones.
    pub coarse_times: bool,
    /// Bytes are written as base64, and not as hexadecimal digits.
    pub base64: bool,
}

/// The type as which values of `data_type` are read before they are told from their texts.
pub fn text_of(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32
        | DataType::Binary
        | DataType::Decimal128(..) => DataType::Utf8View,
        other if *other == time_type() => DataType::Utf8View,
        DataType::List(item) => DataType::List(text_field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(text_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(text_field(entries), *sorted),
        other => other.clone(),
    }
}

fn text_field(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new(field.name(), text_of(field.data_type()), field.is_nullable()))
}

/// The values of `texts`, whose type is that of [`text_of`], as `data_type`. What is no value of it is NULL, and its row in `misfits`.
///
/// # Errors
/// Where the types are none that go together.
pub(super) fn typed(texts: &ArrayRef, data_type: &DataType, typing: Typing, misfits: &mut Vec<usize>) -> Result<ArrayRef> {
    if texts.data_type() == data_type {
        return Ok(texts.clone());
    }
    if let Some(texts) = texts.as_string_view_opt() {
        return scalars(texts, data_type, typing, misfits);
    }
    match (texts.data_type(), data_type) {
        (DataType::List(_), DataType::List(item)) => {
            let lists = texts.as_list::<i32>();
            let values = nested(lists.offsets(), misfits, |misfits| typed(lists.values(), item.data_type(), typing, misfits))?;
            Ok(Arc::new(ListArray::try_new(item.clone(), lists.offsets().clone(), values, lists.nulls().cloned())?))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => structs(texts.as_struct(), fields, typing, misfits),
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let maps = texts.as_map();
            let DataType::Struct(fields) = entries.data_type() else { return Ok(cast(texts, data_type)?) };
            let made = nested(maps.offsets(), misfits, |misfits| structs(maps.entries(), fields, typing, misfits))?;
            let made = made.as_struct().clone();
            Ok(Arc::new(MapArray::try_new(entries.clone(), maps.offsets().clone(), made, maps.nulls().cloned(), *sorted)?))
        }
        _ => Ok(cast(texts, data_type)?),
    }
}

fn structs(texts: &StructArray, fields: &Fields, typing: Typing, misfits: &mut Vec<usize>) -> Result<ArrayRef> {
    let columns = texts.columns().iter().zip(fields).map(|(texts, field)| typed(texts, field.data_type(), typing, misfits));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, texts.nulls().cloned(), texts.len())?))
}

/// Makes the values of lists with `offsets`; their misfits are those of the lists that they are in.
fn nested<O: OffsetSizeTrait>(
    offsets: &OffsetBuffer<O>,
    misfits: &mut Vec<usize>,
    make: impl FnOnce(&mut Vec<usize>) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let mut found = Vec::new();
    let made = make(&mut found)?;
    misfits.extend(found.into_iter().map(|value| offsets.partition_point(|offset| offset.as_usize() <= value).saturating_sub(1)));
    Ok(made)
}

fn scalars(texts: &StringViewArray, data_type: &DataType, typing: Typing, misfits: &mut Vec<usize>) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::Int64 => primitive::<Int64Type>(texts, misfits, integer),
        DataType::Int32 => primitive::<Int32Type>(texts, misfits, |text| integer(text)?.try_into().ok()),
        DataType::Int16 => primitive::<Int16Type>(texts, misfits, |text| integer(text)?.try_into().ok()),
        DataType::Int8 => primitive::<Int8Type>(texts, misfits, |text| integer(text)?.try_into().ok()),
        DataType::Float64 if typing.guessed => primitive::<Float64Type>(texts, misfits, exact_double),
        DataType::Float64 => primitive::<Float64Type>(texts, misfits, double),
        DataType::Float32 => primitive::<Float32Type>(texts, misfits, single),
        DataType::Date32 => primitive::<Date32Type>(texts, misfits, date),
        DataType::Decimal128(digits, scale) => {
            let (values, nulls) = values(texts, misfits, |text| decimal(text, *digits, *scale));
            Arc::new(Decimal128Array::try_new(values.into(), nulls)?.with_precision_and_scale(*digits, *scale)?)
        }
        DataType::Boolean => {
            let (values, nulls) = values(texts, misfits, boolean);
            Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
        }
        other if *other == time_type() => {
            let coarse = |text: &[u8]| if typing.coarse_times { coarse_timestamp(text) } else { None };
            let (values, nulls) = values(texts, misfits, |text| timestamp(text).or_else(|| coarse(text)));
            Arc::new(PrimitiveArray::<TimestampMillisecondType>::try_new(values.into(), nulls)?.with_data_type(time_type()))
        }
        DataType::Binary if typing.base64 => binaries(texts, misfits, binary_of_base64),
        DataType::Binary => binaries(texts, misfits, binary),
        other => cast(texts, other)?,
    })
}

fn binaries(texts: &StringViewArray, misfits: &mut Vec<usize>, value: impl Fn(&[u8], &mut Vec<u8>) -> bool) -> ArrayRef {
    let (mut builder, mut bytes) = (BinaryBuilder::new(), Vec::new());
    for row in 0..texts.len() {
        bytes.clear();
        if texts.is_null(row) {
            builder.append_null();
        } else if value(texts.value(row).as_bytes(), &mut bytes) {
            builder.append_value(&bytes);
        } else {
            misfits.push(row);
            builder.append_null();
        }
    }
    Arc::new(builder.finish())
}

fn primitive<T: ArrowPrimitiveType>(
    texts: &StringViewArray,
    misfits: &mut Vec<usize>,
    value: impl Fn(&[u8]) -> Option<T::Native>,
) -> ArrayRef {
    let (values, nulls) = values(texts, misfits, value);
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls))
}

/// The value of each text, and which are NULL.
fn values<T: Default + Clone>(
    texts: &StringViewArray,
    misfits: &mut Vec<usize>,
    value: impl Fn(&[u8]) -> Option<T>,
) -> (Vec<T>, Option<NullBuffer>) {
    let mut values = Vec::with_capacity(texts.len());
    let before = misfits.len();
    for row in 0..texts.len() {
        if texts.is_null(row) {
            values.push(T::default());
            continue;
        }
        values.push(value(texts.value(row).as_bytes()).unwrap_or_else(|| {
            misfits.push(row);
            T::default()
        }));
    }
    let found = &misfits[before..];
    if found.is_empty() {
        return (values, texts.nulls().cloned());
    }
    let mut valid: Vec<bool> = (0..texts.len()).map(|row| texts.is_valid(row)).collect();
    found.iter().for_each(|row| valid[*row] = false);
    (values, Some(NullBuffer::from(valid)))
}
