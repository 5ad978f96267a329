//! Runs SQL over sources and earlier transforms, and keeps the result as a file until it is written.

use super::workspace::Workspace;
use super::writing::{Engine, RejectPolicy};
use crate::catalog::{Table as LakeTable, TableName};
use crate::convert::ConvertReport;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{FormatChoice, Place, Table, TableFormat, TableOptions, resolve};
use crate::pipeline::model::{Pipeline, Source, Transform};
use crate::pipeline::state::before::OutputState;
use crate::pipeline::state::listing::Listing;
use crate::pipeline::state::opening::open;
use crate::pipeline::state::pieces::{Piece, ReadSet};
use crate::publish::Input;
use crate::query::{LakeTables, QueryEngine, QueryOptions, Runtime, unless_cancelled};
use crate::schema::fit;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Bytes of rows that are held until they are written.
const GROUP: usize = 64 << 20;

/// Makes the rows of transforms; what two outputs need is made once.
pub(crate) struct Transforming<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) engine: &'a Engine<'a>,
    pub(crate) workspace: &'a Workspace,
    pub(crate) runtime: &'a Runtime,
    /// How SQL is run.
    pub(crate) queries: &'a QueryOptions,
    /// Folders and files by what is in them.
    pub(crate) made: HashMap<String, Made>,
    pub(crate) ran: Vec<crate::pipeline::run_report::TransformRun>,
    /// The lake as the run found it.
    pub(crate) lake: LakeTables,
    /// What this run has made of it so far.
    pub(crate) staged: Vec<LakeTable>,
}

/// Rows that are kept.
#[derive(Clone)]
pub(crate) struct Made {
    /// The Parquet files; nothing for rows that are read where they are.
    pub(super) path: Option<String>,
    pub(crate) table: Table,
    /// How a source was read.
    pub(crate) report: Option<Arc<ConvertReport>>,
}

impl Made {
    /// A source that is read where it is.
    pub(crate) fn read(table: Table) -> Made {
        Made { path: None, table, report: None }
    }
}

impl<'a> Transforming<'a> {
    /// Nothing is made yet.
    pub(crate) fn new(
        pipeline: &'a Pipeline,
        engine: &'a Engine<'a>,
        workspace: &'a Workspace,
        runtime: &'a Runtime,
        queries: &'a QueryOptions,
        lake: LakeTables,
    ) -> Transforming<'a> {
        Transforming { pipeline, engine, workspace, runtime, queries, made: HashMap::new(), ran: Vec::new(), lake, staged: Vec::new() }
    }

    /// The rows of the last transform of an output, made of what is `read` of its sources.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where SQL is wrong or fails, and what reading sources gives.
    pub(crate) fn make(
        &mut self,
        state: &OutputState,
        read: &ReadSet,
        known: &BTreeMap<String, Input>,
        policy: &mut dyn FnMut(&Source) -> RejectPolicy,
    ) -> Result<(Table, BTreeMap<String, Made>)> {
        let mut tables: BTreeMap<String, Made> = BTreeMap::new();
        for source in state.sources.iter().filter_map(|name| self.pipeline.source(name)) {
            let pieces = read.get(&source.name).map_or(&[][..], Vec::as_slice);
            let listing = &state.listings[&source.name];
            tables.insert(source.name.clone(), self.source(source, listing, pieces, known.get(&source.name), policy)?);
        }
        let read_sources = tables.clone();
        let mut last = None;
        for transform in state.transforms.iter().filter_map(|name| self.pipeline.transform(name)) {
            let made = self.transform(transform, &tables, read)?;
            last = Some(made.table.clone());
            tables.insert(transform.name.clone(), made);
        }
        let last = last.ok_or_else(|| Error::new(ErrorKind::Internal, "an output reads a transform that there is not"))?;
        Ok((last, read_sources))
    }

    fn source(
        &mut self,
        source: &Source,
        listing: &Listing,
        pieces: &[Piece],
        known: Option<&Input>,
        policy: &mut dyn FnMut(&Source) -> RejectPolicy,
    ) -> Result<Made> {
        let key = format!("{} {}", source.name, digest(&format!("{pieces:?}")));
        if let Some(made) = self.made.get(&key) {
            return Ok(made.clone());
        }
        let table = open(source, listing, pieces, known)?;
        // Parquet has no lines that could be rejected, and is read best where it is.
        let made = if matches!(table.format, TableFormat::Parquet { .. }) || table.sources.is_empty() {
            Made::read(table)
        } else {
            let folder = self.workspace.path(&format!("source-{}", self.made.len()));
            let read = table.clone();
            let report = self.engine.spool(table, folder.clone(), policy(source)).map_err(|e| e.with_context("source", &source.name))?;
            Made { path: Some(folder.display().to_string()), table: read, report: Some(Arc::new(report)) }
        };
        self.made.insert(key, made.clone());
        Ok(made)
    }

    fn transform(&mut self, transform: &Transform, tables: &BTreeMap<String, Made>, read: &ReadSet) -> Result<Made> {
        let key = format!("{} {}", transform.name, digest(&format!("{read:?}")));
        if let Some(made) = self.made.get(&key) {
            return Ok(made.clone());
        }
        let started = Instant::now();
        let at = |error: Error| error.with_context("transform", &transform.name).with_context("at", &transform.place);
        let engine = query_engine(self.queries, tables, &transform.reads)?;
        if !transform.tables.is_empty() {
            engine.register_lake(self.lake.clone().with_staged(self.staged.iter().cloned()))?;
        }
        let path = self.workspace.path(&format!("transform-{}.parquet", self.made.len()));
        self.engine.progress.start(&transform.name, None);
        let done = self.runtime.block_on(|| self.run(&engine, &transform.sql, &path));
        self.engine.progress.finish();
        let rows = done.map_err(at)?;
        let shown = path.display().to_string();
        let table = plain_table(&shown)?;
        let seconds = started.elapsed().as_secs_f64();
        self.ran.push(crate::pipeline::run_report::TransformRun { name: transform.name.clone(), rows, seconds });
        let made = Made { path: Some(shown), table, report: None };
        self.made.insert(key, made.clone());
        Ok(made)
    }

    async fn run(&self, engine: &QueryEngine, sql: &str, path: &Path) -> Result<u64> {
        let mut result = engine.query(sql).await?;
        let schema = result.schema();
        fit::check(schema.fields().iter().map(AsRef::as_ref), fit::Place::Parquet)?;
        let failed =
            |e: parquet::errors::ParquetError| Error::new(ErrorKind::Output, format!("can't write {}", path.display())).with_source(e);
        let level = ZstdLevel::try_new(1).map_err(failed)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).set_max_row_group_bytes(Some(GROUP)).build();
        let file = File::create(path).map_err(|e| Error::output(path.display(), e))?;
        let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(failed)?;
        let mut rows = 0;
        while let Some(batch) = unless_cancelled(&self.engine.cancel, "interrupted; nothing was published", result.next()).await? {
            rows += batch.num_rows() as u64;
            writer.write(&batch).map_err(failed)?;
        }
        writer.close().map_err(failed)?;
        Ok(rows)
    }
}

