//! Parquet files as tables: their columns, in types that every output has, and their row groups.

use super::blocks::BlockReader;
use super::compression::Compression;
use super::framing::Framing;
use super::many::each;
use super::random_access::RandomAccess;
use super::source::Source;
use crate::error::{Error, ErrorKind, Result};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ParquetMetaData;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// The rows of one row group.
#[derive(Debug)]
pub struct RowGroup {
    index: usize,
    source: Source,
    schema: SchemaRef,
    reader: ParquetRecordBatchReader,
}

impl RowGroup {
    /// Opens row group `index` of `source`, whose columns are those of `schema`; `projection` are the ones wanted, all where not given.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the file is damaged.
    pub fn open(source: &Source, index: usize, schema: &SchemaRef, projection: Option<&[usize]>) -> Result<RowGroup> {
        let Some(file) = source.open_random()? else { return Err(not_a_file(source)) };
        RowGroup::of(&file, source, index, schema, projection)
    }

    /// As [`RowGroup::open`], where `file` is `source` and open already.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the file is damaged.
    pub fn of(file: &RandomAccess, source: &Source, index: usize, schema: &SchemaRef, projection: Option<&[usize]>) -> Result<RowGroup> {
        let damaged = |e: &dyn std::fmt::Display| damaged(index, source, e);
        let known = ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).map_err(|e| damaged(&e))?;
        let metadata = known.metadata().clone();
        let mask = projection.map(|columns| ProjectionMask::roots(metadata.file_metadata().schema_descr(), columns.iter().copied()));
        let ranges = column_ranges(&metadata, index, mask.as_ref());
        let file = file.with(ranges).map_err(|e| Error::input(&source.path, e))?;
        let options = ArrowReaderOptions::new().with_schema(as_read(known.schema()));
        let metadata = ArrowReaderMetadata::try_new(metadata, options).map_err(|e| damaged(&e))?;
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_row_groups(vec![index]).with_batch_size(8192);
        let mut schema = schema.clone();
        if let (Some(columns), Some(mask)) = (projection, mask) {
            builder = builder.with_projection(mask);
            schema = Arc::new(schema.project(columns)?);
        }
        let reader = builder.build().map_err(|e| damaged(&e))?;
        Ok(RowGroup { index, source: source.clone(), schema, reader })
    }

    fn typed(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let typed = batch.columns().iter().zip(self.schema.fields()).map(|(array, field)| cast(array, field.data_type()));
        let columns = typed.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }
}

impl Iterator for RowGroup {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?.map_err(|e| damaged(self.index, &self.source, &e));
        Some(batch.and_then(|batch| self.typed(&batch)))
    }
}

/// Where the columns of row group `index` lie; all where `mask` is not given. Nothing where the file says what can't be.
pub fn column_ranges(metadata: &ParquetMetaData, index: usize, mask: Option<&ProjectionMask>) -> Vec<Range<u64>> {
    let Some(group) = metadata.row_groups().get(index) else { return Vec::new() };
    let wanted = |leaf: &usize| mask.is_none_or(|mask| mask.leaf_included(*leaf));
    let range = |leaf: usize| {
        let column = group.column(leaf);
        let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset()).min(column.data_page_offset());
        let (start, length) = (u64::try_from(start).ok()?, u64::try_from(column.compressed_size()).ok()?);
        Some(start..start.checked_add(length)?)
    };
    (0..group.num_columns()).filter(wanted).filter_map(range).collect()
}

fn damaged(index: usize, source: &Source, e: &dyn std::fmt::Display) -> Error {
    source.blamed(Error::new(ErrorKind::Input, format!("row group {index} of {} is damaged: {e}", source.path)))
}

fn not_a_file(source: &Source) -> Error {
    let message = format!("Parquet can't be read from a pipe, as {} is one: its footer comes last; save it to a file first", source.path);
    Error::new(ErrorKind::Usage, message)
}

/// The schema of the first Parquet file; the others must have the same.
///
/// # Errors
/// [`ErrorKind::Input`] where a file is not Parquet or has other columns, [`ErrorKind::Format`] where two columns have one name.
pub(super) fn parquet_schema(sources: &[Source]) -> Result<SchemaRef> {
    let mut known: Option<(SchemaRef, &str)> = None;
    for (source, schema) in sources.iter().zip(each(sources, schema_of)) {
        let schema = schema?;
        match &known {
            None => known = Some((schema, &source.path)),
            Some((first, path)) if first.fields() != schema.fields() => {
                return Err(Error::new(
                    ErrorKind::Input,
                    format!("{} has other columns than {path}; they are not one table: name them one at a time", source.path),
                ));
            }
            Some(_) => {}
        }
    }
    known.map(|(schema, _)| schema).ok_or_else(|| Error::new(ErrorKind::Usage, "there is no input"))
}

fn schema_of(source: &Source) -> Result<SchemaRef> {
    let Some(file) = source.open_random()? else { return Err(not_a_file(source)) };
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| {
        let error = Error::new(ErrorKind::Input, format!("{} is not a whole Parquet file", source.path)).with_source(e);
        match sniff(source) {
            Compression::None => source.blamed(error),
            other => error.with_context("note", format!("it is compressed with {}", other.name())),
        }
    })?;
    let schema = as_written(metadata.schema());
    let mut names = HashSet::new();
    if let Some(twice) = schema.fields().iter().find(|field| !names.insert(field.name())) {
        let message = format!("{} has two columns called `{}`; rename one", source.path, twice.name());
        return Err(Error::new(ErrorKind::Format, message));
    }
    Ok(schema)
}

fn sniff(source: &Source) -> Compression {
    BlockReader::peek(source, Framing::Lines).map_or(Compression::None, |reader| reader.compression())
}

/// The schema as the file is read: text as views, which need not be copied.
fn as_read(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        _ => field.clone(),
    });
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

/// The schema as it goes on: text as views, numbers with a sign, as Athena has no others; any column may be NULL.
fn as_written(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::new(field.name(), plain(field.data_type(), true), true));
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

/// The type that a column of `data_type` is turned into.
fn plain(data_type: &DataType, top: bool) -> DataType {
    let inner = |field: &FieldRef| Arc::new(Field::new(field.name(), plain(field.data_type(), false), field.is_nullable()));
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        // These have no type of their own in Parquet, only in what arrow says beside it.
        DataType::Date64 => DataType::Date32,
        DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Timestamp(TimeUnit::Second, zone) => DataType::Timestamp(TimeUnit::Millisecond, zone.clone()),
        DataType::Utf8 | DataType::LargeUtf8 if top => DataType::Utf8View,
        DataType::Dictionary(_, values) => plain(values, top),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_is_unsigned() {
        let item = |data_type| Arc::new(Field::new("item", data_type, true));
        assert_eq!(plain(&DataType::UInt64, true), DataType::Decimal128(20, 0));
        assert_eq!(plain(&DataType::List(item(DataType::UInt8)), true), DataType::List(item(DataType::Int16)));
        let coded = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
        assert_eq!(plain(&coded, true), DataType::Utf8View);
    }
}
