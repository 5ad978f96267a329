//! The rows of a row group, in types that every output has.

use super::faults::caught;
use super::int96;
use super::parquet_columns::FileColumns;
use super::parquet_pages::PageCheck;
use crate::error::{Error, ErrorKind, Result};
use arrow::array::types::Date64Type;
use arrow::array::{Array, ArrayData, ArrayRef, AsArray, PrimitiveArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;
use std::ops::Range;
use std::sync::Arc;

/// The rows of one row group of the file `F`.
#[derive(Debug)]
pub struct GroupRows<F: ChunkReader> {
    index: usize,
    path: String,
    schema: SchemaRef,
    reader: ParquetRecordBatchReader,
    /// How the columns lie that were read to those that are given, where they aren't the same.
    arranged: Option<FileColumns>,
    /// Times of INT96, which take two readers to be read whole.
    int96: Option<Int96>,
    /// What is looked at again where something is wrong.
    file: F,
    metadata: Arc<ParquetMetaData>,
    chunks: Vec<(usize, Range<u64>)>,
    /// Rows that were read already, and are given bit by bit.
    heavy: RecordBatch,
    rows: usize,
}

/// The columns that have times of INT96, of which [`GroupRows::reader`] reads the seconds.
#[derive(Debug)]
struct Int96 {
    /// Reads their nanoseconds.
    reader: ParquetRecordBatchReader,
    /// The place of each among the columns that are read, its name, its type, and how many values have digits behind the microseconds.
    columns: Vec<(usize, String, DataType, u64)>,
}

/// Rows are given in batches whose texts have no more bytes than this, but for a single row that has.
const BATCH_BYTES: usize = 32 << 20;

impl<F: ChunkReader + 'static> GroupRows<F> {
    /// Row group `index` of a file, whose footer is `footer` and whose columns are those of `schema`; `projection` are the ones wanted,
    /// all where not given. `files` gives three handles of the file, which have at hand what lies in some ranges.
    pub(crate) fn new(
        files: impl FnOnce(&[(usize, Range<u64>)]) -> Result<[F; 3]>,
        path: &str,
        footer: &ArrowReaderMetadata,
        index: usize,
        schema: &SchemaRef,
        projection: Option<&[usize]>,
    ) -> Result<Self> {
        let damaged = |e: &dyn std::fmt::Display| damaged(index, path, e);
        let metadata = footer.metadata().clone();
        let own = as_written(footer.schema());
        let file_columns = FileColumns::of(own.fields(), schema, projection);
        // From here on it is about the columns of the file.
        let (schema, projection) = (&own, file_columns.as_ref().map(|columns| &columns.read[..]).or(projection));
        let mask = projection.map(|columns| ProjectionMask::roots(metadata.file_metadata().schema_descr(), columns.iter().copied()));
        let chunks = column_chunks(&metadata, index, mask.as_ref());
        let [file, again, third] = files(&chunks)?;
        look(&file, path, &metadata, index, &chunks, false)?;
        let columns: Vec<usize> = projection.map_or_else(|| (0..schema.fields().len()).collect(), <[usize]>::to_vec);
        let schema = Arc::new(schema.project(&columns)?);
        let plain = as_read(footer.schema());
        let open = |file: F, schema: SchemaRef, mask: Option<ProjectionMask>| {
            let reader = caught(|| {
                let footer = ArrowReaderMetadata::try_new(metadata.clone(), ArrowReaderOptions::new().with_schema(schema))?;
                let mut builder =
                    ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer).with_row_groups(vec![index]).with_batch_size(8192);
                if let Some(mask) = mask {
                    builder = builder.with_projection(mask);
                }
                builder.build()
            });
            reader.map_err(|panic| damaged(&panic))?.map_err(|e| damaged(&e))
        };
        let parquet = metadata.file_metadata().schema_descr();
        let roots: Vec<usize> = int96::roots(parquet).into_iter().filter(|root| columns.contains(root)).collect();
        let in_unit = |unit| int96::in_unit(&plain, parquet, unit).filter(|_| !roots.is_empty());
        let (seconds, nanos) = (in_unit(TimeUnit::Second), in_unit(TimeUnit::Nanosecond));
        let reader = open(again, seconds.unwrap_or_else(|| plain.clone()), mask)?;
        let int96 = match nanos {
            Some(nanos) => {
                let reader = open(third, nanos, Some(ProjectionMask::roots(parquet, roots.iter().copied())))?;
                // Columns are read in the order of the file.
                let place = |root: &usize| columns.iter().filter(|column| *column < root).count();
                let column = |root: &usize| {
                    let field = plain.field(*root);
                    (place(root), field.name().clone(), field.data_type().clone(), 0)
                };
                Some(Int96 { reader, columns: roots.iter().map(column).collect() })
            }
            None => None,
        };
        let heavy = RecordBatch::new_empty(schema.clone());
        Ok(GroupRows {
            index,
            path: path.to_string(),
            schema,
            reader,
            arranged: file_columns,
            int96,
            file,
            metadata,
            chunks,
            heavy,
            rows: 0,
        })
    }

    /// The next rows as they are stored.
    fn read(&mut self) -> Result<Option<RecordBatch>> {
        let what = match caught(|| self.reader.next()) {
            Ok(Some(Ok(batch))) => {
                self.rows += batch.num_rows();
                match self.whole_times(batch) {
                    Ok(batch) => return Ok(Some(batch)),
                    Err(what) => what,
                }
            }
            Ok(None) => {
                let told = self.metadata.row_group(self.index).num_rows();
                if i64::try_from(self.rows) == Ok(told) {
                    return Ok(None);
                }
                format!("it has {} rows, but its footer claims {told}", self.rows)
            }
            Ok(Some(Err(e))) => e.to_string(),
            Err(panic) => panic,
        };
        // A page that isn't as it was written tells more than what became of it.
        look(&self.file, &self.path, &self.metadata, self.index, &self.chunks, true)?;
        Err(damaged(self.index, &self.path, &what))
    }

    /// The columns with times of INT96, by name, and how many of their values so far have digits behind the microseconds, which are cut off.
    pub fn cut_off(&self) -> impl Iterator<Item = (&str, u64)> {
        let columns = self.int96.iter().flat_map(|int96| &int96.columns);
        columns.map(|(_, name, _, cut)| (name.as_str(), *cut)).filter(|(_, cut)| *cut > 0)
    }

    /// Puts the seconds of INT96 that were read together with their nanoseconds.
    fn whole_times(&mut self, batch: RecordBatch) -> Result<RecordBatch, String> {
        let Some(int96) = &mut self.int96 else { return Ok(batch) };
        let nanos = match caught(|| int96.reader.next()) {
            Ok(Some(Ok(nanos))) if nanos.num_rows() == batch.num_rows() => nanos,
            Ok(Some(Err(e))) => return Err(e.to_string()),
            Err(panic) => return Err(panic),
            _ => return Err("its columns have different numbers of rows".to_string()),
        };
        let mut columns = batch.columns().to_vec();
        let mut fields: Vec<FieldRef> = batch.schema().fields().iter().cloned().collect();
        for ((place, name, data_type, cut), nanos) in int96.columns.iter_mut().zip(nanos.columns()) {
            let joined = int96::joined(&columns[*place], nanos, data_type, cut);
            columns[*place] = joined.map_err(|what| format!("column `{name}`: {what}"))?;
            fields[*place] = Arc::new(fields[*place].as_ref().clone().with_data_type(data_type.clone()));
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| e.to_string())
    }

    fn typed(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let typed = batch.columns().iter().zip(self.schema.fields()).map(|(array, field)| exactly(array, field));
        let columns = typed.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let Some(FileColumns { places, wanted, .. }) = &self.arranged else {
            return Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?);
        };
        let arranged = places.iter().zip(wanted.fields()).map(|(place, field)| match place {
            Some(at) => exactly(&columns[*at], field),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        });
        Ok(RecordBatch::try_new_with_options(wanted.clone(), arranged.collect::<Result<Vec<_>>>()?, &options)?)
    }
}

