//! Lines within the JSON of Docker's json-file logger: `{"log":"…\n","stream":"stdout","time":"…"}`.

use super::ends::bare_quote;
use crate::escape::unescape_json;
use bytes::Bytes;

/// The lines that a block of such JSON holds.
#[derive(Debug)]
pub(super) struct Unwrapped {
    /// One for each line of the block. One that is no JSON of Docker's, or only a part of a line, is there as it is.
    pub lines: Bytes,
    /// Where each line of the block ends, with its newline.
    pub ends: Vec<usize>,
}

pub(super) fn unwrap(block: &[u8]) -> Unwrapped {
    let mut lines = Vec::with_capacity(block.len());
    let mut ends = Vec::new();
    let mut start = 0;
    while start < block.len() {
        let end = memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |at| start + at + 1);
        let line = &block[start..end];
        let before = lines.len();
        let is_whole = log_of(line).is_some_and(|log| {
            unescape_json(log, &mut lines);
            lines.pop() == Some(b'\n') && !lines[before..].contains(&b'\n')
        });
        if !is_whole {
            lines.truncate(before);
            lines.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        }
        lines.push(b'\n');
        ends.push(end);
        start = end;
    }
    Unwrapped { lines: lines.into(), ends }
}

/// Whether `line` looks like Docker's.
pub(super) fn is_docker(line: &[u8]) -> bool {
    log_of(line).is_some()
}

/// What was logged, its escapes still in it.
fn log_of(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(br#"{"log":""#)?;
    let end = bare_quote(rest)?;
    rest[end..].starts_with(br#"","#).then_some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_what_was_logged() {
        let block =
            b"{\"log\":\"a \\\"b\\\" \\u00e9\\n\",\"stream\":\"stdout\",\"time\":\"t\"}\nx\n{\"log\":\"cut\",\"stream\":\"stdout\"}\n";
        let Unwrapped { lines, ends } = unwrap(block);
        assert_eq!(&lines[..], "a \"b\" é\nx\n{\"log\":\"cut\",\"stream\":\"stdout\"}\n".as_bytes());
        assert_eq!((ends.len(), ends[2]), (3, block.len()));
        assert!(is_docker(block) && !is_docker(b"{\"log\":\"x") && !is_docker(b"x"));
    }
}
