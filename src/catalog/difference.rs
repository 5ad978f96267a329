//! In what a catalog's table is not as it would be told.

use super::entry::{Entry, Partition};
use super::merge::{is_as_told, merged};
use super::readers::There;
use super::told::{LAKE, TABLE, Told, VERSION};
use crate::units::count;
use std::collections::BTreeMap;

/// Values are shown up to so many characters.
const SHOWN: usize = 80;

/// How far a catalog is behind, and what in it is otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The version of the lake's table that it was told last; nothing where it knows no table, or 0 where it was told half.
    pub version: Option<u64>,
    /// The version that it would be told.
    pub wanted: u64,
    /// Whose table it is, where it is not ours.
    pub owner: Option<String>,
    /// What would change, a line each.
    pub lines: Vec<String>,
}

impl Difference {
    /// What telling `told` would change of what is `there`.
    pub fn of(told: &Told, there: &There) -> Difference {
        let version = |entry: &Entry| entry.parameters.get(VERSION).and_then(|version| version.parse().ok());
        let wanted = version(&told.entry).unwrap_or(0);
        let Some(known) = &there.entry else { return Difference { wanted, ..Difference::default() } };
        let mut difference = Difference { version: version(known), wanted, owner: owner(&told.entry, known), lines: Vec::new() };
        let merged = merged(&told.entry, known);
        let mut say = |line: String| difference.lines.push(line);
        columns(&merged, known, &mut say);
        for (what, wanted, there) in [
            ("location", &merged.storage.location, &known.storage.location),
            ("input format", &merged.storage.input_format, &known.storage.input_format),
            ("output format", &merged.storage.output_format, &known.storage.output_format),
            ("SerDe", &merged.storage.serde.library, &known.storage.serde.library),
            ("type", &merged.table_type, &known.table_type),
        ] {
            if wanted != there {
                say(format!("{what}: {} -> {}", shown(there), shown(wanted)));
            }
        }
        if merged.description != known.description {
            say(format!("description: {} -> {}", optional(known.description.as_ref()), optional(merged.description.as_ref())));
        }
        if merged.view != known.view {
            say("the view's query".to_string());
        }
        maps("SerDe parameter", &merged.storage.serde.parameters, &known.storage.serde.parameters, &mut say);
        maps("parameter", &merged.parameters, &known.parameters, &mut say);
        partitions(told, there, &mut say);
        difference
    }

    /// Whether the catalog is as it would be told.
    pub fn is_none(&self) -> bool {
        self.version.is_some() && self.lines.is_empty() && self.owner.is_none()
    }

    /// Whether it was told an earlier version, or none to its end.
    pub fn is_behind(&self) -> bool {
        self.owner.is_none() && self.version.is_none_or(|version| version < self.wanted)
    }
}

/// Whose the table is that is there, if not that which is told.
fn owner(told: &Entry, known: &Entry) -> Option<String> {
    let ours = |key: &str| known.parameters.contains_key(key) && known.parameters.get(key) == told.parameters.get(key);
    (!ours(LAKE) || !ours(TABLE)).then(|| match (known.parameters.get(LAKE), known.parameters.get(TABLE)) {
        (Some(lake), Some(table)) => format!("the table {table} of the lake {lake}"),
        _ if known.storage.location.is_empty() => "somebody else's".to_string(),
        _ => format!("made by somebody else, with files at {}", known.storage.location),
    })
}

fn columns(merged: &Entry, known: &Entry, say: &mut impl FnMut(String)) {
    let all = |entry: &Entry| {
        let plain = entry.storage.columns.iter().map(|column| (column.clone(), ""));
        plain.chain(entry.partition_keys.iter().map(|column| (column.clone(), " (partition key)"))).collect::<Vec<_>>()
    };
    let (wanted, there) = (all(merged), all(known));
    for (column, key) in &wanted {
        match there.iter().find(|(other, _)| other.name == column.name) {
            None => say(format!("column {}: none -> {}{key}", column.name, column.data_type)),
            Some((other, other_key)) if other.data_type != column.data_type || other_key != key => {
                say(format!("column {}: {}{other_key} -> {}{key}", column.name, other.data_type, column.data_type));
            }
            Some((other, _)) if other.comment != column.comment => {
                say(format!("comment of {}: {} -> {}", column.name, optional(other.comment.as_ref()), optional(column.comment.as_ref())));
            }
            Some(_) => {}
        }
    }
    for (column, key) in there.iter().filter(|(column, _)| !wanted.iter().any(|(other, _)| other.name == column.name)) {
        say(format!("column {}: {}{key} -> none", column.name, column.data_type));
    }
    let names = |columns: &[(super::table::Column, &str)]| columns.iter().map(|(column, _)| column.name.clone()).collect::<Vec<_>>();
    let (wanted, there) = (names(&wanted), names(&there));
    let same = wanted.len() == there.len() && wanted.iter().all(|name| there.contains(name));
    if same && wanted != there {
        say(format!("the order of columns: {} -> {}", there.join(", "), wanted.join(", ")));
    }
}

fn maps(what: &str, wanted: &BTreeMap<String, String>, there: &BTreeMap<String, String>, say: &mut impl FnMut(String)) {
    let keys: std::collections::BTreeSet<&String> = wanted.keys().chain(there.keys()).collect();
    for key in keys.into_iter().filter(|key| wanted.get(*key) != there.get(*key)) {
        say(format!("{what} {key}: {} -> {}", optional(there.get(key)), optional(wanted.get(key))));
    }
}

fn partitions(told: &Told, there: &There, say: &mut impl FnMut(String)) {
    let known: BTreeMap<&[String], &Partition> =
        there.partitions.iter().map(|partition| (partition.values.as_slice(), partition)).collect();
    let wanted: BTreeMap<&[String], &Partition> =
        told.partitions.iter().map(|partition| (partition.values.as_slice(), partition)).collect();
    let new: Vec<&[String]> = wanted.keys().filter(|values| !known.contains_key(**values)).copied().collect();
    let moved = wanted.iter().filter(|(values, partition)| known.get(**values).is_some_and(|there| !is_as_told(partition, there)));
    let moved: Vec<&[String]> = moved.map(|(values, _)| *values).collect();
    let root = &told.entry.storage.location;
    let gone = known.iter().filter(|(values, partition)| !wanted.contains_key(**values) && partition.storage.location.starts_with(root));
    let gone: Vec<&[String]> = gone.map(|(values, _)| *values).collect();
    for (what, some) in [("to be registered", new), ("to be moved", moved), ("to be taken away", gone)] {
        if let Some(first) = some.first() {
            let partitions = if some.len() == 1 { "partition" } else { "partitions" };
            say(format!("{} {partitions} {what}, such as {}", count(some.len() as u64), first.join("/")));
        }
    }
}

fn optional(text: Option<&String>) -> String {
    text.map_or_else(|| "none".to_string(), |text| shown(text))
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "none".to_string(),
        None => text.to_string(),
    }
}
