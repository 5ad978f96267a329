//! What a file of lines is, whatever it is called and however it is compressed: its decompressed bytes, by hashes that can go on where
//! they ended.
//!
//! The bytes are hashed in chunks, so that several threads can read one file at a time, and each chunk's hash goes into a chain, so
//! that a file that has grown is hashed on from near its old end.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a chunk; units of work are multiples of it, so that each chunk is read by one thread.
pub const CHUNK: u64 = 4 << 20;
/// Bytes at the start of a file that tell whether a look at all of it is worth it.
pub(super) const HEAD: usize = 64 << 10;
/// A file that has grown is known by its head and by at least so many bytes before its old end.
const TAIL: u64 = 64 << 10;

type Sum = [u8; 32];

/// The lines that were read of a file, by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// How many bytes, decompressed: up to the end of the last line that was read.
    pub bytes: u64,
    /// How many lines.
    pub lines: u64,
    /// SHA-256 of the first 64 KiB, or of all where that is less.
    pub head: String,
    /// The first half of the SHA-256 of the first line, or of its first KiB.
    pub start: String,
    /// The chain over all chunks, in hexadecimal: each link is the SHA-256 of the link before and of the chunk's own SHA-256.
    pub digest: String,
    /// A chunk's start not far before the end, and the chain up to there.
    pub tail_at: u64,
    pub tail: String,
    /// The last line has its newline.
    pub ended: bool,
}

/// Where the hashing of a file goes on.
#[derive(Debug, Clone)]
pub struct Hashed {
    bytes: u64,
    head: String,
    start: String,
    /// The chain up to the chunk that `bytes` lies in, and one chunk before that.
    chain: Sum,
    before: Sum,
    /// That chunk up to there.
    chunk: Sha256,
    last: Option<u8>,
}

/// A chunk of which all is hashed, or all up to the end.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) hash: Sha256,
    pub(super) bytes: u64,
    pub(super) last: Option<u8>,
}

impl Default for Hashed {
    fn default() -> Self {
        Hashed {
            bytes: 0,
            head: hex::encode(Sha256::digest(b"")),
            start: start_of(b""),
            chain: [0; 32],
            before: [0; 32],
            chunk: Sha256::new(),
            last: None,
        }
    }
}

/// What tells most files from others at no cost: lines of logs have times.
pub(super) fn start_of(head: &[u8]) -> String {
    let head = &head[..head.len().min(1 << 10)];
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    hex::encode(&Sha256::digest(line)[..16])
}

fn link(chain: &Sum, chunk: &Sum) -> Sum {
    Sha256::new().chain_update(chain).chain_update(chunk).finalize().into()
}

impl Content {
    /// How many first bytes of a file tell whether a look at all of it is worth it.
    pub const HEAD: usize = HEAD;

    /// How many bytes [`Content::head`] is the hash of.
    pub fn head_length(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(HEAD).min(HEAD)
    }
}

impl Hashed {
    /// How many bytes are hashed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The hashing of a file whose content was `known`, from where its tail starts.
    pub(super) fn tail_of(known: &Content) -> Option<Hashed> {
        let mut chain = [0; 32];
        hex::decode_to_slice(&known.tail, &mut chain).ok()?;
        Some(Hashed { bytes: known.tail_at, head: known.head.clone(), start: known.start.clone(), chain, ..Hashed::default() })
    }

    /// Whether what was hashed is `known`.
    pub(super) fn is(&self, known: &Content) -> bool {
        self.bytes == known.bytes && hex::encode(self.digest()) == known.digest
    }

    /// Whether the last line has its newline.
    pub(super) fn ended(&self) -> bool {
        self.last.is_none_or(|last| last == b'\n')
    }

    pub fn set_head(&mut self, head: &[u8]) {
        self.head = hex::encode(Sha256::digest(&head[..head.len().min(HEAD)]));
        self.start = start_of(head);
    }

    /// What was hashed so far of the chunk that is not whole.
    pub(super) fn chunk(&self) -> Chunk {
        Chunk { hash: self.chunk.clone(), bytes: self.bytes % CHUNK, last: self.last }
    }

    /// Puts a chunk in the place of the one that is not whole.
    pub(super) fn put(&mut self, chunk: Chunk) {
        self.bytes = self.bytes - self.bytes % CHUNK + chunk.bytes;
        self.last = chunk.last;
        match chunk.bytes == CHUNK {
            true => self.end_chunk(chunk.hash.finalize().into()),
            false => self.chunk = chunk.hash,
        }
    }

    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = CHUNK - self.bytes % CHUNK;
            let (now, rest) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            self.chunk.update(now);
            self.bytes += now.len() as u64;
            self.last = now.last().copied();
            if self.bytes.is_multiple_of(CHUNK) {
                let sum = std::mem::take(&mut self.chunk).finalize().into();
                self.end_chunk(sum);
            }
            bytes = rest;
        }
    }

    fn end_chunk(&mut self, sum: Sum) {
        (self.before, self.chain) = (self.chain, link(&self.chain, &sum));
    }

    fn digest(&self) -> Sum {
        match self.bytes.is_multiple_of(CHUNK) {
            true => self.chain,
            false => link(&self.chain, &self.chunk.clone().finalize().into()),
        }
    }

    /// What was hashed, which are so many lines.
    pub fn content(&self, lines: u64) -> Content {
        let mut tail_at = self.bytes - self.bytes % CHUNK;
        let mut tail = self.chain;
        if self.bytes - tail_at < TAIL && tail_at > 0 {
            (tail_at, tail) = (tail_at - CHUNK, self.before);
        }
        Content {
            bytes: self.bytes,
            lines,
            head: self.head.clone(),
            start: self.start.clone(),
            digest: hex::encode(self.digest()),
            tail_at,
            tail: hex::encode(tail),
            ended: self.ended(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_grown_is_hashed_on_from_its_tail() {
        let bytes: Vec<u8> = (0..3 * CHUNK + 77).map(|n| (n % 251) as u8).collect();
        for (old, new) in [(10, 20), (CHUNK - 1, CHUNK), (CHUNK, CHUNK + 1), (CHUNK + TAIL, 2 * CHUNK), (2 * CHUNK + 9, 3 * CHUNK + 77)] {
            let whole = |length: u64| {
                let mut hashed = Hashed::default();
                hashed.set_head(&bytes[..(length as usize).min(HEAD)]);
                hashed.add(&bytes[..length as usize]);
                hashed
            };
            let known = whole(old).content(3);
            assert!(known.bytes - known.tail_at >= TAIL || known.tail_at == 0, "{known:?}");
            let mut on = Hashed::tail_of(&known).unwrap();
            on.add(&bytes[known.tail_at as usize..old as usize]);
            assert!(on.is(&known));
            on.add(&bytes[old as usize..new as usize]);
            // The head of a file that was short is that of what it was.
            on.set_head(&bytes[..(new as usize).min(HEAD)]);
            assert_eq!(on.content(5), whole(new).content(5), "{old} {new}");
        }
    }
}
