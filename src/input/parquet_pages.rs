//! Pages of Parquet, looked at before they are decoded: their headers say how much memory is taken, and what their bytes must add up to.

use super::thrift::{Kind, Parsed, Thrift};
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteSize;
use flate2::Crc;
use parquet::basic::{Compression, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use std::io::Read;
use std::ops::Range;

/// A page may have this many bytes when it is decompressed. Writers make pages of about 1 MiB.
const PAGE: u64 = 128 << 20;
/// So many bytes may be needed at a time for a page and a dictionary of each column that is read.
const PAGES: u64 = 256 << 20;
/// How much is read at first to find a header, and how long a header may be.
const HEADER: Range<u64> = 256..1 << 20;
/// What gzip makes of a byte at most; a page that can't grow beyond [`SMALL`] is not tried.
const GZIP_GROWTH: u64 = 1032;
const SMALL: u64 = 32 << 20;

/// Column chunks of a row group, whose pages are looked at.
#[derive(Debug, Clone, Copy)]
pub struct PageCheck<'a> {
    /// What errors call the file.
    pub path: &'a str,
    pub metadata: &'a ParquetMetaData,
    pub group: usize,
    /// Whether the checksums are looked at too.
    pub checksums: bool,
}

/// What pages of a column need in memory, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Needed {
    dictionary: u64,
    page: u64,
}

impl PageCheck<'_> {
    /// Looks at the pages in `ranges`, each of which is a column chunk (by its index), or whole pages of it. `read` gives the file's bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where a page is damaged, or they are too big together.
    pub fn look(
        &self,
        ranges: impl IntoIterator<Item = (usize, Range<u64>)>,
        mut read: impl FnMut(Range<u64>) -> Result<bytes::Bytes>,
    ) -> Result<()> {
        let mut needed = 0;
        let mut biggest = (0, 0);
        for (leaf, range) in ranges {
            let column = Column { check: self, chunk: self.metadata.row_group(self.group).column(leaf) };
            let found = column.look(range, &mut read)?;
            let bytes = found.dictionary + found.page;
            needed += bytes;
            biggest = biggest.max((bytes, leaf));
        }
        if needed > PAGES {
            let name = self.metadata.row_group(self.group).column(biggest.1).column_path().string();
            let (needed, most) = (ByteSize(needed), ByteSize(PAGES).as_given());
            let message = format!(
                "the pages of row group {} of {} are too big: one page of each column takes {needed}, more than {most}",
                self.group, self.path
            );
            return Err(Error::new(ErrorKind::Input, message)
                .with_context("the biggest", format!("those of `{name}`, {}", ByteSize(biggest.0)))
                .with_context("what to do", "read fewer columns at a time, or have the file written with smaller pages"));
        }
        Ok(())
    }
}

/// A column chunk of a [`PageCheck`].
struct Column<'a> {
    check: &'a PageCheck<'a>,
    chunk: &'a ColumnChunkMetaData,
}

