//! Makes readers see again what an earlier run made.

use super::gone_tables::{Gone, gone_tables};
use crate::catalog::{LocalCatalog, PastVersion, Table, live_files, table_folders};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::model::Pipeline;
use crate::pipeline::registering::of_pipeline::ReaderCatalog;
use crate::pipeline::run_report::{OutputRun, RunReport, RunStatus};
use crate::publish::keys;
use crate::publish::{Claim, Lease, RunId, run_named};
use crate::storage::Storage;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Publishes the tables of `pipeline` once more as they were when the run `to` had ended, all at once, those that were dropped since, too; a
/// catalog of readers is told. `to` is the id of a run, the first letters of it, or `last`.
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
    let gone = gone_tables(&catalog, &snapshot, &pipeline.name)?;
    let (moment, to) = match goal {
        Goal::Run(to) => moment(&tables, &gone, to)?.map_or_else(|| Err(unknown(storage, pipeline, &tables, &gone, to)), Ok)?,
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
            notes.push(format!("{name} was created later and is left unchanged"));
            continue;
        };
        let mut old = catalog.table_at(&past.object).map_err(|e| vacuumed(e, &name))?;
        // It may have had another name then.
        (old.database, old.name) = (table.database.clone(), table.name.clone());
        if old.segments != table.segments || old.storage != table.storage {
            back.push((past.object.clone(), old));
        }
    }
    let mut lost = Vec::new();
    for gone in gone.iter().filter(|gone| gone.dropped.at > moment) {
        let Some(past) = gone.version_at(moment) else { continue };
        let name = gone.name();
        match catalog.table_at(&past.object) {
            Ok(mut old) => {
                (old.database, old.name) = (gone.dropped.database.clone(), gone.dropped.name.clone());
                notes.push(format!("{name}, which was dropped {}, is restored", gone.when()));
                back.push((past.object, old));
            }
            Err(_) => lost.push(format!("{name}, which was dropped {}, can't be restored: `etl vacuum` removed its files", gone.when())),
        }
    }
    if let (true, Some(lost)) = (back.is_empty(), lost.first()) {
        return Err(Error::new(ErrorKind::Input, format!("{lost}; nothing was changed"))
            .with_context("what to do", "`etl run --full` rebuilds it from the existing source files"));
    }
    notes.extend(lost);
    if back.is_empty() {
        return Err(Error::new(ErrorKind::Usage, format!("readers already see what run {to} made; nothing was changed")));
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

/// The version of a table that each run published, and when.
fn versions<'a>(tables: &'a [Table], gone: &'a [Gone]) -> impl Iterator<Item = (String, DateTime<Utc>)> + 'a {
    let now = |table: &Table| (table.origin.run.clone(), table.updated);
    let past = |table: &'a Table| table.history.iter().map(|past: &PastVersion| (past.run.clone(), past.updated));
    let there = tables.iter().flat_map(move |table| past(table).chain([now(table)]));
    there.chain(gone.iter().flat_map(|gone| gone.versions().into_iter().map(|past| (past.run, past.updated))))
}

/// When the run that `to` names had published its tables, and its id.
fn moment(tables: &[Table], gone: &[Gone], to: &str) -> Result<Option<(DateTime<Utc>, String)>> {
    let all: Vec<(String, DateTime<Utc>)> = versions(tables, gone).collect();
    let Some(run) = run_named(to, all.iter().map(|(run, _)| run.as_str()))? else { return Ok(None) };
    let moment = all.iter().filter(|(known, _)| known == run).map(|(_, updated)| *updated).max();
    Ok(moment.map(|moment| (moment, run.to_string())))
}

/// The moment before the run `run` published, and the run whose tables readers saw then.
fn before(tables: &[Table], run: &str) -> Result<(DateTime<Utc>, String)> {
    let made = || tables.iter().filter(|table| table.origin.run == run);
    let last = made().filter_map(|table| table.history.last()).max_by_key(|past| past.updated);
    let first = made().map(|table| table.updated).min();
    match (first, last) {
        (Some(first), Some(last)) => Ok((first - TimeDelta::nanoseconds(1), last.run.clone())),
        _ => Err(Error::new(ErrorKind::Usage, format!("run {run} can't be rolled back: its tables had no earlier version"))
            .with_context("what to do", "fix what the checks found, and run it again with --full")),
    }
}

fn unknown(storage: &Storage, pipeline: &Pipeline, tables: &[Table], gone: &[Gone], to: &str) -> Error {
    let all: BTreeSet<String> = versions(tables, gone).map(|(run, _)| run).collect();
    let current: BTreeSet<&str> = tables.iter().map(|table| table.origin.run.as_str()).collect();
    let runs: Vec<&str> = all.iter().map(String::as_str).filter(|run| !current.contains(run)).collect();
    let hint = nearest(to, runs.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let newest: Vec<&str> = runs.iter().rev().take(5).copied().collect();
    let report = storage.get(&keys::report(&pipeline.name, to)).ok().flatten();
    let error = match report.and_then(|object| serde_json::from_slice::<RunReport>(&object.bytes).ok()) {
        Some(report) if report.status.is_published() => {
            let made: Vec<&str> = report.outputs.iter().map(|output| output.table.as_str()).collect();
            let message = format!(
                "run {to} published {}, of which nothing is left in this lake: dropped since, and removed by `etl vacuum`",
                made.join(", ")
            );
            Error::new(ErrorKind::Usage, message)
        }
        Some(_) => Error::new(ErrorKind::Usage, format!("run {to} of {} published nothing", pipeline.name)),
        None => Error::new(ErrorKind::Usage, format!("no run `{to}` of {} published a table{hint}", pipeline.name)),
    };
    match newest.is_empty() {
        true => error.with_context(
            "what to do",
            "there is no earlier run to go back to; `etl run --full` rebuilds the tables from the existing source files",
        ),
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
    let message = format!("{table} can no longer be read as it was then; nothing was changed");
    Error::new(ErrorKind::Input, message)
        .with_source(error)
        .with_context("why", "`etl vacuum` removes versions that nobody has read for long")
}
