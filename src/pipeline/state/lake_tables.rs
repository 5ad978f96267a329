//! Tables of the lake that transforms read: which content of them an output was made of, and whether there is another by now.

use crate::catalog::{LocalCatalog, Snapshot, Table, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::model::{Output, Pipeline};
use crate::publish::{Input, SourceFile};
use crate::storage::Storage;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What they are called in manifests.
const FORMAT: &str = "table";
/// The mark of a table of whose files nobody keeps a list.
const UNKNOWN: &str = "";

/// The tables of the lake that the rows of `output` are made of.
pub(crate) fn tables_of(pipeline: &Pipeline, output: &Output) -> BTreeSet<TableName> {
    let (_, transforms) = super::definition::inputs(pipeline, output);
    transforms.iter().filter_map(|name| pipeline.transform(name)).flat_map(|transform| transform.tables.iter().cloned()).collect()
}

/// `outputs`, each behind those whose tables it reads.
pub(crate) fn in_order<'a>(pipeline: &Pipeline, outputs: Vec<&'a Output>) -> Vec<&'a Output> {
    let mut left = outputs;
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |output: &&Output| {
            let reads = tables_of(pipeline, output);
            !left.iter().any(|other| other.name != output.name && reads.contains(&other.table))
        };
        // There is one, as no pipeline is loaded that goes in circles.
        let next = left.iter().position(is_free).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

/// What an output remembers of having read `table`: a mark of its content, whatever is said of it.
pub(crate) fn input(name: &TableName, table: &Table) -> Input {
    let columns = table.storage.columns.iter().chain(&table.partition_keys).map(|column| (&column.name, &column.data_type));
    let content = serde_json::to_vec(&(&table.segments, columns.collect::<Vec<_>>())).unwrap_or_default();
    let mark = match table.registered() {
        Some(_) => UNKNOWN.to_string(),
        None => hex::encode(Sha256::digest(&content)),
    };
    let file = SourceFile { path: name.to_string(), mark, ..SourceFile::default() };
    Input { format: FORMAT.to_string(), files: vec![file], ..Input::default() }
}

/// The current versions of `tables`, but for those that `made` by this run take the place of.
///
/// # Errors
/// [`ErrorKind::Input`] where the lake has no such table.
pub(crate) fn current(
    output: &Output,
    outputs: &[Output],
    tables: &BTreeSet<TableName>,
    made: &BTreeSet<TableName>,
    storage: Option<&Storage>,
    snapshot: &Snapshot,
) -> Result<BTreeMap<TableName, Table>> {
    let mut found = BTreeMap::new();
    for name in tables.iter().filter(|name| !made.contains(name)) {
        let reference = snapshot.head.table(&name.database, &name.table);
        let (Some(reference), Some(storage)) = (reference, storage) else {
            let known = snapshot.head.tables().map(|(database, name, _)| format!("{database}.{name}"));
            let known: Vec<String> = known.chain(outputs.iter().map(|output| output.table.to_string())).collect();
            let hint = crate::diagnostic::nearest(&name.to_string(), known.iter().map(String::as_str));
            let hint = hint.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let error = Error::new(ErrorKind::Input, format!("table {name}, which {} reads, is not in the lake{hint}", output.table));
            return Err(error.with_context("at", &output.place).with_context("what to do", "run the pipeline that makes it first"));
        };
        found.insert(name.clone(), LocalCatalog::new(storage.clone()).table(reference)?);
    }
    Ok(found)
}

/// Why rows that were made of the tables in `before` are to be rebuilt, now that they are `now`, or that `made` by this run are others.
pub(crate) fn changed(
    before: Option<&BTreeMap<String, Input>>,
    tables: &BTreeSet<TableName>,
    made: &BTreeSet<TableName>,
    now: &BTreeMap<TableName, Table>,
) -> Option<String> {
    tables.iter().find_map(|name| {
        if made.contains(name) {
            return Some(format!("{name} changes in this run"));
        }
        let now = input(name, now.get(name)?);
        let mark = |input: &Input| input.files.first().map(|file| file.mark.clone()).unwrap_or_default();
        let then = before.and_then(|inputs| inputs.get(&name.to_string())).map(mark);
        match (mark(&now), then) {
            (now, _) if now == UNKNOWN => Some(format!("it is unknown whether the files of {name} changed")),
            (now, Some(then)) if now == then => None,
            _ => Some(format!("{name} has changed")),
        }
    })
}
