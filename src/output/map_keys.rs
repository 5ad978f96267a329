//! The keys of maps: a map of Parquet may have one twice, an object of JSON may not.

use crate::error::{Error, ErrorKind, Result};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use std::collections::HashSet;
use std::ops::Range;

/// Refuses a map of `column`, or one within its values, that has a key twice: readers of JSON would take one of its values, and drop the
/// other.
///
/// # Errors
/// [`ErrorKind::Output`] that names the column and the key.
pub(super) fn check(column: &str, array: &ArrayRef) -> Result<()> {
    if !has_map(array.data_type()) {
        return Ok(());
    }
    let rows: Vec<usize> = (0..array.len()).collect();
    let Some(key) = key_twice(array.as_ref(), &rows)? else { return Ok(()) };
    let message = format!("column `{column}`: a map has the key `{key}` twice, but JSON objects have unique keys");
    Err(Error::new(ErrorKind::Output, message).with_context("what to do", "write Parquet, which holds both, or remove one with SQL"))
}

fn has_map(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => true,
        DataType::Struct(fields) => fields.iter().any(|field| has_map(field.data_type())),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => has_map(item.data_type()),
        _ => false,
    }
}

/// A key that a map in `rows` of `array` has twice.
fn key_twice(array: &dyn Array, rows: &[usize]) -> Result<Option<String>> {
    let rows: Vec<usize> = rows.iter().copied().filter(|row| array.is_valid(*row)).collect();
    let within = |range: &dyn Fn(usize) -> Range<usize>| rows.iter().flat_map(|row| range(*row)).collect::<Vec<usize>>();
    match array.data_type() {
        DataType::Struct(_) => {
            for column in array.as_struct().columns() {
                if let Some(key) = key_twice(column.as_ref(), &rows)? {
                    return Ok(Some(key));
                }
            }
            Ok(None)
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.value_offsets();
            key_twice(list.values().as_ref(), &within(&|row| offsets[row] as usize..offsets[row + 1] as usize))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.value_offsets();
            key_twice(list.values().as_ref(), &within(&|row| offsets[row] as usize..offsets[row + 1] as usize))
        }
        DataType::FixedSizeList(_, size) => {
            let (list, size) = (array.as_fixed_size_list(), *size as usize);
            key_twice(list.values().as_ref(), &within(&|row| row * size..(row + 1) * size))
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let range = |row: usize| map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
            let texts = cast(map.keys(), &DataType::Utf8View)?;
            let texts = texts.as_string_view();
            let mut seen = HashSet::new();
            for row in &rows {
                seen.clear();
                if let Some(twice) = range(*row).map(|entry| texts.value(entry)).find(|key| !seen.insert(*key)) {
                    return Ok(Some(twice.to_string()));
                }
            }
            key_twice(map.values().as_ref(), &within(&range))
        }
        _ => Ok(None),
    }
}
