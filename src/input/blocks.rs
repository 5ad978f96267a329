//! Cuts a stream, or a range of a file, into blocks of whole lines, in bounded memory.

use super::compression::Compression;
use super::decompression::{damaged, decompress};
use super::framing::Framing;
use super::headings::Headings;
use super::source::Source;
use super::span::Hashing;
use super::start::{self, MARK};
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A line longer than this, in bytes, is rejected instead of read: no server logs such a line, and memory is bounded.
pub const MAX_LINE: usize = 16 << 20;
/// How much of such a line a reject keeps.
const HEAD: usize = 64 << 10;
/// A block's size: small enough to stay in a core's cache from the decoder to the encoder.
const BLOCK: usize = 1 << 20;
/// The size of a block for a look at the first record.
const SMALL: usize = 16 << 10;

/// A run of whole records of a source.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it starts, in bytes of the decompressed source.
    pub offset: u64,
    /// Lines right before it that are in no block: those of a header.
    pub skipped: u64,
    pub content: Content,
    /// How many NUL bytes before it were passed over: of more than a few before a line, one is left.
    pub passed: u64,
    /// The last line before it that says which fields the lines behind it have, where its framing has such.
    pub heading: Option<Bytes>,
}

impl Block {
    /// Bytes of the source that it stands for, but for the newline of a long line.
    pub fn length(&self) -> u64 {
        self.passed + self.content.length()
    }
}

/// What a block holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// Whole records; only the source's last may lack its newline.
    Records(Bytes),
    /// One line over [`MAX_LINE`]: its first bytes, and its length without the newline.
    LongLine { head: Bytes, length: u64 },
}

impl Content {
    /// Its bytes, but for the newline of a long line.
    pub fn length(&self) -> u64 {
        match self {
            Content::Records(bytes) => bytes.len() as u64,
            Content::LongLine { length, .. } => *length,
        }
    }
}

/// Reads blocks. A line belongs to the range in which it starts.
pub struct BlockReader {
    reader: Box<dyn Read + Send>,
    path: String,
    compression: Compression,
    framing: Framing,
    /// Bytes read beyond the last block.
    carry: Vec<u8>,
    /// Where `carry` starts.
    offset: u64,
    /// Lines that start here or later belong to the next range.
    stop: Option<u64>,
    /// The line that the range cuts into is the range before's.
    skip_line: bool,
    skip_header: bool,
    /// Lines that were skipped since the last block.
    skipped: u64,
    done: bool,
    stored: Arc<AtomicU64>,
    block: usize,
    max_line: usize,
    /// Only the start is looked at: nobody wants to know how long a line is that is too long.
    peeking: bool,
    /// What is read is kept: NUL bytes that nobody knows the number of are not passed over.
    keeping: bool,
    /// NUL bytes that were passed over since the last block.
    passed: u64,
    headings: Headings,
}

