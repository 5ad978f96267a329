//! What the columns of a table are called in its Parquet files, and whether they are of types that can be read as the table's.
//!
//! Athena finds columns by their names, whatever their case; one that a file lacks is NULL, and one of another type is an error.

use crate::error::{Error, ErrorKind, Result};
use crate::input::{Source, each, footer};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use parquet::file::metadata::ParquetMetaData;
use std::sync::Arc;

/// What a file's footer tells.
#[derive(Debug, Clone)]
pub(in crate::query) struct Footer {
    /// The file's names of the columns that were asked for, where it has them.
    pub(in crate::query) names: Vec<Option<String>>,
    /// All columns of the file.
    pub(in crate::query) schema: SchemaRef,
    pub(in crate::query) metadata: Arc<ParquetMetaData>,
}

/// Reads the footer of each of `sources`, and looks for the columns `wanted`, which are those of `table`.
///
/// # Errors
/// [`ErrorKind::Input`] for a file that is damaged, [`ErrorKind::Query`] for a column of a type that is not the table's.
pub(super) fn footers(sources: &[Source], wanted: &[(usize, &Field)], by_place: bool, table: &str) -> Result<Vec<Footer>> {
    let look = |source: &Source| {
        let Some(file) = source.open_random()? else { return Err(Error::new(ErrorKind::Internal, "a file of a bucket is none")) };
        let arrow = footer(&file, &source.path).map_err(|e| source.blamed(e))?;
        let names = wanted.iter().map(|(place, field)| name(arrow.schema(), *place, field, by_place, &source.path, table));
        Ok(Footer { names: names.collect::<Result<_>>()?, schema: arrow.schema().clone(), metadata: arrow.metadata().clone() })
    };
    each(sources, look).collect()
}

fn name(file: &Schema, place: usize, field: &Field, by_place: bool, path: &str, table: &str) -> Result<Option<String>> {
    let found = match by_place {
        true => file.fields().get(place),
        false => find(file.fields(), field.name()),
    };
    let Some(found) = found else { return Ok(None) };
    fits(found.data_type(), field.data_type()).map_err(|what| {
        let message = format!("column {} of {path} can't be read as that of {table}: {what}", field.name());
        Error::new(ErrorKind::Query, message)
            .with_context("Athena says", "HIVE_BAD_DATA, that the type of the field in the Parquet file is incompatible with the table's")
            .with_context("what to do", "correct the type in the catalog, or write the file again")
    })?;
    Ok(Some(found.name().clone()))
}

/// The field called `name`, if need be in another case.
fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a Arc<Field>> {
    let same = fields.iter().find(|field| field.name() == name);
    same.or_else(|| fields.iter().find(|field| field.name().eq_ignore_ascii_case(name)))
}

/// Whether values of the `file` are values of the `table`, or what is in the way.
fn fits(file: &DataType, table: &DataType) -> std::result::Result<(), String> {
    use DataType::*;
    let is_text = |data_type: &DataType| matches!(data_type, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView);
    let fit = match (file, table) {
        (Dictionary(_, file), table) => return fits(file, table),
        (file, Utf8View | Utf8) => is_text(file),
        (file, Binary | BinaryView) => is_text(file) || matches!(file, FixedSizeBinary(_)),
        (Boolean, Boolean) => true,
        (file, Int8 | Int16 | Int32 | Int64) => file.is_integer(),
        (Float32, Float32) | (Float32 | Float64, Float64) => true,
        (Decimal32(..) | Decimal64(..) | Decimal128(..), Decimal128(..)) => true,
        (file, Decimal128(..)) => file.is_integer(),
        (Date32 | Int32, Date32) => true,
        (Timestamp(..), Timestamp(..)) => true,
        (List(file) | LargeList(file), List(table)) => return fits(file.data_type(), table.data_type()),
        (Map(file, _), Map(table, _)) => {
            let (Struct(file), Struct(table)) = (file.data_type(), table.data_type()) else {
                return Err("a map has no entries".to_string());
            };
            for (file, table) in file.iter().zip(table) {
                fits(file.data_type(), table.data_type())?;
            }
            return Ok(());
        }
        (Struct(file), Struct(table)) => {
            for field in table {
                match find(file, field.name()) {
                    Some(found) if found.name() != field.name() => {
                        return Err(format!(
                            "its field {} is called {} in the file, and only names of columns may differ in case",
                            field.name(),
                            found.name()
                        ));
                    }
                    Some(found) => fits(found.data_type(), field.data_type()).map_err(|what| format!("{}: {what}", field.name()))?,
                    None => {}
                }
            }
            return Ok(());
        }
        _ => false,
    };
    if fit { Ok(()) } else { Err(format!("it is {file} in the file, and {table} in the table")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_names_and_fit_by_types() {
        let file = Schema::new(vec![Field::new("Status", DataType::Int32, true), Field::new("host", DataType::Utf8, true)]);
        let name = |column: &str, data_type: DataType, by_place: bool| {
            name(&file, 1, &Field::new(column, data_type, true), by_place, "f", "a.b").map_err(|e| e.to_string())
        };
        assert_eq!(name("status", DataType::Int64, false), Ok(Some("Status".to_string())));
        assert_eq!(name("gone", DataType::Int64, false), Ok(None));
        assert_eq!(name("gone", DataType::Utf8View, true), Ok(Some("host".to_string())));
        assert!(name("status", DataType::Utf8View, false).unwrap_err().contains("Int32 in the file"));
        assert!(name("host", DataType::Date32, false).is_err());
    }
}
