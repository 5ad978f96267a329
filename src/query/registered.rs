//! Tables of a lake over files that were there already: their files are listed when they are read.

use super::partitions::Partitions;
use crate::accesslog::LogFormat;
use crate::catalog::{KEYS, LOG_FORMAT, Table as CatalogTable};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{FormatChoice, Table, TableFormat, TableOptions, resolve};
use crate::output::Kind;
use crate::schema::with_field_names;
use crate::tabular::{CsvDialect, CsvOptions, Renames, RowSyntax, Typing};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The files at `address`, as `table` says that they are read, and their partitions.
///
/// # Errors
/// [`ErrorKind::Input`] where they can't be listed, or somebody wrote what the table can't say.
pub(super) fn open(table: &CatalogTable, address: &str) -> Result<(Table, Partitions)> {
    let name = format!("{}.{}", table.database, table.name);
    let inputs = resolve(&[address.trim_end_matches('/').to_string()]).map_err(|error| error.with_context("table", &name))?;
    let fields = table.partition_fields()?;
    let below =
        |path: &str| path.strip_prefix(address).unwrap_or(path).rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_string());
    let folders: Vec<String> = inputs.sources.iter().map(|source| below(&source.path)).collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let partitions = Partitions::of_folders(&folders, &fields).map_err(|error| error.with_context("table", &name))?;
    if table.storage.serde.kind() == Some(Kind::Parquet) {
        // Columns as the files have them: types that Athena doesn't know are read, too.
        let options = TableOptions { format: FormatChoice::Parquet, ..TableOptions::default() };
        return Ok((Table::open(inputs, &options)?, partitions));
    }
    let format = format(table).map_err(|error| error.with_context("table", &name))?;
    Ok((Table { sources: inputs.sources, format, notes: Vec::new(), misfits: BTreeMap::new() }, partitions))
}

fn format(table: &CatalogTable) -> Result<TableFormat> {
    let typing = Typing { guessed: true, ..Typing::default() };
    let serde = |name: &str| table.storage.serde.parameters.get(name).map(String::as_str);
    if let Some(text) = table.parameters.get(LOG_FORMAT) {
        return Ok(TableFormat::Log { formats: Arc::new(LogFormat::parse("registered", text)?).into(), unescape: false });
    }
    let header = table.parameters.get("skip.header.line.count").is_some_and(|count| count != "0");
    match table.storage.serde.kind() {
        Some(Kind::Tsv) => Ok(TableFormat::Rows { syntax: RowSyntax::Tsv { header }, schema: as_read(&*table.file_schema()?), typing }),
        Some(Kind::Csv) => {
            let dialect = if serde("escapeChar") == Some("\\") { CsvDialect::Athena } else { CsvDialect::Rfc4180 };
            let delimiter = serde("separatorChar").and_then(|text| text.bytes().next()).unwrap_or(b',');
            let syntax = CsvOptions { delimiter, header, dialect }.into();
            Ok(TableFormat::Rows { syntax, schema: as_read(&*table.file_schema()?), typing })
        }
        Some(Kind::Json) => {
            let schema = as_read(&*table.file_schema()?);
            let keys: Option<Vec<String>> = table.parameters.get(KEYS).and_then(|text| serde_json::from_str(text).ok());
            let fields = keys.and_then(|keys| with_field_names(schema.fields(), &keys)).unwrap_or_else(|| schema.fields().clone());
            Ok(TableFormat::Json { schema: Arc::new(Schema::new(fields)), typing, renames: Renames::default() })
        }
        Some(Kind::Parquet) | None => {
            let message =
                format!("the files of {}.{} are for {}, which can't be read", table.database, table.name, table.storage.serde.library);
            Err(Error::new(ErrorKind::Input, message).with_context("known", "parquet, csv, tsv, json, log"))
        }
    }
}

/// Text is read as views, which need not be copied.
pub(super) fn as_read(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(Field::new(field.name(), DataType::Utf8View, true)),
        _ => field.clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
