//! Row groups of Parquet, with an encoding for each column that its values ask for.

use super::encoder::{Payload, Segment, SegmentEncoder};
use super::format::{Codec, FileFormat};
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescriptor, TypePtr};
use std::collections::HashSet;
use std::io::Sink;
use std::sync::Arc;

/// A dictionary may grow to this many bytes in a row group before its column goes on without one.
const DICTIONARY_LIMIT: usize = 4 << 20;

/// Makes row groups.
pub(super) struct RowGroups {
    format: FileFormat,
    schema: SchemaRef,
    parquet: SchemaDescriptor,
    /// The row group at hand, once it has rows.
    columns: Vec<ArrowColumnWriter>,
    rows: u64,
}

impl RowGroups {
    pub(super) fn new(format: FileFormat, schema: SchemaRef) -> Result<RowGroups> {
        let parquet = parquet_schema(&schema)?;
        Ok(RowGroups { format, schema, parquet, columns: Vec::new(), rows: 0 })
    }

    /// Begins a row group whose first rows are `batch`: they tell which columns a dictionary pays for.
    fn begin(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut builder = properties(self.format);
        for (field, array) in self.schema.fields().iter().zip(batch.columns()) {
            builder = encode_column(builder, field.name(), array);
        }
        let root: TypePtr = self.parquet.root_schema_ptr();
        let writer = SerializedFileWriter::new(std::io::sink(), root, Arc::new(builder.build())).map_err(failed)?;
        self.columns = ArrowRowGroupWriterFactory::new::<Sink>(&writer, self.schema.clone()).create_column_writers(0).map_err(failed)?;
        Ok(())
    }
}

impl SegmentEncoder for RowGroups {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.columns.is_empty() {
            self.begin(batch)?;
        }
        let mut writers = self.columns.iter_mut();
        for (field, array) in self.schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, array).map_err(failed)? {
                let writer = writers.next().ok_or_else(|| Error::new(ErrorKind::Internal, "a leaf column without a writer"))?;
                writer.write(&leaf).map_err(failed)?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn size(&self) -> usize {
        self.columns.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum()
    }

    fn finish(&mut self) -> Result<Segment> {
        let chunks = self.columns.drain(..).map(|column| column.close().map_err(failed)).collect::<Result<Vec<_>>>()?;
        Ok(Segment { rows: std::mem::take(&mut self.rows), payload: Payload::RowGroup(chunks) })
    }
}

pub(super) fn failed(source: ParquetError) -> Error {
    Error::new(ErrorKind::Output, "can't write Parquet").with_source(source)
}

/// The Parquet schema of Arrow columns: INT64 milliseconds for times, strings as UTF-8.
pub(super) fn parquet_schema(schema: &SchemaRef) -> Result<SchemaDescriptor> {
    ArrowSchemaConverter::new().convert(schema).map_err(failed)
}

/// What all row groups of a file share.
fn properties(format: FileFormat) -> WriterPropertiesBuilder {
    let compression = match format.codec {
        Codec::None => Compression::UNCOMPRESSED,
        Codec::Snappy => Compression::SNAPPY,
        Codec::Gzip(level) => Compression::GZIP(GzipLevel::try_new(level).unwrap_or_default()),
        Codec::Zstd(level) => Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default()),
    };
    WriterProperties::builder()
        .set_compression(compression)
        .set_created_by(concat!("etl version ", env!("CARGO_PKG_VERSION")).to_string())
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_dictionary_page_size_limit(DICTIONARY_LIMIT)
        .set_write_batch_size(8192)
}

/// The properties of a file, with what made it in its key-value metadata.
pub(super) fn file_properties(format: FileFormat, metadata: &[(String, String)]) -> WriterPropertiesPtr {
    let pairs = metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    Arc::new(properties(format).set_key_value_metadata(Some(pairs)).build())
}

/// Chooses a column's encoding by its first values. Times and numbers that hardly repeat are stored as differences; text
/// that hardly repeats as lengths and bytes; all else with a dictionary.
fn encode_column(builder: WriterPropertiesBuilder, name: &str, array: &ArrayRef) -> WriterPropertiesBuilder {
    let path = || ColumnPath::from(name);
    match array.data_type() {
        DataType::Timestamp(..) => {
            builder.set_column_dictionary_enabled(path(), false).set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED)
        }
        DataType::Utf8View if hardly_repeats(array.as_string_view().iter().flatten()) => {
            builder.set_column_dictionary_enabled(path(), false).set_column_encoding(path(), Encoding::DELTA_BYTE_ARRAY)
        }
        DataType::Int64 if hardly_repeats(array.as_primitive::<arrow::array::types::Int64Type>().iter().flatten()) => {
            builder.set_column_dictionary_enabled(path(), false).set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED)
        }
        _ => builder,
    }
}

/// Whether more than two thirds of the first values are different ones: then a dictionary is as long as the values.
fn hardly_repeats<T: std::hash::Hash + Eq>(values: impl Iterator<Item = T>) -> bool {
    const SAMPLE: usize = 2048;
    let mut distinct = HashSet::with_capacity(SAMPLE);
    let mut seen = 0;
    for value in values.take(SAMPLE) {
        seen += 1;
        distinct.insert(value);
    }
    seen >= 64 && distinct.len() * 3 > seen * 2
}
