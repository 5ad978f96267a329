//! What a run would do, told without doing it.

use super::model::{Layout, Pipeline};
use super::run_report::Action;
use crate::aws::AwsSettings;
use crate::catalog::{Column, LocalCatalog, Registration, Snapshot, Table, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::governance::lake_formation::Told;
use crate::governance::{ColumnShape, Draft, Finding, Resources, SightChange, TableShape};
use crate::pipeline::athena_engine::open as open_athena;
use crate::pipeline::governing::remote::Remote;
use crate::pipeline::governing::said::{draft, draft_of_none};
use crate::pipeline::make::inserting::schema;
use crate::pipeline::make::transforming::planned_columns;
use crate::pipeline::make::version::columns;
use crate::pipeline::make::writing::split_columns;
use crate::pipeline::registering::comparison::ReaderPlan;
use crate::pipeline::registering::of_pipeline::ReaderCatalog;
use crate::pipeline::state::before::{OutputState, Scope, State};
use crate::pipeline::state::changes::Step;
use crate::pipeline::state::checked_columns::refuse_unknown_columns;
use crate::pipeline::state::drift::drift;
use crate::pipeline::state::listing::Listing;
use crate::pipeline::state::opening::open;
use crate::query::{LakeTables, QueryEngine, QueryOptions, Runtime};
use crate::schema::types::arrow_type;
use crate::sql_text::quoted;
use crate::storage::{Location, Storage};
use arrow::datatypes::{Field, Schema, SchemaRef};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The differences between what a pipeline says and what is there.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    pub pipeline: String,
    pub lake: String,
    /// Whether a run would change anything, or something is not as runs left it.
    pub changes: bool,
    pub sources: Vec<SourcePlan>,
    pub outputs: Vec<OutputPlan>,
    /// Tables that no output makes any more, and that a run takes out of the lake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Who would see more or less than now.
    pub access: Vec<SightChange>,
    /// Whose policies a run would publish.
    pub policies: Vec<String>,
    /// What Lake Formation would be told; drift of it, too.
    pub lake_formation: Vec<String>,
    /// What is wrong with them, or hardly meant.
    pub findings: Vec<Finding>,
    pub notes: Vec<String>,
}

/// The files of a source.
#[derive(Debug, Clone, Serialize)]
pub struct SourcePlan {
    pub name: String,
    pub files: u64,
    /// As stored.
    pub bytes: u64,
}

/// What would happen to a table.
#[derive(Debug, Clone, Serialize)]
pub struct OutputPlan {
    pub name: String,
    pub table: String,
    pub action: Action,
    pub why: String,
    pub new: u64,
    pub grown: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub removed: u64,
    /// The files that would be read, and their bytes as stored.
    pub read_files: u64,
    pub read_bytes: u64,
    /// The first of them.
    pub read_examples: Vec<String>,
    /// The tables of the lake that it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// How the rows would be cut into files.
    pub files: String,
    /// Of the table as it is and as it would be.
    pub columns: Vec<ColumnPlan>,
    /// What is not as the last run left it.
    pub drift: Vec<String>,
    /// What a catalog of readers would be told; nothing where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog: Option<ReaderPlan>,
}

impl OutputPlan {
    /// Whether something is not as runs left it.
    pub fn is_otherwise(&self) -> bool {
        !self.drift.is_empty() || self.catalog.as_ref().is_some_and(ReaderPlan::changes)
    }
}

/// What would happen to a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct ColumnPlan {
    pub name: String,
    /// Its type now; nothing where it is not there.
    pub before: Option<String>,
    /// Its type after a run.
    pub after: Option<String>,
    pub comment_changes: bool,
    pub partition_key: bool,
}

