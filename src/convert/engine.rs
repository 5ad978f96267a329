//! The engine: workers take units, decode and encode them; what they make is put together in the order of the input.
//!
//! Memory is bounded: each worker holds one unit, and at most a few finished units wait for their turn.

use super::accounting::{Tally, UnitTally};
use super::count::{RowCounts, RowStarts};
use super::cuts::Cuts;
use super::metadata::metadata;
use super::options::{ConvertOptions, Layout, OnError};
use super::partition::{MAX_PARTITIONS, Partitioning};
use super::rejects::Rejects;
use super::report::{ConvertReport, FileReport, SourceReport};
use super::unit::{Feeder, Unit, UnitInput};
use super::unit_streams::{Piece, UnitStreams};
use crate::decode::{Decoder, Reject};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Block, BlockReader, Content, Place, Table};
use crate::output::{PartFile, Segment};
use crate::progress::Progress;
use crate::publish::{Existing, Staging};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufWriter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Converts and publishes.
///
/// # Errors
/// [`ErrorKind::Input`] for what can't be read, [`ErrorKind::Rejects`] for too many rejected lines, [`ErrorKind::Output`] for what can't
/// be written, [`ErrorKind::Interrupted`] when cancelled. Nothing is published then.
pub fn convert(options: &ConvertOptions, progress: &dyn Progress) -> Result<ConvertReport> {
    let started = Instant::now();
    let schema = options.table.format.schema();
    let partitioning = Partitioning::new(&options.partition_by, &schema)?;
    let staging = Staging::prepare(&options.output, options.existing, options.format.extension())?;
    let mut notes = options.table.notes.clone();
    let by_row = match options.layout {
        Layout::Splits(files) => files.get() > 1,
        Layout::RowsPerFile(_) => true,
        Layout::TargetSize(_) => false,
    };
    let table = if by_row { spool(&options.table, &staging)? } else { Cow::Borrowed(&options.table) };
    let total: Option<u64> = table.sources.iter().map(|s| s.size).sum();

    let mut starts = None;
    if by_row {
        progress.start("counting", total);
        let counts = Mutex::new(RowCounts::default());
        let projection = partitioning.columns();
        let keys_only = &partitioning.of_keys_only();
        let pass = Pass { options, table: &table, projection: Some(projection), progress };
        let into = &counts;
        let gate = pass.run(Gate::new(options, &table, None)?, |unit, _gate| {
            let mut rows: Vec<(Arc<str>, u64)> = Vec::new();
            Ok(Box::new(move |event: Event<'_>| match event {
                Event::Batch(batch) => {
                    for (folder, part) in keys_only_split(keys_only, batch)? {
                        match rows.iter_mut().find(|(known, _)| *known == folder) {
                            Some((_, count)) => *count += part,
                            None => rows.push((folder, part)),
                        }
                    }
                    Ok(Vec::new())
                }
                Event::End => {
                    into.lock().unwrap_or_else(PoisonError::into_inner).add(unit, std::mem::take(&mut rows));
                    Ok(Vec::new())
                }
            }))
        });
        progress.finish();
        gate?.into_totals()?;
        let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let counted = counts.starts(options.layout);
        if let Layout::Splits(files) = options.layout
            && let Some((partitions, rows)) = counted.short(files.get())
        {
            let of = if partitions > 1 { format!(" in {partitions} partitions") } else { String::new() };
            notes.push(format!("fewer rows ({rows}) than the {files} files asked for{of}: a file a row"));
        }
        starts = Some(counted);
    }

    progress.start("converting", total);
    let assembly = Assembly::new(options, &partitioning.schema, &staging);
    let pass = Pass { options, table: &table, projection: None, progress };
    let gate = pass.run(Gate::new(options, &table, Some(&assembly))?, |unit, gate| gate.encode(unit, &partitioning, starts.as_ref()));
    progress.finish();
    let (tallies, rejects) = gate?.into_totals()?;
    let mut files = assembly.finish()?;
    if files.is_empty() {
        files.push(assembly.empty_file()?);
        notes.push("there are no rows: one file without rows was written, so that the table has its columns".to_string());
    }
    let mut whole = Tally::default();
    tallies.iter().for_each(|t| whole.add(*t));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let written: u64 = files.iter().map(|f| f.rows).sum();
    if written != whole.rows {
        return Err(Error::new(
            ErrorKind::Internal,
            format!("{} rows were read, {written} were written; nothing was published", whole.rows),
        ));
    }
    staging.commit(&files.iter().map(|f| f.path.clone()).collect::<Vec<_>>())?;

    let sources = table.sources.iter().zip(&tallies).map(|(source, t)| SourceReport {
        path: source.path.clone(),
        lines: t.lines,
        rows: t.rows,
        rejects: t.rejects,
        blank: t.blank,
    });
    Ok(ConvertReport {
        format: table.format.name().to_string(),
        lines: whole.lines,
        rows: whole.rows,
        rejects: whole.rejects,
        blank: whole.blank,
        bytes_in: whole.stored,
        bytes_decoded: whole.decoded,
        bytes_out: files.iter().map(|f| f.bytes).sum(),
        seconds: started.elapsed().as_secs_f64(),
        sources: sources.collect(),
        rejects_by_reason: rejects.by_reason.iter().map(|(reason, n)| (reason.to_string(), *n)).collect(),
        reject_examples: rejects.examples,
        files: files.into_iter().map(|f| FileReport { path: options.output.join(&f.path).display().to_string(), ..f }).collect(),
        notes,
    })
}

