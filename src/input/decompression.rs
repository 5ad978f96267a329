//! Reads compressed inputs, and says what is wrong with them.

use super::compression::{Compression, MAGIC, unreadable};
use super::members::{Behind, Members, Stored};
use crate::error::{Error, ErrorKind};
use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use std::io::{self, Read};
use zstd::stream::read::Decoder as ZstdDecoder;

/// Wraps `raw` in what its first bytes ask for.
///
/// # Errors
/// Where the first bytes can't be read.
pub(super) fn decompress<'a>(raw: impl Read + Send + 'a) -> io::Result<(Compression, Box<dyn Read + Send + 'a>)> {
    let mut raw = Stored::new(raw);
    let start = raw.look(MAGIC)?;
    if let Some((name, program)) = unreadable(start) {
        let message = format!("it is compressed with {name}, which etl can't read; decompress it first: {program} FILE | etl … -");
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    let compression = Compression::of(start);
    let reader: Box<dyn Read + Send + 'a> = match compression {
        Compression::None => Box::new(raw),
        Compression::Gzip => Box::new(Members::<_, GzDecoder<_>>::new(raw)?),
        Compression::Zstd => Box::new(Members::<_, ZstdDecoder<_>>::new(raw)?),
        Compression::Bzip2 => Box::new(Members::<_, BzDecoder<_>>::new(raw)?),
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
        let message = format!("the zstd stream of {path} needs a window of more than 128 MiB, the limit (zstd --long=28 and above)");
        return Error::new(ErrorKind::Input, message)
            .with_context("what to do", format!("decompress it first: zstd -dc --long=31 {path} | etl … -"));
    }
    if let Some(behind) = source.get_ref().and_then(|inner| inner.downcast_ref::<Behind>()) {
        let (at, start) = (behind.at, behind.start.escape_ascii());
        let message =
            format!("after the {} stream of {path}, from byte {at} on, there is something that is not {0}: `{start}`", compression.name());
        let (before, rest) = (format!("head -c {at} {path} | etl … -"), format!("tail -c +{} {path}", at + 1));
        let what_to_do = format!(
            "look at it with {rest} | head; what is before it can be read with {before}, and it, if it belongs to the log, with {rest} | etl … -"
        );
        return Error::new(ErrorKind::Input, message)
            .with_context("after decompressed byte", offset)
            .with_context("what to do", what_to_do);
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
