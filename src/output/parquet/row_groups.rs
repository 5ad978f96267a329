//! Makes row groups.

use super::super::format::FileFormat;
use super::super::segment::{Payload, Segment, SegmentEncoder};
use super::chunk::{ChunkBuilder, page_rows};
use super::crate_column::{CrateColumns, LeafWriter};
use super::encoded_column::EncodedColumn;
use super::fault::failed;
use super::integer::IntegerEncoder;
use super::page_codec::PageCodec;
use super::properties::{compression, parquet_schema, properties};
use super::text::{STEP, TextEncoder};
use crate::error::Result;
use arrow::array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::file::writer::SerializedFileWriter;
use std::collections::HashSet;
use std::sync::Arc;

/// Makes row groups.
pub(crate) struct RowGroups {
    schema: SchemaRef,
    columns: Vec<ColumnEncoder>,
    codec: PageCodec,
    /// Makes the writers of the columns that are left to the crate.
    others: CrateColumns,
    rows: u64,
}

enum ColumnEncoder {
    Text(Box<TextEncoder>),
    Integer(Box<IntegerEncoder>),
    /// The writers of the column's leaves, in a row group that has begun; the first one's index among all leaves.
    Crate(Vec<LeafWriter>, std::ops::Range<usize>),
}

impl RowGroups {
    pub(crate) fn new(format: FileFormat, schema: SchemaRef) -> Result<RowGroups> {
        let descriptor = parquet_schema(&schema)?;
        let compression = compression(format);
        let mut columns = Vec::with_capacity(schema.fields().len());
        let mut leaf = 0;
        let page_rows = page_rows(descriptor.num_columns(), STEP);
        for (root, field) in schema.fields().iter().enumerate() {
            let first = leaf;
            while leaf < descriptor.num_columns() && descriptor.get_column_root_idx(leaf) == root {
                leaf += 1;
            }
            let chunk = || ChunkBuilder::new(descriptor.column(first), compression, page_rows);
            columns.push(match field.data_type() {
                DataType::Utf8View => ColumnEncoder::Text(Box::new(TextEncoder::new(chunk()))),
                DataType::Int32 | DataType::Int64 | DataType::Timestamp(TimeUnit::Millisecond, _) => {
                    ColumnEncoder::Integer(Box::new(IntegerEncoder::new(chunk())))
                }
                _ => ColumnEncoder::Crate(Vec::new(), first..leaf),
            });
        }
        let properties = Arc::new(properties(format).build());
        let writer = SerializedFileWriter::new(std::io::sink(), descriptor.root_schema_ptr(), properties).map_err(failed)?;
        let others = CrateColumns::new(ArrowRowGroupWriterFactory::new(&writer, schema.clone()));
        Ok(RowGroups { schema, columns, codec: PageCodec::new(format.codec)?, others, rows: 0 })
    }

    /// Begins a row group whose first rows are `batch`: they tell which columns a dictionary pays for.
    fn begin(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut writers = Vec::new();
        if self.columns.iter().any(|column| matches!(column, ColumnEncoder::Crate(..))) {
            writers = self.others.begin()?.into_iter().map(Some).collect();
        }
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            match column {
                ColumnEncoder::Text(encoder) => encoder.begin(repeats(array)),
                ColumnEncoder::Integer(encoder) => encoder.begin(repeats(array)),
                ColumnEncoder::Crate(own, leaves) => *own = writers[leaves.clone()].iter_mut().filter_map(Option::take).collect(),
            }
        }
        Ok(())
    }
}