impl std::fmt::Debug for BlockReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockReader").field("path", &self.path).field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl BlockReader {
    /// Reads all of `source`, decompressed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where it can't be opened.
    pub fn open(source: &Source, framing: Framing) -> Result<BlockReader> {
        BlockReader::begun(source.open()?, source, framing)
    }

    /// Reads the start of `source`; what is read will be read again.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where it can't be opened.
    pub fn peek(source: &Source, framing: Framing) -> Result<BlockReader> {
        Ok(BlockReader { peeking: true, keeping: source.is_stream(), ..BlockReader::from_start(source.peek()?, source, framing)? })
    }

    /// Reads all of `source`, decompressed, of which `raw` is already open.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where its start can't be read.
    pub fn begun(raw: Box<dyn Read + Send>, source: &Source, framing: Framing) -> Result<BlockReader> {
        let mut blocks = BlockReader::from_start(raw, source, framing)?;
        let Some(span) = &source.span else { return Ok(blocks) };
        let mut reader = Hashing::new(blocks.reader, span, 0, span.from, u64::MAX);
        let mut before = reader.by_ref().take(span.from);
        let passed_over = match framing {
            Framing::Headed => std::io::copy(&mut before, &mut blocks.headings),
            _ => std::io::copy(&mut before, &mut std::io::sink()),
        };
        passed_over.map_err(|e| damaged(&source.path, blocks.compression, 0, e))?;
        blocks.skip_header &= span.from == 0;
        blocks.done = span.to == Some(span.from);
        Ok(BlockReader { reader: Box::new(reader), offset: span.from, stop: span.to, ..blocks })
    }

    fn from_start(raw: Box<dyn Read + Send>, source: &Source, framing: Framing) -> Result<BlockReader> {
        let stored = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: raw, count: stored.clone() };
        let (compression, reader) = decompress(counted).map_err(|e| Error::input(&source.path, e))?;
        Ok(BlockReader {
            reader,
            path: source.path.clone(),
            compression,
            framing,
            carry: Vec::new(),
            offset: 0,
            stop: None,
            skip_line: false,
            skip_header: framing.has_header(),
            skipped: 0,
            done: false,
            stored,
            // Of a small file the end is seen in the first read.
            block: match (compression, source.size) {
                (Compression::None, Some(size)) if size > 0 => usize::try_from(size + 1).map_or(BLOCK, |all| all.clamp(SMALL, BLOCK)),
                _ => BLOCK,
            },
            max_line: MAX_LINE,
            peeking: false,
            keeping: false,
            passed: 0,
            headings: Headings::default(),
        })
    }

    /// Reads the lines that start in bytes `start..end` of an uncompressed source that can be read at any place.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where it can't be opened there.
    pub fn range(source: &Source, start: u64, end: u64) -> Result<BlockReader> {
        let raw = source.open_at(BlockReader::first_byte(start), end)?;
        let stream = || Error::new(ErrorKind::Internal, format!("{} can't be read from the middle", source.path));
        Ok(BlockReader::begun_range(raw.ok_or_else(stream)?, source, start, end))
    }

    /// The byte from which on lines that start at `start` or later are read: one earlier, so that a line that starts right there is
    /// seen to start there.
    pub fn first_byte(start: u64) -> u64 {
        start.saturating_sub(1)
    }

    /// As [`BlockReader::range`], where `raw` already is at [`BlockReader::first_byte`].
    pub fn begun_range(raw: Box<dyn Read + Send>, source: &Source, start: u64, end: u64) -> BlockReader {
        let from = BlockReader::first_byte(start);
        let stored = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: raw, count: stored.clone() };
        let reader: Box<dyn Read + Send> = match &source.span {
            Some(span) => Box::new(Hashing::new(counted, span, from, start, end)),
            None => Box::new(counted),
        };
        BlockReader {
            reader,
            path: source.path.clone(),
            compression: Compression::None,
            framing: Framing::Lines,
            carry: Vec::new(),
            offset: from,
            stop: Some(end),
            skip_line: start > 0,
            skip_header: false,
            skipped: 0,
            done: false,
            stored,
            block: BLOCK,
            max_line: MAX_LINE,
            peeking: false,
            keeping: false,
            passed: 0,
            headings: Headings::default(),
        }
    }

    /// How the source is compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Bytes read so far, as they are stored.
    pub fn stored_bytes(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Makes blocks small, for a look at the first record.
    pub fn starting_small(mut self) -> BlockReader {
        self.block = SMALL;
        self
    }

    /// Makes a line count as too long that is longer than `bytes`.
    pub fn with_lines_of(mut self, bytes: usize) -> BlockReader {
        self.max_line = bytes;
        self
    }

    /// The next block, or nothing at the end.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] naming the file and the offset, for a read that fails or a stream that is cut off or damaged.
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        let mut buffer = Vec::with_capacity(self.block.max(self.carry.len()) + (self.block >> 4));
        buffer.append(&mut self.carry);
        while !self.done {
            let mut wanted = if buffer.len() < self.block { self.block - buffer.len() } else { self.block };
            let before = buffer.len();
            // Of what lies behind the range only the end of a line is needed, and most lines are short.
            let left = self.stop.map(|stop| stop.saturating_sub(self.offset + before as u64));
            if let Some(left) = left.filter(|left| *left > 0) {
                wanted = wanted.min(usize::try_from(left).unwrap_or(usize::MAX).saturating_add(SMALL));
            }
            buffer.reserve(wanted);
            let read = self.reader.by_ref().take(wanted as u64).read_to_end(&mut buffer);
            read.map_err(|e| damaged(&self.path, self.compression, self.offset + buffer.len() as u64, e))?;
            let ended = buffer.len() - before < wanted;
            if self.offset == 0 && before == 0 && !self.skip_line {
                start::check(&self.path, self.compression, &buffer)?;
                if buffer.starts_with(MARK) {
                    buffer.drain(..MARK.len());
                    self.offset = MARK.len() as u64;
                }
            }
            if self.offset <= 3
                && before == 0
                && let Some(end) = self.framing.preamble(&buffer)
            {
                buffer.drain(..end);
                self.offset += end as u64;
                self.skipped += 1;
            }
            if self.skip_line || self.skip_header {
                let Some(end) = self.framing.first_end(&buffer, self.max_line) else {
                    if ended {
                        self.done = true;
                        return Ok(None);
                    }
                    if self.skip_line {
                        // Nothing before the first newline is ours, so none of it need be kept.
                        self.offset += buffer.len() as u64;
                        buffer.clear();
                        if self.stop.is_some_and(|stop| self.offset >= stop) {
                            self.done = true;
                        }
                    } else if buffer.len() > self.max_line && self.peeking {
                        return self.long_line(buffer).map(Some);
                    } else if buffer.len() > self.max_line {
                        let message = format!("the header of {} is longer than the {} MiB that a line may have", self.path, MAX_LINE >> 20);
                        return Err(Error::new(ErrorKind::Format, message).with_context("is", "perhaps a quote in it is never closed"));
                    }
                    continue;
                };
                self.skipped += u64::from(self.skip_header) * memchr::memchr_iter(b'\n', &buffer[..end]).count() as u64;
                buffer.drain(..end);
                self.offset += end as u64;
                (self.skip_line, self.skip_header) = (false, false);
                if self.stop.is_some_and(|stop| self.offset >= stop) {
                    self.done = true;
                    return Ok(None);
                }
            }
            if let Some(stop) = self.stop
                && self.offset + buffer.len() as u64 >= stop
            {
                // The last line that starts before `stop` ends at the first newline from the byte before it on.
                let from = (stop - 1).saturating_sub(self.offset) as usize;
                if let Some(at) = memchr::memchr(b'\n', &buffer[from..]) {
                    buffer.truncate(from + at + 1);
                    self.done = true;
                    return Ok(self.block(buffer));
                }
            }
            if ended {
                self.done = true;
                return Ok(self.block(buffer));
            }
            if let Some(end) = self.framing.last_end(&buffer, self.max_line) {
                self.carry = buffer.split_off(end);
                return Ok(self.block(buffer));
            }
            self.pass_over(&mut buffer);
            // Lines before may wait until it is known whether a quote closes.
            let line = memchr::memrchr(b'\n', &buffer).map_or(0, |newline| newline + 1);
            if buffer.len() - line > self.max_line {
                if line == 0 {
                    return self.long_line(buffer).map(Some);
                }
                self.carry = buffer.split_off(line);
                return Ok(self.block(buffer));
            }
        }
        Ok(None)
    }

    /// Passes over the NUL bytes that a line without an end begins with, but for the last. A log that is cut to nothing while its
    /// server goes on where it was has as many of them as it had bytes.
    fn pass_over(&mut self, buffer: &mut Vec<u8>) {
        if self.keeping {
            return;
        }
        let zeros = buffer.iter().position(|byte| *byte != 0).unwrap_or(buffer.len());
        let passed = zeros.saturating_sub(1);
        if passed == 0 {
            return;
        }
        buffer.drain(..passed);
        self.block = BLOCK;
        self.offset += passed as u64;
        self.passed += passed as u64;
    }

    fn block(&mut self, bytes: Vec<u8>) -> Option<Block> {
        if bytes.is_empty() {
            return None;
        }
        let (offset, skipped) = (self.offset, std::mem::take(&mut self.skipped));
        self.offset += bytes.len() as u64;
        let bytes = Bytes::from(bytes);
        let heading = self.headings.last();
        if self.framing == Framing::Headed {
            self.headings.see(&bytes);
        }
        Some(Block { offset, skipped, content: Content::Records(bytes), passed: std::mem::take(&mut self.passed), heading })
    }

    /// Passes over a line that is too long to be held.
    fn long_line(&mut self, buffer: Vec<u8>) -> Result<Block> {
        let (mut length, passed) = (buffer.len() as u64, std::mem::take(&mut self.passed));
        let skipped = std::mem::take(&mut self.skipped);
        // A copy: the reject would keep the rest in memory too.
        let head = Bytes::copy_from_slice(&buffer[..buffer.len().min(HEAD)]);
        drop(buffer);
        if self.peeking {
            self.done = true;
            return Ok(Block { offset: self.offset, skipped, content: Content::LongLine { head, length }, passed, heading: None });
        }
        let mut chunk = Vec::with_capacity(BLOCK);
        loop {
            chunk.clear();
            let read = self.reader.by_ref().take(BLOCK as u64).read_to_end(&mut chunk);
            read.map_err(|e| damaged(&self.path, self.compression, self.offset + length, e))?;
            if let Some(at) = memchr::memchr(b'\n', &chunk) {
                length += at as u64;
                self.carry = chunk.split_off(at + 1);
                break;
            }
            length += chunk.len() as u64;
            if chunk.len() < BLOCK {
                self.done = true;
                break;
            }
        }
        let offset = self.offset;
        self.offset += length + u64::from(!self.done);
        if self.stop.is_some_and(|stop| self.offset >= stop) {
            self.done = true;
        }
        Ok(Block { offset, skipped, content: Content::LongLine { head, length }, passed, heading: None })
    }
}

