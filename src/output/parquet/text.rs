//! Text columns: a dictionary while it pays, lengths and bytes from then on.

use super::chunk::{ChunkBuilder, ColumnChunk, KEPT_BUFFER, Levels, PAGE_ROWS};
use super::delta;
use super::dictionary::{Numbering, same};
use super::page_codec::PageCodec;
use crate::error::Result;
use arrow::array::{Array, StringViewArray};
use parquet::basic::Encoding;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// A dictionary may grow to this many bytes; then the column goes on without one.
const DICTIONARY_BYTES: usize = 4 << 20;
/// A page ends before its rows are full where its texts have this many bytes: offsets in pages and dictionaries have 32 bits.
const PAGE_BYTES: i64 = 16 << 20;
/// After how many rows that is looked at: always the same ones of a page, wherever batches end.
pub(super) const STEP: usize = PAGE_ROWS / 40;
/// Texts in statistics and in the page index are cut to this many bytes.
const BOUND_BYTES: usize = 64;

/// Encodes a text column.
pub(super) struct TextEncoder {
    chunk: ChunkBuilder,
    levels: Levels,
    /// Whether values still go into the dictionary.
    dictionary: bool,
    pub(super) numbering: Numbering,
    /// The dictionary's values as its page has them: length, bytes.
    values: Vec<u8>,
    /// Where each value's bytes lie in `values`.
    places: Vec<(u32, u32)>,
    /// The page at hand, by the dictionary.
    numbers: Vec<u32>,
    /// The page at hand, without: lengths and bytes.
    lengths: Vec<i64>,
    bytes: Vec<u8>,
    text_bytes: i64,
    /// For each value of the dictionary, the page that last used it.
    used: Vec<u32>,
    page: u32,
    /// The least and greatest text of the page at hand, without the dictionary.
    page_bounds: Option<(Vec<u8>, Vec<u8>)>,
    bounds: Option<(Vec<u8>, Vec<u8>)>,
}

impl TextEncoder {
    pub(super) fn new(chunk: ChunkBuilder) -> TextEncoder {
        TextEncoder {
            chunk,
            levels: Levels::default(),
            dictionary: true,
            numbering: Numbering::default(),
            values: Vec::new(),
            places: Vec::new(),
            numbers: Vec::new(),
            lengths: Vec::new(),
            bytes: Vec::new(),
            text_bytes: 0,
            used: Vec::new(),
            page: 0,
            page_bounds: None,
            bounds: None,
        }
    }

    /// Begins a chunk; `dictionary` says whether its first values speak for one.
    pub(super) fn begin(&mut self, dictionary: bool) {
        self.dictionary = dictionary;
        self.numbering.clear();
        self.values.clear();
        self.places.clear();
        self.used.clear();
        self.page = 1;
        self.bounds = None;
        self.values.shrink_to(KEPT_BUFFER);
        self.bytes.shrink_to(KEPT_BUFFER);
    }

    pub(super) fn size(&self) -> usize {
        self.chunk.size + self.values.len() / 3 + self.numbers.len() + self.bytes.len() / 3
    }

    pub(super) fn write(&mut self, array: &StringViewArray, codec: &mut PageCodec) -> Result<()> {
        let mut at = 0;
        while at < array.len() {
            let (page_rows, rows) = (self.chunk.page_rows, self.levels.rows);
            let end = array.len().min(at + (STEP - rows % STEP).min(page_rows - rows));
            self.write_rows(array, at, end);
            at = end;
            let heavy = self.levels.rows.is_multiple_of(STEP) && self.text_bytes > PAGE_BYTES;
            if self.levels.rows == page_rows || heavy {
                self.end_page(codec)?;
                // Only here, wherever batches end: the same rows give the same pages.
                self.dictionary &= self.values.len() <= DICTIONARY_BYTES;
            }
        }
        Ok(())
    }

    fn write_rows(&mut self, array: &StringViewArray, start: usize, end: usize) {
        match array.nulls() {
            None => {
                self.levels.push_all(end - start, false);
                for row in start..end {
                    self.push(array.value(row).as_bytes());
                }
            }
            Some(nulls) if nulls.null_count() == array.len() => self.levels.push_all(end - start, true),
            Some(nulls) => {
                for row in start..end {
                    let null = nulls.is_null(row);
                    self.levels.push(null);
                    if !null {
                        self.push(array.value(row).as_bytes());
                    }
                }
            }
        }
    }

    #[inline]
    fn push(&mut self, text: &[u8]) {
        self.text_bytes += text.len() as i64;
        if !self.dictionary {
            self.lengths.push(text.len() as i64);
            self.bytes.extend_from_slice(text);
            widen(&mut self.page_bounds, text, text);
            return;
        }
        let hash = self.numbering.key.hash(text);
        let (values, places) = (&self.values, &self.places);
        let (number, new) = self.numbering.number(hash, |number| {
            let (start, end) = places[number as usize];
            same(&values[start as usize..end as usize], text)
        });
        if new {
            self.values.extend_from_slice(&(text.len() as u32).to_le_bytes());
            let start = self.values.len() as u32;
            self.values.extend_from_slice(text);
            self.places.push((start, self.values.len() as u32));
            self.used.push(0);
        }
        self.used[number as usize] = self.page;
        self.numbers.push(number);
    }

