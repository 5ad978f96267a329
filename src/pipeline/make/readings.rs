//! What a run has read of its sources, and which lines it could not.

use super::workspace::Workspace;
use super::writing::RejectPolicy;
use crate::convert::{ConvertReport, Counted, OnError};
use crate::error::Result;
use crate::pipeline::model::{Pipeline, Source};
use crate::pipeline::run_report::{RejectFile, SourceRun};
use crate::pipeline::state::before::State;
use crate::pipeline::state::pieces::Piece;
use crate::storage::Storage;
use crate::units::Rate;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

/// What was read, for all outputs of a run.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    /// How each source was read, by the conversion that read most of it.
    reports: BTreeMap<String, Arc<ConvertReport>>,
    /// What of which source is kept as rejected already, and the files it is kept in.
    rejected: HashSet<(String, Vec<Piece>)>,
    files: Vec<(String, PathBuf)>,
    notes: BTreeSet<String>,
    /// Takes the place of the limits that sources have.
    max_reject_rate: Option<Rate>,
    /// Where conversions that fail for their rejected lines tell what they read, with the source's name.
    counted: Vec<(String, Counted)>,
}

impl Readings {
    /// Nothing is read yet; `max_reject_rate` takes the place of the limits that sources have.
    pub(crate) fn limited(max_reject_rate: Option<Rate>) -> Readings {
        Readings { max_reject_rate, ..Readings::default() }
    }

    /// What is done with lines of `pieces` of `source` that can't be read, of which so many were `accepted` before: those of the same
    /// pieces are kept once only.
    pub(crate) fn policy(&mut self, source: &Source, pieces: &[Piece], accepted: Vec<u64>, workspace: &Workspace) -> RejectPolicy {
        let mut file = None;
        if source.on_error == OnError::Reject && self.rejected.insert((source.name.clone(), pieces.to_vec())) {
            let path = workspace.path(&format!("rejects-{}.jsonl", self.files.len()));
            self.files.push((source.name.clone(), path.clone()));
            file = Some(path);
        }
        let counted = Counted::default();
        self.counted.push((source.name.clone(), counted.clone()));
        RejectPolicy { on_error: source.on_error, max_rate: self.max_reject_rate.or(source.max_reject_rate), accepted, file, counted }
    }

    /// Takes note of what conversions read that failed.
    pub(crate) fn take_failed(&mut self) {
        for (name, counted) in std::mem::take(&mut self.counted) {
            let report = counted.lock().unwrap_or_else(PoisonError::into_inner).take();
            report.into_iter().for_each(|report| self.took(&name, &Arc::new(report)));
        }
    }

    /// Takes note of how the source `name` was read.
    pub(crate) fn took(&mut self, name: &str, report: &Arc<ConvertReport>) {
        if let Some(note) = report.unread() {
            self.note(name, &note);
        }
        match self.reports.get(name) {
            Some(before) if before.lines >= report.lines => {}
            _ => drop(self.reports.insert(name.to_string(), report.clone())),
        }
    }

    /// Something that the user should know of the source `name`.
    pub(crate) fn note(&mut self, name: &str, note: &str) {
        self.notes.insert(format!("{name}: {note}"));
    }

    /// What the user should know, each thing once.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        self.notes.iter().cloned()
    }

    /// What was found and read of each source.
    pub(crate) fn sources(&self, pipeline: &Pipeline, state: &State) -> Vec<SourceRun> {
        let listed = pipeline.sources.iter().map(|source| &source.name).filter(|name| state.listings.contains_key(*name));
        listed.map(|name| self.source(name, state)).collect()
    }

    fn source(&self, name: &str, state: &State) -> SourceRun {
        let counts = state.outputs.iter().filter_map(|output| output.changes.counts.get(name));
        let counts = counts.max_by_key(|counts| counts.new + counts.grown + counts.changed).copied().unwrap_or_default();
        let mut source = SourceRun {
            name: name.to_string(),
            files_new: counts.new,
            files_grown: counts.grown,
            files_changed: counts.changed,
            files_unchanged: counts.unchanged,
            files_removed: counts.removed,
            ..SourceRun::default()
        };
        if let Some(report) = self.reports.get(name) {
            source.format.clone_from(&report.format);
            source.files_read = report.sources.len() as u64;
            (source.lines, source.rows, source.rejects, source.blank) = (report.lines, report.rows, report.rejects, report.blank);
            (source.bytes_in, source.bytes_decoded) = (report.bytes_in, report.bytes_decoded);
            source.repaired = report.repaired;
            source.rejects_by_reason.clone_from(&report.rejects_by_reason);
            source.mismatches_by_column.clone_from(&report.mismatches_by_column);
            source.reject_examples.clone_from(&report.reject_examples);
            source.reject_files = worst(report);
        }
        source
    }

    /// Keeps the rejected lines in the lake, beside what the run with this folder says of itself.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Output`] where they can't be written.
    pub(crate) fn keep_rejects(&self, storage: &Storage, run_folder: &str, sources: &mut [SourceRun]) -> Result<()> {
        let mut kept: HashMap<&str, u32> = HashMap::new();
        for (name, path) in &self.files {
            // A conversion that failed has none.
            if !std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
                continue;
            }
            let number = kept.entry(name).or_default();
            *number += 1;
            let suffix = if *number > 1 { format!("-{number}") } else { String::new() };
            let key = format!("{run_folder}/rejects-{name}{suffix}.jsonl");
            storage.upload(path, &key)?;
            if let Some(source) = sources.iter_mut().find(|source| source.name == *name && source.rejects_file.is_none()) {
                source.rejects_file = Some(key);
            }
        }
        Ok(())
    }
}

/// How many files with rejected lines are told, of each source.
const WORST: usize = 20;

/// The files with the most rejected lines, the worst first.
fn worst(report: &ConvertReport) -> Vec<RejectFile> {
    let bad = report.sources.iter().filter(|source| source.rejects > 0);
    let mut files: Vec<RejectFile> =
        bad.map(|source| RejectFile { path: source.path.clone(), lines: source.lines, rejects: source.rejects }).collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.rejects));
    files.truncate(WORST);
    files
}
