//! Compressed inputs, told by their first bytes: names lie.

use crate::error::{Error, ErrorKind};
use std::io::{self, BufReader, Read};

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, also of many members.
    Gzip,
    /// RFC 8878, also of many frames.
    Zstd,
    /// bzip2, also of many streams.
    Bzip2,
}

impl Compression {
    /// Told by the magic bytes at the start of a file.
    pub fn of(start: &[u8]) -> Compression {
        match start {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            // A frame, or one that is to be skipped, which some tools put before it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
            _ => Compression::None,
        }
    }

    /// The name that people use.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
        }
    }
}

/// How many first bytes tell a compression.
const MAGIC: usize = 6;

/// Compressions that are known but not read, with the program that reads them.
fn unreadable(start: &[u8]) -> Option<(&'static str, &'static str)> {
    match start {
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(("xz", "xz -dc")),
        [b'P', b'K', 3, 4, ..] => Some(("zip", "unzip -p")),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some(("lz4", "lz4 -dc")),
        [b'7', b'z', 0xbc, 0xaf, ..] => Some(("7z", "7z x -so")),
        _ => None,
    }
}

/// Wraps `raw` in what its first bytes ask for.
///
/// # Errors
/// Where the first bytes can't be read.
pub(super) fn decompress<'a>(raw: impl Read + Send + 'a) -> io::Result<(Compression, Box<dyn Read + Send + 'a>)> {
    // A pipe may give one byte first, which tells nothing.
    let (mut raw, mut start) = (raw, Vec::with_capacity(MAGIC));
    raw.by_ref().take(MAGIC as u64).read_to_end(&mut start)?;
    if let Some((name, program)) = unreadable(&start) {
        let message = format!("it is compressed with {name}, which etl can't read; decompress it first: {program} FILE | etl … -");
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    let compression = Compression::of(&start);
    let raw = BufReader::with_capacity(256 << 10, io::Cursor::new(start).chain(raw));
    let reader: Box<dyn Read + Send + 'a> = match compression {
        Compression::None => Box::new(raw),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(raw)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(raw)?),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(raw)),
    };
    Ok((compression, reader))
}

/// How zstd says that a frame asks for a larger window than it allows by itself, 2^27 bytes.
const TOO_FAR: &str = "requires too much memory";

/// The error of a stream that ended too early or is damaged: `offset` counts the bytes that came out of it before.
pub(super) fn damaged(path: &str, compression: Compression, offset: u64, source: io::Error) -> Error {
    // Of an object that can't be fetched, the stream is not at fault.
    let is_fetching = source.get_ref().is_some_and(|inner| inner.is::<Error>());
    if compression == Compression::None || is_fetching {
        return Error::input(path, source).with_context("after byte", offset);
    }
    if source.to_string().contains(TOO_FAR) {
        let message =
            format!("the zstd stream of {path} refers back to more than the 128 MiB that are kept, as zstd --long=28 and above make it");
        return Error::new(ErrorKind::Input, message)
            .with_context("what to do", format!("decompress it first: zstd -dc --long=31 {path} | etl … -"));
    }
    let what = match source.kind() {
        io::ErrorKind::UnexpectedEof => "ends too early: it was cut off, or is still being written",
        _ => "is damaged",
    };
    Error::new(ErrorKind::Input, format!("the {} stream of {path} {what}", compression.name()))
        .with_source(source)
        .with_context("after decompressed byte", offset)
        .with_context("what to do", "fetch the file again; nothing of it was published")
}
