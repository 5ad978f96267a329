//! A column chunk: its dictionary, its pages, and what is said of them.

use super::fault::failed;
use super::hybrid;
use super::page_codec::PageCodec;
use super::page_header;
use crate::error::Result;
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

/// A page holds at most this many rows: small enough that a reader that looks for few rows skips most of a column.
pub(super) const PAGE_ROWS: usize = 20_000;

/// Of many columns pages have fewer rows, so that the pages at hand have no more values than this together.
const PAGE_VALUES: usize = 4 << 20;
/// Buffers that have grown beyond this many bytes are given back: of many columns each may once have had a long text.
pub(super) const KEPT_BUFFER: usize = 1 << 20;

/// The rows of a page where there are so many columns, in steps of `step` where it has more than one.
pub(super) fn page_rows(columns: usize, step: usize) -> usize {
    match PAGE_ROWS.min(PAGE_VALUES / columns.max(1)).max(1) {
        rows if rows > step => rows / step * step,
        rows => rows,
    }
}

/// A chunk of fewer bytes than this is stored as it is: compressing it would cost time and save nothing.
const SMALL: usize = 1024;

/// A column chunk ready to be put into a file.
#[derive(Debug)]
pub(super) struct ColumnChunk {
    pub bytes: Bytes,
    pub close: ColumnCloseResult,
}

/// Puts pages together to a chunk.
pub(super) struct ChunkBuilder {
    column: ColumnDescPtr,
    compression: Compression,
    pages: Vec<PageMade>,
    /// Size of the pages made so far, compressed.
    pub(super) size: usize,
    scratch: Vec<u8>,
    /// The rows of a page.
    pub(super) page_rows: usize,
}

struct PageMade {
    bytes: Vec<u8>,
    /// Small pages are compressed only when it is clear that the chunk is not small itself.
    compressed: bool,
    plain_length: usize,
    encoding: Encoding,
    rows: u64,
    nulls: u64,
    /// The least and the greatest value as the column index has them; nothing where all are NULL.
    bounds: Option<(Vec<u8>, Vec<u8>)>,
    text_bytes: Option<i64>,
}

/// The rows of a page as far as they are there: which of them are NULL.
#[derive(Debug, Default)]
pub(super) struct Levels {
    /// 1 for a value, 0 for NULL; empty as long as all are the same.
    levels: Vec<u32>,
    pub(super) rows: usize,
    pub(super) nulls: usize,
}

impl Levels {
    /// Rows that are all values, or all NULL.
    pub(super) fn push_all(&mut self, count: usize, null: bool) {
        let uniform = if null { self.nulls == self.rows } else { self.nulls == 0 };
        if !uniform || !self.levels.is_empty() {
            self.spread();
            self.levels.extend(std::iter::repeat_n(u32::from(!null), count));
        }
        self.rows += count;
        self.nulls += if null { count } else { 0 };
    }

    pub(super) fn push(&mut self, null: bool) {
        self.push_all(1, null);
    }

    fn spread(&mut self) {
        if self.levels.is_empty() {
            self.levels.resize(self.rows, u32::from(self.nulls == 0));
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        if self.levels.is_empty() {
            hybrid::write_run(self.rows, u32::from(self.nulls == 0), 1, out);
        } else {
            hybrid::write(&self.levels, 1, out);
        }
    }

    fn clear(&mut self) {
        self.levels.clear();
        (self.rows, self.nulls) = (0, 0);
    }
}

impl ChunkBuilder {
    /// A chunk of `column` with so many rows a page.
    pub(super) fn new(column: ColumnDescPtr, compression: Compression, page_rows: usize) -> ChunkBuilder {
        ChunkBuilder { column, compression, pages: Vec::new(), size: 0, scratch: Vec::new(), page_rows }
    }

    /// Adds a data page (version 1: every reader takes it) whose values `write` appends; `levels` is cleared.
    pub(super) fn add_page(
        &mut self,
        codec: &mut PageCodec,
        encoding: Encoding,
        levels: &mut Levels,
        bounds: Option<(Vec<u8>, Vec<u8>)>,
        text_bytes: Option<i64>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        let mut plain = std::mem::take(&mut self.scratch);
        plain.clear();
        if self.column.max_def_level() > 0 {
            plain.extend_from_slice(&[0; 4]);
            levels.write(&mut plain);
            let length = (plain.len() - 4) as u32;
            plain[..4].copy_from_slice(&length.to_le_bytes());
        }
        write(&mut plain);
        let compressed = plain.len() >= SMALL;
        let bytes = if compressed { codec.compress(&plain)? } else { plain.clone() };
        self.size += bytes.len();
        let (rows, nulls) = (levels.rows as u64, levels.nulls as u64);
        self.pages.push(PageMade { bytes, compressed, plain_length: plain.len(), encoding, rows, nulls, bounds, text_bytes });
        self.scratch = plain;
        self.scratch.clear();
        self.scratch.shrink_to(KEPT_BUFFER);
        levels.clear();
        Ok(())
    }