/// Rows by partition of a batch that has only the partitions' columns.
fn keys_only_split(partitioning: &Partitioning, batch: &RecordBatch) -> Result<Vec<(Arc<str>, u64)>> {
    Ok(partitioning.split(batch)?.into_iter().map(|(folder, part)| (folder, part.num_rows() as u64)).collect())
}

/// Standard input can't be read twice: it is kept in the hidden folder.
fn spool<'a>(table: &'a Table, staging: &Staging) -> Result<Cow<'a, Table>> {
    if !table.sources.iter().any(|s| s.is_stdin()) {
        return Ok(Cow::Borrowed(table));
    }
    let mut table = table.clone();
    for source in &mut table.sources {
        if source.is_stdin() {
            let path = staging.path(".stdin");
            let mut file = File::create(&path).map_err(|e| Error::output(path.display(), e))?;
            let size = std::io::copy(&mut source.open()?, &mut file).map_err(|e| Error::input(&source.path, e))?;
            source.place = Place::File(path);
            source.size = Some(size);
        }
    }
    Ok(Cow::Owned(table))
}

/// What happens in a unit.
enum Event<'a> {
    Batch(&'a RecordBatch),
    End,
}

/// Takes the events of one unit; gives the pieces that became ready.
type UnitSink<'s> = Box<dyn FnMut(Event<'_>) -> Result<Vec<Piece>> + 's>;

/// One pass over all units.
struct Pass<'a> {
    options: &'a ConvertOptions,
    table: &'a Table,
    projection: Option<Vec<usize>>,
    progress: &'a dyn Progress,
}

