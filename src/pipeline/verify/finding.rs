//! What a check found.

use crate::pipeline::run_report::Sample;
use crate::units::count;

/// So many rows show what is wrong.
pub(super) const SHOWN: usize = 5;

/// What was found.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) passed: bool,
    /// In words.
    pub(super) found: String,
    /// Rows that show what is wrong.
    pub(super) sample: Option<Sample>,
}

impl Finding {
    pub(super) fn of(passed: bool, found: impl Into<String>) -> Finding {
        Finding { passed, found: found.into(), sample: None }
    }
}

/// `1 row`, `1,000 rows`.
pub(super) fn rows_in_words(rows: u64) -> String {
    format!("{} {}", count(rows), if rows == 1 { "row" } else { "rows" })
}
