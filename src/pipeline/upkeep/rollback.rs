//! Makes readers see again what an earlier run made.

use crate::catalog::{LocalCatalog, Table, live_files, table_folders};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::model::Pipeline;
use crate::pipeline::registering::of_pipeline::ReaderCatalog;
use crate::pipeline::run_report::{OutputRun, RunReport, RunStatus};
use crate::publish::keys;
use crate::publish::{Claim, Lease, RunId};
use crate::storage::Storage;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Publishes the tables of `pipeline` once more as they were when the run `to` had ended, all at once; a catalog of readers is told.
///
/// # Errors
/// [`ErrorKind::Usage`] for a run that is not known or is what readers see, [`ErrorKind::Input`] where its files are gone,
/// [`ErrorKind::Conflict`] where another run publishes meanwhile, or a vacuum removes them. Nothing has changed then.
pub fn rollback(storage: &Storage, pipeline: &Pipeline, to: &str) -> Result<RunReport> {
    back(storage, pipeline, &Goal::Run(to))
}

/// Takes the run `run` back: publishes the tables that it made once more as they were before.
///
/// # Errors
/// As [`rollback`].
pub(crate) fn take_back(storage: &Storage, pipeline: &Pipeline, run: &str) -> Result<RunReport> {
    back(storage, pipeline, &Goal::Before(run))
}

/// The moment to go back to.
enum Goal<'a> {
    /// When this run had ended.
    Run(&'a str),
    /// Before this run published.
    Before(&'a str),
}

fn back(storage: &Storage, pipeline: &Pipeline, goal: &Goal<'_>) -> Result<RunReport> {
    let started = Utc::now();
    let run = RunId::new(started);
    let catalog = LocalCatalog::new(storage.clone());
    let snapshot = catalog.snapshot()?;
    let mut tables: Vec<Table> = Vec::new();
    for (_, _, reference) in snapshot.head.tables() {
        let table = catalog.table(reference)?;
        if table.origin.pipeline == pipeline.name {
            tables.push(table);
        }
    }
    let (moment, to) = match goal {
        Goal::Run(to) => (moment(&tables, to).ok_or_else(|| unknown(pipeline, &tables, to))?, (*to).to_string()),
        Goal::Before(run) => before(&tables, run)?,
    };
    let mut notes = vec![format!("rolled back to run {to}; the next run will read later files again")];
    let mut back = Vec::new();
    for table in &tables {
        let name = format!("{}.{}", table.database, table.name);
        if table.updated <= moment {
            continue;
        }
        let Some(past) = table.history.iter().rev().find(|past| past.updated <= moment) else {
            notes.push(format!("{name} was made later, and is left as it is"));
            continue;
        };
        let mut old = catalog.table_at(&past.object).map_err(|e| vacuumed(e, &name))?;
        // It may have had another name then.
        (old.database, old.name) = (table.database.clone(), table.name.clone());
        if old.segments != table.segments || old.storage != table.storage {
            back.push((past.object.clone(), old));
        }
    }
    if back.is_empty() {
        return Err(Error::new(ErrorKind::Usage, format!("readers see what run {to} made already; nothing was changed")));
    }
    // Before anything changes it is known how a catalog is reached.
    let readers = ReaderCatalog::of(pipeline)?;
    let claim = Claim {
        run: run.clone(),
        pipeline: pipeline.name.clone(),
        folders: Vec::new(),
        tables: back.iter().map(|(_, old)| (old.database.clone(), old.name.clone())).collect(),
        versions: back.iter().map(|(object, _)| object.clone()).collect(),
    };
    // From here on no vacuum begins to remove these files.
    let lease = Lease::take(storage, &claim)?;
    let mut versions = Vec::new();
    for (_, mut old) in back {
        check_files(storage, &old).map_err(|e| vacuumed(e, &format!("{}.{}", old.database, old.name)))?;
        old.origin.run = run.to_string();
        old.origin.rolled_back_to = Some(to.clone());
        old.updated = started;
        versions.push(old);
    }
    let published = catalog.commit(&snapshot, versions, &lease)?;
    let mut report = RunReport {
        status: RunStatus::Published,
        finished: Utc::now(),
        outputs: published.iter().map(OutputRun::of_table).collect(),
        rolled_back_to: Some(to),
        notes,
        ..RunReport::begun(run.as_str(), &pipeline.name, &pipeline.lake.location, started)
    };
    if let Some(readers) = readers {
        match readers.register(pipeline, storage) {
            Ok(registered) => report.catalog = registered,
            Err(error) => {
                report.status = RunStatus::PublishedNotRegistered;
                report.error = Some(error.to_string());
            }
        }
    }
    // That it can't be kept is no reason to call a rollback failed that readers see.
    if let Err(error) = report.keep(storage, &keys::report(&pipeline.name, run.as_str())) {
        report.notes.push(format!("the report could not be stored: {error}"));
    }
    Ok(report)
}

/// When the run `to` had published its tables.
fn moment(tables: &[Table], to: &str) -> Option<DateTime<Utc>> {
    let versions = tables.iter().flat_map(|table| {
        let past = table.history.iter().map(|past| (past.run.as_str(), past.updated));
        past.chain([(table.origin.run.as_str(), table.updated)])
    });
    versions.filter(|(run, _)| *run == to).map(|(_, updated)| updated).max()
}

/// The moment before the run `run` published, and the run whose tables readers saw then.
fn before(tables: &[Table], run: &str) -> Result<(DateTime<Utc>, String)> {
    let made = || tables.iter().filter(|table| table.origin.run == run);
    let last = made().filter_map(|table| table.history.last()).max_by_key(|past| past.updated);
    let first = made().map(|table| table.updated).min();
    match (first, last) {
        (Some(first), Some(last)) => Ok((first - TimeDelta::nanoseconds(1), last.run.clone())),
        _ => Err(Error::new(ErrorKind::Usage, format!("run {run} can't be taken back: its tables had no version before"))
            .with_context("what to do", "mend what the checks found, and run it again with --full")),
    }
}

fn unknown(pipeline: &Pipeline, tables: &[Table], to: &str) -> Error {
    let runs: BTreeSet<&str> = tables.iter().flat_map(|table| table.history.iter().map(|past| past.run.as_str())).collect();
    let hint = nearest(to, runs.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let newest: Vec<&str> = runs.iter().rev().take(5).copied().collect();
    let error = Error::new(ErrorKind::Usage, format!("no run `{to}` of {} published a table{hint}", pipeline.name));
    match newest.is_empty() {
        true => error.with_context("what to do", "there is no earlier run to go back to"),
        false => error.with_context("earlier runs", newest.join(", ")),
    }
}

fn check_files(storage: &Storage, table: &Table) -> Result<()> {
    let mut listed: BTreeSet<String> = BTreeSet::new();
    for folder in table_folders(table) {
        listed.extend(storage.list(&folder)?.into_iter().map(|entry| entry.key));
    }
    match live_files(storage, table)?.into_iter().find(|file| !listed.contains(&file.key)) {
        Some(gone) => Err(Error::new(ErrorKind::Input, format!("{} is gone", storage.location().join(&gone.key)))),
        None => Ok(()),
    }
}

fn vacuumed(error: Error, table: &str) -> Error {
    let message = format!("{table} can't be read any more as it was then; nothing was changed");
    Error::new(ErrorKind::Input, message)
        .with_source(error)
        .with_context("why", "`etl vacuum` removes versions that nobody has read for long")
}
