//! What was measured of one question to one data set.

use super::timing::Timing;
use serde::Serialize;

/// A cell of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// The name of the data set.
    pub data_set: String,
    pub question: String,
    /// How many rows were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Seconds, from opening the files to the last row; of Athena, those that its engine worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Timing>,
    /// Bytes that were read, at the least of all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_read: Option<u64>,
    /// Seconds that the question waited for its turn, in Athena.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued: Option<Timing>,
    /// USD that asking it once costs in Athena, at the most of all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Reads that this took, on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
    /// Why nothing was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What one run told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Run {
    pub(super) seconds: f64,
    pub(super) rows: u64,
    pub(super) bytes_read: Option<u64>,
    pub(super) reads: Option<u64>,
    /// Bytes that came from a disk.
    pub(super) from_disk: u64,
    pub(super) queued: Option<f64>,
    pub(super) usd: Option<f64>,
}

impl Cell {
    /// A cell of `runs`, or of the reason why there are none.
    pub(super) fn of(data_set: String, question: String, runs: &[Run], error: Option<String>) -> Cell {
        let empty = Cell { data_set, question, rows: None, seconds: None, bytes_read: None, queued: None, usd: None, reads: None, error };
        if empty.error.is_some() || runs.is_empty() {
            return empty;
        }
        let least = |of: fn(&Run) -> Option<u64>| runs.iter().filter_map(of).min();
        Cell {
            rows: Some(runs[0].rows),
            seconds: Timing::of(runs.iter().map(|run| run.seconds).collect()),
            bytes_read: least(|run| run.bytes_read),
            reads: least(|run| run.reads),
            queued: Timing::of(runs.iter().filter_map(|run| run.queued).collect()),
            usd: runs.iter().filter_map(|run| run.usd).max_by(f64::total_cmp),
            ..empty
        }
    }
}
