//! One pass over all units: workers read and decode them.

use super::accounting::UnitTally;
use super::gate::Gate;
use super::options::ConvertOptions;
use super::unit::{Feeder, Unit, UnitInput};
use super::unit_streams::Piece;
use crate::decode::{Decoder, Reject, parts};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Block, BlockReader, Content, RowGroup, Source, Table};
use crate::progress::Progress;
use arrow::record_batch::RecordBatch;
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

    /// Is told of values that were read without all their digits.
    fn cut_off(&mut self, _column: &str, _values: u64) {}

    /// What is ready for the files, where it is too much to be held until the unit ends.
    fn ready(&mut self) -> Vec<Piece>;

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
        let feeder = Feeder::new(self.table, self.options.format.kind, self.projection.as_deref());
        std::thread::scope(|scope| {
            for number in 0..self.options.threads.max(1) {
                let spawned = std::thread::Builder::new().spawn_scoped(scope, || {
                    if let Err(error) = self.work(&feeder, gate, work) {
                        gate.fail(error);
                    }
                });
                // Where the system gives no more threads, those that are there do the work.
                match spawned {
                    Err(error) if number == 0 => gate.fail(Error::new(ErrorKind::Internal, "can't start a thread").with_source(error)),
                    Err(_) => break,
                    Ok(_) => {}
                }
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
            (UnitInput::RowGroup { file, footer, index, stored }, _) => {
                let (schema, projection) = (self.table.format.schema(), self.projection.as_deref());
                let mut group = match file {
                    Some(file) => RowGroup::of(file, source, footer, *index, &schema, projection)?,
                    None => RowGroup::open(source, footer, *index, &schema, projection)?,
                };
                for batch in group.by_ref() {
                    let batch = batch.map_err(|e| source.blamed(e))?;
                    if cancelled() {
                        return Ok(());
                    }
                    tally.tally.lines += batch.num_rows() as u64;
                    tally.tally.text_lines += batch.num_rows() as u64;
                    tally.tally.rows += batch.num_rows() as u64;
                    tally.tally.decoded += batch.get_array_memory_size() as u64;
                    rows.add(&batch).map_err(|e| e.with_context("in", format!("{}, row group {index}", source.path)))?;
                    advance(gate, unit, tally, rows)?;
                }
                group.cut_off().for_each(|(column, values)| rows.cut_off(column, values));
                tally.tally.stored += stored;
                self.progress.advance(*stored);
                Ok(())
            }
            (UnitInput::Range { start, end }, Some(decoder)) => {
                decoder.arrange(source.layout.as_ref());
                let mut reader = BlockReader::range(source, *start, *end)?;
                while let Some(block) = reader.next_block()? {
                    if cancelled() {
                        return Ok(());
                    }
                    decode(&block, source, decoder, tally, gate, unit, rows)?;
                    self.progress.advance(block.length());
                }
                // What a unit reads at its seams is its neighbour's, so the range's length is what counts.
                tally.tally.stored += end - start;
                Ok(())
            }
            (UnitInput::Blocks { blocks, stored }, Some(decoder)) => {
                decoder.arrange(source.layout.as_ref());
                for block in blocks {
                    if cancelled() {
                        return Ok(());
                    }
                    decode(block, source, decoder, tally, gate, unit, rows)?;
                }
                tally.tally.stored += stored;
                self.progress.advance(*stored);
                Ok(())
            }
            (_, None) => Err(Error::new(ErrorKind::Internal, "blocks of a format without a decoder")),
        }
    }
}

/// Decodes a block and hands its rows on.
fn decode(
    block: &Block,
    source: &Source,
    decoder: &mut dyn Decoder,
    tally: &mut UnitTally,
    gate: &Gate<'_>,
    unit: &Unit,
    rows: &mut dyn UnitWork,
) -> Result<()> {
    tally.tally.text_lines += block.skipped;
    let bytes = match &block.content {
        Content::Records(bytes) => bytes,
        Content::LongLine { head, length } => {
            let (raw, line) = (head.clone(), tally.tally.text_lines);
            let reason = "longer than the 16 MiB that a line may have".into();
            tally.rejects.add(Reject { line, offset: block.offset, reason, raw, length: *length }, gate.keep());
            tally.tally.lines += 1;
            tally.tally.text_lines += 1;
            tally.tally.rejects += 1;
            tally.tally.decoded += block.passed + length;
            return advance(gate, unit, tally, rows);
        }
    };
    let (before, keep) = (tally.tally.text_lines, gate.keep());
    decoder.head(block.heading.as_ref());
    for decoded in parts(decoder, bytes) {
        let decoded = decoded?;
        tally.tally.rejects += decoded.rejects.len() as u64;
        for mut reject in decoded.rejects {
            reject.line += before;
            reject.offset += block.offset;
            tally.rejects.add(reject, keep);
        }
        decoded.mismatches.iter().for_each(|(column, values)| *tally.mismatches.entry(*column).or_default() += values);
        tally.tally.lines += decoded.lines;
        tally.tally.text_lines += decoded.text_lines;
        tally.tally.blank += decoded.blank;
        tally.tally.repaired += decoded.repaired;
        tally.tally.rows += decoded.batch.num_rows() as u64;
        if decoded.batch.num_rows() > 0 {
            let place = || format!("{}, in the {} bytes from byte {} on", source.path, bytes.len(), block.offset);
            rows.add(&decoded.batch).map_err(|e| e.with_context("in", place()))?;
        }
        advance(gate, unit, tally, rows)?;
        if gate.stopped() {
            break;
        }
    }
    tally.tally.decoded += block.length();
    Ok(())
}

/// Hands on what is too much to be held until the unit ends.
fn advance(gate: &Gate<'_>, unit: &Unit, tally: &mut UnitTally, rows: &mut dyn UnitWork) -> Result<()> {
    let pieces = rows.ready();
    if pieces.is_empty() && !tally.rejects.is_full() {
        return Ok(());
    }
    gate.advance(unit.index, unit.source, tally.rejects.take(), pieces)
}
