//! What a version of a table refers to, and whether that is there.

use super::condemned::{Condemned, Sentence};
use super::files::{live_files, table_folders};
use super::table::{Segment, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What the versions of a commit refer to and the versions before them did not: those are kept by being read.
#[derive(Debug, Default)]
pub(super) struct NewReferences {
    /// The keys of the descriptions.
    pub(super) objects: Vec<String>,
    runs: BTreeSet<String>,
    /// Each with only what is new of it.
    tables: Vec<Table>,
}

impl NewReferences {
    /// Adds those of `table`, whose description is at `object`; `before` is the version that it follows.
    pub(super) fn add(&mut self, table: &Table, object: String, before: Option<&Table>) {
        let known: BTreeMap<&str, &Segment> =
            before.iter().flat_map(|table| &table.segments).map(|segment| (segment.manifest.as_str(), segment)).collect();
        let new = table.segments.iter().filter_map(|segment| {
            let mut new = segment.clone();
            if let Some(known) = known.get(segment.manifest.as_str()) {
                new.partitions.retain(|folder, _| !known.partitions.contains_key(folder));
                // Of one without rows the list of what was read is all there is.
                return (!new.partitions.is_empty()).then_some(new);
            }
            Some(new)
        });
        let segments: Vec<Segment> = new.collect();
        self.objects.push(object);
        self.runs.insert(table.origin.run.clone());
        self.runs.extend(segments.iter().map(|segment| segment.run.clone()));
        self.tables.push(Table { segments, history: Vec::new(), ..table.clone() });
    }

    /// Makes sure that all of it is there, and that none of it is in `condemned`.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where something is gone or about to be.
    pub(super) fn check(&self, storage: &Storage, condemned: &[Sentence]) -> Result<()> {
        for list in condemned.iter().map(|list| &list.what) {
            if let Some(run) = self.runs.iter().find(|run| list.runs.contains(*run)) {
                return Err(gone(&format!("run {run} was considered dead, and its files are being removed")));
            }
        }
        let lost = |key: &String| gone(&format!("{} was removed", storage.location().join(key)));
        let found = storage.get_all(&self.objects)?;
        if let Some((_, key)) = found.iter().zip(&self.objects).find(|(object, _)| object.is_none()) {
            return Err(lost(key));
        }
        for table in &self.tables {
            is_whole(storage, table, &condemned.iter().map(|list| &list.what).collect::<Vec<_>>()).map_err(|error| match error.kind() {
                ErrorKind::Conflict => error,
                _ => gone(error.message()),
            })?;
        }
        for (key, list) in self.objects.iter().flat_map(|key| condemned.iter().map(move |list| (key, list))) {
            if list.what.has(key) {
                return Err(lost(key));
            }
        }
        Ok(())
    }
}

fn gone(what: &str) -> Error {
    let message = format!("data that this run refers to is gone: {what}; nothing was changed, and this run published nothing");
    Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again; it will continue from the current state")
}

/// So many folders are listed each for itself; of more the one that they lie in.
const FEW: usize = 4;

/// Makes sure that all data files of `table` have the bytes that were written: reads them all.
///
/// # Errors
/// [`ErrorKind::Input`] naming the first that hasn't.
pub fn is_unchanged(storage: &Storage, table: &Table) -> Result<()> {
    // Of what Athena wrote the bytes are not known, only how many there are.
    for file in live_files(storage, table)?.into_iter().filter(|file| !file.sha256.is_empty()) {
        let read = storage.get(&file.key)?.map(|object| Sha256::digest(&object.bytes));
        let sum = read.map(hex::encode);
        if sum.is_none_or(|sum| sum != file.sha256) {
            let shown = storage.location().join(&file.key);
            return Err(Error::new(ErrorKind::Input, format!("{shown} differs from what was written")));
        }
    }
    Ok(())
}

/// Makes sure that all manifests and data files of `table` are there, as they were written, and that none is in `condemned`.
///
/// # Errors
/// [`ErrorKind::Input`] naming the first that isn't, and how many.
pub fn is_whole(storage: &Storage, table: &Table, condemned: &[&Condemned]) -> Result<()> {
    let files = live_files(storage, table)?;
    let mut there: BTreeMap<String, u64> = BTreeMap::new();
    let mut folders: BTreeSet<String> = table.segments.iter().map(|segment| segment.location.clone()).collect();
    if folders.len() > FEW {
        folders = table_folders(table);
    }
    for folder in &folders {
        there.extend(storage.list(folder.trim_end_matches('/'))?.into_iter().map(|entry| (entry.key, entry.size)));
    }
    let wrong = |key: &str, what: &str, number: usize| {
        let more = if number > 1 { format!(", and {} more", number - 1) } else { String::new() };
        Err(Error::new(ErrorKind::Input, format!("{} {what}{more}", storage.location().join(key))))
    };
    let missing: Vec<_> = files.iter().filter(|file| there.get(&file.key) != Some(&file.bytes)).collect();
    if let Some(first) = missing.first() {
        let what = if there.contains_key(&first.key) { "is not what was written" } else { "is gone" };
        return wrong(&first.key, what, missing.len());
    }
    let manifests = table.segments.iter().map(|segment| segment.manifest.as_str());
    let lost: Vec<&str> =
        files.iter().map(|file| file.key.as_str()).chain(manifests).filter(|key| condemned.iter().any(|list| list.has(key))).collect();
    match lost.first() {
        Some(first) => wrong(first, "is being removed by a vacuum", lost.len()),
        None => Ok(()),
    }
}
