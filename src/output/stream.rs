//! Batches to one sink: what a query's result goes through.

use super::encoder::{check, encoder};
use super::format::{Codec, FileFormat, Kind};
use super::losses::Losses;
use super::part_file::PartFile;
use super::segment::SegmentEncoder;
use super::written::Written;
use crate::error::Result;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use std::io::Write;

/// Takes batches and writes them as a file.
pub trait BatchWriter {
    /// Writes the rows of a batch.
    ///
    /// # Errors
    /// Where the sink or the format refuses them.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Writes what ends the file, without which it is not whole; gives what was lost of values.
    ///
    /// # Errors
    /// Where the sink refuses it.
    fn finish(self: Box<Self>) -> Result<Losses>;
}

/// A writer of one file of `format` on `out`.
///
/// # Errors
/// Where the format can't hold the columns, or `out` refuses the first bytes.
pub fn stream_writer(format: FileFormat, schema: SchemaRef, out: Box<dyn Write + Send>) -> Result<Box<dyn BatchWriter>> {
    let written = Written::new(format, &schema);
    check(format, written.schema())?;
    let file = PartFile::begin("the output".to_string(), out, format, written.schema(), &[])?;
    let waits = format.kind == Kind::Parquet || format.codec != Codec::None;
    Ok(Box::new(StreamWriter { encoder: encoder(format, written.schema().clone())?, written, losses: Losses::default(), file, waits }))
}

struct StreamWriter {
    written: Written,
    losses: Losses,
    encoder: Box<dyn SegmentEncoder>,
    file: PartFile<Box<dyn Write + Send>>,
    /// Text goes on at once, so that `| head` sees it; a row group waits until it is worth one, and so does what is compressed.
    waits: bool,
}

/// A row group of Parquet is written when it has about this size.
const ROW_GROUP: usize = 8 << 20;

impl BatchWriter for StreamWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = self.written.apply(batch.clone(), &mut self.losses)?;
        self.encoder.write(&batch)?;
        if self.waits && self.encoder.size() < ROW_GROUP {
            return Ok(());
        }
        let segment = self.encoder.finish()?;
        self.file.append(segment)
    }

    fn finish(mut self: Box<Self>) -> Result<Losses> {
        let last = self.encoder.finish()?;
        self.file.append(last)?;
        self.losses.extend(self.encoder.losses());
        let StreamWriter { file, losses, .. } = *self;
        file.finish().map(|_bytes| losses)
    }
}
