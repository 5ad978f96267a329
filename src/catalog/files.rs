//! The files that hold a table's rows.

use super::table::Table;
use crate::error::Result;
use crate::publish::{DataFile, Manifest};
use crate::storage::Storage;

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
