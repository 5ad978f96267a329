//! Encodes the rows of a segment.

use super::csv::CsvFields;
use super::deflate::Deflater;
use super::fields::FieldRows;
use super::format::{Codec, FileFormat, Kind};
use super::json::JsonRows;
use super::losses::Losses;
use super::parquet::RowGroups;
use super::segment::{Payload, Segment, SegmentEncoder};
use super::tsv::TsvFields;
use crate::error::Result;
use crate::schema::fit::{self, Place};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use flate2::Crc;

/// Whether files of `format` can have the columns of `schema`.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) that names the column that they can't have, and what to do.
pub fn check(format: FileFormat, schema: &SchemaRef) -> Result<()> {
    let place = match format.kind {
        Kind::Parquet => Place::Parquet,
        Kind::Json => Place::Json,
        Kind::Csv => Place::Csv,
        Kind::Tsv => Place::Tsv,
    };
    fit::check(schema.fields().iter().map(AsRef::as_ref), place)
}

/// An encoder for files of `format` with the columns of `schema`.
///
/// # Errors
/// Where the format can't hold the columns.
pub fn encoder(format: FileFormat, schema: SchemaRef) -> Result<Box<dyn SegmentEncoder>> {
    check(format, &schema)?;
    let rows = match format.kind {
        Kind::Parquet => return Ok(Box::new(RowGroups::new(format, schema)?)),
        Kind::Csv => TextRows::Csv(FieldRows::new(CsvFields::new(format.dialect))),
        Kind::Tsv => TextRows::Tsv(FieldRows::new(TsvFields)),
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
    Csv(FieldRows<CsvFields>),
    Tsv(FieldRows<TsvFields>),
    Json(JsonRows),
}

/// Segments of CSV, TSV or JSON lines.
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
            TextRows::Tsv(rows) => rows.write(batch, &mut self.text)?,
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

    fn losses(&mut self) -> Losses {
        match &mut self.rows {
            TextRows::Csv(rows) => rows.losses(),
            TextRows::Tsv(rows) => rows.losses(),
            TextRows::Json(rows) => rows.losses(),
        }
    }
}