/// Plans a run of `pipeline`.
///
/// # Errors
/// Where sources or the catalog can't be read, SQL is wrong, or what a run would be refused for.
pub fn plan(pipeline: &Pipeline, scope: &Scope) -> Result<Plan> {
    let location = Location::parse(&pipeline.lake.location)?;
    let storage = match &location {
        // A lake that isn't there yet is made by the first run, not by a plan.
        Location::Folder(path) if !path.exists() => None,
        _ => Some(Storage::open_with(location, &pipeline.lake.store)?),
    };
    let state = State::read(pipeline, storage.as_ref(), scope)?;
    let runtime = Runtime::new(1)?;
    let readers = ReaderCatalog::of(pipeline)?;
    let sources = state.listings.values().map(|listing| SourcePlan {
        name: listing.name.clone(),
        files: listing.files.len() as u64,
        bytes: listing.files.iter().map(|listed| listed.file.size).sum(),
    });
    let mut outputs: Vec<OutputPlan> = Vec::new();
    // The columns of tables that a run would make or change, for those that are made of them.
    let mut planned: BTreeMap<TableName, SchemaRef> = BTreeMap::new();
    let mut notes: Vec<String> = state.listings.values().flat_map(Listing::notes).collect();
    for output in &state.outputs {
        notes.extend(output.changes.notes.iter().map(|note| format!("{}: {note}", output.output.name)));
        let planning =
            Planning { pipeline, storage: storage.as_ref(), snapshot: &state.snapshot, readers: readers.as_ref(), runtime: &runtime };
        let (plan, columns) = planning.output(output, &planned, &mut notes)?;
        planned.extend(columns.map(|columns| (output.output.table.clone(), columns)));
        outputs.push(plan);
    }
    // Outputs of one source have the same to say of it.
    let mut told = BTreeSet::new();
    notes.retain(|note| told.insert(note.clone()));
    let mut dropped = Vec::new();
    if let Some(storage) = &storage {
        dropped = state.dropped(pipeline, storage, scope);
        notes.extend(state.lost_by_dropping(pipeline, storage, &dropped)?);
        let told = |name: &TableName| {
            format!(
                "no output writes {name} any more; it is kept; to remove it, run `etl catalog drop {name} --lake {} --force` or set `removed_tables: drop`",
                pipeline.lake.location
            )
        };
        notes.extend(state.forgotten(pipeline, storage).iter().filter(|name| !dropped.contains(name)).map(told));
        if let Some(readers) = readers.as_ref().filter(|_| scope.only.is_empty()) {
            dropped.extend(
                readers.left(pipeline, storage)?.into_iter().map(|(_, entry)| TableName { database: entry.database, table: entry.name }),
            );
        }
    }
    let governed = governed(pipeline, &state, storage.as_ref(), &outputs)?;
    let policies = governed.iter().flat_map(|draft| draft.writes.iter().map(|(owner, _)| owner.clone()));
    let is_governed = governed.as_ref().is_none_or(|draft| draft.writes.is_empty());
    let lake_formation = lake_formation(pipeline, storage.as_ref(), governed.as_ref(), readers.as_ref())?;
    let order = |plan: &OutputPlan| pipeline.outputs.iter().position(|output| output.name == plan.name);
    outputs.sort_by_key(order);
    let changes = !dropped.is_empty()
        || !is_governed
        || !lake_formation.is_empty()
        || !state.is_current()
        || outputs.iter().any(OutputPlan::is_otherwise);
    Ok(Plan {
        pipeline: pipeline.name.clone(),
        lake: pipeline.lake.location.clone(),
        changes,
        sources: sources.collect(),
        outputs,
        dropped: dropped.iter().map(ToString::to_string).collect(),
        access: governed.as_ref().map(|draft| draft.changes.clone()).unwrap_or_default(),
        policies: policies.collect(),
        lake_formation,
        findings: governed.as_ref().map(|draft| draft.findings.clone()).unwrap_or_default(),
        notes,
    })
}

