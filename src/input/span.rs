//! A part of a source that is read on its own, and hashed while it is read.

use super::content::{CHUNK, Chunk, HEAD, Hashed};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Whole lines of a source.
#[derive(Debug)]
pub struct Span {
    /// The decompressed byte that it starts at.
    pub from: u64,
    /// Where it ends; at the source's end where there is none.
    pub to: Option<u64>,
    /// How many lines are before it.
    pub lines: u64,
    /// The source is not compressed, and so can be read at any place.
    pub plain: bool,
    /// Where the source ends, where that is found out when it is opened.
    end: OnceLock<u64>,
    /// What was hashed before it; nothing where it is not to be hashed.
    before: Option<Hashed>,
    found: Mutex<Found>,
}

/// What was hashed by those who read parts of it.
#[derive(Debug, Default)]
struct Found {
    head: Option<Vec<u8>>,
    chunks: BTreeMap<u64, Chunk>,
}

impl Span {
    /// The lines from `from` to `to`; they are hashed where it is known what was `before` them.
    pub fn new(from: u64, to: Option<u64>, lines: u64, plain: bool, before: Option<Hashed>) -> Span {
        Span { from, to, lines, plain, end: OnceLock::new(), before, found: Mutex::default() }
    }

    /// Takes note of where the source ends.
    pub fn ends_at(&self, end: u64) {
        // It ends at one place.
        let _ = self.end.set(end);
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hashes of all up to the end of the span; nothing where some of it was not read.
    pub fn hashed(&self) -> Option<Hashed> {
        let mut hashed = self.before.clone()?;
        let found = self.found();
        if self.to == Some(self.from) {
            return Some(hashed);
        }
        for (number, chunk) in found.chunks.range(self.from / CHUNK..) {
            if *number != hashed.bytes() / CHUNK {
                return None;
            }
            hashed.put(chunk.clone());
            if chunk.bytes < CHUNK {
                break;
            }
        }
        if let Some(head) = &found.head {
            hashed.set_head(head);
        }
        let is_whole = match self.to.or(self.end.get().copied()) {
            Some(to) => hashed.bytes() == to,
            None => found.chunks.values().next_back().is_some_and(|last| last.bytes < CHUNK),
        };
        is_whole.then_some(hashed)
    }
}

/// Hashes what goes through, as far as it is in a range of a span.
pub(super) struct Hashing<R> {
    inner: R,
    span: Arc<Span>,
    /// The byte that comes next.
    at: u64,
    range: (u64, u64),
    number: u64,
    chunk: Option<Chunk>,
    head: Option<Vec<u8>>,
}

impl<R> Hashing<R> {
    /// Hashes what `inner` gives, which starts at byte `at`, from byte `from` to byte `to`. Both are at the start of a chunk or at that
    /// of the span, or its end.
    pub(super) fn new(inner: R, span: &Arc<Span>, at: u64, from: u64, to: u64) -> Hashing<R> {
        let range = (from.max(span.from), to.min(span.to.unwrap_or(u64::MAX)));
        Hashing { inner, span: span.clone(), at, range, number: 0, chunk: None, head: None }
    }

    fn take(&mut self, bytes: &[u8]) {
        let (from, to) = self.range;
        let start = from.saturating_sub(self.at).min(bytes.len() as u64) as usize;
        let end = to.saturating_sub(self.at).min(bytes.len() as u64) as usize;
        if start >= end {
            return;
        }
        let (mut at, mut bytes) = (self.at + start as u64, &bytes[start..end]);
        if at < HEAD as u64 && (at == 0 || self.head.is_some()) {
            let head = self.head.get_or_insert_default();
            head.extend_from_slice(&bytes[..bytes.len().min(HEAD - head.len())]);
        }
        while !bytes.is_empty() {
            let room = CHUNK - at % CHUNK;
            let (now, rest) = bytes.split_at(bytes.len().min(room as usize));
            if self.chunk.is_none() {
                self.number = at / CHUNK;
                // Of two passes over a file the first has done it.
                let known = self.span.found().chunks.contains_key(&self.number);
                self.chunk = match &self.span.before {
                    _ if known => None,
                    Some(before) if at == self.span.from => Some(before.chunk()),
                    _ => Some(Chunk { hash: Sha256::new(), bytes: at % CHUNK, last: None }),
                };
            }
            at += now.len() as u64;
            if let Some(chunk) = &mut self.chunk {
                chunk.hash.update(now);
                chunk.bytes += now.len() as u64;
                chunk.last = now.last().copied();
            }
            if at.is_multiple_of(CHUNK) || at == to {
                self.end_chunk();
            }
            bytes = rest;
        }
    }

    fn end_chunk(&mut self) {
        if self.chunk.is_none() && self.head.is_none() {
            return;
        }
        let mut found = self.span.found();
        if let Some(chunk) = self.chunk.take() {
            found.chunks.insert(self.number, chunk);
        }
        if let Some(head) = self.head.take() {
            found.head.get_or_insert(head);
        }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        if self.span.before.is_some() {
            match n {
                // The end, where that was not known.
                0 if !buffer.is_empty() => self.end_stream(),
                _ => self.take(&buffer[..n]),
            }
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl<R> Hashing<R> {
    fn end_stream(&mut self) {
        if self.span.to.is_some() {
            return;
        }
        if self.chunk.is_none() {
            // An end at a chunk's end is told by an empty one behind it.
            let number = self.at / CHUNK;
            if self.at.is_multiple_of(CHUNK) && self.at >= self.span.from && !self.span.found().chunks.contains_key(&number) {
                let last = self.span.found().chunks.get(&number.wrapping_sub(1)).and_then(|chunk| chunk.last);
                (self.number, self.chunk) = (number, Some(Chunk { hash: Sha256::new(), bytes: 0, last }));
            }
        }
        self.end_chunk();
    }
}
