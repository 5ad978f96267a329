//! The lines of a log that say which fields the lines behind them have, as a file is read from its start.

use crate::accesslog::heading::{last_heading, line_of};
use bytes::Bytes;
use std::io::Write;

/// A heading is no longer than this: a log's fields have names of some letters each.
const LONGEST: usize = 64 << 10;

/// The last heading that was seen. What is written to it is looked at, too.
#[derive(Debug, Default)]
pub(super) struct Headings {
    last: Option<Bytes>,
    /// The begin of a line of which the end isn't written yet.
    open: Vec<u8>,
}

impl Headings {
    pub(super) fn last(&self) -> Option<Bytes> {
        self.last.clone()
    }

    /// Looks at whole lines.
    pub(super) fn see(&mut self, lines: &[u8]) {
        if let Some(at) = last_heading(lines) {
            self.last = Some(Bytes::copy_from_slice(line_of(&lines[at..])));
        }
    }
}

impl Write for Headings {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(end) = memchr::memrchr(b'\n', bytes) else {
            let room = LONGEST.saturating_sub(self.open.len());
            self.open.extend_from_slice(&bytes[..bytes.len().min(room)]);
            return Ok(bytes.len());
        };
        let mut lines = std::mem::take(&mut self.open);
        lines.extend_from_slice(&bytes[..=end]);
        self.see(&lines);
        self.open.extend_from_slice(&bytes[end + 1..][..(bytes.len() - end - 1).min(LONGEST)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_heading_is_known_however_it_is_written() {
        let text = b"#Fields: a b\n1 2\n3 4\n#Fields: b\n5\nx";
        for size in 1..text.len() {
            let mut headings = Headings::default();
            text.chunks(size).for_each(|chunk| headings.write_all(chunk).unwrap());
            assert_eq!(headings.last().as_deref(), Some(&b"#Fields: b"[..]), "{size}");
        }
    }
}