/// What follows from what the pipeline says of who may see what, with tables as a run would make them.
fn governed(pipeline: &Pipeline, state: &State, storage: Option<&Storage>, outputs: &[OutputPlan]) -> Result<Option<Draft>> {
    let mut planned = Resources::new();
    for (output, plan) in state.outputs.iter().zip(outputs) {
        let there = plan.columns.iter().filter_map(|column| {
            let data_type = column.after.clone()?;
            Some(ColumnShape { name: column.name.clone(), data_type, is_partition_key: column.partition_key })
        });
        let columns: Vec<ColumnShape> = there.collect();
        if !columns.is_empty() {
            let name = &output.output.table;
            let shape = TableShape { columns, is_view: false };
            planned.entry(name.database.clone()).or_default().insert(name.table.clone(), shape);
        }
    }
    match storage {
        Some(storage) => draft(pipeline, &LocalCatalog::new(storage.clone()), &state.snapshot, planned),
        None => draft_of_none(pipeline, planned),
    }
}

/// What Lake Formation would be told behind a run.
fn lake_formation(
    pipeline: &Pipeline,
    storage: Option<&Storage>,
    governed: Option<&Draft>,
    readers: Option<&ReaderCatalog>,
) -> Result<Vec<String>> {
    let (Some(storage), Some(draft), Some(readers)) = (storage, governed, readers) else { return Ok(Vec::new()) };
    let policy = draft.after.policy();
    if policy.is_empty() && !Told::is_any(storage)? {
        return Ok(Vec::new());
    }
    let glue = readers.glue.settings();
    let registered = Registration::all(storage)?.into_iter().filter(|one| one.glue == *glue).map(|one| (one.database, one.table));
    let own = pipeline.outputs.iter().map(|output| (output.table.database.clone(), output.table.table.clone()));
    let known: BTreeSet<(String, String)> = registered.chain(own).collect();
    let mut resources = draft.after.resources().clone();
    resources.iter_mut().for_each(|(database, tables)| tables.retain(|table, _| known.contains(&(database.clone(), table.clone()))));
    resources.retain(|_, tables| !tables.is_empty());
    let remote = Remote::of(storage, policy, &resources, glue, &AwsSettings::beside(&pipeline.lake.store))?;
    Ok(remote.steps.iter().map(ToString::to_string).collect())
}

/// What outputs are planned with.
struct Planning<'a> {
    pipeline: &'a Pipeline,
    storage: Option<&'a Storage>,
    snapshot: &'a Snapshot,
    readers: Option<&'a ReaderCatalog>,
    runtime: &'a Runtime,
}

impl Planning<'_> {
    /// The plan of an output, and the columns of its table where it would be another.
    fn output(
        &self,
        output: &OutputState,
        planned: &BTreeMap<TableName, SchemaRef>,
        notes: &mut Vec<String>,
    ) -> Result<(OutputPlan, Option<SchemaRef>)> {
        let new = match output.changes.step {
            Step::Nothing => None,
            _ => Some(new_columns(self.pipeline, output, &self.tables(output, planned)?, self.runtime, notes)?),
        };
        let known: Vec<&Column> = match (&new, &output.table) {
            (Some((files, keys)), _) => files.iter().chain(keys).collect(),
            (None, table) => table.iter().flat_map(columns_of).map(|(column, _)| column).collect(),
        };
        refuse_unknown_columns(self.pipeline, &output.output.table, known.iter().map(|column| column.name.as_str()))?;
        let plan = output_plan(output, self.storage, self.readers, new.as_ref())?;
        let schema = new.as_ref().map(|(files, keys)| table_schema(files.iter().chain(keys))).transpose()?;
        Ok((plan, schema))
    }

    /// The columns of the tables of the lake that an output is made of.
    fn tables(&self, output: &OutputState, planned: &BTreeMap<TableName, SchemaRef>) -> Result<BTreeMap<TableName, SchemaRef>> {
        let mut tables = BTreeMap::new();
        for name in &output.reads_tables {
            let schema = match (planned.get(name), output.lake_tables.get(name), self.storage) {
                (Some(planned), ..) => planned.clone(),
                (None, Some(_), Some(storage)) => {
                    let engine = QueryEngine::new(QueryOptions { threads: 1, stdin: false, ..QueryOptions::default() })?;
                    engine.register_lake(LakeTables::of(storage.clone(), self.snapshot.clone()))?;
                    let sql = format!("SELECT * FROM {}.{}", quoted(&name.database), quoted(&name.table));
                    self.runtime.block_on(|| engine.columns(&sql))?
                }
                _ => continue,
            };
            tables.insert(name.clone(), schema);
        }
        Ok(tables)
    }
}

