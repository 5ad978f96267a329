//! What an inspection found; shown as text or as one JSON document.

use serde::Serialize;
use std::collections::BTreeMap;

/// What is in the files of one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Inspection {
    /// A log format's name, or `csv`, `tsv`, `json`, `parquet`.
    pub format: String,
    /// How that was found out, and what else the user should know.
    pub notes: Vec<String>,
    pub files: Vec<FileInspection>,
    pub rows: u64,
    pub columns: Vec<ColumnInspection>,
    /// For what is read by lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineInspection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogInspection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parquet: Option<ParquetInspection>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileInspection {
    pub path: String,
    /// Its size as stored.
    pub bytes: u64,
    pub rows: u64,
    /// How the whole file is compressed, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
}

/// One column of all files.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ColumnInspection {
    pub name: String,
    /// Its type as Athena calls it, with the unit of times.
    #[serde(rename = "type")]
    pub data_type: String,
    /// The LogFormat directive that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directive: Option<String>,
    /// Nothing where a Parquet file doesn't tell.
    pub nulls: Option<u64>,
    pub distinct: Option<Distinct>,
    pub min: Option<String>,
    pub max: Option<String>,
    /// For Parquet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<ColumnStorage>,
}

/// How many different values there are, NULL aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Distinct {
    pub count: u64,
    /// Whether the count is an estimate, good to about 2%.
    pub estimated: bool,
}

/// How Parquet stores a column.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ColumnStorage {
    pub physical_type: String,
    pub encodings: Vec<String>,
    pub compression: Vec<String>,
    pub compressed_bytes: u64,
    pub uncompressed_bytes: u64,
    /// Uncompressed to compressed.
    pub ratio: f64,
    /// Whether pages can be skipped by their minima and maxima.
    pub page_index: bool,
    pub bloom_filter: bool,
}

/// What became of the lines. `lines == rows + rejects + blank`, always.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LineInspection {
    pub lines: u64,
    pub rows: u64,
    pub rejects: u64,
    pub blank: u64,
    /// Rows whose line was found behind bytes that are none of it.
    pub repaired: u64,
    /// Bytes of the lines, decompressed.
    pub bytes: u64,
    /// Why lines were rejected, the most frequent reason first.
    pub reasons: Vec<ReasonInspection>,
}

/// A reason and some of the lines that were rejected for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReasonInspection {
    pub reason: String,
    pub count: u64,
    pub examples: Vec<Example>,
}

/// A rejected line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    pub path: String,
    /// Counted from 1.
    pub line: u64,
    /// Where it starts, in decompressed bytes.
    pub offset: u64,
    /// Its text, shortened.
    pub raw: String,
}

/// What only logs have.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LogInspection {
    /// The LogFormat as `httpd.conf` has it.
    pub log_format: String,
    pub first_time: Option<String>,
    pub last_time: Option<String>,
    /// Rows by class of status, such as `2xx`.
    pub statuses: BTreeMap<String, u64>,
}

/// What only Parquet has.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ParquetInspection {
    pub created_by: Vec<String>,
    pub row_groups: u64,
    /// The rows of the smallest and the largest row group.
    pub row_group_rows: Option<(u64, u64)>,
    pub compressed_bytes: u64,
    pub uncompressed_bytes: u64,
    /// What the writer noted, of the first file; the Arrow schema aside.
    pub metadata: BTreeMap<String, String>,
}