impl Pass<'_> {
    /// Runs the units on the threads. `sink` is asked once for each unit for what takes its rows.
    fn run<'g, S>(&self, gate: Gate<'g>, sink: S) -> Result<Gate<'g>>
    where
        S: for<'s> Fn(u64, &'s Gate<'g>) -> Result<UnitSink<'s>> + Sync,
    {
        let feeder = Feeder::new(self.table);
        std::thread::scope(|scope| {
            for _ in 0..self.options.threads.max(1) {
                scope.spawn(|| {
                    if let Err(error) = self.work(&feeder, &gate, &sink) {
                        gate.fail(error);
                    }
                });
            }
        });
        gate.outcome()?;
        Ok(gate)
    }

    fn work<'g, S>(&self, feeder: &Feeder<'_>, gate: &Gate<'g>, sink: &S) -> Result<()>
    where
        S: for<'s> Fn(u64, &'s Gate<'g>) -> Result<UnitSink<'s>> + Sync,
    {
        let mut decoder = self.table.format.decoder(self.projection.clone());
        while !gate.stopped() {
            let Some(unit) = feeder.next()? else { break };
            let mut sink = sink(unit.index, gate)?;
            let mut pieces = Vec::new();
            let mut tally = UnitTally::default();
            self.read(&unit, decoder.as_deref_mut(), &mut tally, gate, &mut |batch| {
                pieces.extend(sink(Event::Batch(batch))?);
                Ok(())
            })?;
            if gate.stopped() {
                break;
            }
            pieces.extend(sink(Event::End)?);
            drop(sink);
            gate.pass(unit.index, unit.source, tally, pieces)?;
        }
        Ok(())
    }

    fn read(
        &self,
        unit: &Unit,
        decoder: Option<&mut (dyn Decoder + 'static)>,
        tally: &mut UnitTally,
        gate: &Gate<'_>,
        rows: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let source = &self.table.sources[unit.source];
        let cancelled = || gate.stopped() || self.options.cancel.load(Ordering::Relaxed);
        match (&unit.input, decoder) {
            (UnitInput::RowGroup { index, stored }, _) => {
                let Some(file) = source.open_file()? else { return Ok(()) };
                let damaged = |e: &dyn std::fmt::Display| {
                    Error::new(ErrorKind::Input, format!("row group {index} of {} is damaged: {e}", source.path))
                };
                let options = ArrowReaderOptions::new().with_schema(self.table.format.schema());
                let metadata = ArrowReaderMetadata::load(&file, options).map_err(|e| damaged(&e))?;
                let mut builder =
                    ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_row_groups(vec![*index]).with_batch_size(8192);
                if let Some(columns) = &self.projection {
                    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
                    builder = builder.with_projection(mask);
                }
                for batch in builder.build().map_err(|e| damaged(&e))? {
                    let batch = batch.map_err(|e| damaged(&e))?;
                    if cancelled() {
                        return Ok(());
                    }
                    tally.tally.lines += batch.num_rows() as u64;
                    tally.tally.rows += batch.num_rows() as u64;
                    tally.tally.decoded += batch.get_array_memory_size() as u64;
                    rows(&batch)?;
                }
                tally.tally.stored += stored;
                self.progress.advance(*stored);
                Ok(())
            }
            (UnitInput::Range { start, end }, Some(decoder)) => {
                let Some(file) = source.open_file()? else { return Ok(()) };
                let mut reader = BlockReader::range(file, &source.path, *start, *end)?;
                while let Some(block) = reader.next_block()? {
                    if cancelled() {
                        return Ok(());
                    }
                    let bytes = decode(&block, decoder, tally, rows)?;
                    self.progress.advance(bytes);
                }
                // What a unit reads at its seams is its neighbour's, so the range's length is what counts.
                tally.tally.stored += end - start;
                Ok(())
            }
            (UnitInput::Blocks { blocks, stored }, Some(decoder)) => {
                for block in blocks {
                    if cancelled() {
                        return Ok(());
                    }
                    decode(block, decoder, tally, rows)?;
                }
                tally.tally.stored += stored;
                self.progress.advance(*stored);
                Ok(())
            }
            (_, None) => Err(Error::new(ErrorKind::Internal, "blocks of a format without a decoder")),
        }
    }
}

