//! Where records end in a stream of bytes.

use crate::decode::lead;
use crate::tabular::RowSyntax;

/// Where a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// At each newline.
    Lines,
    /// At each newline; some lines say which fields those behind them have, so that a file is read from its start.
    Headed,
    /// Where its syntax says. A header is the first record: no row, and not in any block.
    Rows(RowSyntax),
}

impl Framing {
    /// Whether the first record is a header.
    pub fn has_header(self) -> bool {
        matches!(self, Framing::Rows(syntax) if syntax.has_header())
    }

    /// Where the first record of `bytes` ends, its newline included; one of several lines may have `most` bytes.
    pub(super) fn first_end(self, bytes: &[u8], most: usize) -> Option<usize> {
        match self {
            Framing::Lines | Framing::Headed => memchr::memchr(b'\n', bytes).map(|at| at + 1),
            // NUL bytes before it are none of it, and the quotes of a header may go on over lines.
            Framing::Rows(syntax) => {
                let lead = lead(bytes);
                syntax.first_end(&bytes[lead..], most).map(|end| lead + end)
            }
        }
    }

    /// Where the last record of `bytes` ends, its newline included, of those that can be told without what comes behind.
    pub(super) fn last_end(self, bytes: &[u8], most: usize) -> Option<usize> {
        match self {
            Framing::Lines | Framing::Headed => memchr::memrchr(b'\n', bytes).map(|at| at + 1),
            Framing::Rows(syntax) => syntax.last_end(bytes, most),
        }
    }

    /// Where the line ends that only names the delimiter of the file that starts with `bytes`; nothing where none does. It is no record.
    pub(super) fn preamble(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Framing::Lines | Framing::Headed => None,
            Framing::Rows(syntax) => syntax.preamble(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tabular::{CsvDialect, CsvOptions};

    /// Where records end, one by one.
    fn ends(text: &str, options: CsvOptions) -> Vec<usize> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(end) = Framing::Rows(options.into()).first_end(&text.as_bytes()[at..], 1 << 20) {
            at += end;
            found.push(at);
        }
        assert_eq!(Framing::Rows(options.into()).last_end(text.as_bytes(), 1 << 20), found.last().copied(), "{text}");
        found
    }

    #[test]
    fn only_a_quote_at_the_start_of_a_field_opens_it() {
        let ends = |text: &str| ends(text, CsvOptions::default());
        assert_eq!(ends("a,\"b\nc\"\nd\n"), [8, 10]);
        assert_eq!(ends("7,5\" screen\nd\n"), [12, 14]);
        assert_eq!(ends("a\"\"b\nd\n"), [5, 7]);
        assert_eq!(ends("a,\"x \"\"y\n\"\"\"\nd\n"), [13, 15]);
        assert_eq!(ends("\"\",\"\"\nd\n"), [6, 8]);
        assert_eq!(ends("\"a\nb\"\r\nd\n"), [7, 9]);
    }

    #[test]
    fn a_quote_behind_a_backslash_closes_nothing_where_backslashes_count() {
        let ends = |text: &str, dialect| ends(text, CsvOptions { dialect, ..Default::default() });
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

    #[test]
    fn broken_quotes_end_no_block_before_it_is_known_that_they_are() {
        let last = |text: &str| Framing::Rows(CsvOptions::default().into()).last_end(text.as_bytes(), 1 << 20);
        assert_eq!(last("1,x\n2,\"5 inch\n"), Some(4));
        assert_eq!(last("1,x\n2,\"5 inch\n3,\"6 inch\n"), Some(4));
        assert_eq!(last("1,x\n2,\"5 inch\n3,y\"z\n4,\n"), Some(23));
        // What is too long is broken, and so are its lines.
        let framing = Framing::Rows(CsvOptions::default().into());
        assert_eq!(framing.last_end(b"1,\"x\n2,\n3,\n4,\n5,\n6,", 12), Some(17));
    }
}
