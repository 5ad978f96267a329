//! The version of a table that a run makes.

use super::writing::Written;
use crate::catalog::{Column, Origin, PartitionSize, Segment, Table, TimeUnits, describe};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::model::Output;
use crate::pipeline::state::before::OutputState;
use crate::schema::fit::{self, Place};
use arrow::datatypes::Field;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Who makes a version, and when.
pub(crate) struct Maker<'a> {
    pub(crate) pipeline: &'a str,
    pub(crate) run: &'a str,
    pub(crate) now: DateTime<Utc>,
}

/// The version in which only the description is new.
pub(crate) fn redescribed(state: &OutputState, table: &Table, maker: &Maker<'_>) -> Table {
    let output = &state.output;
    let mut table = table.clone();
    table.description.clone_from(&output.description);
    for column in table.storage.columns.iter_mut().chain(&mut table.partition_keys) {
        column.comment = output.comments.get(&column.name).cloned();
    }
    (table.origin, table.updated) = (origin(state, maker), maker.now);
    table
}

fn origin(state: &OutputState, maker: &Maker<'_>) -> Origin {
    Origin {
        pipeline: maker.pipeline.to_string(),
        output: state.output.name.clone(),
        run: maker.run.to_string(),
        definition: state.definition.all.clone(),
        shape: state.definition.shape.clone(),
        rolled_back_to: None,
    }
}

/// The columns that a table of `output` has whose files have `columns`, then its partition keys.
///
/// # Errors
/// [`ErrorKind::Format`] for a name or type that no table can have, naming the column and what to do.
pub(crate) fn columns(output: &Output, files: &[Field], keys: &[Field]) -> Result<(Vec<Column>, Vec<Column>)> {
    let mut seen = BTreeSet::new();
    let mut column = |field: &Field| -> Result<Column> {
        let name = field.name().to_lowercase();
        let fits = name.len() <= 255 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') && !name.is_empty();
        let refuse = |what: String| Err(Error::new(ErrorKind::Format, what).with_context("at", &output.place));
        if !fits {
            let what = format!("`{}` can't be a column of {}; rename it with AS, using letters, digits and _", field.name(), output.table);
            return refuse(what);
        }
        if !seen.insert(name.clone()) {
            return refuse(format!("{} would have two columns `{name}`; rename one of them with AS", output.table));
        }
        Column::of(&name, field.data_type(), output.comments.get(&name).cloned()).map_err(|e| e.with_context("column", name))
    };
    fit::check(files.iter().chain(keys), Place::Athena)
        .map_err(|e| e.with_context("table", &output.table).with_context("at", &output.place))?;
    let plain = files.iter().map(&mut column).collect::<Result<Vec<_>>>()?;
    let keys = keys.iter().map(&mut column).collect::<Result<Vec<_>>>()?;
    for name in output.comments.keys() {
        if !seen.contains(name) {
            let near = crate::diagnostic::nearest(name, seen.iter().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(Error::new(ErrorKind::Format, format!("{} has no column `{name}` to comment on{hint}", output.table))
                .with_context("at", &output.place));
        }
    }
    Ok((plain, keys))
}

/// The version with the rows that were written, and those of the segments that are `kept`.
///
/// # Errors
/// [`ErrorKind::Format`] for columns that don't fit, in themselves or to those of the segments that are kept.
pub(crate) fn version(state: &OutputState, written: &Written, kept: Vec<Segment>, manifest: &str, maker: &Maker<'_>) -> Result<Table> {
    let output = &state.output;
    let (columns, partition_keys) = columns(output, &written.columns, &written.partition_keys)?;
    let (storage, parameters) = describe(output.format, columns, &written.folder);
    let old = state.table.as_ref();
    if let Some(old) = old.filter(|_| !kept.is_empty()) {
        let shape = |columns: &[Column]| columns.iter().map(|c| format!("{} {}", c.name, c.data_type)).collect::<Vec<_>>();
        let (before, now) = (shape(&old.storage.columns), shape(&storage.columns));
        if before != now {
            let message = format!("the new rows of {} have different columns than the existing ones", output.table);
            return Err(Error::new(ErrorKind::Format, message)
                .with_context("there", before.join(", "))
                .with_context("new", now.join(", "))
                .with_context("what to do", "describe the columns of the source with `schema`, or rebuild all rows with --full"));
        }
    }
    let mut partitions: BTreeMap<String, PartitionSize> = BTreeMap::new();
    for file in &written.files {
        let size = partitions.entry(file.partition.clone()).or_default();
        (size.files, size.rows, size.bytes) = (size.files + 1, size.rows + file.rows, size.bytes + file.bytes);
    }
    let segment = Segment { run: maker.run.to_string(), manifest: manifest.to_string(), location: written.folder.clone(), partitions };
    let mut all_parameters = old.map(|old| old.parameters.clone()).unwrap_or_default();
    all_parameters.extend(parameters);
    let mut units = TimeUnits::of(written.columns.iter().chain(&written.partition_keys));
    if let Some(old) = old.filter(|_| !kept.is_empty()) {
        units = units.or_finer(TimeUnits::told(&old.parameters)?);
    }
    units.tell(&mut all_parameters);
    let mut table = Table {
        format: 1,
        database: output.table.database.clone(),
        name: output.table.table.clone(),
        version: 0,
        description: output.description.clone(),
        table_type: "EXTERNAL_TABLE".to_string(),
        parameters: all_parameters,
        storage,
        partition_keys,
        tags: old.map(|old| old.tags.clone()).unwrap_or_default(),
        column_tags: old.map(|old| old.column_tags.clone()).unwrap_or_default(),
        grants: old.map(|old| old.grants.clone()).unwrap_or_default(),
        created: maker.now,
        updated: maker.now,
        origin: origin(state, maker),
        segments: kept.into_iter().chain([segment]).collect(),
        files: 0,
        rows: 0,
        bytes: 0,
        history: Vec::new(),
        digest: String::new(),
    };
    table.count();
    Ok(table)
}

/// The segments without the partitions `replaced`; those of which nothing is left fall away.
pub(crate) fn without(segments: &[Segment], replaced: &BTreeSet<String>) -> Vec<Segment> {
    let left = segments.iter().map(|segment| {
        let mut left = segment.clone();
        left.partitions.retain(|folder, _| !replaced.contains(folder));
        (segment.partitions.is_empty(), left)
    });
    // One that never had rows still tells which files were read.
    left.filter(|(empty, left)| *empty || !left.partitions.is_empty()).map(|(_, left)| left).collect()
}