impl Column<'_> {
    fn look(&self, range: Range<u64>, read: &mut dyn FnMut(Range<u64>) -> Result<bytes::Bytes>) -> Result<Needed> {
        let (mut at, mut values, mut needed) = (range.start, 0i64, Needed::default());
        while at < range.end {
            let (header, length) = self.header(at..range.end, read)?;
            let data = at + length..at + length + header.stored;
            if data.end > range.end {
                return Err(self.damaged(at, "claims to be longer than its column"));
            }
            let is_first = at == self.start();
            self.header_fits(&header, is_first).map_err(|what| self.damaged(at, what))?;
            self.size_fits(&header, at)?;
            if header.kind != Page::Index {
                if self.check.checksums && header.crc.is_some() {
                    self.checksum_fits(&header, &read(data.clone())?).map_err(|what| self.damaged(at, what))?;
                }
                if self.is_compressed(&header)
                    && matches!(self.chunk.compression(), Compression::GZIP(_))
                    && header.stored * GZIP_GROWTH > SMALL
                {
                    self.gzip_fits(&header, &read(data.clone())?).map_err(|what| self.damaged(at, what))?;
                }
            }
            match header.kind {
                Page::Dictionary => needed.dictionary = header.plain,
                Page::Index => {}
                _ => {
                    needed.page = needed.page.max(header.plain);
                    values = values.saturating_add(header.values.into());
                }
            }
            at = data.end;
        }
        let whole = range.start == self.start() && range.end - range.start == self.chunk.compressed_size().unsigned_abs();
        if whole && values != self.chunk.num_values() {
            let what = format!("its pages claim {} values, but have {values}", self.chunk.num_values());
            return Err(self.error(format!("is damaged: {what}")));
        }
        Ok(needed)
    }

    fn start(&self) -> u64 {
        self.chunk.dictionary_page_offset().unwrap_or_else(|| self.chunk.data_page_offset()).unsigned_abs()
    }

    /// The header of the page that begins in front of `left`, and its length.
    fn header(&self, left: Range<u64>, read: &mut dyn FnMut(Range<u64>) -> Result<bytes::Bytes>) -> Result<(PageHeader, u64)> {
        let mut look = HEADER.start;
        loop {
            let bytes = read(left.start..left.end.min(left.start + look))?;
            match PageHeader::read(&bytes) {
                Ok((header, length)) => return Ok((header, length as u64)),
                Err(_) if look < HEADER.end && left.end - left.start > look => look *= 16,
                Err(what) => return Err(self.damaged(left.start, &format!("has no header: {what}"))),
            }
        }
    }

    fn is_compressed(&self, header: &PageHeader) -> bool {
        self.chunk.compression() != Compression::UNCOMPRESSED && (header.kind != Page::Data2 || header.compressed)
    }

    fn header_fits(&self, header: &PageHeader, is_first: bool) -> Parsed<()> {
        let dictionary = header.kind == Page::Dictionary;
        if dictionary && !is_first {
            return Err("is a dictionary, which only a column's first one may be");
        }
        if header.kind == Page::Index {
            return Ok(());
        }
        if header.values < 0 {
            return Err("claims a negative number of values");
        }
        if !self.is_compressed(header) && header.stored != header.plain {
            return Err("is not compressed, but claims another size than it has");
        }
        if header.levels > header.stored.min(header.plain) {
            return Err("claims more levels than it has bytes");
        }
        if dictionary && self.width().is_some_and(|width| header.values as u64 * width != header.plain) {
            return Err("is a dictionary whose size doesn't match its values");
        }
        // Who writes checksums says right what is in the pages; of others, not everything need be as it should.
        if header.crc.is_some() {
            let known = match dictionary {
                true => matches!(header.encoding, 0 | 2),
                false => self.chunk.encodings().any(|encoding| encoding as i32 == header.encoding),
            };
            if !known || !header.levels_are_runs {
                return Err("claims an encoding that its column doesn't have");
            }
        }
        Ok(())
    }

    /// How many bytes a value has, where all have the same.
    fn width(&self) -> Option<u64> {
        match self.chunk.column_type() {
            Type::INT32 | Type::FLOAT => Some(4),
            Type::INT64 | Type::DOUBLE => Some(8),
            Type::INT96 => Some(12),
            Type::FIXED_LEN_BYTE_ARRAY => u64::try_from(self.chunk.column_descr().type_length()).ok(),
            Type::BOOLEAN | Type::BYTE_ARRAY => None,
        }
    }

    fn size_fits(&self, header: &PageHeader, at: u64) -> Result<()> {
        if header.plain <= PAGE {
            return Ok(());
        }
        let (size, most) = (ByteSize(header.plain), ByteSize(PAGE).as_given());
        let what = format!("is too big to be read: its page at byte {at} has {size} when decompressed, more than the limit of {most}");
        Err(self.error(what).with_context("what to do", "have the file written with smaller pages; 1 MiB is usual"))
    }

    fn checksum_fits(&self, header: &PageHeader, data: &[u8]) -> Parsed<()> {
        let mut crc = Crc::new();
        crc.update(data);
        match header.crc == Some(crc.sum()) {
            true => Ok(()),
            false => Err("has a wrong checksum"),
        }
    }

    /// The library's gzip goes on for as long as there is something to decompress.
    fn gzip_fits(&self, header: &PageHeader, data: &[u8]) -> Parsed<()> {
        let levels = if header.kind == Page::Data2 { header.levels } else { 0 };
        let most = header.plain - levels + 1;
        let mut decoder = flate2::read::MultiGzDecoder::new(&data[levels as usize..]).take(most);
        match std::io::copy(&mut decoder, &mut std::io::sink()) {
            Ok(length) if length + levels == header.plain => Ok(()),
            Ok(_) => Err("has another size when decompressed than it claims"),
            Err(_) => Err("can't be decompressed"),
        }
    }

    fn damaged(&self, at: u64, what: &str) -> Error {
        self.error(format!("is damaged: its page at byte {at} {what}"))
            .with_context("what to do", "fetch the file again, or have it written again; no value of it can be trusted")
    }

    fn error(&self, what: String) -> Error {
        let (name, group, path) = (self.chunk.column_path().string(), self.check.group, self.check.path);
        Error::new(ErrorKind::Input, format!("column `{name}` in row group {group} of {path} {what}"))
    }
}

