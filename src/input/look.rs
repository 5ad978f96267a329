//! Looks at a file to tell what its content is, without reading more of it than that takes.

use super::compression::Compression;
use super::content::{Content, HEAD, Hashed, start_of};
use super::decompression::{damaged, decompress};
use super::source::Source;
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// The start of a file.
#[derive(Debug, Clone)]
pub struct Look {
    /// How it is compressed.
    pub compression: Compression,
    /// Whether it is not compressed.
    pub plain: bool,
    /// Its first bytes, decompressed.
    pub head: Vec<u8>,
    /// As [`Content::start`]; nothing where it is empty.
    pub start: Option<String>,
}

impl Look {
    /// Looks at the start of `source`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where it can't be read.
    pub fn at(source: &Source) -> Result<Look> {
        let (compression, mut reader) = decompress(source.peek()?).map_err(|e| Error::input(&source.path, e))?;
        let mut head = Vec::with_capacity(HEAD);
        let read = reader.by_ref().take(HEAD as u64).read_to_end(&mut head);
        read.map_err(|e| damaged(&source.path, compression, head.len() as u64, e))?;
        let start = (!head.is_empty()).then(|| start_of(&head));
        Ok(Look { compression, plain: compression == Compression::None, head, start })
    }

    /// The SHA-256 of the first bytes, in hexadecimal, of as many as each of `lengths` says, which go up; of all where there are fewer.
    pub fn heads<'a>(&'a self, lengths: impl Iterator<Item = usize> + 'a) -> impl Iterator<Item = String> + 'a {
        let (mut hash, mut done) = (Sha256::new(), 0);
        lengths.map(move |length| {
            let length = length.clamp(done, self.head.len());
            hash.update(&self.head[done..length]);
            done = length;
            hex::encode(hash.clone().finalize())
        })
    }
}

/// Contents that a file starts with, each with the hashes up to its end, and how long the file is, where that is known.
pub type Starts<'k> = (Vec<(&'k Content, Hashed)>, Option<u64>);

/// Which of the contents `known`, whose heads `look` has, `source` starts with, each with the hashes up to its end; and how long
/// the source is, where that is known by then. Of a plain file the head and the tail tell that; all of it where it is no longer.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where it can't be read.
pub fn starts<'k>(source: &Source, look: &Look, known: &[&'k Content]) -> Result<Starts<'k>> {
    let size = source.size.filter(|_| look.plain);
    let mut lengths: Vec<&Content> = known.iter().copied().filter(|known| size.is_none_or(|size| known.bytes <= size)).collect();
    lengths.sort_by_key(|known| known.bytes);
    let mut found = Vec::new();
    if let Some(size) = size {
        for known in lengths {
            let start = if known.bytes == size { Some(Hashed::default()) } else { Hashed::tail_of(known) };
            let Some(mut hashed) = start else { continue };
            let Some(reader) = source.open_at(hashed.bytes(), known.bytes)? else { continue };
            let mut reader = reader.take(known.bytes - hashed.bytes());
            pass(&mut reader, |bytes| hashed.add(bytes)).map_err(|e| Error::input(&source.path, e))?;
            hashed.set_head(&look.head);
            if hashed.is(known) {
                found.push((known, hashed));
            }
        }
        return Ok((found, Some(size)));
    }
    let (compression, mut reader) = decompress(source.open()?).map_err(|e| Error::input(&source.path, e))?;
    let mut hashed = Hashed::default();
    hashed.set_head(&look.head);
    for known in lengths {
        let mut part = reader.by_ref().take(known.bytes - hashed.bytes());
        let passed = pass(&mut part, |bytes| hashed.add(bytes));
        passed.map_err(|e| damaged(&source.path, compression, hashed.bytes(), e))?;
        if hashed.is(known) {
            found.push((known, hashed.clone()));
        }
    }
    let more = reader.read(&mut [0]).map_err(|e| damaged(&source.path, compression, hashed.bytes(), e))?;
    Ok((found, (more == 0).then(|| hashed.bytes())))
}

/// The hashes of `source` up to the decompressed byte `to`, or of all of it, and how many lines that are.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where it can't be read.
pub fn all_of(source: &Source, to: Option<u64>) -> Result<(Hashed, u64)> {
    let (compression, reader) = decompress(source.open()?).map_err(|e| Error::input(&source.path, e))?;
    let mut reader = reader.take(to.unwrap_or(u64::MAX));
    let (mut hashed, mut head, mut lines) = (Hashed::default(), Vec::new(), 0);
    let passed = pass(&mut reader, |bytes| {
        if head.len() < HEAD {
            head.extend_from_slice(&bytes[..bytes.len().min(HEAD - head.len())]);
        }
        lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        hashed.add(bytes);
    });
    passed.map_err(|e| damaged(&source.path, compression, hashed.bytes(), e))?;
    hashed.set_head(&head);
    Ok((hashed, lines))
}

/// The byte of `source` behind its first `bytes`, decompressed.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where it can't be read.
pub fn byte_at(source: &Source, bytes: u64) -> Result<Option<u8>> {
    let (compression, mut reader) = decompress(source.open()?).map_err(|e| Error::input(&source.path, e))?;
    let mut one = [0];
    let read = io::copy(&mut reader.by_ref().take(bytes), &mut io::sink()).and_then(|_| reader.read(&mut one));
    Ok((read.map_err(|e| damaged(&source.path, compression, bytes, e))? == 1).then_some(one[0]))
}

/// Where the last line of `source`, which is plain, ends that has its newline: `from` where there is none behind it.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where it can't be read.
pub fn last_line_end(source: &Source, from: u64, size: u64) -> Result<u64> {
    let mut end = size;
    while end > from {
        let start = end.saturating_sub(HEAD as u64).max(from);
        let mut piece = Vec::new();
        let Some(reader) = source.open_at(start, end)? else { return Ok(size) };
        reader.take(end - start).read_to_end(&mut piece).map_err(|e| Error::input(&source.path, e))?;
        if let Some(at) = memchr::memrchr(b'\n', &piece) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(from)
}

/// Whether `longer` starts with all that `shorter` is, both decompressed.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where one can't be read.
pub fn is_start_of(shorter: &Source, longer: &Source) -> Result<bool> {
    let open = |source: &Source| decompress(source.open()?).map_err(|e| Error::input(&source.path, e));
    let ((short, mut one), (long, mut other)) = (open(shorter)?, open(longer)?);
    let (mut piece, mut beside, mut at) = (vec![0; PIECE], vec![0; PIECE], 0);
    loop {
        let n = fill(&mut one, &mut piece).map_err(|e| damaged(&shorter.path, short, at, e))?;
        let m = fill(&mut other, &mut beside[..n]).map_err(|e| damaged(&longer.path, long, at, e))?;
        if piece[..n] != beside[..m] {
            return Ok(false);
        }
        if n < piece.len() {
            return Ok(true);
        }
        at += n as u64;
    }
}

/// Reads until `buffer` is full or there is no more.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(length)
}

/// Hands on all that `reader` gives.
fn pass(reader: &mut dyn Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match fill(reader, &mut piece)? {
            0 => return Ok(()),
            n => take(&piece[..n]),
        }
    }
}