impl<F: ChunkReader + 'static> Iterator for GroupRows<F> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.heavy.num_rows() == 0 {
            match self.read() {
                Ok(Some(batch)) => self.heavy = batch,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let rows = light_rows(&self.heavy);
        let batch = self.heavy.slice(0, rows);
        self.heavy = self.heavy.slice(rows, self.heavy.num_rows() - rows);
        Some(self.typed(&batch).map_err(|e| e.with_context("in", format!("row group {} of {}", self.index, self.path))))
    }
}

/// How many first rows of `batch` have no more than [`BATCH_BYTES`] of text, at least one. A text of a dictionary takes memory once
/// as long as it is read, and once for each row from then on.
fn light_rows(batch: &RecordBatch) -> usize {
    // The length of a text is the lower half of its view.
    let views: Vec<&[u128]> = batch
        .columns()
        .iter()
        .filter_map(|array| match array.data_type() {
            DataType::Utf8View => Some(array.as_string_view().views().as_ref()),
            DataType::BinaryView => Some(array.as_binary_view().views().as_ref()),
            _ => None,
        })
        .collect();
    let bytes = |row: usize| views.iter().map(|views| views[row] as u32 as usize).sum::<usize>();
    let mut left = BATCH_BYTES;
    let fits = |row: &usize| {
        let fits = bytes(*row) <= left;
        left = left.saturating_sub(bytes(*row));
        fits
    };
    (0..batch.num_rows()).take_while(fits).count().max(1)
}

/// Looks at the pages of `chunks`, and at their checksums too where it is asked for.
fn look(
    file: &impl ChunkReader,
    path: &str,
    metadata: &ParquetMetaData,
    group: usize,
    chunks: &[(usize, Range<u64>)],
    checksums: bool,
) -> Result<()> {
    let read = |range: Range<u64>| {
        let length = (range.end - range.start) as usize;
        file.get_bytes(range.start, length).map_err(|e| Error::new(ErrorKind::Input, format!("can't read {path}")).with_source(e))
    };
    PageCheck { path, metadata, group, checksums }.look(chunks.iter().cloned(), read)
}