/// Decodes a block and hands its rows on; gives its length in bytes.
fn decode(block: &Block, decoder: &mut dyn Decoder, unit: &mut UnitTally, rows: &mut dyn FnMut(&RecordBatch) -> Result<()>) -> Result<u64> {
    let tally = &mut unit.tally;
    let bytes = match &block.content {
        Content::Records(bytes) => bytes,
        Content::LongLine { head, length } => {
            let raw = head.clone();
            let reason = "longer than the 16 MiB that a line may have".into();
            unit.rejects.push(Reject { line: tally.lines, offset: block.offset, reason, raw, length: *length });
            tally.lines += 1;
            tally.rejects += 1;
            tally.decoded += length;
            return Ok(*length);
        }
    };
    let decoded = decoder.decode(bytes)?;
    for mut reject in decoded.rejects {
        // Without a copy each reject would keep its whole block in memory.
        reject.raw = reject.raw.to_vec().into();
        reject.line += tally.lines;
        reject.offset += block.offset;
        unit.rejects.push(reject);
        tally.rejects += 1;
    }
    tally.lines += decoded.lines;
    tally.blank += decoded.blank;
    tally.rows += decoded.batch.num_rows() as u64;
    tally.decoded += bytes.len() as u64;
    if decoded.batch.num_rows() > 0 {
        rows(&decoded.batch)?;
    }
    Ok(bytes.len() as u64)
}

/// Where finished units wait for their turn, so that everything behind it is in the order of the input.
struct Gate<'a> {
    options: &'a ConvertOptions,
    table: &'a Table,
    assembly: Option<&'a Assembly<'a>>,
    state: Mutex<GateState>,
    turn: Condvar,
    stopped: AtomicBool,
    /// Encoders of the workers, to be used again.
    streams: Mutex<Vec<UnitStreams>>,
}

struct GateState {
    next: u64,
    waiting: BTreeMap<u64, (usize, UnitTally, Vec<Piece>)>,
    tallies: Vec<Tally>,
    rejects: Rejects,
    error: Option<Error>,
}

