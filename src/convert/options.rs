//! What a conversion is asked to do.

use super::rejects_file::RejectsFile;
use super::report::ConvertReport;
use crate::input::Table;
use crate::output::FileFormat;
use crate::publish::{Existing, Output};
use crate::storage::Appear;
use crate::units::{ByteSize, Rate};
use crate::zone::Zone;
use serde::Serialize;
use std::num::NonZeroU64;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// A conversion, fully described.
#[derive(Debug, Clone)]
pub struct ConvertOptions {
    /// What is read.
    pub table: Table,
    /// The place of the output files.
    pub output: Output,
    /// When objects of a bucket are seen; a folder's files always are at the end, all at once.
    pub appear: Appear,
    /// Whether the report has a SHA-256 of each file.
    pub checksums: bool,
    pub format: FileFormat,
    pub layout: Layout,
    /// Columns that become folders: `dt` (the day of `time`), `hour`, or any column.
    pub partition_by: Vec<String>,
    /// Whose days and hours `dt` and `hour` are.
    pub timezone: Zone,
    pub existing: Existing,
    pub on_error: OnError,
    /// Above this share of rejected lines, of all or of a file, nothing is published.
    pub max_reject_rate: Option<Rate>,
    /// So many rejected lines of each source, in the order of the table's, were accepted when it was read before: one that has no more of
    /// them counts for no limit. Empty where none was.
    pub accepted_rejects: Vec<u64>,
    /// Where it is told what was read, where too many lines are rejected for anything to be published.
    pub counted: Counted,
    /// Where rejected lines are written, as JSON lines.
    pub rejects: Option<RejectsFile>,
    /// How many bytes of them are written; lines beyond are only counted.
    pub rejects_limit: ByteSize,
    /// How many threads decode and encode.
    pub threads: usize,
    /// Set from outside to stop the conversion; nothing is published then.
    pub cancel: Arc<AtomicBool>,
}

/// What a conversion counted that failed for its rejected lines.
pub type Counted = Arc<Mutex<Option<ConvertReport>>>;

/// What a file of rejected lines may have where nothing else is said: a log that isn't one would else be written a second time, many
/// times as large.
pub const REJECTS_LIMIT: ByteSize = ByteSize(1 << 30);

/// How rows are spread over files; for each partition on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Exactly so many files, of row counts that differ by one at most; with fewer rows, a file a row.
    Splits(NonZeroU64),
    /// Files of so many rows, the last of the rest.
    RowsPerFile(NonZeroU64),
    /// Files of about so many bytes.
    TargetSize(ByteSize),
}

/// What is done with a line that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// It is counted, reported by reason and example, and written to the rejects file.
    #[default]
    Reject,
    /// It is counted, no more.
    Skip,
    /// The conversion fails at the first.
    Fail,
}
