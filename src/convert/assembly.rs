//! The output files, put together from pieces in the hidden folder.

use super::metadata::metadata;
use super::options::{ConvertOptions, Layout};
use super::part_sink::PartSink;
use super::partition::MAX_PARTITIONS;
use super::report::FileReport;
use super::unit_streams::Piece;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{PartFile, Segment};
use crate::publish::{Existing, Staging};
use arrow::datatypes::SchemaRef;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

/// The output files, growing in the hidden folder.
pub(super) struct Assembly<'a> {
    options: &'a ConvertOptions,
    schema: &'a SchemaRef,
    staging: &'a Staging,
    metadata: Vec<(String, String)>,
    /// The size of a file, where files are cut by size.
    pub(super) target: Option<u64>,
    state: Mutex<AssemblyState>,
    done: Mutex<Vec<FileReport>>,
}

#[derive(Default)]
struct AssemblyState {
    /// The file at hand of each partition, and its number.
    growing: BTreeMap<Arc<str>, Growing>,
    /// Those whose handles are open, in the order in which they were opened.
    open: VecDeque<(Arc<str>, PartSink)>,
    folders: BTreeSet<Arc<str>>,
}

/// A file that is not yet whole.
struct Growing {
    number: u64,
    file: PartFile<PartSink>,
    sink: PartSink,
}

/// How many handles are open at once: systems allow as few as 256, and the inputs and other workers need some.
const MOST_OPEN: usize = 64;

impl<'a> Assembly<'a> {
    pub(super) fn new(options: &'a ConvertOptions, schema: &'a SchemaRef, staging: &'a Staging) -> Assembly<'a> {
        let target = match options.layout {
            Layout::TargetSize(size) => Some(size.0),
            _ => None,
        };
        Assembly { options, schema, staging, metadata: metadata(options), target, state: Mutex::default(), done: Mutex::default() }
    }

    fn path(&self, folder: &str, number: u64) -> String {
        let first = if self.options.existing == Existing::Append { self.staging.first_number(folder) } else { 0 };
        let name = format!("part-{:05}{}", first + number, self.options.format.extension());
        if folder.is_empty() { name } else { format!("{folder}/{name}") }
    }

    fn begin(&self, folder: &str, number: u64) -> Result<Growing> {
        let below = self.path(folder, number);
        let path = self.staging.path(&below);
        let sink = PartSink::create(path.clone()).map_err(|e| Error::output(path.display(), e))?;
        let file = PartFile::begin(below, sink.clone(), self.options.format, self.schema, &self.metadata)?;
        Ok(Growing { number, file, sink })
    }

    fn end(&self, folder: &str, number: u64, file: PartFile<PartSink>) -> Result<()> {
        let rows = file.rows();
        let bytes = file.finish()?;
        let report = FileReport { path: self.path(folder, number), rows, bytes };
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        Ok(())
    }

    /// Writes a file that is one segment.
    pub(super) fn write_whole(&self, folder: &Arc<str>, number: u64, segment: Segment) -> Result<()> {
        self.make_folder(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), folder)?;
        let mut file = self.begin(folder, number)?.file;
        file.append(segment)?;
        self.end(folder, number, file)
    }

    fn make_folder(&self, state: &mut AssemblyState, folder: &Arc<str>) -> Result<()> {
        if folder.is_empty() || state.folders.contains(folder) {
            return Ok(());
        }
        if state.folders.len() >= MAX_PARTITIONS {
            let message = format!("--partition-by makes more than {MAX_PARTITIONS} folders; choose a column with fewer values");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let path = self.staging.path(folder);
        fs::create_dir_all(&path).map_err(|e| Error::output(path.display(), e))?;
        state.folders.insert(folder.clone());
        Ok(())
    }

    /// Appends a piece; pieces of a partition come in the order of its rows.
    pub(super) fn append(&self, piece: Piece) -> Result<()> {
        let state = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.make_folder(state, &piece.folder)?;
        let number = match (piece.file, state.growing.get(&piece.folder)) {
            (Some(number), _) => number,
            (None, None) => 0,
            (None, Some(growing)) => match self.target {
                Some(target) if growing.file.bytes() >= target => growing.number + 1,
                _ => growing.number,
            },
        };
        let mut growing = match state.growing.remove(&piece.folder) {
            Some(growing) if growing.number == number => growing,
            Some(full) => {
                self.end(&piece.folder, full.number, full.file)?;
                self.begin(&piece.folder, number)?
            }
            None => self.begin(&piece.folder, number)?,
        };
        growing.file.append(piece.segment)?;
        if state.open.back().is_none_or(|(folder, _)| *folder != piece.folder) {
            state.open.push_back((piece.folder.clone(), growing.sink.clone()));
        }
        state.growing.insert(piece.folder, growing);
        while state.open.len() > MOST_OPEN {
            if let Some((folder, sink)) = state.open.pop_front() {
                sink.close().map_err(|e| Error::output(&folder, e))?;
            }
        }
        Ok(())
    }

    /// Ends the files that are still open; gives all files, by their paths below the output.
    pub(super) fn finish(&self) -> Result<Vec<FileReport>> {
        let state = std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner));
        drop(state.open);
        for (folder, growing) in state.growing {
            self.end(&folder, growing.number, growing.file)?;
        }
        Ok(std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// A file with the columns and no rows.
    pub(super) fn empty_file(&self) -> Result<FileReport> {
        let bytes = self.begin("", 0)?.file.finish()?;
        Ok(FileReport { path: self.path("", 0), rows: 0, bytes })
    }
}
