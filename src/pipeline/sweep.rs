//! Cleans up after runs that were killed.

use super::workspace::WORK;
use crate::catalog::{LocalCatalog, Snapshot};
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
        let read = published(catalog, &snapshot, &claim)?;
        // The sign goes first where the run might still live: without it, it publishes nothing.
        storage.delete(&[sign])?;
        for folder in &claim.folders {
            let is_ours = folder.starts_with(WORK) || !read;
            if is_ours {
                storage.remove_folder(folder)?;
            }
        }
        swept.push(claim.run.to_string());
    }
    Ok(swept)
}

/// Whether readers see, or saw, what the run made.
fn published(catalog: &LocalCatalog, snapshot: &Snapshot, claim: &Claim) -> Result<bool> {
    for (database, name) in &claim.tables {
        let Some(reference) = snapshot.head.table(database, name) else { continue };
        let run = claim.run.as_str();
        if reference.run == run || catalog.table(reference)?.history.iter().any(|past| past.run == run) {
            return Ok(true);
        }
    }
    Ok(false)
}
