//! Columns of numbers and times: a dictionary where values repeat, differences where they don't.

use super::chunk::{ChunkBuilder, ColumnChunk, Levels};
use super::delta;
use super::dictionary::Numbering;
use super::page_codec::PageCodec;
use crate::error::Result;
use arrow::buffer::NullBuffer;
use parquet::basic::{Encoding, Type};
use parquet::file::statistics::Statistics;

/// A dictionary may have this many numbers; then the column goes on without one.
const DICTIONARY_VALUES: usize = 1 << 16;

/// Encodes a column of 32-bit or 64-bit integers.
pub(super) struct IntegerEncoder {
    chunk: ChunkBuilder,
    levels: Levels,
    dictionary: bool,
    pub(super) numbering: Numbering,
    values: Vec<i64>,
    /// The page at hand: values, or their numbers.
    numbers: Vec<u32>,
    page: Vec<i64>,
    page_bounds: Option<(i64, i64)>,
    bounds: Option<(i64, i64)>,
}

impl IntegerEncoder {
    pub(super) fn new(chunk: ChunkBuilder) -> IntegerEncoder {
        IntegerEncoder {
            chunk,
            levels: Levels::default(),
            dictionary: true,
            numbering: Numbering::default(),
            values: Vec::new(),
            numbers: Vec::new(),
            page: Vec::new(),
            page_bounds: None,
            bounds: None,
        }
    }

    /// Begins a chunk; `dictionary` says whether its first values speak for one.
    pub(super) fn begin(&mut self, dictionary: bool) {
        self.dictionary = dictionary;
        self.numbering.clear();
        self.values.clear();
        self.bounds = None;
    }

    pub(super) fn size(&self) -> usize {
        self.chunk.size + self.values.len() * 4 + self.numbers.len() + self.page.len()
    }

    /// Appends the values of an array, widened to 64 bits.
    pub(super) fn write(
        &mut self,
        value: impl Fn(usize) -> i64,
        nulls: Option<&NullBuffer>,
        rows: usize,
        codec: &mut PageCodec,
    ) -> Result<()> {
        let mut at = 0;
        while at < rows {
            let end = rows.min(at + self.chunk.page_rows - self.levels.rows);
            match nulls {
                None => {
                    self.levels.push_all(end - at, false);
                    (at..end).for_each(|row| self.push(value(row)));
                }
                Some(nulls) => {
                    for row in at..end {
                        let null = nulls.is_null(row);
                        self.levels.push(null);
                        if !null {
                            self.push(value(row));
                        }
                    }
                }
            }
            at = end;
            if self.levels.rows == self.chunk.page_rows {
                self.end_page(codec)?;
                // Only here, wherever batches end: the same rows give the same pages.
                self.dictionary &= self.values.len() <= DICTIONARY_VALUES;
            }
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, value: i64) {
        let (low, high) = self.page_bounds.unwrap_or((value, value));
        self.page_bounds = Some((low.min(value), high.max(value)));
        if !self.dictionary {
            self.page.push(value);
            return;
        }
        let values = &self.values;
        let hash = self.numbering.key.hash_number(value);
        let (number, new) = self.numbering.number(hash, |number| values[number as usize] == value);
        if new {
            self.values.push(value);
        }
        self.numbers.push(number);
    }

    fn is_32(&self) -> bool {
        self.chunk.physical_type() == Type::INT32
    }

    fn plain(&self, value: i64) -> Vec<u8> {
        if self.is_32() { (value as i32).to_le_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    fn end_page(&mut self, codec: &mut PageCodec) -> Result<()> {
        if self.levels.rows == 0 {
            return Ok(());
        }
        let bounds = self.page_bounds.take().map(|(low, high)| {
            let (least, greatest) = self.bounds.unwrap_or((low, high));
            self.bounds = Some((least.min(low), greatest.max(high)));
            (self.plain(low), self.plain(high))
        });
        if self.dictionary {
            let count = self.numbering.len();
            self.chunk.add_dictionary_page(codec, &mut self.numbers, count, &mut self.levels, bounds, None)?;
        } else {
            let bits = if self.is_32() { 32 } else { 64 };
            let page = &self.page;
            self.chunk
                .add_page(codec, Encoding::DELTA_BINARY_PACKED, &mut self.levels, bounds, None, |out| delta::write(page, bits, out))?;
            self.page.clear();
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, codec: &mut PageCodec) -> Result<ColumnChunk> {
        self.end_page(codec)?;
        let plain: Vec<u8> = self.values.iter().flat_map(|value| self.plain(*value)).collect();
        let dictionary = (!self.values.is_empty()).then_some((plain.as_slice(), self.values.len()));
        let (low, high) = self.bounds.take().unzip();
        let is_32 = self.is_32();
        self.chunk.finish(codec, dictionary, |nulls| match is_32 {
            true => Statistics::int32(low.map(|v| v as i32), high.map(|v| v as i32), None, Some(nulls), false),
            false => Statistics::int64(low, high, None, Some(nulls), false),
        })
    }
}
