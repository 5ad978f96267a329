//! Cleans up after runs that were killed.

use crate::catalog::{Condemned, LocalCatalog, Snapshot, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::run_report::{Action, OutputRun, RunReport, RunStatus};
use crate::publish::keys::{self, WORK};
use crate::publish::{Claim, Lease};
use crate::storage::Storage;
use std::collections::BTreeSet;

/// How often something is condemned again because a commit was faster.
const MOST_TRIES: u32 = 100;

/// Removes what killed runs of `pipeline` left; gives their names. The run that asks gave its own sign before.
///
/// # Errors
/// Where the lake can't be read or written.
pub(crate) fn sweep(storage: &Storage, catalog: &LocalCatalog, pipeline: &str) -> Result<Vec<String>> {
    let mut swept = Vec::new();
    for sign in Lease::signs(storage, Some(pipeline), None)?.into_iter().filter(|sign| sign.is_dead) {
        match sign.claim {
            Some(claim) => {
                discard(storage, catalog, &claim, &sign.entry.key)?;
                swept.push(claim.run.to_string());
            }
            // What nobody wrote to its end claims nothing.
            None => storage.delete(&[sign.entry.key])?,
        }
    }
    Ok(swept)
}

/// Ends a run that seems to be dead, or doesn't know whether it published: removes all that it wrote unless it was published, and its
/// sign. Where the run still lives, it publishes nothing after this.
///
/// # Errors
/// Where the lake can't be read or written.
pub(crate) fn discard(storage: &Storage, catalog: &LocalCatalog, claim: &Claim, sign: &str) -> Result<()> {
    for _ in 0..MOST_TRIES {
        let snapshot = catalog.snapshot()?;
        // Readers see, or saw, what it made.
        let published = versions(catalog, &snapshot, claim)?;
        let unread = |folder: &&String| published.is_empty() || folder.starts_with(WORK);
        let what = Condemned {
            format: 1,
            runs: if published.is_empty() { BTreeSet::from([claim.run.to_string()]) } else { BTreeSet::new() },
            folders: claim.folders.iter().filter(unread).cloned().collect(),
            keys: BTreeSet::new(),
            signs: BTreeSet::from([sign.to_string()]),
        };
        tell(storage, catalog, &published, claim)?;
        if let Some(sentence) = catalog.condemn(&snapshot, what)? {
            return catalog.carry_out(&sentence);
        }
    }
    let message = format!("others keep changing the catalog of {}", storage.location());
    Err(Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again"))
}

/// The keys of the table versions that the run published.
pub(crate) fn versions(catalog: &LocalCatalog, snapshot: &Snapshot, claim: &Claim) -> Result<Vec<String>> {
    let run = claim.run.as_str();
    let mut versions = Vec::new();
    for (database, name) in &claim.tables {
        let dropped = || snapshot.head.dropped(database, name).map(|dropped| &dropped.table);
        let Some(reference) = snapshot.head.table(database, name).or_else(dropped) else { continue };
        if reference.run == run {
            versions.push(reference.object.clone());
            continue;
        }
        let table = match snapshot.head.table(database, name) {
            Some(reference) => catalog.table(reference)?,
            None => match catalog.whole(reference)? {
                Some(table) => table,
                None => continue,
            },
        };
        versions.extend(table.history.into_iter().filter(|past| past.run == run).map(|past| past.object));
    }
    Ok(versions)
}

/// Writes the report that a run could not write any more that was killed right after it had published.
pub(crate) fn tell(storage: &Storage, catalog: &LocalCatalog, versions: &[String], claim: &Claim) -> Result<()> {
    let key = keys::report(&claim.pipeline, claim.run.as_str());
    // Versions that were vacuumed since tell nothing any more.
    let tables: Vec<Table> = versions.iter().filter_map(|object| catalog.table_at(object).ok()).collect();
    let Some(published) = tables.iter().map(|table| table.updated).max().filter(|_| storage.get(&key).is_ok_and(|found| found.is_none()))
    else {
        return Ok(());
    };
    let outputs = tables.iter().map(|table| OutputRun { action: Action::Updated, ..OutputRun::of_table(table) });
    let report = RunReport {
        status: RunStatus::Published,
        finished: published,
        outputs: outputs.collect(),
        notes: vec!["it was killed after publishing; what it read and wrote is in its manifests".to_string()],
        ..RunReport::begun(claim.run.as_str(), &claim.pipeline, &storage.location().to_string(), published)
    };
    report.keep(storage, &key)
}
