//! lines = rows + rejects + blank: counted by unit, added up by source, checked at the end.

use super::unit_rejects::UnitRejects;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// What one unit, or one source, came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub lines: u64,
    /// Lines of text: more than `lines` where a CSV has newlines in its fields.
    pub text_lines: u64,
    pub rows: u64,
    pub rejects: u64,
    pub blank: u64,
    /// Rows that stand behind bytes that are none of their line.
    pub repaired: u64,
    /// Bytes read, as they are stored.
    pub stored: u64,
    /// Bytes decoded, after decompression.
    pub decoded: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Tally) {
        self.lines += other.lines;
        self.text_lines += other.text_lines;
        self.rows += other.rows;
        self.rejects += other.rejects;
        self.blank += other.blank;
        self.repaired += other.repaired;
        self.stored += other.stored;
        self.decoded += other.decoded;
    }

    /// Whether every line is accounted for.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where it is not: then nothing may be published.
    pub(super) fn check(self, path: &str) -> Result<()> {
        if self.lines == self.rows + self.rejects + self.blank {
            return Ok(());
        }
        let message = format!("{path}: {} lines are not {} rows + {} rejects + {} blank", self.lines, self.rows, self.rejects, self.blank);
        Err(Error::new(ErrorKind::Internal, message))
    }
}

/// What was read of a unit besides its rows.
#[derive(Debug, Default)]
pub(super) struct UnitTally {
    pub tally: Tally,
    /// Those rejects that have not been handed on.
    pub rejects: UnitRejects,
    /// How many values of which columns, by their places, were none of their types.
    pub mismatches: Mismatches,
}

/// How many values of which columns, by their places in the input's schema, were none of their types.
pub(super) type Mismatches = BTreeMap<usize, u64>;