/// Which columns of a file are read for those at `projection` of a table of `schema`; all where nothing is given.
pub fn file_columns(footer: &ArrowReaderMetadata, schema: &Schema, projection: Option<&[usize]>) -> Option<Vec<usize>> {
    let own = as_written(footer.schema());
    FileColumns::of(own.fields(), schema, projection).map(|columns| columns.read).or_else(|| projection.map(<[usize]>::to_vec))
}

/// Where the columns of row group `index` lie, and their indices; all where `mask` is not given. The footer was looked at before.
pub fn column_chunks(metadata: &ParquetMetaData, index: usize, mask: Option<&ProjectionMask>) -> Vec<(usize, Range<u64>)> {
    let Some(group) = metadata.row_groups().get(index) else { return Vec::new() };
    let wanted = |leaf: &usize| mask.is_none_or(|mask| mask.leaf_included(*leaf));
    let range = |leaf: usize| {
        let (start, length) = group.column(leaf).byte_range();
        (leaf, start..start + length)
    };
    (0..group.num_columns()).filter(wanted).map(range).collect()
}

fn damaged(index: usize, path: &str, e: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Input, format!("row group {index} of {path} is damaged: {e}"))
}

/// The schema as the file is read: text and bytes as views, which need not be copied.
fn as_read(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        DataType::Binary | DataType::LargeBinary => Arc::new(field.as_ref().clone().with_data_type(DataType::BinaryView)),
        _ => field.clone(),
    });
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

/// The schema as it goes on: text as views, numbers with a sign, as Athena has no others; any column may be NULL.
pub(crate) fn as_written(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::new(field.name(), plain(field.data_type(), true), true));
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

/// The values of a column in the type of `field`, which holds all of them.
fn exactly(array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    let wrong = |what: String| Error::new(ErrorKind::Input, format!("column `{}`: {what}", field.name()));
    if array.data_type() != field.data_type() && !has_whole_days(&array.to_data()) {
        return Err(wrong("a date has a time of day, which a date can't hold".to_string()));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, field.data_type(), &options).map_err(|e| wrong(e.to_string()))
}

/// Whether all dates that are counted in milliseconds are at midnight.
fn has_whole_days(data: &ArrayData) -> bool {
    match data.data_type() {
        DataType::Date64 => PrimitiveArray::<Date64Type>::from(data.clone()).iter().flatten().all(|millis| millis % 86_400_000 == 0),
        _ => data.child_data().iter().all(has_whole_days),
    }
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
        DataType::Float16 => DataType::Float32,
        DataType::FixedSizeBinary(_) => DataType::Binary,
        // A column without a type is NULL throughout.
        DataType::Null if top => DataType::Utf8View,
        DataType::Null => DataType::Utf8,
        DataType::Decimal32(digits, scale) | DataType::Decimal64(digits, scale) | DataType::Decimal128(digits, scale)
            if *scale < 0 && u16::from(*digits) + u16::from(scale.unsigned_abs()) <= 38 =>
        {
            DataType::Decimal128(digits + scale.unsigned_abs(), 0)
        }
        DataType::Decimal32(digits, scale) | DataType::Decimal64(digits, scale) => DataType::Decimal128(*digits, *scale),
        DataType::Decimal256(digits, scale) if *digits <= 38 => DataType::Decimal128(*digits, *scale),
        DataType::RunEndEncoded(_, values) => plain(values.data_type(), top),
        DataType::Utf8 | DataType::LargeUtf8 if top => DataType::Utf8View,
        DataType::Dictionary(_, values) => plain(values, top),
        DataType::List(item) | DataType::ListView(item) => DataType::List(inner(item)),
        DataType::LargeListView(item) => DataType::LargeList(inner(item)),
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
    use arrow::array::{ArrayRef, StringViewArray};

    #[test]
    fn heavy_rows_are_given_bit_by_bit() {
        let texts: ArrayRef =
            Arc::new(StringViewArray::from_iter_values(["x".repeat(BATCH_BYTES / 3), "y".into(), "z".repeat(BATCH_BYTES * 2)]));
        let batch = |from: usize, rows: usize| RecordBatch::try_from_iter([("text", texts.slice(from, rows))]).unwrap();
        assert_eq!([light_rows(&batch(0, 3)), light_rows(&batch(1, 2)), light_rows(&batch(2, 1))], [2, 1, 1]);
    }

    #[test]
    fn no_type_is_unsigned() {
        let item = |data_type| Arc::new(Field::new("item", data_type, true));
        assert_eq!(plain(&DataType::UInt64, true), DataType::Decimal128(20, 0));
        assert_eq!(plain(&DataType::List(item(DataType::UInt8)), true), DataType::List(item(DataType::Int16)));
        let coded = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
        assert_eq!(plain(&coded, true), DataType::Utf8View);
    }
}
