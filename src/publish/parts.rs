//! The files that runs write, told by their names.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The number in `part-00012.csv.gz`; nothing for names that no run gives.
pub(super) fn part_number(name: &str) -> Option<u64> {
    let (number, extension) = name.strip_prefix("part-")?.split_once('.')?;
    let known = ["csv", "csv.gz", "tsv", "tsv.gz", "json", "json.gz", "parquet"].contains(&extension);
    (known && number.len() >= 5).then(|| number.parse().ok()).flatten()
}

/// Collects the files of earlier runs below `folder`, in partition folders too.
pub(super) fn find_parts(root: &Path, below: &Path, old: &mut BTreeMap<PathBuf, Vec<String>>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if kind.is_dir() && name.contains('=') {
            find_parts(root, &below.join(&name), old)?;
        } else if kind.is_file() && part_number(&name).is_some() {
            old.entry(below.to_path_buf()).or_default().push(name);
        }
    }
    Ok(())
}

/// The number behind all those in `folder`.
pub(super) fn next_number(folder: &Path) -> u64 {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| part_number(&name.to_string_lossy())).max().map_or(0, |most| most + 1)
}

/// `name` with another number.
pub(super) fn renumbered(name: &str, number: u64) -> String {
    let extension = name.split_once('.').map_or("", |(_, extension)| extension);
    format!("part-{number:05}.{extension}")
}
