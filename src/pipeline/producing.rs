//! Makes the new version of one table: reads what has changed, writes files, and says which older files stay.

use super::changes::{Step, merge, sources_of};
use super::model::{Output, Pipeline, RemovedSources, Source};
use super::opening::{open, remember};
use super::publication::{Maker, columns, redescribed, version, without};
use super::run_report::{Action, OutputRun};
use super::state::{OutputState, State};
use super::transforming::{Made, ReadSet, Transforming};
use super::writing::{Engine, RejectPolicy, Written, split_columns};
use crate::catalog::{Segment, Table};
use crate::convert::{ConvertReport, OnError};
use crate::error::{Error, ErrorKind, Result};
use crate::publish::{Input, Manifest};
use chrono::Utc;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What all outputs of a run have in common.
pub(super) struct Producing<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) state: &'a State,
    pub(super) engine: &'a Engine<'a>,
    pub(super) run: &'a str,
    /// The key of the folder of what a run says of itself.
    pub(super) run_folder: &'a str,
    pub(super) transforming: Transforming<'a>,
    /// How each source was read, by the conversion that read most of it.
    pub(super) read: BTreeMap<String, Arc<ConvertReport>>,
    /// What of which source is kept as rejected already, and the files it is kept in.
    pub(super) rejected: HashSet<(String, Vec<usize>)>,
    pub(super) reject_files: Vec<(String, PathBuf)>,
    pub(super) notes: Vec<String>,
}

/// The new version of a table.
pub(super) struct Product {
    pub(super) table: Table,
    /// What was written; nothing where only the description is new.
    pub(super) manifest: Option<Manifest>,
    pub(super) summary: OutputRun,
}

/// The folder with the key where a run writes its files of a table, and the one of a second try.
pub(super) fn folders(state: &OutputState, run: &str) -> [String; 2] {
    let name = &state.output.table;
    [format!("{}/{}/{run}", name.database, name.table), format!("{}/{}/{run}-2", name.database, name.table)]
}

impl Producing<'_> {
    /// Makes the new version of an output's table; nothing where there is nothing to do.
    ///
    /// # Errors
    /// What reading, SQL and writing give.
    pub(super) fn produce(&mut self, state: &OutputState) -> Result<Option<Product>> {
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

    /// Makes anew the partitions that what is new has rows in, of all files that have rows in them.
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
            let used = self.state.listings.values().filter(|listing| state.sources.contains(&listing.name));
            let (there, gone) = sources_of(&known, &BTreeSet::from([index]), used);
            if !gone.is_empty() && state.output.removed_sources == RemovedSources::Keep {
                if there.values().any(|places| !places.is_empty()) {
                    let message =
                        format!("rows of {} would be lost that can't be made again: {} is gone", state.output.table, gone.join(", "));
                    return Err(Error::new(ErrorKind::Input, message)
                        .with_context("partitions", touched.into_iter().collect::<Vec<_>>().join(", "))
                        .with_context("what to do", "bring the files back; or give --full to go on without those rows"));
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

    /// Writes the rows of the files `read`, on the `attempt`th try.
    fn write(&mut self, state: &OutputState, read: &ReadSet, attempt: usize) -> Result<(Written, BTreeMap<String, Input>)> {
        let folder = &folders(state, self.run)[attempt];
        let known = known_inputs(state);
        let mut policies =
            Policies { read, rejected: &mut self.rejected, files: &mut self.reject_files, folder: self.transforming.workspace };
        let mut opened: BTreeMap<String, Made> = BTreeMap::new();
        let written = match self.pipeline.source(&state.output.from) {
            Some(source) => {
                let places = read.get(&source.name).map_or(&[][..], Vec::as_slice);
                let table = open(source, &self.state.listings[&source.name], places, known.get(&source.name))?;
                self.notes.extend(table.notes.iter().map(|note| format!("{}: {note}", source.name)));
                opened.insert(source.name.clone(), Made::read(table.clone()));
                check_columns(&state.output, &table)?;
                let written = self.engine.write(&state.output, table, folder, policies.of(source))?;
                keep_longest(&mut self.read, &source.name, Arc::new(written.report.clone()));
                written
            }
            None => {
                let mut policy = |source: &Source| policies.of(source);
                let (rows, sources) = self.transforming.make(&state.sources, &state.transforms, read, &known, &mut policy)?;
                for (name, made) in &sources {
                    if let Some(report) = &made.report {
                        keep_longest(&mut self.read, name, report.clone());
                    }
                }
                opened = sources;
                check_columns(&state.output, &rows)?;
                self.engine.write(&state.output, rows, folder, RejectPolicy::default())?
            }
        };
        let (name, zone) = (&state.output.name, state.output.timezone);
        if !zone.is_utc() && state.output.has_days() {
            self.notes.push(format!("{name}: dt and hour are those of {zone}"));
        }
        self.notes.extend(written.report.losses.notes().map(|note| format!("{name}: {note}")));
        let mut inputs = BTreeMap::new();
        for (name, made) in &opened {
            let places = read.get(name).map_or(&[][..], Vec::as_slice);
            inputs.insert(name.clone(), remember(&made.table, &self.state.listings[name], places)?);
        }
        Ok((written, inputs))
    }
}

/// Whether a table can have the columns of `rows`, told before any are written.
fn check_columns(output: &Output, rows: &crate::input::Table) -> Result<()> {
    let (files, keys) = split_columns(output, &rows.format.schema())?;
    columns(output, &files, &keys).map(|_| ())
}

/// What the newest runs found out of each source; nothing where all is made anew.
fn known_inputs(state: &OutputState) -> BTreeMap<String, Input> {
    let manifests = if state.changes.step == Step::Rebuild { &[][..] } else { state.manifests.as_slice() };
    manifests.iter().flat_map(|manifest| manifest.inputs.clone()).filter(|(_, input)| !input.columns.is_empty()).collect()
}

fn keep_longest(read: &mut BTreeMap<String, Arc<ConvertReport>>, name: &str, report: Arc<ConvertReport>) {
    match read.get(name) {
        Some(before) if before.lines >= report.lines => {}
        _ => drop(read.insert(name.to_string(), report)),
    }
}

/// Says where rejected lines go: those of the same files once only.
struct Policies<'a> {
    read: &'a ReadSet,
    rejected: &'a mut HashSet<(String, Vec<usize>)>,
    files: &'a mut Vec<(String, PathBuf)>,
    folder: &'a super::workspace::Workspace,
}

impl Policies<'_> {
    fn of(&mut self, source: &Source) -> RejectPolicy {
        let places = self.read.get(&source.name).cloned().unwrap_or_default();
        let mut file = None;
        if source.on_error == OnError::Reject && self.rejected.insert((source.name.clone(), places)) {
            let path = self.folder.path(&format!("rejects-{}.jsonl", self.files.len()));
            self.files.push((source.name.clone(), path.clone()));
            file = Some(path);
        }
        RejectPolicy { on_error: source.on_error, max_rate: source.max_reject_rate, file }
    }
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
        total_files: table.files,
        total_rows: table.rows,
        total_bytes: table.bytes,
        table_version: table.version,
        location: table.storage.location.clone(),
    }
}

/// The summary of an output that nothing was done for.
pub(super) fn unchanged(state: &OutputState) -> Option<OutputRun> {
    state.table.as_ref().map(|table| summary(state, Action::Unchanged, None, table, 0.0))
}
