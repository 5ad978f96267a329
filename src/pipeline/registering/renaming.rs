//! A table of a lake gets another name, for the readers of catalogs, too.

use super::dropping::drop_from_glue;
use super::forwarding::forward;
use crate::aws::AwsSettings;
use crate::catalog::{Catalog, GlueCatalog, LocalCatalog, REGISTERING, Registration, Snapshot, Table, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::run_report::{Action, OutputRun, Renamed, RunReport, RunStatus};
use crate::publish::{Claim, Lease, RunId, keys};
use crate::storage::Storage;
use chrono::Utc;

/// The folder of the signs of those who rename tables: the name of no pipeline.
const RENAMING: &str = ".rename";

/// Gives the table `from` of the lake in `storage` the name `to`, under which it goes on with its files and its history; catalogs of readers that
/// know it are told the new name, then forget the old one. What the user should know is given back.
///
/// # Errors
/// [`ErrorKind::Usage`] where there is no such table, or one of the new name; [`ErrorKind::Conflict`] where it is changed by others meanwhile;
/// what a catalog of readers says.
pub fn rename(storage: &Storage, from: &TableName, to: &TableName) -> Result<Vec<String>> {
    let catalog = LocalCatalog::new(storage.clone());
    let snapshot = catalog.snapshot()?;
    let table = renamable(&catalog, &snapshot, from, to)?;
    let run = RunId::new(Utc::now());
    let name = |name: &TableName| (name.database.clone(), name.table.clone());
    let object = snapshot.head.table(&from.database, &from.table).map(|reference| reference.object.clone());
    let claim = Claim {
        run: run.clone(),
        pipeline: RENAMING.to_string(),
        folders: Vec::new(),
        tables: vec![name(from), name(to)],
        versions: object.into_iter().collect(),
    };
    // Meanwhile no vacuum removes what the table is made of.
    let lease = Lease::take(storage, &claim)?;
    let told: Vec<Registration> =
        Registration::all(storage)?.into_iter().filter(|one| one.database == from.database && one.table == from.table).collect();
    let renamed = catalog.rename(&snapshot, &table, to, &run, &lease)?;
    let mut notes = Vec::new();
    // That the history can't tell of it is no reason to call a rename failed that readers see.
    if let Err(error) = keep_report(storage, &renamed, from, &run) {
        notes.push(format!("the report could not be kept: {error}"));
    }
    if table.registered().is_none() {
        notes.push(format!(
            "also change `table:` to {to} in the pipeline `{}`, or its next run will create {from} again",
            table.origin.pipeline
        ));
    }
    if !snapshot.head.policies.is_empty() {
        notes.push(format!("tags and grants on {from} don't apply to {to} until its pipeline names it and is run"));
    }
    for old in told {
        let glue = GlueCatalog::connect(&old.glue, &AwsSettings::of_command_line())?;
        let new = Registration::new(&to.database, &to.table, old.glue.clone(), old.options.clone());
        let behind = |error: Error| {
            Error::new(ErrorKind::Output, format!("{from} was renamed to {to} in the lake, but Glue could not be updated"))
                .with_source(error)
                .with_context(
                    "what to do",
                    format!("`etl catalog sync` registers the new name, `etl catalog drop {from}` removes the old one"),
                )
        };
        // Whatever happens from here on, `sync` tells the new name.
        new.keep(storage)?;
        // The view beside it is made anew with the new table below it.
        let entry = glue.table(&old.reader_database(), &old.table).map_err(behind)?;
        let gone = entry.map(|entry| drop_from_glue(&glue, &entry)).transpose().map_err(behind)?;
        let done = forward(storage, &new, &glue, false).map_err(behind)?;
        old.forget(storage)?;
        if let (Some(done), Some(_)) = (done, gone) {
            notes.push(format!("renamed to {} in Glue", done.table));
        }
    }
    Ok(notes)
}

/// Whether the table can have the name, told before anybody is asked.
///
/// # Errors
/// [`ErrorKind::Usage`] as those of [`rename`].
pub fn check_rename(storage: &Storage, from: &TableName, to: &TableName) -> Result<()> {
    let catalog = LocalCatalog::new(storage.clone());
    renamable(&catalog, &catalog.snapshot()?, from, to).map(|_| ())
}

fn renamable(catalog: &LocalCatalog, snapshot: &Snapshot, from: &TableName, to: &TableName) -> Result<Table> {
    let table = catalog.find(snapshot, &from.database, &from.table)?;
    if from == to {
        return Err(Error::new(ErrorKind::Usage, format!("{from} is the name that the table has; nothing was changed")));
    }
    match snapshot.head.table(&to.database, &to.table) {
        Some(_) => Err(Error::new(ErrorKind::Usage, format!("table {to} already exists; nothing was changed"))
            .with_context("what to do", "give another name")),
        None => Ok(table),
    }
}

/// Keeps what the history of the pipeline tells of it.
fn keep_report(storage: &Storage, table: &Table, from: &TableName, run: &RunId) -> Result<()> {
    let pipeline = &table.origin.pipeline;
    if pipeline == REGISTERING {
        return Ok(());
    }
    let report = RunReport {
        status: RunStatus::Published,
        outputs: vec![OutputRun { action: Action::Altered, ..OutputRun::of_table(table) }],
        renamed: Some(Renamed { from: from.to_string(), to: format!("{}.{}", table.database, table.name) }),
        finished: Utc::now(),
        ..RunReport::begun(run.as_str(), pipeline, &storage.location().to_string(), table.updated)
    };
    report.keep(storage, &keys::report(pipeline, run.as_str()))
}
