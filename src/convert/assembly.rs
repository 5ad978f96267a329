//! The output files, put together from pieces in the hidden folder.

use super::metadata::metadata;
use super::options::{ConvertOptions, Layout};
use super::partition::MAX_PARTITIONS;
use super::report::FileReport;
use super::unit_streams::Piece;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{PartFile, Segment};
use crate::publish::{Existing, Staging};
use arrow::datatypes::SchemaRef;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufWriter;
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
    open: BTreeMap<Arc<str>, (u64, PartFile<BufWriter<File>>)>,
    folders: BTreeSet<Arc<str>>,
}

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

    fn begin(&self, folder: &str, number: u64) -> Result<PartFile<BufWriter<File>>> {
        let below = self.path(folder, number);
        let path = self.staging.path(&below);
        let file = File::create(&path).map_err(|e| Error::output(path.display(), e))?;
        PartFile::begin(below, BufWriter::with_capacity(256 << 10, file), self.options.format, self.schema, &self.metadata)
    }

    fn end(&self, folder: &str, number: u64, file: PartFile<BufWriter<File>>) -> Result<()> {
        let rows = file.rows();
        let bytes = file.finish()?;
        let report = FileReport { path: self.path(folder, number), rows, bytes };
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        Ok(())
    }

    /// Writes a file that is one segment.
    pub(super) fn write_whole(&self, folder: &Arc<str>, number: u64, segment: Segment) -> Result<()> {
        self.make_folder(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), folder)?;
        let mut file = self.begin(folder, number)?;
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
        let number = match (piece.file, state.open.get(&piece.folder)) {
            (Some(number), _) => number,
            (None, None) => 0,
            (None, Some((number, file))) => match self.target {
                Some(target) if file.bytes() >= target => number + 1,
                _ => *number,
            },
        };
        if state.open.get(&piece.folder).is_some_and(|(open, _)| *open != number)
            && let Some((open, file)) = state.open.remove(&piece.folder)
        {
            self.end(&piece.folder, open, file)?;
        }
        if !state.open.contains_key(&piece.folder) {
            state.open.insert(piece.folder.clone(), (number, self.begin(&piece.folder, number)?));
        }
        match state.open.get_mut(&piece.folder) {
            Some((_, file)) => file.append(piece.segment),
            None => Err(Error::new(ErrorKind::Internal, "a file that was just begun is not open")),
        }
    }

    /// Ends the files that are still open; gives all files, by their paths below the output.
    pub(super) fn finish(&self) -> Result<Vec<FileReport>> {
        let open = std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).open);
        for (folder, (number, file)) in open {
            self.end(&folder, number, file)?;
        }
        Ok(std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// A file with the columns and no rows.
    pub(super) fn empty_file(&self) -> Result<FileReport> {
        let bytes = self.begin("", 0)?.finish()?;
        Ok(FileReport { path: self.path("", 0), rows: 0, bytes })
    }
}