/// An engine that knows the tables that `reads` names.
fn query_engine(queries: &QueryOptions, tables: &BTreeMap<String, Made>, reads: &[String]) -> Result<QueryEngine> {
    let engine = QueryEngine::new(queries.clone())?;
    for (name, made) in tables.iter().filter(|(name, _)| reads.contains(name)) {
        match &made.path {
            Some(path) => engine.register_files(name, plain_table(path)?, false)?,
            None => engine.register_files(name, made.table.clone(), true)?,
        }
    }
    Ok(engine)
}

/// The Parquet files at `path`, which this run wrote.
fn plain_table(path: &str) -> Result<Table> {
    let mut inputs = resolve(&[path.to_string()])?;
    for source in &mut inputs.sources {
        // The folders above are no partitions of it.
        if let Place::File(file) = &source.place {
            source.path = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        }
    }
    Table::open(inputs, &TableOptions { format: FormatChoice::Parquet, ..TableOptions::default() })
}

/// The columns that the last of `transforms` will have, told without reading rows.
///
/// # Errors
/// [`ErrorKind::Query`] where SQL is wrong.
pub(crate) fn planned_columns(
    pipeline: &Pipeline,
    transforms: &[String],
    sources: &BTreeMap<String, Table>,
    tables: &BTreeMap<TableName, SchemaRef>,
    runtime: &Runtime,
) -> Result<SchemaRef> {
    let mut schemas: BTreeMap<&str, SchemaRef> = BTreeMap::new();
    let mut last = None;
    for transform in transforms.iter().filter_map(|name| pipeline.transform(name)) {
        let engine = QueryEngine::new(QueryOptions { threads: 1, stdin: false, ..QueryOptions::default() })?;
        for (name, table) in sources.iter().filter(|(name, _)| transform.reads.contains(name)) {
            engine.register_files(name, table.clone(), true)?;
        }
        for (name, schema) in schemas.iter().filter(|(name, _)| transform.reads.iter().any(|read| read == *name)) {
            engine.register_columns(name, schema.clone())?;
        }
        engine.register_planned(transform.tables.iter().filter_map(|name| Some((name, tables.get(name)?.clone()))))?;
        let at = |error: Error| error.with_context("transform", &transform.name).with_context("at", &transform.place);
        let schema: SchemaRef = runtime.block_on(|| engine.columns(&transform.sql)).map_err(at)?;
        schemas.insert(&transform.name, schema.clone());
        last = Some(schema);
    }
    last.ok_or_else(|| Error::new(ErrorKind::Internal, "an output reads a transform that there is not"))
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