/// The columns as SQL sees them.
fn table_schema<'a>(columns: impl Iterator<Item = &'a Column>) -> Result<SchemaRef> {
    let fields = columns.map(|column| {
        let data_type = arrow_type(&column.data_type);
        let data_type = data_type.map_err(|fault| Error::new(ErrorKind::Internal, format!("{}: {}", column.name, fault.message)))?;
        Ok(Field::new(&column.name, data_type, true))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?)))
}

fn output_plan(
    output: &OutputState,
    storage: Option<&Storage>,
    readers: Option<&ReaderCatalog>,
    new: Option<&(Vec<Column>, Vec<Column>)>,
) -> Result<OutputPlan> {
    let changes = &output.changes;
    let action = match (&output.table, changes.step, changes.stale.is_empty()) {
        (None, ..) => Action::Created,
        (_, Step::Nothing, _) if output.described => Action::Altered,
        (_, Step::Nothing, _) => Action::Unchanged,
        (_, Step::Rebuild, _) => Action::Replaced,
        (_, Step::Add, true) => Action::Appended,
        _ => Action::Updated,
    };
    let read = changes.read.iter().flat_map(|(name, pieces)| pieces.iter().map(|piece| (&output.listings[name], piece)));
    let read: Vec<_> = read.map(|(listing, piece)| (&listing.files[piece.place].file.path, listing.source(piece))).collect();
    let columns = match new {
        None => described_columns(output),
        Some(new) => column_plans(output.table.as_ref(), new),
    };
    let catalog = match readers {
        Some(readers) => Some(readers.compare(&output.output, storage.zip(output.table.as_ref()), new)?),
        None => None,
    };
    let sum = |pick: fn(&crate::pipeline::state::difference::FileCounts) -> u64| changes.counts.values().map(pick).sum();
    Ok(OutputPlan {
        name: output.output.name.clone(),
        table: output.output.table.to_string(),
        action,
        why: if output.described { "its description has changed".to_string() } else { changes.why.clone() },
        new: sum(|c| c.new),
        grown: sum(|c| c.grown),
        changed: sum(|c| c.changed),
        unchanged: sum(|c| c.unchanged),
        removed: sum(|c| c.removed),
        read_files: read.len() as u64,
        read_bytes: read.iter().filter_map(|(_, source)| source.wanted()).sum(),
        read_examples: read.iter().take(3).map(|(path, _)| (*path).clone()).collect(),
        tables: output.reads_tables.iter().map(ToString::to_string).collect(),
        files: files(output),
        columns,
        drift: match (storage, &output.table) {
            (Some(storage), Some(table)) => drift(storage, output, table)?,
            _ => Vec::new(),
        },
        catalog,
    })
}

/// How the rows are cut into files, in words.
fn files(output: &OutputState) -> String {
    let format = output.output.format;
    let each = match (output.output.partition_by.is_empty(), output.output.timezone) {
        (true, _) => String::new(),
        (false, zone) if zone.is_utc() || !output.output.has_days() => " in each partition".to_string(),
        (false, zone) => format!(" in each partition; days in {zone}"),
    };
    let kind = format.extension().trim_start_matches('.');
    match output.output.layout {
        Layout::Splits(splits) if splits.get() == 1 => format!("1 {kind} file{each}"),
        Layout::Splits(splits) => format!("{splits} {kind} files{each}"),
        Layout::RowsPerFile(rows) => format!("{kind} files of {rows} rows{each}"),
        Layout::TargetSize(size) => format!("{kind} files of about {}{each}", size.as_given()),
    }
}

