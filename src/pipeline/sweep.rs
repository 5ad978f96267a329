//! Cleans up after runs that were killed.

use super::rollback::table_summary;
use super::run::RUNS;
use super::run_report::{Action, OutputRun, RunReport, RunStatus};
use super::workspace::WORK;
use crate::catalog::{LocalCatalog, Snapshot, Table};
use crate::error::Result;
use crate::publish::{Claim, Lease};
use crate::storage::Storage;

/// Removes what killed runs of `pipeline` left; gives their names.
///
/// # Errors
/// Where the lake can't be read or written.
pub(super) fn sweep(storage: &Storage, catalog: &LocalCatalog, pipeline: &str) -> Result<Vec<String>> {
    let abandoned = Lease::abandoned(storage, pipeline)?;
    if abandoned.is_empty() {
        return Ok(Vec::new());
    }
    // Read after the signs: a run that was published before it died is seen to be.
    let snapshot = catalog.snapshot()?;
    let mut swept = Vec::new();
    for (sign, claim) in abandoned {
        // Readers see, or saw, what it made.
        let published = versions(catalog, &snapshot, &claim)?;
        // In a bucket the run might still live: without its sign, it publishes nothing. In a folder it can't, and the sign stays until
        // all is done, however often that is interrupted.
        let is_bucket = storage.location().path().is_none();
        if is_bucket {
            storage.delete(std::slice::from_ref(&sign))?;
        }
        for folder in claim.folders.iter().filter(|folder| folder.starts_with(WORK) || published.is_empty()) {
            storage.remove_folder(folder)?;
        }
        tell(storage, catalog, &published, &claim)?;
        if !is_bucket {
            storage.delete(&[sign])?;
        }
        swept.push(claim.run.to_string());
    }
    Ok(swept)
}

/// The keys of the table versions that the run published.
fn versions(catalog: &LocalCatalog, snapshot: &Snapshot, claim: &Claim) -> Result<Vec<String>> {
    let run = claim.run.as_str();
    let mut versions = Vec::new();
    for (database, name) in &claim.tables {
        let Some(reference) = snapshot.head.table(database, name) else { continue };
        if reference.run == run {
            versions.push(reference.object.clone());
            continue;
        }
        let table = catalog.table(reference)?;
        versions.extend(table.history.into_iter().filter(|past| past.run == run).map(|past| past.object));
    }
    Ok(versions)
}

/// Writes the report that a run could not write any more that was killed right after it had published.
fn tell(storage: &Storage, catalog: &LocalCatalog, versions: &[String], claim: &Claim) -> Result<()> {
    let key = format!("{RUNS}/{}/{}/report.json", claim.pipeline, claim.run);
    // Versions that were vacuumed since tell nothing any more.
    let tables: Vec<Table> = versions.iter().filter_map(|object| catalog.table_at(object).ok()).collect();
    let Some(published) = tables.iter().map(|table| table.updated).max().filter(|_| storage.get(&key).is_ok_and(|found| found.is_none()))
    else {
        return Ok(());
    };
    let outputs = tables.iter().map(|table| OutputRun { action: Action::Updated, ..table_summary(table) });
    let report = RunReport {
        status: RunStatus::Published,
        finished: published,
        outputs: outputs.collect(),
        notes: vec!["it was killed when it had published; what it read and wrote is in its manifests".to_string()],
        ..RunReport::begun(claim.run.as_str(), &claim.pipeline, &storage.location().to_string(), published)
    };
    report.keep(storage, &key)
}
