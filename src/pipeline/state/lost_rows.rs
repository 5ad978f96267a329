//! Which rows of a table no run makes again: those whose source files are gone.

use crate::catalog::Table;
use crate::error::Result;
use crate::publish::Manifest;
use crate::storage::{Location, Storage};
use crate::units::{count, counted};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Which rows of `table` no run makes again, in words: those of source files that are not where they were read. Paths are relative to the
/// pipeline's file, of which `folders` are the places where it may be. Nothing where all files are there.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where a manifest can't be read.
pub fn lost_rows(storage: &Storage, table: &Table, folders: &[PathBuf]) -> Result<Option<String>> {
    let keys: Vec<String> = table.segments.iter().map(|segment| segment.manifest.clone()).collect();
    let manifests = Manifest::read_all(storage, &keys)?;
    let files = |manifest: &Manifest| -> BTreeSet<String> {
        let inputs = manifest.inputs.values().filter(|input| !input.columns.is_empty());
        inputs.flat_map(|input| &input.files).filter(|file| !file.rowless).map(|file| file.path.clone()).collect()
    };
    let all: BTreeSet<String> = manifests.iter().flat_map(files).collect();
    let gone: BTreeSet<&String> = all.iter().filter(|path| !is_there(path, folders)).collect();
    let Some(first) = gone.first() else { return Ok(None) };
    let is_hit = |manifest: &&Manifest| files(manifest).iter().any(|path| gone.contains(path));
    let runs: BTreeSet<&str> = manifests.iter().filter(is_hit).map(|manifest| manifest.run.as_str()).collect();
    let rows: u64 = table
        .segments
        .iter()
        .filter(|segment| runs.contains(segment.run.as_str()))
        .flat_map(|segment| segment.partitions.values())
        .map(|size| size.rows)
        .sum();
    let more = if gone.len() > 1 { format!(" and {} more", gone.len() - 1) } else { String::new() };
    // How many rows each file gave is known of all together.
    let up_to = if gone.len() == all.len() { "" } else { "up to " };
    Ok(Some(format!(
        "{up_to}{} of its {} can't be rebuilt by a run, because their source {} missing (unless moved elsewhere): {first}{more}",
        count(rows),
        counted(table.rows, "row"),
        if gone.len() == 1 { "file is" } else { "files are" },
    )))
}

/// Whether a source file is where it was read. What can't be told is taken for there.
fn is_there(path: &str, folders: &[PathBuf]) -> bool {
    match Location::parse(path) {
        Ok(Location::Folder(path)) => path.is_absolute() && path.exists() || folders.iter().any(|folder| folder.join(&path).exists()),
        Ok(bucket) => Storage::open(bucket).and_then(|object| object.is_object()).unwrap_or(true),
        Err(_) => true,
    }
}

/// Where the pipeline's file may be whose table is in the lake in `storage`: here, or beside the lake.
pub fn likely_folders(storage: &Storage) -> Vec<PathBuf> {
    let beside = storage.location().path().and_then(|path| std::path::absolute(path).ok());
    let beside = beside.and_then(|path| path.parent().map(Path::to_path_buf));
    std::env::current_dir().ok().into_iter().chain(beside).collect()
}
