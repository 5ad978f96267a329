//! Decodes pieces of logs, CSV, TSV and JSON lines into the columns that a query needs.

use super::partitions::Partitions;
use super::pieces::Piece;
use super::rejects::{RejectLog, Tally};
use crate::decode::parts;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Ahead, BlockReader, Content, ObjectReader, Place, Table};
use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::{RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter};
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{StreamExt, future, stream};
use std::sync::Arc;

/// Batches that a decoding thread may be ahead of who reads them.
const QUEUE: usize = 2;
/// Small files are decoded by one thread up to this size, in bytes: starting another takes longer than reading one.
const TOGETHER: u64 = 256 << 10;

/// A piece, and what reads it where that was begun.
type Begun = (Piece, Option<ObjectReader>);

/// What becomes of the rows of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    /// A step holds on to them, and to all the memory that they share with others.
    pub(super) kept: bool,
    /// So many come at once, at most.
    pub(super) most: usize,
}

/// One scan of a table, for some of its columns.
#[derive(Debug)]
pub(super) struct RawScan {
    table: Arc<Table>,
    partitions: Arc<Partitions>,
    /// The table's columns that the decoder fills, in the order of the output.
    decoded: Vec<usize>,
    /// Where each output column comes from.
    output: Vec<Column>,
    schema: SchemaRef,
    limit: Option<usize>,
    rejects: Arc<RejectLog>,
}

#[derive(Debug, Clone, Copy)]
enum Column {
    /// The next column of the decoder.
    Decoded,
    /// A partition column.
    Partition(usize),
}

impl RawScan {
    /// A scan for the columns at `indices`, of `schema`, of which no piece gives more than `limit` rows.
    pub(super) fn new(
        table: Arc<Table>,
        partitions: Arc<Partitions>,
        indices: Vec<usize>,
        schema: SchemaRef,
        limit: Option<usize>,
        rejects: Arc<RejectLog>,
    ) -> Self {
        let columns = table.format.schema().fields().len();
        let output = indices.iter().map(|i| if *i < columns { Column::Decoded } else { Column::Partition(i - columns) });
        let output = output.collect();
        let decoded = indices.into_iter().filter(|i| *i < columns).collect();
        RawScan { table, partitions, decoded, output, schema, limit, rejects }
    }

    /// A stream of `pieces`, of which `ahead` are decoded at a time.
    pub(super) fn partition(self: &Arc<Self>, pieces: Vec<Piece>, ahead: usize) -> Arc<RawPartition> {
        Arc::new(RawPartition { scan: self.clone(), pieces, ahead })
    }

    /// Decodes `pieces` one after the other on a thread of their own; the thread ends when nobody reads the stream any more.
    fn start(self: Arc<Self>, pieces: Vec<Begun>, rows: Rows) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStreamBuilder::new(self.schema.clone(), QUEUE);
        let sender = stream.tx();
        stream.spawn_blocking(move || {
            let mut given = 0;
            for (piece, begun) in pieces {
                let size = self.table.sources[piece.source].size;
                let last = piece.range.is_none_or(|(_, end)| size.is_none_or(|size| end >= size));
                let mut tally = Tally { last, ..Tally::default() };
                let mut is_read = true;
                let result = self.decode(piece, begun, rows.most, &mut tally, |batch| {
                    given += batch.num_rows();
                    let batch = if rows.kept { alone(batch) } else { Ok(batch) };
                    is_read = sender.blocking_send(batch).is_ok();
                    is_read
                });
                self.rejects.add(&self.table.sources[piece.source].path, piece.range.map_or(0, |(start, _)| start), tally);
                result.map_err(|e| DataFusionError::External(Box::new(e)))?;
                if !is_read || self.limit.is_some_and(|limit| given >= limit) {
                    break;
                }
            }
            Ok(())
        });
        stream.build()
    }

    /// Decodes `piece` and gives its batches to `send`, until that says that no more are wanted.
    fn decode(
        &self,
        piece: Piece,
        begun: Option<ObjectReader>,
        most: usize,
        tally: &mut Tally,
        mut send: impl FnMut(RecordBatch) -> bool,
    ) -> Result<()> {
        let source = &self.table.sources[piece.source];
        let internal = || Error::new(ErrorKind::Internal, format!("{} was scanned as text but is none", source.path));
        let framing = self.table.format.framing().ok_or_else(internal)?;
        let mut decoder = self.table.format.decoder(Some(self.decoded.clone())).ok_or_else(internal)?;
        decoder.arrange(source.layout.as_ref());
        let mut reader = match (piece.range, begun) {
            (None, None) => BlockReader::open(source, framing)?,
            (None, Some(raw)) => BlockReader::begun(Box::new(raw), source, framing)?,
            (Some((start, end)), None) => BlockReader::range(source, start, end)?,
            (Some((start, end)), Some(raw)) => BlockReader::begun_range(Box::new(raw), source, start, end),
        };
        let mut rows = 0;
        // Only the piece that begins the file has them.
        let mut header = if piece.range.is_none_or(|(start, _)| start == 0) { self.table.format.header_lines() } else { 0 };
        while let Some(block) = reader.next_block()? {
            tally.lines += block.skipped;
            decoder.head(block.heading.as_ref());
            let bytes = match block.content {
                Content::Records(bytes) => bytes,
                Content::LongLine { .. } => {
                    tally.long_line(block.offset);
                    continue;
                }
            };
            let bytes = behind_header(bytes, &mut header, &mut tally.lines);
            let before = tally.lines;
            for decoded in parts(decoder.as_mut(), &bytes) {
                let decoded = decoded?;
                decoded.rejects.iter().for_each(|reject| tally.reject(reject, before, block.offset));
                tally.lines += decoded.text_lines;
                tally.rows += decoded.batch.num_rows() as u64;
                if self.table.format.makes_nulls() {
                    decoded
                        .mismatches
                        .iter()
                        .for_each(|(column, values)| tally.nulls(self.table.format.schema().field(*column).name(), *values));
                }
                let batch = self.with_partitions(decoded.batch, piece.source)?;
                let mut start = 0;
                while start < batch.num_rows() {
                    let slice = batch.slice(start, most.min(batch.num_rows() - start));
                    start += slice.num_rows();
                    if !send(slice) {
                        return Ok(());
                    }
                }
                rows += batch.num_rows();
                if self.limit.is_some_and(|limit| rows >= limit) {
                    return Ok(());
                }
            }
        }
        tally.end = piece.range.map(|(_, end)| end);
        tally.whole = true;
        Ok(())
    }

    /// Puts the partition columns of `source` between the decoded ones.
    fn with_partitions(&self, batch: RecordBatch, source: usize) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let mut decoded = batch.columns().iter();
        let failed = |e: DataFusionError| Error::new(ErrorKind::Internal, "a partition's value can't be a column").with_source(e);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.output.len());
        for column in &self.output {
            columns.extend(match column {
                Column::Decoded => decoded.next().cloned(),
                Column::Partition(index) => Some(self.partitions.value(*index, source).to_array_of_size(rows).map_err(failed)?),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }
}

/// `bytes` without the lines of a file's header, of which `left` are still to come.
fn behind_header(mut bytes: Bytes, left: &mut u64, lines: &mut u64) -> Bytes {
    while *left > 0 && !bytes.is_empty() {
        let end = memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1);
        bytes = bytes.slice(end..);
        *left -= 1;
        *lines += 1;
    }
    bytes
}

