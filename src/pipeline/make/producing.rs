//! Makes the new version of one table: reads what has changed, writes files, and says which older files stay.

use super::inserting::Inserting;
use super::readings::Readings;
use super::transforming::{Made, Transforming};
use super::version::{Maker, columns, redescribed, version, without};
use super::writing::{Engine, RejectPolicy, Written, split_columns};
use crate::catalog::{Segment, Table};
use crate::convert::SourceReport;
use crate::error::{Error, ErrorKind, Result};
use crate::input::Table as Rows;
use crate::pipeline::model::{Output, Pipeline, Removal, Source, Transform};
use crate::pipeline::run_report::{Action, OutputRun, TransformRun};
use crate::pipeline::state::before::OutputState;
use crate::pipeline::state::changes::{Step, sources_of};
use crate::pipeline::state::checked_columns::refuse_unknown_columns;
use crate::pipeline::state::lake_tables;
use crate::pipeline::state::opening::{open, other_formats, remember};
use crate::pipeline::state::pieces::{ReadSet, merge};
use crate::publish::{Input, Manifest};
use chrono::Utc;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

/// What all outputs of a run have in common.
pub(crate) struct Producing<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) engine: &'a Engine<'a>,
    pub(crate) run: &'a str,
    /// The key of the folder of what a run says of itself.
    pub(crate) run_folder: &'a str,
    pub(crate) transforming: Transforming<'a>,
    pub(crate) readings: Readings,
}

/// The new version of a table.
pub(crate) struct Product {
    pub(crate) table: Table,
    /// What was written; nothing where only the description is new.
    pub(crate) manifest: Option<Manifest>,
    pub(crate) summary: OutputRun,
}

/// The folder with the key where a run writes its files of a table, and the one of a second try.
pub(crate) fn folders(state: &OutputState, run: &str) -> [String; 2] {
    let name = &state.output.table;
    [format!("{}/{}/{run}", name.database, name.table), format!("{}/{}/{run}-2", name.database, name.table)]
}

