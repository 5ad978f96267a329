//! The files that hold a table's rows.

use super::table::Table;
use crate::error::Result;
use crate::input::{LocalFile, ObjectFile, Place, Source};
use crate::publish::{DataFile, Manifest};
use crate::storage::{Location, Storage};
use chrono::DateTime;
use object_store::ObjectMeta;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The folders of the tables whose runs wrote the rows of `table`: its own, and those of the names that it had before.
pub fn table_folders(table: &Table) -> BTreeSet<String> {
    let own = format!("{}/{}", table.database, table.name);
    let parents = table.segments.iter().filter_map(|segment| segment.location.trim_end_matches('/').rsplit_once('/'));
    parents.map(|(folder, _)| folder.to_string()).chain([own]).collect()
}

/// The live files of `table`, in the order of its segments and of their rows.
///
/// # Errors
/// [`ErrorKind::Input`] where a manifest can't be read.
pub fn live_files(storage: &Storage, table: &Table) -> Result<Vec<DataFile>> {
    let keys: Vec<String> = table.segments.iter().map(|segment| segment.manifest.clone()).collect();
    let manifests = Manifest::read_all(storage, &keys)?;
    let live = table
        .segments
        .iter()
        .zip(manifests)
        .flat_map(|(segment, manifest)| manifest.files.into_iter().filter(|file| segment.partitions.contains_key(&file.partition)));
    Ok(live.collect())
}

/// The file as an input.
///
/// # Errors
/// Where its store can't be reached.
pub fn source_of(storage: &Storage, file: &DataFile) -> Result<Source> {
    let location = storage.location().join(&file.key);
    let place = match &location {
        Location::Folder(path) => Place::File(Arc::new(LocalFile::at(path))),
        Location::Bucket { .. } => {
            // A run's files are written once, so their ETags are not needed.
            let (store, path) = storage.object(&file.key)?;
            let meta = ObjectMeta { location: path, last_modified: DateTime::UNIX_EPOCH, size: file.bytes, e_tag: None, version: None };
            Place::Object(Arc::new(ObjectFile::new(storage.clone(), store, meta)))
        }
    };
    Ok(Source::new(location.to_string(), place, Some(file.bytes)))
}