    /// Adds a data page of `numbers` of a dictionary that has `count` values by now.
    pub(super) fn add_dictionary_page(
        &mut self,
        codec: &mut PageCodec,
        numbers: &mut Vec<u32>,
        count: usize,
        levels: &mut Levels,
        bounds: Option<(Vec<u8>, Vec<u8>)>,
        text_bytes: Option<i64>,
    ) -> Result<()> {
        if count == 0 {
            // All NULL so far: there is nothing for a dictionary, and so there may be no page that asks for one.
            return self.add_page(codec, Encoding::PLAIN, levels, bounds, text_bytes, |_| {});
        }
        let width = usize::BITS - (count - 1).leading_zeros();
        self.add_page(codec, Encoding::RLE_DICTIONARY, levels, bounds, text_bytes, |out| {
            out.push(width as u8);
            hybrid::write(numbers, width, out);
        })?;
        numbers.clear();
        Ok(())
    }

    /// The chunk. `dictionary` are the plain values and their number; `bounds` the statistics of the chunk from its pages'.
    pub(super) fn finish(
        &mut self,
        codec: &mut PageCodec,
        dictionary: Option<(&[u8], usize)>,
        statistics: impl FnOnce(u64) -> Statistics,
    ) -> Result<ColumnChunk> {
        let plain_length = self.pages.iter().map(|page| page.plain_length).sum::<usize>() + dictionary.map_or(0, |(plain, _)| plain.len());
        let small = plain_length < SMALL;
        let compression = if small { Compression::UNCOMPRESSED } else { self.compression };
        let mut compress = |plain: &[u8]| if small { Ok(plain.to_vec()) } else { codec.compress(plain) };
        let mut out = Vec::with_capacity(self.size + 1024);
        let mut encodings = vec![Encoding::RLE];
        let mut uncompressed = 0;
        let mut dictionary_offset = None;
        if let Some((plain, count)) = dictionary {
            let data = compress(plain)?;
            let header = page_header::dictionary_page(plain.len(), &data, count);
            dictionary_offset = Some(out.len() as i64);
            uncompressed += (header.len() + plain.len()) as i64;
            out.extend_from_slice(&header);
            out.extend_from_slice(&data);
            encodings.push(Encoding::PLAIN);
        }
        let mut column_index = ColumnIndexBuilder::new(self.column.physical_type());
        let mut offset_index = OffsetIndexBuilder::new();
        let mut data_offset = None;
        let (mut rows, mut nulls, mut text_bytes) = (0, 0, None);
        for made in self.pages.drain(..) {
            encodings.push(made.encoding);
            let bytes = if made.compressed { made.bytes } else { compress(&made.bytes)? };
            let header = page_header::data_page(made.plain_length, &bytes, made.rows, made.encoding);
            let offset = out.len() as i64;
            out.extend_from_slice(&header);
            out.extend_from_slice(&bytes);
            uncompressed += (header.len() + made.plain_length) as i64;
            data_offset.get_or_insert(offset);
            let all_null = made.bounds.is_none();
            let (least, greatest) = made.bounds.unwrap_or_default();
            column_index.append(all_null, least, greatest, made.nulls as i64);
            offset_index.append_row_count(made.rows as i64);
            offset_index.append_offset_and_size(offset, (header.len() + bytes.len()) as i32);
            offset_index.append_unencoded_byte_array_data_bytes(made.text_bytes);
            rows += made.rows;
            nulls += made.nulls;
            if let Some(bytes) = made.text_bytes {
                *text_bytes.get_or_insert(0) += bytes;
            }
        }
        let bytes_written = out.len() as u64;
        // Of many partitions there are very many small ones.
        if out.len() < SMALL {
            out.shrink_to_fit();
        }
        encodings.sort_unstable_by_key(|e| *e as i32);
        encodings.dedup();
        let metadata = ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(compression)
            .set_encodings(encodings)
            .set_total_compressed_size(bytes_written as i64)
            .set_total_uncompressed_size(uncompressed)
            .set_num_values(rows as i64)
            .set_data_page_offset(data_offset.unwrap_or_default())
            .set_dictionary_page_offset(dictionary_offset)
            .set_unencoded_byte_array_data_bytes(text_bytes)
            .set_statistics(statistics(nulls))
            .build()
            .map_err(failed)?;
        self.size = 0;
        let close = ColumnCloseResult {
            bytes_written,
            rows_written: rows,
            metadata,
            bloom_filter: None,
            column_index: Some(column_index.build().map_err(failed)?),
            offset_index: Some(offset_index.build()),
        };
        Ok(ColumnChunk { bytes: out.into(), close })
    }

    /// The physical type of the column.
    pub(super) fn physical_type(&self) -> Type {
        self.column.physical_type()
    }
}
