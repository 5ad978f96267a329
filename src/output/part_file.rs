//! One output file, put together from segments.

use super::csv::CsvFields;
use super::deflate::{self, Deflater, Trailer};
use super::fields::FieldRows;
use super::format::{Codec, FileFormat, Kind};
use super::parquet::{failed, file_properties, parquet_schema};
use super::segment::{Payload, Segment};
use super::tsv::TsvFields;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::SchemaRef;
use flate2::Crc;
use parquet::file::writer::SerializedFileWriter;
use std::io::Write;

/// A file (or any other sink) being written.
#[allow(missing_debug_implementations, reason = "the sink need not have one")]
pub struct PartFile<W: Write + Send> {
    name: String,
    rows: u64,
    body: Body<W>,
}

enum Body<W: Write + Send> {
    Text { out: W, trailer: Option<Trailer>, bytes: u64 },
    Parquet(Box<SerializedFileWriter<W>>),
}

impl<W: Write + Send> PartFile<W> {
    /// Begins a file on `out`; `name` is what errors call it, `metadata` goes into Parquet's key-value metadata.
    ///
    /// # Errors
    /// Where the first bytes can't be written.
    pub fn begin(name: String, out: W, format: FileFormat, schema: &SchemaRef, metadata: &[(String, String)]) -> Result<Self> {
        if format.kind == Kind::Parquet {
            let root = parquet_schema(schema)?.root_schema_ptr();
            let writer = SerializedFileWriter::new(out, root, file_properties(format, metadata)).map_err(failed)?;
            return Ok(PartFile { name, rows: 0, body: Body::Parquet(Box::new(writer)) });
        }
        let mut header = Vec::new();
        match format.kind {
            Kind::Csv => FieldRows::new(CsvFields::new(format.dialect)).header(schema, &mut header),
            Kind::Tsv => FieldRows::new(TsvFields).header(schema, &mut header),
            Kind::Json | Kind::Parquet => {}
        }
        let mut trailer = None;
        if let Codec::Gzip(level) = format.codec {
            let mut crc = Crc::new();
            crc.update(&header);
            let mut started = Trailer::default();
            started.add(&crc);
            trailer = Some(started);
            let plain = std::mem::replace(&mut header, deflate::HEADER.to_vec());
            if !plain.is_empty() {
                Deflater::new(level).deflate(&plain, &mut header);
            }
        }
        let mut file = PartFile { name, rows: 0, body: Body::Text { out, trailer, bytes: 0 } };
        file.put(&header)?;
        Ok(file)
    }

    /// Appends a segment.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn append(&mut self, segment: Segment) -> Result<()> {
        self.rows += segment.rows;
        match (segment.payload, &mut self.body) {
            (Payload::Text { bytes, crc }, Body::Text { trailer, .. }) => {
                if let (Some(trailer), Some(crc)) = (trailer, crc) {
                    trailer.add(&crc);
                }
                self.put(&bytes)
            }
            (Payload::RowGroup(chunks), Body::Parquet(writer)) if !chunks.is_empty() => {
                let mut group = writer.next_row_group().map_err(failed)?;
                for chunk in chunks {
                    chunk.append_to(&mut group)?;
                }
                group.close().map_err(failed)?;
                Ok(())
            }
            (Payload::RowGroup(_), Body::Parquet(_)) => Ok(()),
            _ => Err(Error::new(ErrorKind::Internal, "a segment of another format")),
        }
    }

    fn put(&mut self, new: &[u8]) -> Result<()> {
        if let Body::Text { out, bytes, .. } = &mut self.body {
            *bytes += new.len() as u64;
            out.write_all(new).map_err(|e| Error::output(&self.name, e))?;
        }
        Ok(())
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The columns of its row groups so far: each is remembered until the file ends.
    pub fn chunks(&self) -> usize {
        match &self.body {
            Body::Text { .. } => 0,
            Body::Parquet(writer) => writer.flushed_row_groups().iter().map(|group| group.num_columns()).sum(),
        }
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        match &self.body {
            Body::Text { bytes, .. } => *bytes,
            Body::Parquet(writer) => writer.bytes_written() as u64,
        }
    }

    /// Writes what ends the file; gives its size in bytes.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn finish(mut self) -> Result<u64> {
        if let Body::Text { trailer: Some(trailer), .. } = &self.body {
            let end = trailer.bytes();
            self.put(&end)?;
        }
        match self.body {
            Body::Text { mut out, bytes, .. } => {
                out.flush().map_err(|e| Error::output(&self.name, e))?;
                Ok(bytes)
            }
            Body::Parquet(mut writer) => {
                writer.finish().map_err(failed)?;
                writer.inner_mut().flush().map_err(|e| Error::output(&self.name, e))?;
                Ok(writer.bytes_written() as u64)
            }
        }
    }
}
