//! Removes what no reader sees any more.

use super::run::RUNS;
use super::workspace::WORK;
use crate::catalog::{LocalCatalog, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::publish::{Lease, RunId};
use crate::query::live_files;
use crate::storage::{Entry, StaleUpload, Storage};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

/// What was removed, or would be.
#[derive(Debug, Clone, Serialize)]
pub struct VacuumReport {
    pub lake: String,
    /// Nothing was removed yet.
    pub dry_run: bool,
    pub removed: Vec<Removed>,
    /// Of all that was removed.
    pub bytes: u64,
}

/// An object that nobody reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    pub key: String,
    pub bytes: u64,
    pub why: &'static str,
}

/// Removes data files, table versions and manifests of the lake in `storage` that readers have not seen for `older_than`, and what killed
/// runs left that is as old. What runs at work write is left alone; so are reports, and what no run wrote.
///
/// # Errors
/// Where the lake can't be read or written.
pub fn vacuum(storage: &Storage, older_than: TimeDelta, dry_run: bool) -> Result<VacuumReport> {
    let cutoff = Utc::now() - older_than;
    let what_to_do = "name the lake of a pipeline, a folder or s3://bucket/prefix that has `_etl` in it";
    if storage.list("_etl")?.is_empty() {
        return Err(
            Error::new(ErrorKind::Input, format!("there is no lake at {}", storage.location())).with_context("what to do", what_to_do)
        );
    }
    if LocalCatalog::new(storage.clone()).snapshot()?.is_empty() && !storage.list("_etl/catalog/tables")?.is_empty() {
        let message = format!("{} has tables, but the object that says which are read is gone; nothing was removed", storage.location());
        return Err(Error::new(ErrorKind::Input, message).with_context("what to do", "bring _etl/catalog/head.json back"));
    }
    let kept = Kept::of(storage, cutoff)?;
    let mut removed = Vec::new();
    let mut take = |entry: &Entry, why: &'static str| removed.push(Removed { key: entry.key.clone(), bytes: entry.size, why });
    let old = |entry: &&Entry| entry.modified < cutoff;

    for entry in storage.list("_etl/catalog/tables")?.iter().filter(old) {
        if !kept.keys.contains(&entry.key) {
            take(entry, "a version of a table that nobody reads");
        }
    }
    for entry in storage.list(RUNS)?.iter().filter(old) {
        // `_etl/runs/PIPELINE/RUN/OUTPUT.manifest.json`
        let is_data = entry.key.ends_with(".manifest.json") || entry.key.contains("/rejects-");
        let run = entry.key.split('/').nth(3).and_then(RunId::of_folder);
        if is_data && run.is_some_and(|run| !kept.runs.contains(&run) && !kept.active.contains(&run)) {
            take(entry, "a run whose rows nobody reads");
        }
    }
    for entry in storage.list(WORK)?.iter().filter(old) {
        let run = entry.key.strip_prefix(WORK).and_then(|key| key.split('/').nth(1)).and_then(RunId::of_folder);
        if run.is_some_and(|run| !kept.active.contains(&run)) {
            take(entry, "a run that was killed");
        }
    }
    let databases = storage.folders("")?.into_iter().filter(|name| name != "_etl");
    for database in databases {
        for table in storage.folders(&database)? {
            for folder in storage.folders(&format!("{database}/{table}"))? {
                // What is not in a run's folder is not ours; a hidden one is that of a run, being written.
                let hidden = folder.strip_prefix('.').and_then(|name| name.split(".etl-").next());
                let Some(run) = RunId::of_folder(hidden.unwrap_or(&folder)).filter(|run| !kept.active.contains(run)) else { continue };
                for entry in storage.list(&format!("{database}/{table}/{folder}"))?.iter().filter(old) {
                    if !kept.keys.contains(&entry.key) {
                        take(entry, if kept.runs.contains(&run) { "a partition that was replaced" } else { "a run that nobody reads" });
                    }
                }
            }
        }
    }
    let is_left = |upload: &StaleUpload| {
        // As above: a run's folder, hidden or not, is somewhere in the key, or it isn't ours.
        let part = |part: &str| RunId::of_folder(part.strip_prefix('.').and_then(|name| name.split(".etl-").next()).unwrap_or(part));
        upload.key.split('/').find_map(part).is_some_and(|run| !kept.active.contains(&run))
    };
    let uploads: Vec<StaleUpload> = storage.stale_uploads("", older_than)?.into_iter().filter(is_left).collect();
    if !dry_run {
        storage.abort_uploads(&uploads)?;
        storage.delete(&removed.iter().map(|one| one.key.clone()).collect::<Vec<_>>())?;
        storage.remove_empty_folders(removed.iter().map(|one| one.key.as_str()));
    }
    // Not objects: one of the same key, whose upload succeeded at another try, may be there and read.
    removed.extend(uploads.iter().map(|upload| Removed { key: upload.key.clone(), bytes: 0, why: "an upload that was never finished" }));
    let bytes = removed.iter().map(|one| one.bytes).sum();
    Ok(VacuumReport { lake: storage.location().to_string(), dry_run, removed, bytes })
}

/// What is still read.
struct Kept {
    keys: BTreeSet<String>,
    runs: BTreeSet<RunId>,
    /// Runs at work.
    active: BTreeSet<RunId>,
}

impl Kept {
    fn of(storage: &Storage, cutoff: DateTime<Utc>) -> Result<Kept> {
        // The runs at work come first: what they publish meanwhile is theirs still.
        let active = Lease::active(storage)?;
        let catalog = LocalCatalog::new(storage.clone());
        let snapshot = catalog.snapshot()?;
        let mut kept = Kept { keys: BTreeSet::new(), runs: BTreeSet::new(), active };
        for (_, _, reference) in snapshot.head.tables() {
            let table = catalog.table(reference)?;
            kept.keys.insert(reference.object.clone());
            kept.add(storage, &table)?;
            // A version was read until the next one came.
            let ends = table.history.iter().skip(1).map(|past| past.updated).chain([table.updated]);
            for (past, end) in table.history.iter().zip(ends) {
                if end >= cutoff
                    && let Ok(old) = catalog.table_at(&past.object)
                {
                    kept.keys.insert(past.object.clone());
                    kept.add(storage, &old)?;
                }
            }
        }
        Ok(kept)
    }

    fn add(&mut self, storage: &Storage, table: &Table) -> Result<()> {
        self.keys.extend(live_files(storage, table)?.into_iter().map(|file| file.key));
        for segment in &table.segments {
            self.keys.insert(segment.manifest.clone());
            self.runs.extend(RunId::of_folder(&segment.run));
        }
        Ok(())
    }
}