/// The rows without the block that they were decoded from: whoever holds a few would hold all of it.
fn alone(batch: RecordBatch) -> datafusion::common::Result<RecordBatch> {
    let rows = UInt32Array::from_iter_values(0..u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
    let copied = |column: &ArrayRef| -> Result<ArrayRef, ArrowError> {
        match column.data_type() {
            DataType::Utf8View => Ok(Arc::new(column.as_string_view().gc())),
            DataType::BinaryView => Ok(Arc::new(column.as_binary_view().gc())),
            _ => take(column, &rows, None),
        }
    };
    let columns = batch.columns().iter().map(copied).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}

/// Pieces that are read one after the other.
#[derive(Debug)]
pub(super) struct RawPartition {
    scan: Arc<RawScan>,
    pieces: Vec<Piece>,
    ahead: usize,
}

impl PartitionStream for RawPartition {
    fn schema(&self) -> &SchemaRef {
        &self.scan.schema
    }

    fn execute(&self, task: Arc<TaskContext>) -> SendableRecordBatchStream {
        let scan = self.scan.clone();
        let config = task.session_config();
        let kept = config.get_extension::<Rows>().is_some_and(|rows| rows.kept);
        let rows = Rows { kept, most: config.batch_size().max(1) };
        // A piece starts to decode as soon as it is among the next ones, and waits with its first batches for its turn.
        let mut pieces = self.pieces.clone().into_iter().peekable();
        let (mut ahead, table) = (Ahead::default(), scan.table.clone());
        let begun = std::iter::from_fn(move || {
            ahead.next(|| {
                let piece = pieces.next()?;
                let range = piece.range.map(|(start, end)| (BlockReader::first_byte(start), end));
                let begun = table.sources[piece.source].begin(range);
                let (bytes, reader) = begun.map_or((0, None), |(bytes, reader)| (bytes, Some(reader)));
                let (mut size, mut together) = (piece.size, vec![(piece, reader)]);
                let is_file = |piece: &Piece| matches!(table.sources[piece.source].place, Place::File(_));
                while is_file(&piece)
                    && let Some(next) = pieces.next_if(|next| is_file(next) && size + next.size <= TOGETHER)
                {
                    size += next.size;
                    together.push((next, None));
                }
                Some((bytes, together))
            })
        });
        let started = stream::iter(begun).map(move |pieces| future::ready(scan.clone().start(pieces, rows)));
        let rows = started.buffered(self.ahead.max(1)).flatten();
        Box::pin(RecordBatchStreamAdapter::new(self.scan.schema.clone(), rows)) as SendableRecordBatchStream
    }
}
