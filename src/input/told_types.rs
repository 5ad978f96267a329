//! The types that a footer tells Arrow of its columns, where these can't be read as such.

use super::int96;
use crate::nested::with_inner;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, encode_arrow_schema, parquet_to_arrow_schema};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder};
use std::sync::Arc;

/// What a footer says, with types that can be read, to all that read the file by it, as if its writer had said so: times of INT96 are
/// microseconds, and no column is a dictionary. Arrow's reader makes dictionaries of few types, and none of more values than their keys
/// can tell apart; of texts it reads views, which hold each text once, too.
///
/// # Errors
/// Where its columns have no types in Arrow.
pub(super) fn readable(metadata: ParquetMetaData) -> Result<ParquetMetaData, ParquetError> {
    let file = metadata.file_metadata();
    let pairs = || file.key_value_metadata().into_iter().flatten();
    if !pairs().any(|pair| pair.key == ARROW_SCHEMA_META_KEY) && int96::roots(file.schema_descr()).is_empty() {
        return Ok(metadata);
    }
    let told = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())?;
    let plain = Schema::new(told.fields().iter().map(plain).collect::<Fields>());
    let fields = match int96::in_unit(&plain, file.schema_descr(), TimeUnit::Microsecond) {
        Some(schema) => schema.fields().clone(),
        None => plain.fields,
    };
    if fields == *told.fields() {
        return Ok(metadata);
    }
    let told = KeyValue::new(ARROW_SCHEMA_META_KEY.to_string(), encode_arrow_schema(&Schema::new(fields)));
    let pairs = pairs().filter(|pair| pair.key != ARROW_SCHEMA_META_KEY).cloned().chain([told]).collect();
    let (writer, columns, orders) = (file.created_by().map(str::to_string), file.schema_descr_ptr(), file.column_orders().cloned());
    let file = FileMetaData::new(file.version(), file.num_rows(), writer, Some(pairs), columns, orders);
    Ok(ParquetMetaDataBuilder::new(file).set_row_groups(metadata.row_groups().to_vec()).build())
}

/// The field without dictionaries.
fn plain(field: &FieldRef) -> FieldRef {
    Arc::new(Field::clone(field).with_data_type(plain_type(field.data_type())))
}

fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain_type(values),
        other => with_inner(other, &mut plain).unwrap_or_else(|| other.clone()),
    }
}