    fn end_page(&mut self, codec: &mut PageCodec) -> Result<()> {
        if self.levels.rows == 0 {
            return Ok(());
        }
        let mut bounds = self.page_bounds.take();
        if self.dictionary {
            for (number, _) in self.used.iter().enumerate().filter(|(_, page)| **page == self.page) {
                let (start, end) = self.places[number];
                let text = &self.values[start as usize..end as usize];
                widen(&mut bounds, text, text);
            }
        }
        self.page += 1;
        if let Some((least, greatest)) = &bounds {
            widen(&mut self.bounds, least, greatest);
        }
        let cut = bounds.map(|(least, greatest)| (floor(&least).0, ceiling(&greatest).0));
        let text_bytes = Some(std::mem::take(&mut self.text_bytes));
        if self.dictionary {
            let count = self.numbering.len();
            self.chunk.add_dictionary_page(codec, &mut self.numbers, count, &mut self.levels, cut, text_bytes)?;
        } else {
            let (lengths, bytes) = (&self.lengths, &self.bytes);
            self.chunk.add_page(codec, Encoding::DELTA_LENGTH_BYTE_ARRAY, &mut self.levels, cut, text_bytes, |out| {
                delta::write(lengths, 32, out);
                out.extend_from_slice(bytes);
            })?;
            self.lengths.clear();
            self.bytes.clear();
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, codec: &mut PageCodec) -> Result<ColumnChunk> {
        self.end_page(codec)?;
        let dictionary = (self.numbering.len() > 0).then_some((self.values.as_slice(), self.numbering.len()));
        let bounds = self.bounds.take();
        self.chunk.finish(codec, dictionary, |nulls| {
            let (least, greatest) = match bounds {
                Some((least, greatest)) => (Some(floor(&least)), Some(ceiling(&greatest))),
                None => (None, None),
            };
            let exact = |bound: &Option<(Vec<u8>, bool)>| bound.as_ref().is_none_or(|(_, exact)| *exact);
            let (least_exact, greatest_exact) = (exact(&least), exact(&greatest));
            let text = |bound: Option<(Vec<u8>, bool)>| bound.map(|(text, _)| ByteArray::from(text));
            Statistics::ByteArray(
                ValueStatistics::new(text(least), text(greatest), None, Some(nulls), false)
                    .with_min_is_exact(least_exact)
                    .with_max_is_exact(greatest_exact),
            )
        })
    }
}

fn widen(bounds: &mut Option<(Vec<u8>, Vec<u8>)>, least: &[u8], greatest: &[u8]) {
    match bounds {
        None => *bounds = Some((least.to_vec(), greatest.to_vec())),
        Some((low, high)) => {
            if least < low.as_slice() {
                low.clear();
                low.extend_from_slice(least);
            }
            if greatest > high.as_slice() {
                high.clear();
                high.extend_from_slice(greatest);
            }
        }
    }
}

/// A text not above `text`, of at most [`BOUND_BYTES`], and whether it is `text` itself.
fn floor(text: &[u8]) -> (Vec<u8>, bool) {
    if text.len() <= BOUND_BYTES {
        return (text.to_vec(), true);
    }
    let mut end = BOUND_BYTES;
    // Not in the middle of a character.
    while end > 0 && text[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    (text[..end].to_vec(), false)
}

/// A text not below `text`, of about [`BOUND_BYTES`], and whether it is `text` itself: cut, and its last character that has one
/// replaced by its successor.
fn ceiling(text: &[u8]) -> (Vec<u8>, bool) {
    let (cut, exact) = floor(text);
    let Some(mut characters) = (!exact).then(|| String::from_utf8_lossy(&cut).into_owned()) else { return (cut, exact) };
    while let Some(last) = characters.pop() {
        if let Some(next) = char::from_u32(last as u32 + 1) {
            characters.push(next);
            return (characters.into_bytes(), false);
        }
    }
    (text.to_vec(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_are_cut_still_hold() {
        for text in ["a".repeat(65), "é".repeat(40), format!("{}\u{10ffff}\u{10ffff}", "z".repeat(62)), "short".to_string()] {
            let (low, high) = (floor(text.as_bytes()).0, ceiling(text.as_bytes()).0);
            assert!(low.as_slice() <= text.as_bytes() && text.as_bytes() <= high.as_slice(), "{text}");
            assert!(std::str::from_utf8(&low).is_ok() && std::str::from_utf8(&high).is_ok());
        }
    }
}
