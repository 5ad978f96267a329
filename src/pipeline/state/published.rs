//! Which versions of tables were published, told without the head that says so.

use crate::catalog::{LocalCatalog, Snapshot, Table};
use crate::error::Result;
use crate::pipeline::run_report::{Action, RunReport, RunStatus};
use crate::publish::keys::{COPY, RUNS, TABLES};
use crate::storage::Storage;
use std::collections::{BTreeMap, BTreeSet};

/// A version of a table: database, name, number and run.
pub(crate) type Named = (String, String, u64, String);

/// What descriptions, their copies and reports tell.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// Descriptions as they were written, by what they describe.
    pub(crate) tables: BTreeMap<Named, Table>,
    /// Versions that readers saw. Of those of a run that was killed right after it had published nothing may tell.
    pub(crate) published: BTreeSet<Named>,
}

impl Traces {
    /// Looks at all of them.
    ///
    /// # Errors
    /// Where the lake can't be read.
    pub(crate) fn of(storage: &Storage) -> Result<Traces> {
        let mut traces = Traces::default();
        let keys = |folder: &str, ending: &str| -> Result<Vec<String>> {
            Ok(storage.list(folder)?.into_iter().map(|entry| entry.key).filter(|key| key.ends_with(ending)).collect())
        };
        let described: Vec<String> = keys(TABLES, ".json")?.into_iter().chain(keys(RUNS, COPY)?).collect();
        for object in storage.get_all(&described)?.into_iter().flatten() {
            // One that was edited, or is no description, tells nothing: its copy does.
            let Some(table) = serde_json::from_slice::<Table>(&object.bytes).ok().filter(|table| table.digest == table.expected_digest())
            else {
                continue;
            };
            let past = table.history.iter().map(|past| (table.database.clone(), table.name.clone(), past.version, past.run.clone()));
            traces.published.extend(past);
            // No report tells of files that were there already and were registered.
            if table.registered().is_some() {
                traces.published.insert(named(&table));
            }
            traces.tables.insert(named(&table), table);
        }
        for object in storage.get_all(&keys(RUNS, "/report.json")?)?.into_iter().flatten() {
            let Ok(report) = serde_json::from_slice::<RunReport>(&object.bytes) else { continue };
            if !matches!(
                report.status,
                RunStatus::Published | RunStatus::PublishedChecksFailed | RunStatus::PublishedNotRegistered | RunStatus::TakenBack
            ) {
                continue;
            }
            for output in report.outputs.iter().filter(|output| output.action != Action::Unchanged) {
                if let Some((database, name)) = output.table.split_once('.') {
                    traces.published.insert((database.to_string(), name.to_string(), output.table_version, report.run.clone()));
                }
            }
        }
        Ok(traces)
    }
}

/// The version that `table` is.
pub(crate) fn named(table: &Table) -> Named {
    (table.database.clone(), table.name.clone(), table.version, table.origin.run.clone())
}

/// What the head says. A lake that had tables and has none is refused: a run would make one that knows its own tables only, and a vacuum
/// would take all others for rubbish.
///
/// # Errors
/// [`crate::ErrorKind::Input`] with what to do, and where the lake can't be read.
pub fn head_of(storage: &Storage, catalog: &LocalCatalog) -> Result<Snapshot> {
    let snapshot = catalog.snapshot()?;
    if !snapshot.is_empty() || Traces::of(storage)?.published.is_empty() {
        return Ok(snapshot);
    }
    // A first run that was just publishing has put it there meanwhile.
    let snapshot = catalog.snapshot()?;
    if snapshot.is_empty() { Err(catalog.headless()) } else { Ok(snapshot) }
}
