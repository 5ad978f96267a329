//! Segments: rows that one worker encodes on its own.

use super::losses::Losses;
use super::parquet::EncodedColumn;
use crate::error::Result;
use arrow::record_batch::RecordBatch;
use flate2::Crc;

/// A run of rows, encoded.
#[derive(Debug)]
pub struct Segment {
    pub rows: u64,
    pub payload: Payload,
}

impl Segment {
    /// About how many bytes it takes in memory.
    pub fn size(&self) -> usize {
        match &self.payload {
            Payload::Text { bytes, .. } => bytes.len(),
            Payload::RowGroup(columns) => columns.iter().map(EncodedColumn::size).sum(),
        }
    }
}

/// The encoded rows.
#[derive(Debug)]
pub enum Payload {
    /// Text as it goes into the file, with the checksum of the plain text where it is deflated.
    Text { bytes: Vec<u8>, crc: Option<Crc> },
    /// A row group of Parquet: its columns.
    RowGroup(Vec<EncodedColumn>),
}

/// Encodes rows into segments. Used by one worker.
pub trait SegmentEncoder: Send {
    /// Adds rows to the segment at hand.
    ///
    /// # Errors
    /// Where a value has no place in the format.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// About how many bytes the segment at hand will have.
    fn size(&self) -> usize;

    /// Ends the segment at hand and begins another.
    ///
    /// # Errors
    /// Where the encoder fails.
    fn finish(&mut self) -> Result<Segment>;

    /// What was lost of values since it was asked last.
    fn losses(&mut self) -> Losses {
        Losses::default()
    }
}