/// Counts the bytes that go through.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::local::LocalFile;
    use crate::input::source::Place;
    use std::io::Write;

    fn file(content: &[u8]) -> (tempfile::NamedTempFile, Source) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let path = file.path().to_path_buf();
        (file, Source::new(path.display().to_string(), Place::File(Arc::new(LocalFile::at(path))), Some(content.len() as u64)))
    }

    fn all(reader: &mut BlockReader) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            if let Content::Records(bytes) = block.content {
                out.extend_from_slice(&bytes);
            }
        }
        out
    }

    #[test]
    fn ranges_share_the_lines_without_loss_or_double() {
        let content = b"a\nbb\n\nccc\ndddddddddddddd\ne".to_vec();
        let (_guard, source) = file(&content);
        for parts in 1..=content.len() as u64 {
            let size = (content.len() as u64).div_ceil(parts);
            let mut together = Vec::new();
            let mut start = 0;
            while start < content.len() as u64 {
                let end = (start + size).min(content.len() as u64);
                let mut reader = BlockReader::range(&source, start, end).unwrap();
                together.extend(all(&mut reader));
                start = end;
            }
            assert_eq!(together, content, "{parts} parts");
        }
    }

    #[test]
    fn a_line_without_end_does_not_fill_memory() {
        let mut content = b"short\n".to_vec();
        content.extend(std::iter::repeat_n(b'x', 3 << 20));
        content.extend(b"\nlast\n");
        let (_guard, source) = file(&content);
        let mut reader = BlockReader::open(&source, Framing::Lines).unwrap();
        reader.max_line = 1 << 20;
        let mut seen = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            seen.push(match block.content {
                Content::Records(bytes) => (block.offset, bytes.len() as u64, bytes.len()),
                Content::LongLine { head, length } => (block.offset, length, head.len()),
            });
        }
        assert_eq!(seen, [(0, 6, 6), (6, 3 << 20, HEAD), (6 + (3 << 20) + 1, 5, 5)]);
    }

    #[test]
    fn nul_bytes_before_a_line_are_passed_over_but_for_one() {
        let hole = vec![0; 3 << 20];
        let content = [b"a\n", hole.as_slice(), b"bb\nc\n", hole.as_slice(), b"d"].concat();
        let (_guard, source) = file(&content);
        for size in [content.len() as u64, 1 << 20, 999_999, (3 << 20) + 2, (3 << 20) + 3] {
            let (mut together, mut length) = (Vec::new(), 0);
            for start in (0..content.len() as u64).step_by(size as usize) {
                let mut reader = BlockReader::range(&source, start, (start + size).min(content.len() as u64)).unwrap();
                while let Some(block) = reader.next_block().unwrap() {
                    length += block.length();
                    let Content::Records(bytes) = block.content else { panic!() };
                    assert!(content[block.offset as usize..].starts_with(&bytes));
                    together.extend_from_slice(&bytes);
                }
            }
            together.dedup_by(|next, before| (*next, *before) == (0, 0));
            assert_eq!((together.as_slice(), length), (&b"a\n\0bb\nc\n\0d"[..], content.len() as u64), "{size}");
        }
        // A line of less than a block is left as it is, and what is kept for a second look too.
        let (_guard, source) = file(b"\0\0\0a\n");
        assert_eq!(all(&mut BlockReader::open(&source, Framing::Lines).unwrap()), b"\0\0\0a\n");
    }

    #[test]
    fn of_a_long_line_that_is_only_looked_at_no_more_is_read() {
        let content = vec![b'x'; 3 << 20];
        let (_guard, source) = file(&content);
        for (limit, read) in [(1 << 20, 2 << 20), (100 << 10, 1 << 20)] {
            let mut reader = BlockReader::peek(&source, Framing::Lines).unwrap().with_lines_of(limit);
            let Some(Block { content: Content::LongLine { head, .. }, .. }) = reader.next_block().unwrap() else { panic!() };
            assert_eq!(head.len(), HEAD);
            assert!(reader.stored_bytes() <= read + (512 << 10), "{}", reader.stored_bytes());
            assert!(reader.next_block().unwrap().is_none());
        }
    }

    #[test]
    fn a_header_without_an_end_is_not_read_into_memory() {
        let (_guard, source) = file(&[b"a,\"", vec![b'x'; 3 << 20].as_slice()].concat());
        let mut reader = BlockReader::open(&source, Framing::Rows(crate::tabular::CsvOptions::default().into())).unwrap();
        reader.max_line = 1 << 20;
        let error = reader.next_block().unwrap_err().to_string();
        assert!(error.contains("the header of"), "{error}");
        assert!(reader.stored_bytes() < 3 << 20);
    }

    #[test]
    fn a_byte_order_mark_and_a_header_are_no_lines() {
        let (_guard, source) = file(b"\xef\xbb\xbfa,b\n1,\"x\ny\"\n2,z");
        let mut reader = BlockReader::open(&source, Framing::Rows(crate::tabular::CsvOptions::default().into())).unwrap();
        let block = reader.next_block().unwrap().unwrap();
        assert_eq!(block.offset, 7);
        let Content::Records(bytes) = block.content else { panic!() };
        assert_eq!(&bytes[..], b"1,\"x\ny\"\n2,z");
    }

    #[test]
    fn a_cut_off_stream_is_an_error_with_its_place() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&b"line\n".repeat(100_000)).unwrap();
        let whole = encoder.finish().unwrap();
        let (_guard, source) = file(&whole[..whole.len() / 2]);
        let mut reader = BlockReader::open(&source, Framing::Lines).unwrap();
        let error = loop {
            match reader.next_block() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the cut was not noticed"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("gzip stream") && error.contains("ends too early") && error.contains("after decompressed byte"), "{error}");
    }
}