impl Producing<'_> {
    /// Makes the new version of an output's table; nothing where there is nothing to do.
    ///
    /// # Errors
    /// What reading, SQL and writing give.
    pub(crate) fn produce(&mut self, state: &OutputState) -> Result<Option<Product>> {
        let started = Instant::now();
        let maker = Maker { pipeline: &self.pipeline.name, run: self.run, now: Utc::now() };
        let table = state.table.as_ref();
        let segments = table.map_or(&[][..], |table| table.segments.as_slice());
        let (written, inputs, kept) = match (state.changes.step, table) {
            (Step::Nothing, Some(table)) if state.described => {
                let table = redescribed(state, table, &maker);
                let summary = summary(state, Action::Altered, None, &table, 0.0);
                return Ok(Some(Product { table, manifest: None, summary }));
            }
            (Step::Nothing, _) => return Ok(None),
            (Step::Rebuild, _) => {
                let (written, inputs) = self.write(state, &state.changes.read, 0)?;
                (written, inputs, Vec::new())
            }
            (Step::Add, _) => {
                let stale = |index: &usize| state.changes.stale.contains(index);
                let kept = segments.iter().enumerate().filter(|(index, _)| !stale(index)).map(|(_, segment)| segment.clone()).collect();
                let (written, inputs) = self.write(state, &state.changes.read, 0)?;
                (written, inputs, kept)
            }
            (Step::ReplacePartitions, _) => self.replace_partitions(state, segments)?,
        };
        let mut written = written;
        let partitioned = !state.output.partition_by.is_empty();
        if partitioned || !kept.is_empty() {
            self.drop_files(&mut written, |file| file.rows > 0)?;
        }
        let key = format!("{}/{}.manifest.json", self.run_folder, state.output.name);
        let version = version(state, &written, kept, &key, &maker)?;
        let action = match (table, state.changes.step, state.changes.stale.is_empty()) {
            (None, ..) => Action::Created,
            (_, Step::Rebuild, _) => Action::Replaced,
            (_, Step::Add, true) => Action::Appended,
            _ => Action::Updated,
        };
        let manifest = Manifest {
            format: 1,
            pipeline: self.pipeline.name.clone(),
            output: state.output.name.clone(),
            table: state.output.table.to_string(),
            run: self.run.to_string(),
            created: maker.now,
            etl_version: env!("CARGO_PKG_VERSION").to_string(),
            definition: state.definition.all.clone(),
            inputs,
            files: written.files.clone(),
        };
        manifest.write(self.engine.storage, &key)?;
        let summary = summary(state, action, Some(&written), &version, started.elapsed().as_secs_f64());
        Ok(Some(Product { table: version, manifest: Some(manifest), summary }))
    }

    /// Rebuilds the partitions that what is new has rows in, of all files that have rows in them.
    fn replace_partitions(
        &mut self,
        state: &OutputState,
        segments: &[Segment],
    ) -> Result<(Written, BTreeMap<String, Input>, Vec<Segment>)> {
        let read = &state.changes.read;
        let (mut written, mut inputs) = self.write(state, read, 0)?;
        let stale = state.changes.stale.iter().filter_map(|index| segments.get(*index)).flat_map(|segment| segment.partitions.keys());
        let touched: BTreeSet<String> =
            written.files.iter().filter(|file| file.rows > 0).map(|file| &file.partition).chain(stale).cloned().collect();
        let known = state.segment_inputs();
        let (mut again, mut kept_whole) = (ReadSet::new(), BTreeSet::new());
        for (index, segment) in segments.iter().enumerate() {
            if !segment.partitions.keys().any(|partition| touched.contains(partition)) {
                continue;
            }
            let (there, gone) = sources_of(&known, &BTreeSet::from([index]), state.listings.values());
            if !gone.is_empty() && state.output.removed_sources == Removal::Keep {
                if there.values().any(|pieces| !pieces.is_empty()) {
                    let message = format!(
                        "this would lose rows of {} that can't be rebuilt, because their source file is gone: {}",
                        state.output.table,
                        gone.join(", ")
                    );
                    return Err(Error::new(ErrorKind::Input, message)
                        .with_context("partitions", touched.into_iter().collect::<Vec<_>>().join(", "))
                        .with_context("what to do", "restore the files, or use --full to rebuild without those rows; if a log was corrected, set `fingerprint: modified` on its source"));
                }
                kept_whole.insert(index);
                continue;
            }
            merge(&mut again, there);
        }
        merge(&mut again, read.clone());
        if again != *read {
            self.engine.storage.remove_folder(&written.folder)?;
            (written, inputs) = self.write(state, &again, 1)?;
            // Other partitions of those files have not changed.
            self.drop_files(&mut written, |file| touched.contains(&file.partition))?;
        }
        let mut kept = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            match kept_whole.contains(&index) {
                true => kept.push(segment.clone()),
                false => kept.extend(without(std::slice::from_ref(segment), &touched)),
            }
        }
        Ok((written, inputs, kept))
    }

    /// Removes the files that are not wanted.
    fn drop_files(&self, written: &mut Written, wanted: impl Fn(&crate::publish::DataFile) -> bool) -> Result<()> {
        let (kept, dropped): (Vec<_>, Vec<_>) = std::mem::take(&mut written.files).into_iter().partition(wanted);
        written.files = kept;
        self.engine.storage.delete(&dropped.into_iter().map(|file| file.key).collect::<Vec<_>>())
    }

    /// Has Athena write the rows of an output whose transform is its.
    fn insert(&mut self, state: &OutputState, transform: &Transform, folder: &str) -> Result<(Written, BTreeMap<String, Input>)> {
        let Transforming { runtime, .. } = &self.transforming;
        let inserting =
            Inserting { pipeline: self.pipeline, storage: self.engine.storage, runtime, run: self.run, cancel: &self.engine.cancel };
        let written = inserting.write(&state.output, transform, folder)?;
        let ran = TransformRun { name: transform.name.clone(), rows: written.report.rows, seconds: written.report.seconds };
        self.transforming.ran.push(ran);
        Ok((written, state.athena_inputs.clone()))
    }

    /// Writes the rows of the files `read`, on the `attempt`th try.
    fn write(&mut self, state: &OutputState, read: &ReadSet, attempt: usize) -> Result<(Written, BTreeMap<String, Input>)> {
        let folder = &folders(state, self.run)[attempt];
        if let Some(transform) = self.pipeline.made_in_athena(&state.output) {
            return self.insert(state, transform, folder);
        }
        let known = known_inputs(state);
        let (readings, workspace) = (&mut self.readings, self.transforming.workspace);
        let pieces_of = |name: &str| read.get(name).map_or(&[][..], Vec::as_slice);
        let mut opened: BTreeMap<String, Made> = BTreeMap::new();
        let written = match self.pipeline.source(&state.output.from) {
            Some(source) => {
                let pieces = pieces_of(&source.name);
                let table = open(source, &state.listings[&source.name], pieces, known.get(&source.name))?;
                table.notes.iter().for_each(|note| readings.note(&source.name, note));
                check_columns(self.pipeline, &state.output, &table)?;
                let made = Made::read(table.clone());
                let policy = readings.policy(source, pieces, state.accepted(&source.name, pieces), workspace);
                let opened_as = table.clone();
                let written =
                    self.engine.write(&state.output, table, folder, policy).map_err(|error| limited(error, source, &opened_as))?;
                let bad: BTreeSet<&str> =
                    written.report.sources.iter().filter(|read| read.rejects > read.rows).map(|read| read.path.as_str()).collect();
                if !bad.is_empty() {
                    other_formats(&opened_as, |path| bad.contains(path))?.iter().for_each(|note| readings.note(&source.name, note));
                }
                let made = Made { report: Some(Arc::new(written.report.clone())), ..made };
                opened.insert(source.name.clone(), made);
                written
            }
            None => {
                let mut policy = |source: &Source| {
                    let pieces = pieces_of(&source.name);
                    readings.policy(source, pieces, state.accepted(&source.name, pieces), workspace)
                };
                let (rows, sources) = self.transforming.make(state, read, &known, &mut policy)?;
                opened = sources;
                check_columns(self.pipeline, &state.output, &rows)?;
                self.engine.write(&state.output, rows, folder, RejectPolicy::default())?
            }
        };
        let (name, zone) = (&state.output.name, state.output.timezone);
        if !zone.is_utc() && state.output.has_days() {
            readings.note(name, &format!("dt and hour are in {zone}"));
        }
        written.report.losses.notes().for_each(|note| readings.note(name, &note));
        let mut inputs = BTreeMap::new();
        for name in &state.reads_tables {
            let staged = self.transforming.staged.iter().find(|table| table.database == name.database && table.name == name.table);
            if let Some(table) = staged.or_else(|| state.lake_tables.get(name)) {
                inputs.insert(name.to_string(), lake_tables::input(name, table));
            }
        }
        for (name, made) in &opened {
            let pieces = pieces_of(name);
            made.report.iter().for_each(|report| self.readings.took(name, report));
            let read: Vec<&SourceReport> = made.report.iter().flat_map(|report| &report.sources).collect();
            let known: Vec<_> =
                state.manifests.iter().filter_map(|manifest| manifest.inputs.get(name)).flat_map(|input| &input.files).cloned().collect();
            inputs.insert(name.clone(), remember(&made.table, &state.listings[name], pieces, &read, &known)?);
        }
        Ok((written, inputs))
    }
}

