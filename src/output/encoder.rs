//! Encodes the rows of a segment.

use super::csv::CsvRows;
use super::deflate::Deflater;
use super::format::{Codec, FileFormat, Kind};
use super::json::JsonRows;
use super::parquet::{EncodedColumn, RowGroups};
use crate::error::Result;
use arrow::datatypes::SchemaRef;
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
}

/// An encoder for files of `format` with the columns of `schema`.
///
/// # Errors
/// Where the format can't hold the columns.
pub fn encoder(format: FileFormat, schema: SchemaRef) -> Result<Box<dyn SegmentEncoder>> {
    let rows = match format.kind {
        Kind::Parquet => return Ok(Box::new(RowGroups::new(format, schema)?)),
        Kind::Csv => TextRows::Csv(CsvRows::new(&schema, format.dialect)?),
        Kind::Json => TextRows::Json(JsonRows::new(&schema)),
    };
    let deflater = match format.codec {
        Codec::Gzip(level) => Some(Deflater::new(level)),
        _ => None,
    };
    Ok(Box::new(TextEncoder { rows, deflater, text: Vec::new(), deflated: Vec::new(), crc: Crc::new(), count: 0 }))
}

#[derive(Debug)]
enum TextRows {
    Csv(CsvRows),
    Json(JsonRows),
}

/// Segments of CSV or JSON lines.
#[derive(Debug)]
struct TextEncoder {
    rows: TextRows,
    deflater: Option<Deflater>,
    /// Text not yet deflated.
    text: Vec<u8>,
    deflated: Vec<u8>,
    crc: Crc,
    count: u64,
}

/// How much text is deflated at once: more than the window of 32 KiB many times over, so that the cuts cost nothing.
const PIECE: usize = 2 << 20;

impl TextEncoder {
    /// Deflates the first `length` bytes of the text.
    fn deflate(&mut self, length: usize) {
        if let Some(deflater) = &mut self.deflater {
            self.crc.update(&self.text[..length]);
            deflater.deflate(&self.text[..length], &mut self.deflated);
            self.text.drain(..length);
        }
    }
}

impl SegmentEncoder for TextEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.rows {
            TextRows::Csv(rows) => rows.write(batch, &mut self.text)?,
            TextRows::Json(rows) => rows.write(batch, &mut self.text)?,
        }
        self.count += batch.num_rows() as u64;
        // Pieces are cut by bytes, wherever batches end: the same rows give the same file.
        while self.deflater.is_some() && self.text.len() >= PIECE {
            self.deflate(PIECE);
        }
        Ok(())
    }

    fn size(&self) -> usize {
        match self.deflater {
            // Text that is yet to be deflated counts as a tenth, which is what logs come to.
            Some(_) => self.deflated.len() + self.text.len() / 10,
            None => self.text.len(),
        }
    }

    fn finish(&mut self) -> Result<Segment> {
        if !self.text.is_empty() {
            self.deflate(self.text.len());
        }
        let (bytes, crc) = match self.deflater {
            Some(_) => {
                // One long line must not leave its buffer behind.
                self.text.shrink_to(4 * PIECE);
                (std::mem::take(&mut self.deflated), Some(std::mem::replace(&mut self.crc, Crc::new())))
            }
            None => (std::mem::take(&mut self.text), None),
        };
        Ok(Segment { rows: std::mem::take(&mut self.count), payload: Payload::Text { bytes, crc } })
    }
}
