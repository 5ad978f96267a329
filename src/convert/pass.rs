//! One pass over all units: workers read and decode them.

use super::accounting::UnitTally;
use super::gate::Gate;
use super::options::ConvertOptions;
use super::unit::{Feeder, Unit, UnitInput};
use super::unit_streams::Piece;
use crate::decode::{Decoder, Reject};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Block, BlockReader, Content, Table};
use crate::progress::Progress;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::sync::atomic::Ordering;

/// What is done with the rows of the units.
pub(super) trait Work: Sync {
    /// Begins a unit.
    fn begin(&self, unit: u64) -> Result<Box<dyn UnitWork + '_>>;
}

/// What is done with the rows of one unit.
pub(super) trait UnitWork {
    /// Takes rows, in order.
    fn add(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Ends the unit; gives what is left for the files.
    fn end(self: Box<Self>) -> Result<Vec<Piece>>;
}

/// One pass over all units.
pub(super) struct Pass<'a> {
    pub(super) options: &'a ConvertOptions,
    pub(super) table: &'a Table,
    pub(super) projection: Option<Vec<usize>>,
    pub(super) progress: &'a dyn Progress,
}

impl Pass<'_> {
    /// Runs the units on the threads, through the gate.
    ///
    /// # Errors
    /// The first of any thread; the others stop then.
    pub(super) fn run(&self, work: &dyn Work, gate: &Gate<'_>) -> Result<()> {
        let feeder = Feeder::new(self.table, self.options.format.kind);
        std::thread::scope(|scope| {
            for _ in 0..self.options.threads.max(1) {
                scope.spawn(|| {
                    if let Err(error) = self.work(&feeder, gate, work) {
                        gate.fail(error);
                    }
                });
            }
        });
        gate.outcome()
    }

    fn work(&self, feeder: &Feeder<'_>, gate: &Gate<'_>, work: &dyn Work) -> Result<()> {
        let mut decoder = self.table.format.decoder(self.projection.clone());
        while !gate.stopped() {
            let Some(unit) = feeder.next()? else { break };
            let mut rows = work.begin(unit.index)?;
            let mut tally = UnitTally::default();
            self.read(&unit, decoder.as_deref_mut(), &mut tally, gate, rows.as_mut())?;
            if gate.stopped() || self.options.cancel.load(Ordering::Relaxed) {
                break;
            }
            let pieces = rows.end()?;
            gate.pass(unit.index, unit.source, tally, pieces)?;
        }
        Ok(())
    }

    fn read(
        &self,
        unit: &Unit,
        decoder: Option<&mut (dyn Decoder + 'static)>,
        tally: &mut UnitTally,
        gate: &Gate<'_>,
        rows: &mut dyn UnitWork,
    ) -> Result<()> {
        let source = &self.table.sources[unit.source];
        let cancelled = || gate.stopped() || self.options.cancel.load(Ordering::Relaxed);
        match (&unit.input, decoder) {
            (UnitInput::RowGroup { index, stored }, _) => {
                let Some(file) = source.open_file()? else { return Ok(()) };
                let damaged = |e: &dyn std::fmt::Display| {
                    Error::new(ErrorKind::Input, format!("row group {index} of {} is damaged: {e}", source.path))
                };
                let options = ArrowReaderOptions::new().with_schema(self.table.format.schema());
                let metadata = ArrowReaderMetadata::load(&file, options).map_err(|e| damaged(&e))?;
                let mut builder =
                    ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_row_groups(vec![*index]).with_batch_size(8192);
                if let Some(columns) = &self.projection {
                    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
                    builder = builder.with_projection(mask);
                }
                for batch in builder.build().map_err(|e| damaged(&e))? {
                    let batch = batch.map_err(|e| damaged(&e))?;
                    if cancelled() {
                        return Ok(());
                    }
                    tally.tally.lines += batch.num_rows() as u64;
                    tally.tally.rows += batch.num_rows() as u64;
                    tally.tally.decoded += batch.get_array_memory_size() as u64;
                    rows.add(&batch)?;
                }
                tally.tally.stored += stored;
                self.progress.advance(*stored);
                Ok(())
            }
            (UnitInput::Range { start, end }, Some(decoder)) => {
                let Some(file) = source.open_file()? else { return Ok(()) };
                let mut reader = BlockReader::range(file, &source.path, *start, *end)?;
                while let Some(block) = reader.next_block()? {
                    if cancelled() {
                        return Ok(());
                    }
                    let bytes = decode(&block, decoder, tally, rows)?;
                    self.progress.advance(bytes);
                }
                // What a unit reads at its seams is its neighbour's, so the range's length is what counts.
                tally.tally.stored += end - start;
                Ok(())
            }
            (UnitInput::Blocks { blocks, stored }, Some(decoder)) => {
                for block in blocks {
                    if cancelled() {
                        return Ok(());
                    }
                    decode(block, decoder, tally, rows)?;
                }
                tally.tally.stored += stored;
                self.progress.advance(*stored);
                Ok(())
            }
            (_, None) => Err(Error::new(ErrorKind::Internal, "blocks of a format without a decoder")),
        }
    }
}

/// Decodes a block and hands its rows on; gives its length in bytes.
fn decode(block: &Block, decoder: &mut dyn Decoder, unit: &mut UnitTally, rows: &mut dyn UnitWork) -> Result<u64> {
    let tally = &mut unit.tally;
    let bytes = match &block.content {
        Content::Records(bytes) => bytes,
        Content::LongLine { head, length } => {
            let raw = head.clone();
            let reason = "longer than the 16 MiB that a line may have".into();
            unit.rejects.push(Reject { line: tally.lines, offset: block.offset, reason, raw, length: *length });
            tally.lines += 1;
            tally.rejects += 1;
            tally.decoded += length;
            return Ok(*length);
        }
    };
    let decoded = decoder.decode(bytes)?;
    for mut reject in decoded.rejects {
        // Without a copy each reject would keep its whole block in memory.
        reject.raw = reject.raw.to_vec().into();
        reject.line += tally.lines;
        reject.offset += block.offset;
        unit.rejects.push(reject);
        tally.rejects += 1;
    }
    tally.lines += decoded.lines;
    tally.blank += decoded.blank;
    tally.rows += decoded.batch.num_rows() as u64;
    tally.decoded += bytes.len() as u64;
    if decoded.batch.num_rows() > 0 {
        rows.add(&decoded.batch)?;
    }
    Ok(bytes.len() as u64)
}
