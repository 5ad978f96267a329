//! The output of one unit: its rows, by partition and by file, encoded.

use super::cuts::Cuts;
use crate::error::Result;
use crate::output::{FileFormat, Segment, SegmentEncoder, encoder};
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
    format: FileFormat,
    schema: SchemaRef,
    /// The partitions of the unit at hand, in the order of their first rows.
    streams: Vec<Stream>,
    by_folder: HashMap<Arc<str>, usize>,
    /// Encoders that can be used again.
    idle: Vec<Box<dyn SegmentEncoder>>,
}

/// Where files are cut by size, it is looked at after each so many rows, wherever batches end: the same rows give the same files.
const SIZE_CHECK: u64 = 4096;

struct Stream {
    folder: Arc<str>,
    cuts: Cuts,
    /// The number in the partition of the next row.
    row: u64,
    /// The number of the first row in `encoder`.
    segment_start: u64,
    encoder: Box<dyn SegmentEncoder>,
}

impl UnitStreams {
    pub(super) fn new(format: FileFormat, schema: SchemaRef) -> Self {
        UnitStreams { format, schema, streams: Vec::new(), by_folder: HashMap::new(), idle: Vec::new() }
    }

    /// Adds rows of the partition `folder`. `start` gives the partition's cuts and the number of the unit's first row in it; whole
    /// pieces are handed to `done` as they are ready.
    pub(super) fn add(
        &mut self,
        folder: &Arc<str>,
        batch: &RecordBatch,
        start: impl FnOnce() -> (Cuts, u64),
        done: &mut dyn FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        let index = match self.by_folder.get(folder) {
            Some(index) => *index,
            None => {
                let (cuts, row) = start();
                let encoder = match self.idle.pop() {
                    Some(encoder) => encoder,
                    None => encoder(self.format, self.schema.clone())?,
                };
                self.streams.push(Stream { folder: folder.clone(), cuts, row, segment_start: row, encoder });
                self.by_folder.insert(folder.clone(), self.streams.len() - 1);
                self.streams.len() - 1
            }
        };
        self.streams[index].add(batch, done)
    }

    /// Ends the unit.
    pub(super) fn finish(&mut self, done: &mut dyn FnMut(Piece) -> Result<()>) -> Result<()> {
        self.by_folder.clear();
        for mut stream in self.streams.drain(..) {
            if stream.row > stream.segment_start {
                done(stream.end_segment()?)?;
            }
            self.idle.push(stream.encoder);
        }
        Ok(())
    }
}

impl Stream {
    fn add(&mut self, batch: &RecordBatch, done: &mut dyn FnMut(Piece) -> Result<()>) -> Result<()> {
        let mut at = 0;
        while at < batch.num_rows() {
            let left = (batch.num_rows() - at) as u64;
            let (taken, ends) = match self.cuts.file(self.row) {
                Some((_, rows)) => (left.min(rows.end - self.row), self.row + left >= rows.end),
                None if self.cuts == Cuts::Size(None) => (left, false),
                None => (left.min(SIZE_CHECK - self.row % SIZE_CHECK), false),
            };
            // Slices are cheap, but not free: most batches are taken whole.
            if taken as usize == batch.num_rows() {
                self.encoder.write(batch)?;
            } else {
                self.encoder.write(&batch.slice(at, taken as usize))?;
            }
            at += taken as usize;
            self.row += taken;
            let full =
                matches!(self.cuts, Cuts::Size(Some(target)) if self.encoder.size() as u64 >= (target / 8).clamp(64 << 10, 16 << 20));
            if ends || full {
                done(self.end_segment()?)?;
            }
        }
        Ok(())
    }

    fn end_segment(&mut self) -> Result<Piece> {
        let segment = self.encoder.finish()?;
        let place = self.cuts.file(self.segment_start);
        let whole = place.as_ref().is_some_and(|(_, rows)| rows.start == self.segment_start && rows.end == self.row);
        self.segment_start = self.row;
        Ok(Piece { folder: self.folder.clone(), file: place.map(|(file, _)| file), segment, whole })
    }
}
