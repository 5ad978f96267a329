//! What is not as the last run left it.

use super::before::OutputState;
use crate::catalog::{LISTS, Table, table_folders};
use crate::error::Result;
use crate::publish::RunId;
use crate::storage::Storage;
use std::collections::{BTreeMap, BTreeSet};

/// What others did to the table or its files.
pub(crate) fn drift(storage: &Storage, output: &OutputState, table: &Table) -> Result<Vec<String>> {
    let mut drift = Vec::new();
    if table.digest != table.expected_digest() {
        drift.push(format!("its description in the catalog was edited since run {} wrote it", table.origin.run));
    }
    let mut listed = Vec::new();
    for folder in table_folders(table) {
        listed.extend(storage.list(&folder)?);
    }
    let there: BTreeMap<&str, u64> = listed.iter().map(|entry| (entry.key.as_str(), entry.size)).collect();
    let (mut missing, mut other) = (Vec::new(), Vec::new());
    for (segment, manifest) in table.segments.iter().zip(&output.manifests) {
        for file in manifest.files.iter().filter(|file| segment.partitions.contains_key(&file.partition)) {
            match there.get(file.key.as_str()) {
                None => missing.push(file.key.as_str()),
                Some(size) if *size != file.bytes => other.push(file.key.as_str()),
                Some(_) => {}
            }
        }
    }
    for (files, what) in [(missing, "gone"), (other, "not what was written")] {
        if let Some(first) = files.first() {
            drift.push(format!(
                "{} of its files {} {what}, such as {first}; --full rebuilds them",
                files.len(),
                if files.len() == 1 { "is" } else { "are" }
            ));
        }
    }
    // Readers of the catalog don't see these, but those of the folder do.
    let runs: BTreeSet<&str> = output.manifests.iter().map(|manifest| manifest.run.as_str()).collect();
    let below = format!("{}/{}/", table.database, table.name);
    let foreign = listed.iter().filter_map(|entry| entry.key.strip_prefix(&below)).filter(|key| {
        let folder = key.split('/').next().unwrap_or_default();
        RunId::of_folder(folder).is_none() && folder != LISTS && !runs.contains(folder)
    });
    let foreign: Vec<&str> = foreign.collect();
    if let Some(first) = foreign.first() {
        drift.push(format!("its folder has {} files that no run wrote, such as {first}; they are not read", foreign.len()));
    }
    Ok(drift)
}
