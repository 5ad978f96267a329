//! What is said of columns that not all files of a table have.

use crate::units::count;

/// How many columns that files haven't are told of, each.
const TOLD: usize = 5;

/// Notes each column that files lack: its name, how many files that are, and one of them.
pub(super) fn note_lacking(lacking: &[(&str, u64, &str)], notes: &mut Vec<String>) {
    for (column, files, first) in lacking.iter().take(TOLD) {
        let more = if *files > 1 { format!(" and {} more", count(files - 1)) } else { String::new() };
        notes.push(format!("column `{column}` is not in {first}{more}: it is NULL there"));
    }
    if lacking.len() > TOLD {
        notes.push(format!("{} more columns are not in all files: they are NULL there", count((lacking.len() - TOLD) as u64)));
    }
}