impl SegmentEncoder for RowGroups {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.rows == 0 {
            self.begin(batch)?;
        }
        let (rows, codec) = (batch.num_rows(), &mut self.codec);
        for ((field, array), column) in self.schema.fields().iter().zip(batch.columns()).zip(&mut self.columns) {
            match column {
                ColumnEncoder::Text(encoder) => encoder.write(array.as_string_view(), codec)?,
                ColumnEncoder::Integer(encoder) => match array.data_type() {
                    DataType::Int32 => {
                        let values = array.as_primitive::<Int32Type>().values();
                        encoder.write(|row| i64::from(values[row]), array.nulls(), rows, codec)?;
                    }
                    DataType::Int64 => {
                        let values = array.as_primitive::<Int64Type>().values();
                        encoder.write(|row| values[row], array.nulls(), rows, codec)?;
                    }
                    _ => {
                        let values = array.as_primitive::<TimestampMillisecondType>().values();
                        encoder.write(|row| values[row], array.nulls(), rows, codec)?;
                    }
                },
                ColumnEncoder::Crate(writers, _) => {
                    for (leaf, writer) in compute_leaves(field, array).map_err(failed)?.iter().zip(writers) {
                        writer.write(leaf)?;
                    }
                }
            }
        }
        self.rows += rows as u64;
        Ok(())
    }

    fn size(&self) -> usize {
        let sizes = self.columns.iter().map(|column| match column {
            ColumnEncoder::Text(encoder) => encoder.size(),
            ColumnEncoder::Integer(encoder) => encoder.size(),
            ColumnEncoder::Crate(writers, _) => writers.iter().map(LeafWriter::size).sum(),
        });
        sizes.sum()
    }

    fn finish(&mut self) -> Result<Segment> {
        if self.rows == 0 {
            return Ok(Segment { rows: 0, payload: Payload::RowGroup(Vec::new()) });
        }
        let codec = &mut self.codec;
        let columns = self.columns.iter_mut().map(|column| {
            Ok(match column {
                ColumnEncoder::Text(encoder) => EncodedColumn(vec![encoder.finish(codec)?]),
                ColumnEncoder::Integer(encoder) => EncodedColumn(vec![encoder.finish(codec)?]),
                ColumnEncoder::Crate(writers, _) => EncodedColumn(writers.drain(..).map(LeafWriter::finish).collect::<Result<_>>()?),
            })
        });
        let payload = Payload::RowGroup(columns.collect::<Result<_>>()?);
        Ok(Segment { rows: std::mem::take(&mut self.rows), payload })
    }
}

/// Whether a dictionary pays, by a column's first values: not where more than two thirds of them are different ones, nor for
/// times, whose differences are small.
fn repeats(array: &ArrayRef) -> bool {
    // So few values tell nothing, and whatever is chosen is small.
    const ENOUGH: usize = 512;
    match array.data_type() {
        DataType::Timestamp(..) => false,
        _ if array.len() < ENOUGH => true,
        DataType::Int64 => repeat(array.as_primitive::<Int64Type>().iter().flatten()),
        DataType::Int32 => repeat(array.as_primitive::<Int32Type>().iter().flatten()),
        DataType::Utf8View => repeat(array.as_string_view().iter().flatten()),
        _ => true,
    }
}

fn repeat<T: std::hash::Hash + Eq>(values: impl Iterator<Item = T>) -> bool {
    const SAMPLE: usize = 2048;
    let mut distinct = HashSet::with_capacity(SAMPLE);
    let mut seen = 0;
    for value in values.take(SAMPLE) {
        seen += 1;
        distinct.insert(value);
    }
    distinct.len() * 3 <= seen * 2
}

#[cfg(test)]
mod tests {
    use super::super::super::format::Kind;
    use super::super::dictionary::Numbering;
    use super::*;
    use crate::tabular::CsvDialect;
    use arrow::array::{Float64Array, Int64Array, StringViewArray};

    /// The bytes of all columns, as a process writes them whose hashes have another key.
    fn written(batch: &RecordBatch, seed: u64) -> Vec<Vec<u8>> {
        let mut groups =
            RowGroups::new(FileFormat::new(Kind::Parquet, None, None, CsvDialect::default()).unwrap(), batch.schema()).unwrap();
        for column in &mut groups.columns {
            match column {
                ColumnEncoder::Text(encoder) => encoder.numbering = Numbering::of_another_process(seed),
                ColumnEncoder::Integer(encoder) => encoder.numbering = Numbering::of_another_process(seed),
                ColumnEncoder::Crate(..) => {}
            }
        }
        groups.write(batch).unwrap();
        let Payload::RowGroup(columns) = groups.finish().unwrap().payload else { panic!("rows are written") };
        columns.into_iter().flat_map(|column| column.0).map(|chunk| chunk.bytes.to_vec()).collect()
    }

    #[test]
    fn the_key_of_hashes_is_not_seen_in_what_is_written() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..30_000).map(|i| i * i % 700)));
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..30_000).map(|i| format!("/path/{}", i * 7 % 900))));
        let others: ArrayRef = Arc::new(Float64Array::from_iter_values((0..30_000).map(|i| f64::from(i % 100))));
        let batch = RecordBatch::try_from_iter([("number", numbers), ("text", texts), ("other", others)]).unwrap();
        let first = written(&batch, 1);
        assert_eq!(first.len(), 3);
        assert!((2..6).all(|seed| written(&batch, seed) == first));
    }
}
