//! How rows are written as fields of text: as CSV, or as TSV.

use super::delimiter::separator_line;
use super::dialect::CsvOptions;
use super::fields::{self, RowField, Split, split_record};
use super::record::{Alone, first_record_end, last_record_end};
use super::tsv::{self, split_line};

/// How rows are written as fields of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSyntax {
    Csv(CsvOptions),
    /// As Hive's LazySimpleSerDe has it: a line a row, tabs between fields, `\N` for NULL, a backslash before what would mean something
    /// else, and quotes that mean nothing.
    Tsv {
        /// Whether the first line names the columns.
        header: bool,
    },
}

impl From<CsvOptions> for RowSyntax {
    fn from(options: CsvOptions) -> RowSyntax {
        RowSyntax::Csv(options)
    }
}

impl RowSyntax {
    /// What reports call it.
    pub fn name(self) -> &'static str {
        match self {
            RowSyntax::Csv(_) => "csv",
            RowSyntax::Tsv { .. } => "tsv",
        }
    }

    /// Whether the first record names the columns.
    pub fn has_header(self) -> bool {
        match self {
            RowSyntax::Csv(options) => options.header,
            RowSyntax::Tsv { header } => header,
        }
    }

    /// The same where the first record does, or doesn't.
    #[must_use]
    pub fn with_header(self, header: bool) -> RowSyntax {
        match self {
            RowSyntax::Csv(options) => RowSyntax::Csv(CsvOptions { header, ..options }),
            RowSyntax::Tsv { .. } => RowSyntax::Tsv { header },
        }
    }

    /// What is between two fields.
    pub fn delimiter(self) -> u8 {
        match self {
            RowSyntax::Csv(options) => options.delimiter,
            RowSyntax::Tsv { .. } => b'\t',
        }
    }

    /// Where the first record of `bytes` ends, its newline included; one of several lines may have `most` bytes.
    pub fn first_end(self, bytes: &[u8], most: usize) -> Option<usize> {
        match self {
            RowSyntax::Csv(options) => first_record_end(bytes, options, most),
            RowSyntax::Tsv { .. } => memchr::memchr(b'\n', bytes).map(|at| at + 1),
        }
    }

    /// Where the last record of `bytes` ends, its newline included, of those that can be told without what comes behind.
    pub fn last_end(self, bytes: &[u8], most: usize) -> Option<usize> {
        match self {
            RowSyntax::Csv(options) => last_record_end(bytes, options, most),
            RowSyntax::Tsv { .. } => memchr::memrchr(b'\n', bytes).map(|at| at + 1),
        }
    }

    /// Where the line ends that only names the delimiter of the file that starts with `bytes`; nothing where none does. It is no record.
    pub fn preamble(self, bytes: &[u8]) -> Option<usize> {
        match self {
            RowSyntax::Csv(_) => separator_line(bytes).map(|(end, _)| end),
            RowSyntax::Tsv { .. } => None,
        }
    }

    /// Splits the record at `start` into `fields`. Of a record with more than `most`, these are the first ones and the last. `bytes` end
    /// with a record's end or the input's; `alone` is what records before it told.
    #[inline]
    pub(super) fn split(self, bytes: &[u8], start: usize, alone: &mut Alone, most: usize, fields: &mut Vec<RowField>) -> Split {
        match self {
            RowSyntax::Csv(options) => split_record(bytes, start, alone, options, most, fields),
            RowSyntax::Tsv { .. } => split_line(bytes, start, most, fields),
        }
    }

    /// Appends the text of a field, which has escapes, to `out`.
    pub(super) fn unescape(self, value: &[u8], out: &mut Vec<u8>) {
        match self {
            RowSyntax::Csv(options) => fields::unescape(value, options.dialect, out),
            RowSyntax::Tsv { .. } => tsv::unescape(value, out),
        }
    }

    /// Whether a text that is empty is NULL in columns that aren't of text, which have no such value.
    pub(super) fn empty_is_null(self) -> bool {
        matches!(self, RowSyntax::Csv(_))
    }

    /// Whether a line with nothing in it is a record of `width` fields, and not blank.
    pub(super) fn nothing_is_a_record(self, width: usize) -> bool {
        width == 1 && matches!(self, RowSyntax::Tsv { .. })
    }
}
