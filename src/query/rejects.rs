//! Counts the lines that a scan read but that are not rows.

use crate::decode::Reject;
use crate::input::MAX_LINE;
use crate::units::count;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What the scans of an engine's queries rejected, by file.
#[derive(Debug, Default)]
pub struct RejectLog {
    /// A tally for each piece of each file, by where it starts. A piece that is read again is not counted again.
    pieces: Mutex<BTreeMap<String, BTreeMap<u64, Tally>>>,
    /// What is to be said of tables as a whole.
    remarks: Mutex<BTreeSet<String>>,
}

/// What came of the lines of a piece.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Lines of text read, headers included.
    pub lines: u64,
    pub rows: u64,
    /// Whether nothing of the piece was left unread.
    pub whole: bool,
    /// Whether the file ends with the piece.
    pub last: bool,
    /// Where the piece ends, where it was read to there.
    pub end: Option<u64>,
    pub rejects: u64,
    /// The first reject's line in the piece, from 0, its offset in the file, and its reason.
    pub first: Option<(u64, u64, Arc<str>)>,
    /// How many values of a column are NULL because they are none of its type.
    pub nulls: BTreeMap<String, u64>,
}

impl Tally {
    /// Takes `reject` into account, of a block that starts behind `lines` lines of the piece, at `offset` in the file.
    pub(super) fn reject(&mut self, reject: &Reject, lines: u64, offset: u64) {
        self.rejects += 1;
        self.first.get_or_insert_with(|| (lines + reject.line, offset + reject.offset, reject.reason.clone()));
    }

    /// Takes into account that so many `values` of `column` are none of its type.
    pub(super) fn nulls(&mut self, column: &str, values: u64) {
        *self.nulls.entry(column.to_string()).or_default() += values;
    }

    /// Takes a line into account that starts at `offset` and is too long to be read.
    pub(super) fn long_line(&mut self, offset: u64) {
        self.rejects += 1;
        let reason = || format!("longer than the {} MiB that a line may have", MAX_LINE >> 20).into();
        self.first.get_or_insert_with(|| (self.lines, offset, reason()));
        self.lines += 1;
    }
}

impl RejectLog {
    pub(super) fn add(&self, path: &str, start: u64, tally: Tally) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pieces.entry(path.to_string()).or_default().entry(start).or_default();
        if tally.lines >= known.lines {
            *known = tally;
        }
    }

    /// Keeps in mind what is to be said of a table.
    pub(super) fn remark(&self, remark: String) {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).insert(remark);
    }

    /// How many lines were rejected.
    pub fn count(&self) -> u64 {
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.values().flat_map(BTreeMap::values).map(|t| t.rejects).sum()
    }

    /// The files of which each line was read and rejected, in the order of their names.
    pub fn unread(&self) -> Vec<String> {
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let is_unread = |tallies: &BTreeMap<u64, Tally>| {
            let none = tallies.values().all(|tally| tally.whole && tally.rows == 0) && tallies.values().any(|tally| tally.rejects > 0);
            // A limit may have stopped the reading: then there may be others.
            none && tallies.contains_key(&0) && tallies.values().any(|tally| tally.last)
        };
        pieces.iter().filter(|(_, tallies)| is_unread(tallies)).map(|(path, _)| path.clone()).collect()
    }

    /// What is to be said of tables, and a line for each file that has rejects, in the order of their names.
    pub fn notes(&self) -> Vec<String> {
        let remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let of_files = pieces.iter().flat_map(|(path, tallies)| note(path, tallies).into_iter().chain(nulls(path, tallies)));
        remarks.into_iter().chain(of_files).collect()
    }
}

fn note(path: &str, tallies: &BTreeMap<u64, Tally>) -> Option<String> {
    let rejects: u64 = tallies.values().map(|t| t.rejects).sum();
    // The number of a line is known where all before it were read: a limit may have stopped that.
    let mut reached = Some((0, 0));
    for (start, tally) in tallies {
        let lines_before = reached.filter(|(end, _)| end == start).map(|(_, lines)| lines);
        if let Some((line, offset, reason)) = &tally.first {
            let place = match lines_before {
                Some(before) => format!("line {}", before + line + 1),
                None => format!("byte {offset}"),
            };
            let what = if rejects == 1 { "line" } else { "lines" };
            let are = if rejects == 1 { "is not a row" } else { "are not rows" };
            return Some(format!("{} {what} of {path} {are} (first at {place}: {reason})", count(rejects)));
        }
        reached = lines_before.and_then(|before| Some((tally.end?, before + tally.lines)));
    }
    None
}

/// Which columns of a file have NULL in the place of what is none of their types.
fn nulls(path: &str, tallies: &BTreeMap<u64, Tally>) -> Option<String> {
    let mut columns: BTreeMap<&str, u64> = BTreeMap::new();
    tallies.values().flat_map(|tally| &tally.nulls).for_each(|(column, values)| *columns.entry(column).or_default() += values);
    if columns.is_empty() {
        return None;
    }
    let said: Vec<String> = columns.iter().map(|(column, values)| format!("{} of {column}", count(*values))).collect();
    Some(format!("values of {path} that are not of their column's type are read as NULL: {}", said.join(", ")))
}
