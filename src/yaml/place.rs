//! Where in a text something stands.

use serde_saphyr::Location;
use std::cmp::Ordering;
use std::ops::Range;

/// A part of the text. Line and column count from one, in characters; `bytes` are those of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// 0 where nothing of the text is meant, as with what stands on the command line.
    pub line: usize,
    pub column: usize,
    pub bytes: Range<usize>,
}

impl Place {
    /// No place of the text.
    pub const NOWHERE: Place = Place { line: 0, column: 0, bytes: 0..0 };

    /// The place of a YAML library's location in `text`.
    pub(super) fn of(text: &str, location: Location) -> Place {
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let (line, column) = (number(location.line()), number(location.column()));
        if line == 0 {
            return Place::NOWHERE;
        }
        // Counting from the first line for each value would take long in a long file.
        let known = location.span().byte_offset().map(number).filter(|start| text.is_char_boundary(*start));
        let start = known.unwrap_or_else(|| line_start(text, line) + byte_of_column(line_at(text, line), column));
        if start >= text.len() {
            // The end of the text is that of its last line, not a line behind it.
            let last = text.lines().count().max(1);
            return Place { line: last, column: line_at(text, last).chars().count() + 1, bytes: text.len()..text.len() };
        }
        let length = location.span().byte_len().map_or(0, number);
        let end = start.saturating_add(length).min(text.len());
        Place { line, column, bytes: start..if text.is_char_boundary(end) { end } else { start } }
    }

    /// The bytes `part` of what stands here, where they are on its first line.
    pub fn part(&self, text: &str, part: Range<usize>) -> Place {
        let (start, end) = (self.bytes.start + part.start, self.bytes.start + part.end);
        match text.get(self.bytes.start..start) {
            Some(before) if end <= self.bytes.end && text.is_char_boundary(end) && !before.contains('\n') => {
                Place { line: self.line, column: self.column + before.chars().count(), bytes: start..end }
            }
            _ => self.clone(),
        }
    }

    /// The bytes `part` of line number `line`.
    pub fn in_line(text: &str, line: usize, part: Range<usize>) -> Place {
        let start = line_start(text, line);
        let column = line_at(text, line).get(..part.start).map_or(0, |before| before.chars().count()) + 1;
        Place { line, column, bytes: start + part.start..start + part.end }
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.line, self.column, self.bytes.end).cmp(&(other.line, other.column, other.bytes.end))
    }
}

/// The text of line number `line`, without its end.
pub(super) fn line_at(text: &str, line: usize) -> &str {
    text.lines().nth(line.saturating_sub(1)).unwrap_or("")
}

/// Where line number `line` starts, in bytes.
pub(super) fn line_start(text: &str, line: usize) -> usize {
    text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum()
}

/// Where column number `column` starts in its line, in bytes.
fn byte_of_column(line: &str, column: usize) -> usize {
    line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
}