/// The error with the place of the source, whose limit it is, where it is one of rejected lines.
fn limited(error: Error, source: &Source, table: &Rows) -> Error {
    match error.kind() {
        ErrorKind::Rejects => {
            let error = error.with_context("source", &source.name).with_context("at", &source.place);
            // That it can't be told does not matter beside what went wrong.
            match other_formats(table, |_| true).ok().flatten() {
                Some(hint) => error.with_context("hint", hint),
                None => error,
            }
        }
        _ => error,
    }
}

/// Whether a table can have the columns of `rows`, told before any are written.
fn check_columns(pipeline: &Pipeline, output: &Output, rows: &Rows) -> Result<()> {
    let (files, keys) = split_columns(output, &rows.format.schema())?;
    let (columns, keys) = columns(output, &files, &keys)?;
    refuse_unknown_columns(pipeline, &output.table, columns.iter().chain(&keys).map(|column| column.name.as_str()))
}

/// What the newest runs found out of each source; nothing where all is rebuilt.
fn known_inputs(state: &OutputState) -> BTreeMap<String, Input> {
    if state.changes.step == Step::Rebuild {
        return state.grown.clone();
    }
    let manifests = state.manifests.as_slice();
    manifests.iter().flat_map(|manifest| manifest.inputs.clone()).filter(|(_, input)| !input.columns.is_empty()).collect()
}

fn summary(state: &OutputState, action: Action, written: Option<&Written>, table: &Table, seconds: f64) -> OutputRun {
    let files = written.map_or(&[][..], |written| written.files.as_slice());
    let format = state.output.format;
    let partitions: BTreeSet<&String> = files.iter().map(|file| &file.partition).filter(|partition| !partition.is_empty()).collect();
    OutputRun {
        name: state.output.name.clone(),
        table: state.output.table.to_string(),
        action,
        format: format.kind.name().to_string(),
        compression: format.codec.name().to_string(),
        files: files.len() as u64,
        rows: files.iter().map(|file| file.rows).sum(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        bytes_decoded: written.map_or(0, |written| written.report.bytes_decoded),
        seconds,
        partitions: partitions.into_iter().cloned().collect(),
        rows_before: state.table.as_ref().map(|table| table.rows),
        total_files: table.files,
        total_rows: table.rows,
        total_bytes: table.bytes,
        table_version: table.version,
        location: table.storage.location.clone(),
    }
}

/// The summary of an output that nothing was done for.
pub(crate) fn unchanged(state: &OutputState) -> Option<OutputRun> {
    state.table.as_ref().map(|table| summary(state, Action::Unchanged, None, table, 0.0))
}
