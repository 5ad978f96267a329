//! What sources begin with, by which it is told what they are.

use super::blocks::{Block, BlockReader, Content, MAX_LINE};
use super::framing::Framing;
use super::many::each;
use super::source::Source;
use super::unknown_format::{is_nothing, nothing_but_nul};
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;

/// A few records of `source`, beside others; nothing where it has none, or long ones.
pub(super) fn first_block(source: &Source, framing: Framing) -> Result<Option<Bytes>> {
    match BlockReader::peek(source, framing)?.starting_small().with_lines_of(FURTHER_LINE).next_block()? {
        Some(Block { content: Content::Records(start), .. }) => Ok(Some(start)),
        _ => Ok(None),
    }
}

/// How many sources are looked at, to tell what all have in common.
pub(super) const LOOKED_AT: usize = 1_000;
/// The first line of a source is no longer than this where it is looked at beside others: many are at a time.
const FURTHER_LINE: usize = 1 << 20;
/// How many bytes of all sources are looked at to guess the columns.
const SAMPLE: usize = 16 << 20;

/// The error of a source whose first line is longer than a line may be, and begins with `head`.
pub(super) fn long_start(source: &Source, head: &[u8]) -> Error {
    let mut hint = "no line of a log, CSV, TSV or JSON file may be that long";
    if memchr::memchr(0, head).is_some() {
        hint = "it contains NUL bytes, as binary files do";
    }
    Error::new(ErrorKind::Format, format!("the first line of {} is longer than {} MiB", source.path, MAX_LINE >> 20))
        .with_context("what is wrong", hint)
        .with_context(
            "what to do",
            "if only that line is bad, give the format of a log (--log-format) or the columns of JSON (--schema), and it becomes a reject",
        )
}

/// The first records of the first source that has any, framed as `first` says, and its path; behind them a few records of each of the
/// others, framed as `others` says: a column that has whole numbers in one file may have text in the next.
pub(super) fn first_records(sources: &[Source], first: Framing, others: Framing) -> Result<(String, Bytes)> {
    let sources = &sources[..sources.len().min(LOOKED_AT)];
    for (index, source) in sources.iter().enumerate() {
        let bytes = match BlockReader::peek(source, first)?.next_block()? {
            Some(Block { content: Content::Records(bytes), .. }) => bytes,
            Some(Block { content: Content::LongLine { head, .. }, .. }) => return Err(long_start(source, &head)),
            None => continue,
        };
        if is_nothing(&bytes) {
            return Err(nothing_but_nul(source, ""));
        }
        let mut start = bytes.to_vec();
        let rest = &sources[index + 1..];
        for bytes in each(rest, |source| first_block(source, others)) {
            let Some(bytes) = bytes? else { continue };
            if !start.ends_with(b"\n") {
                start.push(b'\n');
            }
            start.extend_from_slice(&bytes);
            if start.len() > SAMPLE {
                break;
            }
        }
        return Ok((source.path.clone(), start.into()));
    }
    let path = sources.first().map_or("the input", |s| s.path.as_str());
    Err(Error::new(ErrorKind::Format, format!("{path} is empty, so its columns are unknown; give them with --schema")))
}
