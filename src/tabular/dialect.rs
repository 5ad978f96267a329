//! How a CSV is written.

use serde::Serialize;

/// How CSV fields are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CsvDialect {
    /// RFC 4180.
    #[default]
    Rfc4180,
    /// As Athena's OpenCSVSerde reads it: `\\` is a backslash and `\"` a quote, as `""` is; other backslashes are lost. Written with
    /// quotes and backslashes doubled, newlines as `\n`.
    Athena,
}

/// How a CSV is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvOptions {
    pub delimiter: u8,
    /// Whether the first record names the columns.
    pub header: bool,
    pub dialect: CsvDialect,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions { delimiter: b',', header: true, dialect: CsvDialect::Rfc4180 }
    }
}
