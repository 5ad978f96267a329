//! What a conversion did, as the command prints it and programs read it.

use crate::output::Losses;
use crate::printable::printable;
use crate::units::{ByteSize, Throughput, count, counted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The outcome of a conversion.
#[derive(Debug, Clone, Serialize)]
pub struct ConvertReport {
    /// The input's format: a preset's name, `custom`, `csv`, `tsv`, `json` or `parquet`.
    pub format: String,
    pub lines: u64,
    pub rows: u64,
    pub rejects: u64,
    pub blank: u64,
    /// Rows whose line was found behind bytes that are none of it, such as the NUL bytes that cutting a log to nothing leaves.
    pub repaired: u64,
    /// Bytes of the inputs as they are stored.
    pub bytes_in: u64,
    /// Bytes of the inputs after decompression.
    pub bytes_decoded: u64,
    pub bytes_out: u64,
    pub seconds: f64,
    pub files: Vec<FileReport>,
    pub rejects_by_reason: BTreeMap<String, u64>,
    /// How many values of CSV, TSV and JSON were none of their column's type, by column, whatever became of them.
    pub mismatches_by_column: BTreeMap<String, u64>,
    /// The first rejected lines.
    pub reject_examples: Vec<RejectExample>,
    pub sources: Vec<SourceReport>,
    /// What the user should know: assumptions, files fewer than asked for.
    pub notes: Vec<String>,
    /// What was lost of values; the notes tell it.
    #[serde(skip)]
    pub losses: Losses,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileReport {
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// An input that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    pub path: String,
    pub lines: u64,
    pub rows: u64,
    pub rejects: u64,
    pub blank: u64,
    pub repaired: u64,
    /// Whether an earlier run has read lines before these.
    #[serde(skip)]
    pub has_more: bool,
}

/// A rejected line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectExample {
    pub path: String,
    /// Counts from 1.
    pub line: u64,
    /// Byte offset in the (decompressed) file.
    pub offset: u64,
    pub reason: String,
    /// The line's beginning, control characters escaped.
    pub text: String,
}

/// How many inputs a note names.
const NAMED: usize = 5;

impl ConvertReport {
    /// What is to be said of inputs of which no line could be read. Of one that has grown, others were read before.
    pub fn unread(&self) -> Option<String> {
        let unread: Vec<&str> =
            self.sources.iter().filter(|s| s.rejects > 0 && s.rows == 0 && !s.has_more).map(|s| s.path.as_str()).collect();
        let more = match unread.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {} more", count(more as u64)),
        };
        (!unread.is_empty()).then(|| format!("every line of {}{more} was rejected", unread[..unread.len().min(NAMED)].join(", ")))
    }
}

impl fmt::Display for ConvertReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elapsed = Duration::from_secs_f64(self.seconds);
        writeln!(
            f,
            "{} = {} + {} + {} blank",
            counted(self.lines, "line"),
            counted(self.rows, "row"),
            counted(self.rejects, "reject"),
            count(self.blank)
        )?;
        let ratio = if self.bytes_decoded > 0 { self.bytes_out as f64 / self.bytes_decoded as f64 } else { 0.0 };
        let plural = if self.files.len() == 1 { "file" } else { "files" };
        writeln!(
            f,
            "{} in, {} out in {} {plural} ({:.1}% of the text), {:.2} s, {}",
            ByteSize(self.bytes_in),
            ByteSize(self.bytes_out),
            count(self.files.len() as u64),
            ratio * 100.0,
            self.seconds,
            Throughput::new(self.bytes_decoded, elapsed),
        )?;
        if self.repaired > 0 {
            writeln!(f, "  {} repaired: NUL bytes or a byte order mark before the line are ignored", count(self.repaired))?;
        }
        for (reason, rejects) in &self.rejects_by_reason {
            writeln!(f, "  {} rejected: {}", count(*rejects), printable(reason))?;
        }
        for example in &self.reject_examples {
            writeln!(f, "    {}:{} (byte {}): {}", printable(&example.path), example.line, example.offset, printable(&example.text))?;
        }
        for (column, values) in &self.mismatches_by_column {
            let are = if *values == 1 { "value is" } else { "values are" };
            writeln!(f, "  column {}: {} {are} not of its type", printable(column), count(*values))?;
        }
        for note in &self.notes {
            writeln!(f, "note: {}", printable(note))?;
        }
        match self.files.as_slice() {
            [] => Ok(()),
            [only] => write!(f, "wrote {}", printable(&only.path)),
            [first, .., last] => write!(f, "wrote {} … {}", printable(&first.path), printable(&last.path)),
        }
    }
}
