//! The output files, put together from pieces where nobody sees them yet.

use super::metadata::metadata;
use super::options::{ConvertOptions, Layout};
use super::part_sink::PartSink;
use super::partition::MAX_PARTITIONS;
use super::report::FileReport;
use super::unit_streams::Piece;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{PartFile, Segment};
use crate::publish::{Existing, Target};
use arrow::datatypes::SchemaRef;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// The output files, growing.
pub(super) struct Assembly<'a> {
    options: &'a ConvertOptions,
    schema: &'a SchemaRef,
    place: &'a Target,
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
    /// The columns of all row groups of the files at hand.
    chunks: usize,
    /// Numbers of the files of partitions of which none is at hand.
    next: BTreeMap<Arc<str>, u64>,
}

/// So many columns of row groups are remembered before files end early, where they are cut by size: some hundred megabytes.
const MOST_CHUNKS: usize = 100_000;

/// A file that is not yet whole.
struct Growing {
    number: u64,
    file: PartFile<PartSink>,
    sink: PartSink,
}

/// The longest key that S3 takes, in bytes.
const LONGEST_KEY: usize = 1024;
/// How many handles are open at once: systems allow as few as 256, and the inputs and other workers need some.
const MOST_OPEN: usize = 64;

impl<'a> Assembly<'a> {
    pub(super) fn new(options: &'a ConvertOptions, schema: &'a SchemaRef, place: &'a Target) -> Assembly<'a> {
        let target = match options.layout {
            Layout::TargetSize(size) => Some(size.0),
            _ => None,
        };
        Assembly { options, schema, place, metadata: metadata(options), target, state: Mutex::default(), done: Mutex::default() }
    }

    fn path(&self, folder: &str, number: u64) -> String {
        let first = if self.options.existing == Existing::Append { self.place.first_number(folder) } else { 0 };
        let name = format!("part-{:05}{}", first + number, self.options.format.extension());
        if folder.is_empty() { name } else { format!("{folder}/{name}") }
    }

    fn begin(&self, folder: &str, number: u64) -> Result<Growing> {
        let below = self.path(folder, number);
        let sink = match self.place {
            Target::Folder(staging) => {
                let path = staging.path(&below);
                PartSink::create(path.clone(), self.options.checksums).map_err(|e| Error::output(path.display(), e))?
            }
            Target::Bucket(staging) => {
                let key = staging.key(&below);
                if key.len() > LONGEST_KEY {
                    let message = format!("the key of an object has {} bytes, but S3 allows at most {LONGEST_KEY}: {key}", key.len());
                    return Err(Error::new(ErrorKind::Output, message)
                        .with_context("what to do", "partition by fewer columns or shorter values, or write to a shorter prefix"));
                }
                PartSink::uploading(staging.begin(&below), self.options.checksums)
            }
        };
        let file = PartFile::begin(below, sink.clone(), self.options.format, self.schema, &self.metadata)?;
        Ok(Growing { number, file, sink })
    }

    fn end(&self, folder: &str, growing: Growing) -> Result<FileReport> {
        let Growing { number, file, sink } = growing;
        let path = self.path(folder, number);
        let rows = file.rows();
        let bytes = file.finish()?;
        let sha256 = sink.finish().map_err(|e| Error::output(&path, e))?;
        Ok(FileReport { path, rows, bytes, sha256 })
    }

    /// Ends a file, and keeps its report.
    fn keep(&self, folder: &str, growing: Growing) -> Result<()> {
        let report = self.end(folder, growing)?;
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        Ok(())
    }

    /// Writes a file that is one segment.
    pub(super) fn write_whole(&self, folder: &Arc<str>, number: u64, segment: Segment) -> Result<()> {
        self.make_folder(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), folder)?;
        let mut growing = self.begin(folder, number)?;
        growing.file.append(segment)?;
        self.keep(folder, growing)
    }

    fn make_folder(&self, state: &mut AssemblyState, folder: &Arc<str>) -> Result<()> {
        if folder.is_empty() || state.folders.contains(folder) {
            return Ok(());
        }
        if state.folders.len() >= MAX_PARTITIONS {
            let message = format!("--partition-by would create more than {MAX_PARTITIONS} folders; choose a column with fewer values");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        self.place.make_folder(folder)?;
        state.folders.insert(folder.clone());
        Ok(())
    }

    /// Appends a piece; pieces of a partition come in the order of its rows.
    pub(super) fn append(&self, piece: Piece) -> Result<()> {
        let state = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.make_folder(state, &piece.folder)?;
        let number = match (piece.file, state.growing.get(&piece.folder)) {
            (Some(number), _) => number,
            (None, None) => state.next.get(&piece.folder).copied().unwrap_or_default(),
            (None, Some(growing)) => match self.target {
                Some(target) if growing.file.bytes() >= target => growing.number + 1,
                _ => growing.number,
            },
        };
        let mut growing = match state.growing.remove(&piece.folder) {
            Some(growing) if growing.number == number => growing,
            Some(full) => {
                state.chunks = state.chunks.saturating_sub(full.file.chunks());
                self.keep(&piece.folder, full)?;
                self.begin(&piece.folder, number)?
            }
            None => self.begin(&piece.folder, number)?,
        };
        let by_size = piece.file.is_none();
        state.chunks = state.chunks.saturating_sub(growing.file.chunks());
        growing.file.append(piece.segment)?;
        state.chunks += growing.file.chunks();
        if state.open.back().is_none_or(|(folder, _)| *folder != piece.folder) {
            state.open.push_back((piece.folder.clone(), growing.sink.clone()));
        }
        state.growing.insert(piece.folder, growing);
        if by_size && state.chunks > MOST_CHUNKS {
            state.chunks = 0;
            state.open.clear();
            for (folder, growing) in std::mem::take(&mut state.growing) {
                state.next.insert(folder.clone(), growing.number + 1);
                self.keep(&folder, growing)?;
            }
        }
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
            self.keep(&folder, growing)?;
        }
        Ok(std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// A file with the columns and no rows.
    pub(super) fn empty_file(&self) -> Result<FileReport> {
        let growing = self.begin("", 0)?;
        self.end("", growing)
    }
}
