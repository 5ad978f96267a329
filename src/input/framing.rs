//! Where records end in a stream of bytes.

use crate::tabular::{CsvDialect, CsvOptions};

/// Where a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// At each newline.
    Lines,
    /// At a newline outside of a quoted field. A header is the first record: no row, and not in any block.
    Csv(CsvOptions),
}

impl Framing {
    /// Whether the first record is a header.
    pub fn has_header(self) -> bool {
        matches!(self, Framing::Csv(CsvOptions { header: true, .. }))
    }

    /// Where the first record of `bytes` ends, its newline included.
    pub(super) fn first_end(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Framing::Lines => memchr::memchr(b'\n', bytes).map(|at| at + 1),
            Framing::Csv(options) => csv_ends(bytes, options).next(),
        }
    }

    /// Where the last whole record of `bytes` ends, its newline included.
    pub(super) fn last_end(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Framing::Lines => memchr::memrchr(b'\n', bytes).map(|at| at + 1),
            Framing::Csv(options) => csv_ends(bytes, options).last(),
        }
    }
}

/// The ends of the CSV records of `bytes`, which start at a record's start. A quote opens a field only where the field starts:
/// one within, as in `7" screen`, is text.
fn csv_ends(bytes: &[u8], options: CsvOptions) -> impl Iterator<Item = usize> + '_ {
    let backslashes = options.dialect == CsvDialect::Athena;
    let (mut quoted, mut closed, mut opening) = (false, usize::MAX, 0);
    memchr::memchr2_iter(b'"', b'\n', bytes).filter_map(move |at| {
        if bytes[at] == b'\n' {
            return (!quoted).then_some(at + 1);
        }
        if quoted {
            if backslashes && is_escaped(bytes, at, opening) {
                return None;
            }
            (quoted, closed) = (false, at);
        } else {
            // Right behind a closing quote it opens the field again: two of them are one in the text.
            let before = at.checked_sub(1);
            let again = before == Some(closed);
            quoted = again || before.is_none_or(|before| bytes[before] == b'\n' || bytes[before] == options.delimiter);
            if quoted {
                opening = at;
            }
        }
        None
    })
}

/// Whether backslashes make the quote at `at` part of its field's text, which starts behind `opening`: an odd number of them does.
fn is_escaped(bytes: &[u8], at: usize, opening: usize) -> bool {
    let text = &bytes[(opening + 1).min(at)..at];
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_quote_at_the_start_of_a_field_opens_it() {
        let ends = |text: &str| csv_ends(text.as_bytes(), CsvOptions::default()).collect::<Vec<_>>();
        assert_eq!(ends("a,\"b\nc\"\nd\n"), [8, 10]);
        assert_eq!(ends("7,5\" screen\nd\n"), [12, 14]);
        assert_eq!(ends("a\"\"b\nd\n"), [5, 7]);
        assert_eq!(ends("a,\"x \"\"y\n\"\"\"\nd\n"), [13, 15]);
        assert_eq!(ends("\"\",\"\"\nd\n"), [6, 8]);
    }

    #[test]
    fn a_quote_behind_a_backslash_closes_nothing_where_backslashes_count() {
        let ends = |text: &str, dialect| csv_ends(text.as_bytes(), CsvOptions { dialect, ..Default::default() }).collect::<Vec<_>>();
        for (text, rfc, athena) in [
            ("\"a\\\"\nb\"\nc\n", vec![5, 8, 10], vec![8, 10]),
            ("\"a\\\\\"\nb\n", vec![6, 8], vec![6, 8]),
            ("\"\\\\\\\"\"\nb\n", vec![], vec![7, 9]),
            ("a\\\",\"b\nc\"\nd\n", vec![10, 12], vec![10, 12]),
        ] {
            assert_eq!(ends(text, CsvDialect::Rfc4180), rfc, "{text}");
            assert_eq!(ends(text, CsvDialect::Athena), athena, "{text}");
        }
    }
}
