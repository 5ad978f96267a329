//! Who answers.

use super::athena::Athena;
use super::cell::Run;
use super::data_set::DataSet;
use super::local::Local;
use super::making::Record;
use crate::error::Result;

/// Who answers.
pub(super) enum Engine<'a> {
    Local(&'a Local),
    Athena(Box<Athena<'a>>),
}

impl Engine<'_> {
    /// Brings the files of a data set at `place` into the state in which all runs shall find them.
    ///
    /// # Errors
    /// What reading them gives, and what a catalog refuses.
    pub(super) fn prepare(&self, set: &DataSet, place: &str) -> Result<()> {
        match self {
            Engine::Local(local) => local.prepare(place),
            Engine::Athena(athena) => athena.prepare(set, place),
        }
    }

    /// Why a data set made as `record` says is not asked, for what it would cost; `rows` where an earlier run told how many there are.
    pub(super) fn refusal(&self, record: &Record, rows: Option<u64>) -> Option<String> {
        match self {
            Engine::Local(_) => None,
            Engine::Athena(athena) => athena.refusal(record.bytes, if rows.is_none() { 2 } else { 1 }),
        }
    }

    /// Asks `sql` of the data set `set` at `place`; `rows` where an earlier run told how many there are.
    ///
    /// # Errors
    /// What the query gives.
    pub(super) fn ask(&mut self, set: &DataSet, place: &str, sql: &str, rows: Option<u64>) -> Result<Run> {
        match self {
            Engine::Local(local) => local.ask(set, place, sql),
            Engine::Athena(athena) => athena.ask(set, sql, rows),
        }
    }
}
