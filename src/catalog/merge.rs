//! What a catalog's table becomes when it is told of another version: ours is replaced, and what others wrote is kept.

use super::entry::{Entry, Partition};
use super::table::{Column, StorageDescriptor};
use std::collections::BTreeSet;

/// The parameter that lists which others are ours.
const PARAMETERS: &str = "etl.parameters";
/// The parameter that lists whose comments are ours: columns, and `*` for the table.
const COMMENTS: &str = "etl.comments";
/// What all parameters begin with that only we write.
const OWN: &str = "etl.";
const THE_TABLE: &str = "*";

/// `told`, with marks of what in it is ours.
pub(super) fn marked(told: &Entry) -> Entry {
    let mut entry = told.clone();
    let list = |names: Vec<&str>| names.join(",");
    let ours: Vec<&str> = told.parameters.keys().map(String::as_str).filter(|key| !key.starts_with(OWN)).collect();
    entry.parameters.insert(PARAMETERS.to_string(), list(ours));
    let columns = told.storage.columns.iter().chain(&told.partition_keys).filter(|column| column.comment.is_some());
    let description = told.description.iter().map(|_| THE_TABLE);
    let comments: Vec<&str> = description.chain(columns.map(|column| column.name.as_str())).collect();
    if !comments.is_empty() {
        entry.parameters.insert(COMMENTS.to_string(), list(comments));
    }
    entry
}

/// What `there` was told by us: it becomes what it is when that is told again.
pub(super) fn as_told(there: &Entry) -> Entry {
    let mut entry = there.clone();
    let (ours, commented) = (names(there, PARAMETERS), names(there, COMMENTS));
    entry
        .parameters
        .retain(|key, _| (key.starts_with(OWN) && ![PARAMETERS, COMMENTS].contains(&key.as_str())) || ours.contains(key.as_str()));
    if !commented.contains(THE_TABLE) {
        entry.description = None;
    }
    for column in
        entry.storage.columns.iter_mut().chain(&mut entry.partition_keys).filter(|column| !commented.contains(column.name.as_str()))
    {
        column.comment = None;
    }
    entry
}

/// What `there` becomes by `told`.
pub(super) fn merged(told: &Entry, there: &Entry) -> Entry {
    let mut entry = marked(told);
    let ours = names(there, PARAMETERS);
    for (key, value) in &there.parameters {
        if !key.starts_with(OWN) && !ours.contains(key.as_str()) {
            entry.parameters.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    let commented = names(there, COMMENTS);
    if entry.description.is_none() && !commented.contains(THE_TABLE) {
        entry.description.clone_from(&there.description);
    }
    for column in entry.storage.columns.iter_mut().chain(&mut entry.partition_keys).filter(|column| column.comment.is_none()) {
        let mut others = there.storage.columns.iter().chain(&there.partition_keys);
        if let Some(other) = others.find(|other| other.name == column.name && !commented.contains(other.name.as_str())) {
            column.comment.clone_from(&other.comment);
        }
    }
    entry
}

/// What the partition `there` becomes by `told`.
pub(super) fn merged_partition(told: &Partition, there: &Partition) -> Partition {
    let mut partition = told.clone();
    for (key, value) in &there.parameters {
        partition.parameters.entry(key.clone()).or_insert_with(|| value.clone());
    }
    partition
}

/// Whether a partition is as told, whatever the comments of its columns are.
pub(super) fn is_as_told(told: &Partition, there: &Partition) -> bool {
    let plain = |storage: &StorageDescriptor| StorageDescriptor {
        columns: storage.columns.iter().map(|column| Column { comment: None, ..column.clone() }).collect(),
        ..storage.clone()
    };
    told.parameters.iter().all(|(key, value)| there.parameters.get(key) == Some(value)) && plain(&told.storage) == plain(&there.storage)
}

fn names<'a>(entry: &'a Entry, parameter: &str) -> BTreeSet<&'a str> {
    entry.parameters.get(parameter).map(|text| text.split(',').collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::serde::SerDe;
    use std::collections::BTreeMap;

    fn entry(parameters: &[(&str, &str)], comment: Option<&str>) -> Entry {
        let columns = ["a", "b"].map(|name| Column { name: name.into(), data_type: "int".into(), comment: None });
        let storage = StorageDescriptor {
            columns: columns.into(),
            location: "s3://b/t/".into(),
            input_format: "i".into(),
            output_format: "o".into(),
            compressed: false,
            serde: SerDe { library: "l".into(), parameters: BTreeMap::new() },
        };
        let mut entry = Entry {
            database: "d".into(),
            name: "t".into(),
            description: None,
            table_type: "EXTERNAL_TABLE".into(),
            storage,
            partition_keys: Vec::new(),
            parameters: parameters.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            view: None,
        };
        entry.storage.columns[0].comment = comment.map(str::to_string);
        entry
    }

    #[test]
    fn what_others_wrote_is_kept_and_what_we_wrote_goes() {
        let mut there = marked(&entry(&[("etl.run", "1"), ("classification", "csv"), ("projection.enabled", "true")], Some("ours")));
        there.parameters.insert("owner".into(), "team".into());
        there.storage.columns[1].comment = Some("theirs".into());
        there.description = Some("theirs".into());
        let now = merged(&entry(&[("etl.run", "2"), ("classification", "parquet")], None), &there);
        assert_eq!((now.parameters["etl.run"].as_str(), now.parameters["classification"].as_str()), ("2", "parquet"));
        assert_eq!(now.parameters["owner"], "team");
        assert!(!now.parameters.contains_key("projection.enabled"));
        assert_eq!(now.storage.columns[0].comment, None);
        assert_eq!(now.storage.columns[1].comment.as_deref(), Some("theirs"));
        assert_eq!(now.description.as_deref(), Some("theirs"));
        // Told once more, it is the same.
        assert_eq!(merged(&entry(&[("etl.run", "2"), ("classification", "parquet")], None), &now), now);
        assert_eq!(merged(&as_told(&now), &now), now);
        assert_eq!(as_told(&now), entry(&[("etl.run", "2"), ("classification", "parquet")], None));
    }
}