/// What kind of page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Data,
    Index,
    Dictionary,
    Data2,
}

/// What the header of a page says.
#[derive(Debug)]
struct PageHeader {
    kind: Page,
    plain: u64,
    stored: u64,
    crc: Option<u32>,
    values: i32,
    encoding: i32,
    /// Bytes of levels in front of a page of version 2, which are not compressed.
    levels: u64,
    /// Whether levels are encoded as all writers do it.
    levels_are_runs: bool,
    compressed: bool,
}

impl PageHeader {
    /// The header at the start of `bytes`, and its length.
    fn read(bytes: &[u8]) -> Parsed<(PageHeader, usize)> {
        let mut thrift = Thrift::new(bytes);
        let (mut last, mut kind, mut plain, mut stored, mut crc, mut rest) = (0, None, None, None, None, None);
        while let Some((field, type_)) = thrift.field(&mut last)? {
            match (field, type_) {
                (1, Kind::Number) => kind = Some(thrift.int()?),
                (2, Kind::Number) => plain = Some(thrift.int()?),
                (3, Kind::Number) => stored = Some(thrift.int()?),
                (4, Kind::Number) => crc = Some(thrift.int()? as u32),
                (5..=8, Kind::Struct) if rest.is_none() => rest = Some((field, Fields::read(&mut thrift)?)),
                (1..=8, _) => return Err("a value in it has another type, or is there twice"),
                _ => thrift.skip(type_)?,
            }
        }
        let size = |size: Option<i32>| size.and_then(|size| u64::try_from(size).ok()).ok_or("it lacks the length of the page");
        let (rest_of, fields) = rest.ok_or("it lacks the kind of the page")?;
        let kind = match (kind, rest_of) {
            (Some(0), 5) => Page::Data,
            (Some(1), 6) => Page::Index,
            (Some(2), 7) => Page::Dictionary,
            (Some(3), 8) => Page::Data2,
            _ => return Err("the page is of an unknown kind"),
        };
        let (values, encoding, levels, levels_are_runs) = match kind {
            Page::Data => (fields.numbers[1], fields.numbers[2], 0, fields.numbers[3] == RLE && fields.numbers[4] == RLE),
            Page::Data2 => {
                let sizes = [fields.numbers[5], fields.numbers[6]].map(u64::try_from);
                let [Ok(definition), Ok(repetition)] = sizes else { return Err("levels in the page claim a negative number of bytes") };
                (fields.numbers[1], fields.numbers[4], definition + repetition, true)
            }
            _ => (fields.numbers[1], fields.numbers[2], 0, true),
        };
        let compressed = fields.flag.unwrap_or(true);
        let header =
            PageHeader { kind, plain: size(plain)?, stored: size(stored)?, crc, values, encoding, levels, levels_are_runs, compressed };
        Ok((header, thrift.position()))
    }
}

/// The number of the encoding of levels.
const RLE: i32 = 3;

/// The numbers in what a header says of its kind of page, by their fields, and its Boolean.
#[derive(Debug, Default)]
struct Fields {
    numbers: [i32; 8],
    flag: Option<bool>,
}

impl Fields {
    fn read(thrift: &mut Thrift<'_>) -> Parsed<Fields> {
        let (mut last, mut found) = (0, Fields::default());
        while let Some((field, kind)) = thrift.field(&mut last)? {
            match (usize::try_from(field), kind) {
                (Ok(field @ 1..=7), Kind::Number) => found.numbers[field] = thrift.int()?,
                (Ok(7), Kind::Flag(flag)) => found.flag = Some(flag),
                _ => thrift.skip(kind)?,
            }
        }
        Ok(found)
    }
}
