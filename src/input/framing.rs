//! Where records end in a stream of bytes.

/// Where a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// At each newline.
    Lines,
    /// At a newline outside of a quoted field.
    Csv {
        delimiter: u8,
        /// The first record is the header: no row, and not in any block.
        header: bool,
    },
}

impl Framing {
    /// Whether the first record is a header.
    pub fn has_header(self) -> bool {
        matches!(self, Framing::Csv { header: true, .. })
    }

    /// The lines of text that the `records` records of `bytes` take: more than one each where fields have newlines in them.
    pub fn lines(self, bytes: &[u8], records: u64) -> u64 {
        match self {
            Framing::Lines => records,
            Framing::Csv { .. } => {
                memchr::memchr_iter(b'\n', bytes).count() as u64 + u64::from(bytes.last().is_some_and(|last| *last != b'\n'))
            }
        }
    }

    /// Where the first record of `bytes` ends, its newline included.
    pub(super) fn first_end(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Framing::Lines => memchr::memchr(b'\n', bytes).map(|at| at + 1),
            Framing::Csv { delimiter, .. } => csv_ends(bytes, delimiter).next(),
        }
    }

    /// Where the last whole record of `bytes` ends, its newline included.
    pub(super) fn last_end(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Framing::Lines => memchr::memrchr(b'\n', bytes).map(|at| at + 1),
            Framing::Csv { delimiter, .. } => csv_ends(bytes, delimiter).last(),
        }
    }
}

/// The ends of the CSV records of `bytes`, which start at a record's start. A quote opens a field only where the field starts:
/// one within, as in `7" screen`, is text.
fn csv_ends(bytes: &[u8], delimiter: u8) -> impl Iterator<Item = usize> + '_ {
    let (mut quoted, mut closed) = (false, usize::MAX);
    memchr::memchr2_iter(b'"', b'\n', bytes).filter_map(move |at| {
        if bytes[at] == b'\n' {
            return (!quoted).then_some(at + 1);
        }
        if quoted {
            (quoted, closed) = (false, at);
        } else {
            // Right behind a closing quote it opens the field again: two of them are one in the text.
            let before = at.checked_sub(1);
            quoted = before == Some(closed) || before.is_none_or(|before| bytes[before] == b'\n' || bytes[before] == delimiter);
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_quote_at_the_start_of_a_field_opens_it() {
        let ends = |text: &str| csv_ends(text.as_bytes(), b',').collect::<Vec<_>>();
        assert_eq!(ends("a,\"b\nc\"\nd\n"), [8, 10]);
        assert_eq!(ends("7,5\" screen\nd\n"), [12, 14]);
        assert_eq!(ends("a\"\"b\nd\n"), [5, 7]);
        assert_eq!(ends("a,\"x \"\"y\n\"\"\"\nd\n"), [13, 15]);
        assert_eq!(ends("\"\",\"\"\nd\n"), [6, 8]);
    }
}
