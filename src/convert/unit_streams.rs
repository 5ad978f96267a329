//! The output of one unit: its rows, by partition and by file, encoded.

use super::cuts::Cuts;
use crate::error::Result;
use crate::output::{FileFormat, Losses, Segment, SegmentEncoder, encoder};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use std::collections::HashMap;
use std::sync::Arc;

/// Part of an output file, or all of it.
#[derive(Debug)]
pub(super) struct Piece {
    /// The partition's folder.
    pub folder: Arc<str>,
    /// The file in the partition; nothing where that is decided by size, in the order of the units.
    pub file: Option<u64>,
    pub segment: Segment,
    /// The segment is the whole file.
    pub whole: bool,
}

/// Encodes the rows of units, one unit after the other.
pub(super) struct UnitStreams {
    /// The partitions of the unit at hand, in the order of their first rows.
    streams: Vec<Stream>,
    by_folder: HashMap<Arc<str>, usize>,
    encoder: Box<dyn SegmentEncoder>,
    /// How many columns there are.
    columns: usize,
    /// Values of rows that wait in all partitions.
    waiting: usize,
}

/// Where files are cut by size, it is looked at after each so many rows, wherever batches end: the same rows give the same files.
const SIZE_CHECK: u64 = 1024;
/// Of many columns it is looked at after about so many values.
const SIZE_CHECK_VALUES: usize = 1 << 20;

/// A segment ends, wherever its file does, with so many bytes or values: short lines of many columns become many times as large.
const SEGMENT_BYTES: usize = 32 << 20;
const SEGMENT_VALUES: u64 = 32 << 20;
/// So many values may wait for their partition's turn.
const WAITING_VALUES: usize = 8 << 20;
/// What an array takes besides its values, in values.
const ARRAY: usize = 16;

/// The rows of one partition.
struct Stream {
    folder: Arc<str>,
    cuts: Cuts,
    /// The number in the partition of the next row to be encoded.
    row: u64,
    /// The number of the first row in the segment at hand.
    segment_start: u64,
    /// Rows that wait for the unit's end: of many partitions one is encoded after the other, so that one encoder is enough.
    waiting: Vec<RecordBatch>,
}

impl UnitStreams {
    /// # Errors
    /// Where the format can't hold the columns.
    pub(super) fn new(format: FileFormat, schema: SchemaRef) -> Result<Self> {
        let columns = schema.fields().len().max(1);
        let encoder = encoder(format, schema)?;
        Ok(UnitStreams { streams: Vec::new(), by_folder: HashMap::new(), encoder, columns, waiting: 0 })
    }

    /// Adds rows of the partition `folder`. `start` gives the partition's cuts and the number of the unit's first row in it; whole
    /// pieces are handed to `done` as they are ready.
    pub(super) fn add(
        &mut self,
        folder: &Arc<str>,
        batch: RecordBatch,
        start: impl FnOnce() -> (Cuts, u64),
        done: &mut dyn FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        let index = match self.by_folder.get(folder) {
            Some(index) => *index,
            None => {
                let (cuts, row) = start();
                self.streams.push(Stream { folder: folder.clone(), cuts, row, segment_start: row, waiting: Vec::new() });
                self.by_folder.insert(folder.clone(), self.streams.len() - 1);
                self.streams.len() - 1
            }
        };
        let stream = &mut self.streams[index];
        if folder.is_empty() {
            // There is only one: its rows are encoded while they are in the cache.
            return stream.encode(&batch, self.columns, self.encoder.as_mut(), done);
        }
        self.waiting += (batch.num_rows() + ARRAY) * self.columns;
        stream.waiting.push(batch);
        if self.waiting > WAITING_VALUES { self.encode_waiting(done) } else { Ok(()) }
    }

    /// What was lost of values since it was asked last.
    pub(super) fn losses(&mut self) -> Losses {
        self.encoder.losses()
    }

    /// Ends the unit.
    pub(super) fn finish(&mut self, done: &mut dyn FnMut(Piece) -> Result<()>) -> Result<()> {
        self.encode_waiting(done)?;
        self.by_folder.clear();
        self.streams.clear();
        Ok(())
    }

    /// Encodes what waits, one partition after the other.
    fn encode_waiting(&mut self, done: &mut dyn FnMut(Piece) -> Result<()>) -> Result<()> {
        self.waiting = 0;
        for stream in &mut self.streams {
            for batch in std::mem::take(&mut stream.waiting) {
                stream.encode(&batch, self.columns, self.encoder.as_mut(), done)?;
            }
            if stream.row > stream.segment_start {
                done(stream.end_segment(self.encoder.as_mut())?)?;
            }
        }
        Ok(())
    }
}

impl Stream {
    fn encode(
        &mut self,
        batch: &RecordBatch,
        columns: usize,
        encoder: &mut dyn SegmentEncoder,
        done: &mut dyn FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        let check = SIZE_CHECK.min((SIZE_CHECK_VALUES / columns) as u64).max(1);
        let mut at = 0;
        while at < batch.num_rows() {
            let left = (batch.num_rows() - at) as u64;
            let (taken, ends) = match self.cuts.file(self.row) {
                Some((_, rows)) => (left.min(rows.end - self.row), self.row + left >= rows.end),
                None if self.cuts == Cuts::Size(None) => (left, false),
                None => (left.min(check - self.row % check), false),
            };
            // Slices are cheap, but not free: most batches are taken whole.
            if taken as usize == batch.num_rows() {
                encoder.write(batch)?;
            } else {
                encoder.write(&batch.slice(at, taken as usize))?;
            }
            at += taken as usize;
            self.row += taken;
            let full = match self.cuts {
                Cuts::Size(Some(target)) if self.row.is_multiple_of(check) => {
                    encoder.size() as u64 >= (target / 8).clamp(64 << 10, 16 << 20)
                }
                Cuts::Size(Some(_)) => false,
                _ => encoder.size() >= SEGMENT_BYTES,
            };
            let full = full || (self.row - self.segment_start) * columns as u64 >= SEGMENT_VALUES;
            if ends || full {
                done(self.end_segment(encoder)?)?;
            }
        }
        Ok(())
    }

    fn end_segment(&mut self, encoder: &mut dyn SegmentEncoder) -> Result<Piece> {
        let segment = encoder.finish()?;
        let place = self.cuts.file(self.segment_start);
        let whole = place.as_ref().is_some_and(|(_, rows)| rows.start == self.segment_start && rows.end == self.row);
        self.segment_start = self.row;
        Ok(Piece { folder: self.folder.clone(), file: place.map(|(file, _)| file), segment, whole })
    }
}