impl<'a> Gate<'a> {
    /// A gate that counts; with an assembly it hands the pieces on, and records the rejects.
    fn new(options: &'a ConvertOptions, table: &'a Table, assembly: Option<&'a Assembly<'a>>) -> Result<Gate<'a>> {
        let path = if assembly.is_some() { options.rejects.as_deref() } else { None };
        let rejects = Rejects::new(options.on_error, path)?;
        let tallies = vec![Tally::default(); table.sources.len()];
        let state = GateState { next: 0, waiting: BTreeMap::new(), tallies, rejects, error: None };
        Ok(Gate {
            options,
            table,
            assembly,
            state: Mutex::new(state),
            turn: Condvar::new(),
            stopped: AtomicBool::new(false),
            streams: Mutex::default(),
        })
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn fail(&self, error: Error) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.error.get_or_insert(error);
        self.stopped.store(true, Ordering::Relaxed);
        self.turn.notify_all();
    }

    /// Hands in a unit. Waits while too many units before it are not done.
    fn pass(&self, unit: u64, source: usize, tally: UnitTally, pieces: Vec<Piece>) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while unit != state.next && state.waiting.len() >= self.options.threads && !self.stopped() {
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.insert(unit, (source, tally, pieces));
        loop {
            let next = state.next;
            let Some((source, unit, pieces)) = state.waiting.remove(&next) else { break };
            self.take(&mut state, source, unit, pieces)?;
            state.next += 1;
        }
        self.turn.notify_all();
        Ok(())
    }

    fn take(&self, state: &mut GateState, source: usize, mut unit: UnitTally, pieces: Vec<Piece>) -> Result<()> {
        let path = &self.table.sources[source].path;
        let header = u64::from(matches!(self.table.format.framing(), Some(crate::input::Framing::Csv { header: true })));
        for reject in &mut unit.rejects {
            reject.line += state.tallies[source].lines + header + 1;
            // In the first pass of two a reject is only a reason to stop at once.
            if self.assembly.is_some() || self.options.on_error == OnError::Fail {
                state.rejects.take(path, reject)?;
            }
        }
        state.tallies[source].add(unit.tally);
        if let Some(assembly) = self.assembly {
            for piece in pieces {
                assembly.append(piece)?;
            }
        }
        Ok(())
    }

    fn outcome(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // What was rejected is told also where the run fails.
        let flushed = state.rejects.finish();
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        if self.options.cancel.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was published"));
        }
        flushed
    }

    /// What was counted, checked against the reject rate.
    fn into_totals(self) -> Result<(Vec<Tally>, Rejects)> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut whole = Tally::default();
        for (source, tally) in self.table.sources.iter().zip(&state.tallies) {
            tally.check(&source.path)?;
            whole.add(*tally);
        }
        if let Some(limit) = self.options.max_reject_rate
            && whole.rejects as f64 > limit.0 * whole.lines as f64
        {
            let message =
                format!("{} of {} lines were rejected, more than the {limit} allowed; nothing was published", whole.rejects, whole.lines);
            let mut error = Error::new(ErrorKind::Rejects, message);
            for example in &state.rejects.examples {
                error = error.with_context("rejected", format!("{}:{}: {}", example.path, example.line, example.reason));
            }
            return Err(error);
        }
        Ok((state.tallies, state.rejects))
    }

    /// What encodes the rows of unit number `unit`.
    fn encode<'s>(&'s self, unit: u64, partitioning: &'s Partitioning, starts: Option<&'s RowStarts>) -> Result<UnitSink<'s>> {
        let Some(assembly) = self.assembly else { return Err(Error::new(ErrorKind::Internal, "a pass without output encodes")) };
        let idle = self.streams.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut streams = Some(idle.unwrap_or_else(|| UnitStreams::new(self.options.format, partitioning.schema.clone())));
        let mut rows = 0;
        Ok(Box::new(move |event| {
            let mut pieces = Vec::new();
            let mut done = |piece: Piece| {
                // A file that lies whole in one unit is written by its worker: nobody else has to wait for it.
                match piece {
                    Piece { whole: true, file: Some(file), folder, segment } => assembly.write_whole(&folder, file, segment)?,
                    piece => pieces.push(piece),
                }
                Ok(())
            };
            let Some(encoders) = streams.as_mut() else { return Ok(pieces) };
            match event {
                Event::Batch(batch) => {
                    rows += batch.num_rows() as u64;
                    for (folder, part) in partitioning.split(batch)? {
                        let start = || match starts {
                            Some(starts) => starts.of(unit, &folder),
                            None => (Cuts::Size(assembly.target), 0),
                        };
                        encoders.add(&folder, &part, start, &mut done)?;
                    }
                }
                Event::End => {
                    encoders.finish(&mut done)?;
                    if starts.is_some_and(|starts| starts.rows(unit) != rows) {
                        return Err(Error::new(ErrorKind::Input, "an input changed while it was read; nothing was published"));
                    }
                    self.streams.lock().unwrap_or_else(PoisonError::into_inner).extend(streams.take());
                }
            }
            Ok(pieces)
        }))
    }
}

/// The output files, growing in the hidden folder.
struct Assembly<'a> {
    options: &'a ConvertOptions,
    schema: &'a SchemaRef,
    staging: &'a Staging,
    metadata: Vec<(String, String)>,
    /// The size of a file, where files are cut by size.
    target: Option<u64>,
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
    fn new(options: &'a ConvertOptions, schema: &'a SchemaRef, staging: &'a Staging) -> Assembly<'a> {
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
        let (_, bytes) = file.finish()?;
        let report = FileReport { path: self.path(folder, number), rows, bytes };
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        Ok(())
    }

    /// Writes a file that is one segment.
    fn write_whole(&self, folder: &Arc<str>, number: u64, segment: Segment) -> Result<()> {
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
    fn append(&self, piece: Piece) -> Result<()> {
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
    fn finish(&self) -> Result<Vec<FileReport>> {
        let open = std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).open);
        for (folder, (number, file)) in open {
            self.end(&folder, number, file)?;
        }
        Ok(std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// A file with the columns and no rows.
    fn empty_file(&self) -> Result<FileReport> {
        let (_, bytes) = self.begin("", 0)?.finish()?;
        Ok(FileReport { path: self.path("", 0), rows: 0, bytes })
    }
}
