//! The files that lists name: Hive's `SymlinkTextInputFormat`.

use super::files::{Files, Folder, folder};
use crate::error::{Error, ErrorKind, Result};
use crate::input::Source;
use std::collections::{BTreeSet, HashMap};
use std::io::Read;

/// The files that the lists in each of `locations` name, in their order.
///
/// # Errors
/// [`ErrorKind::Input`] for a list that can't be read, or names what is not there.
pub(super) fn named(files: &Files, locations: &[Folder]) -> Result<Vec<Vec<Source>>> {
    let mut named: Vec<Vec<(String, Folder, String)>> = Vec::with_capacity(locations.len());
    for lists in files.below(locations)? {
        let mut found = Vec::new();
        for list in &lists {
            let mut text = String::new();
            list.open()?.read_to_string(&mut text).map_err(|e| Error::input(&list.path, e))?;
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                let (bucket, key) = folder(line, &format!("a file that {} names", list.path))?;
                let above = key.rsplit_once('/').map_or("", |(above, _)| above).to_string();
                found.push((list.path.clone(), (bucket, above), key));
            }
        }
        named.push(found);
    }
    // A request for each folder of theirs tells of all of them.
    let folders: BTreeSet<&Folder> = named.iter().flatten().map(|(_, folder, _)| folder).collect();
    let folders: Vec<Folder> = folders.into_iter().cloned().collect();
    let listed = files.all(&folders)?;
    let mut there: HashMap<String, &Source> = HashMap::new();
    for sources in &listed {
        there.extend(sources.iter().map(|source| (source.path.clone(), source)));
    }
    let find = |(list, (bucket, _), key): &(String, Folder, String)| {
        let path = format!("s3://{bucket}/{key}");
        let found = there.get(&path).map(|source| (*source).clone());
        found.ok_or_else(|| {
            Error::new(ErrorKind::Input, format!("{list} names {path}, which is not there"))
                .with_context("what to do", "have the list written again by whoever keeps the table; for a table of etl, run its pipeline")
        })
    };
    let mut sources = Vec::with_capacity(named.len());
    for files in &named {
        let found = files.iter().map(find).collect::<Result<Vec<_>>>()?;
        sources.push(found.into_iter().filter(|source| source.size != Some(0)).collect());
    }
    Ok(sources)
}