/// The columns, then the partition keys, that a run would give the table.
fn new_columns(
    pipeline: &Pipeline,
    output: &OutputState,
    lake: &BTreeMap<TableName, SchemaRef>,
    runtime: &Runtime,
    notes: &mut Vec<String>,
) -> Result<(Vec<Column>, Vec<Column>)> {
    if let Some(transform) = pipeline.made_in_athena(&output.output) {
        let asked = runtime.block_on(async || schema(&open_athena(pipeline, &Arc::default()).await?, &transform.sql).await);
        let schema = asked.map_err(|error| error.with_context("transform", &transform.name).with_context("at", &transform.place))?;
        let (files, keys) = split_columns(&output.output, &schema)?;
        return columns(&output.output, &files, &keys);
    }
    let mut tables = BTreeMap::new();
    for source in output.sources.iter().filter_map(|name| pipeline.source(name)) {
        let pieces = output.changes.read.get(&source.name).map_or(&[][..], Vec::as_slice);
        let known = match output.changes.step {
            Step::Rebuild => output.grown.get(&source.name),
            _ => output.manifests.iter().rev().find_map(|manifest| manifest.inputs.get(&source.name)),
        };
        let table = open(source, &output.listings[&source.name], pieces, known)?;
        notes.extend(table.notes.iter().map(|note| format!("{}: {note}", source.name)));
        tables.insert(source.name.clone(), table);
    }
    let schema = match tables.get(&output.output.from) {
        Some(table) => table.format.schema(),
        None => planned_columns(pipeline, &output.transforms, &tables, lake, runtime)?,
    };
    let (files, keys) = split_columns(&output.output, &schema)?;
    columns(&output.output, &files, &keys)
}

fn column_plans(table: Option<&Table>, new: &(Vec<Column>, Vec<Column>)) -> Vec<ColumnPlan> {
    let old: Vec<(&Column, bool)> = table.map(columns_of).unwrap_or_default();
    let new: Vec<(&Column, bool)> = new.0.iter().map(|column| (column, false)).chain(new.1.iter().map(|column| (column, true))).collect();
    let find = |columns: &[(&Column, bool)], name: &str| {
        columns.iter().find(|(column, _)| column.name == name).map(|(column, _)| (*column).clone())
    };
    let names: Vec<&str> = new.iter().map(|(column, _)| column.name.as_str()).collect();
    let gone = old.iter().filter(|(column, _)| !names.contains(&column.name.as_str()));
    let plans = new.iter().chain(gone).map(|(column, partition_key)| {
        let (before, after) = (find(&old, &column.name), find(&new, &column.name));
        let comment_changes = matches!((&before, &after), (Some(before), Some(after)) if before.comment != after.comment);
        ColumnPlan {
            name: column.name.clone(),
            before: before.map(|column| column.data_type),
            after: after.map(|column| column.data_type),
            comment_changes,
            partition_key: *partition_key,
        }
    });
    plans.collect()
}

fn columns_of(table: &Table) -> Vec<(&Column, bool)> {
    let columns = table.storage.columns.iter().map(|column| (column, false));
    columns.chain(table.partition_keys.iter().map(|column| (column, true))).collect()
}

/// The columns of a table of which only comments change.
fn described_columns(output: &OutputState) -> Vec<ColumnPlan> {
    let Some(table) = &output.table else { return Vec::new() };
    let plans = columns_of(table).into_iter().map(|(column, partition_key)| ColumnPlan {
        name: column.name.clone(),
        before: Some(column.data_type.clone()),
        after: Some(column.data_type.clone()),
        comment_changes: column.comment.as_ref() != output.output.comments.get(&column.name),
        partition_key,
    });
    plans.collect()
}
