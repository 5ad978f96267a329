//! The options that say what the inputs are.

use crate::error::{Error, ErrorKind, Result};
use crate::input::{CsvDialect, FormatChoice};
use clap::ValueEnum;

/// What kind of data input files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FromFormat {
    /// By file extension; files with no known extension are read as logs
    Auto,
    /// An access log
    Log,
    /// CSV with any delimiter, also in .tsv files
    Csv,
    /// As Hive's LazySimpleSerDe writes it: tabs, \N for NULL, backslash escapes, no quotes
    Tsv,
    /// One object per line
    Json,
    /// Parquet
    Parquet,
}

impl From<FromFormat> for FormatChoice {
    fn from(format: FromFormat) -> Self {
        match format {
            FromFormat::Auto => FormatChoice::Auto,
            FromFormat::Log => FormatChoice::Log,
            FromFormat::Csv => FormatChoice::Csv,
            FromFormat::Tsv => FormatChoice::Tsv,
            FromFormat::Json => FormatChoice::Json,
            FromFormat::Parquet => FormatChoice::Parquet,
        }
    }
}

/// How CSV is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Dialect {
    /// Quotes are doubled
    Rfc4180,
    /// As Athena's OpenCSVSerde reads it: quotes and backslashes are doubled
    Athena,
}

impl From<Dialect> for CsvDialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Rfc4180 => CsvDialect::Rfc4180,
            Dialect::Athena => CsvDialect::Athena,
        }
    }
}

/// The delimiter that an argument names.
///
/// # Errors
/// [`ErrorKind::Usage`] where it is none.
pub(super) fn delimiter(text: &str) -> Result<u8> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if !b"\"\n\r".contains(byte) => Ok(*byte),
        _ => Err(Error::new(ErrorKind::Usage, format!("`{text}` is not a delimiter; use one ASCII character, or `tab`"))),
    }
}
