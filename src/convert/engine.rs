//! The engine: workers take units, decode and encode them; what they make is put together in the order of the input.
//!
//! Memory is bounded: each worker holds one unit, and at most a few finished units wait for their turn.

use super::accounting::{Mismatches, Tally};
use super::append;
use super::assembly::Assembly;
use super::count::Counting;
use super::gate::Gate;
use super::options::{ConvertOptions, Layout};
use super::partition::Partitioning;
use super::pass::Pass;
use super::rejects::Rejects;
use super::report::{ConvertReport, FileReport, SourceReport};
use super::writing::Writing;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{LocalFile, Place, Source, Table, growth};
use crate::output::{Losses, Written, check};
use crate::progress::Progress;
use crate::publish::{Existing, Target};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Converts and publishes.
///
/// # Errors
/// [`ErrorKind::Input`] for what can't be read, [`ErrorKind::Rejects`] for too many rejected lines, [`ErrorKind::Output`] for what can't
/// be written, [`ErrorKind::Interrupted`] when cancelled. Nothing is published then.
pub fn convert(options: &ConvertOptions, progress: &dyn Progress) -> Result<ConvertReport> {
    let started = Instant::now();
    let schema = options.table.format.schema();
    Partitioning::check(&options.partition_by, &schema)?;
    let written = Written::named_apart(options.format, &schema);
    let partitioning = Partitioning::new(&options.partition_by, written.schema(), options.timezone)?;
    check(options.format, &partitioning.schema)?;
    let target = Target::prepare(&options.output, options.existing, options.format.extension(), options.appear, &options.cancel)?;
    if let Some(earlier) = target.earlier_file().filter(|_| options.existing == Existing::Append) {
        append::check(options, &partitioning.schema, &target, &earlier)?;
    }
    let mut notes = options.table.notes.clone();
    notes.extend(written.notes());
    let by_row = match options.layout {
        Layout::Splits(files) => files.get() > 1,
        Layout::RowsPerFile(_) => true,
        Layout::TargetSize(_) => false,
    };
    check_place(options, &target, &mut notes)?;
    for source in &options.table.sources {
        if let Place::Stream(stream) = &source.place {
            stream.cancel_by(&options.cancel);
        }
    }
    let mut rejects = Some(Rejects::new(options.on_error, options.rejects.as_ref(), options.rejects_limit, &options.table.sources)?);
    let spooled = if by_row { spool(&options.table, &target) } else { Ok(Cow::Borrowed(&options.table)) };
    if options.cancel.load(Ordering::Relaxed) {
        return Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was published"));
    }
    let table = spooled?;
    let total: Option<u64> = table.sources.iter().map(Source::wanted).sum();
    let refused = |tallies: &[Tally], rejects: Option<Rejects>, mismatches: Mismatches| {
        let report = counted(options, &table, tallies, rejects, mismatches, started);
        *options.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    };

    let mut starts = None;
    if by_row {
        progress.start("counting", total);
        let keys = Arc::new(schema.project(&partitioning.columns())?);
        let counting = Counting::new(&partitioning, Written::new(options.format, &keys));
        let pass = Pass { options, table: &table, projection: Some(partitioning.columns()), progress };
        let gate = Gate::new(options, &table, None, rejects.take());
        let passed = pass.run(&counting, &gate);
        progress.finish();
        passed?;
        rejects = gate.into_totals(refused)?.1;
        let counted = counting.starts(options.layout);
        if let Layout::Splits(files) = options.layout
            && let Some((partitions, rows)) = counted.short(files.get())
        {
            let of = if partitions > 1 { format!(" in {partitions} partitions") } else { String::new() };
            notes.push(format!("fewer rows ({rows}) than the requested {files} files{of}: one file per row"));
        }
        starts = Some(counted);
    }

    progress.start("converting", total);
    let assembly = Assembly::new(options, &partitioning.schema, &target);
    let writing = Writing::new(options.format, &partitioning, &written, starts.as_ref(), &assembly);
    let pass = Pass { options, table: &table, projection: None, progress };
    let first = if by_row { None } else { rejects.take() };
    let gate = Gate::new(options, &table, Some(&assembly), first);
    let passed = pass.run(&writing, &gate);
    progress.finish();
    passed?;
    let (tallies, taken, mismatches) = gate.into_totals(refused)?;
    let rejects = taken.or(rejects);
    notes.extend(rejects.as_ref().and_then(Rejects::note));
    let losses = writing.losses();
    notes.extend(losses.notes());
    let mut files = assembly.finish()?;
    if files.is_empty() {
        files.push(assembly.empty_file()?);
        notes.push("there are no rows: wrote one empty file, so that the table has its columns".to_string());
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
    if matches!(table, Cow::Owned(_)) {
        let path = target.scratch()?;
        fs::remove_dir_all(&path).map_err(|e| Error::output(path.display(), e))?;
    }
    let places = target.commit(&files.iter().map(|f| f.path.clone()).collect::<Vec<_>>())?;
    files.iter_mut().zip(places).for_each(|(file, place)| file.path = place);

    notes.extend(growth(&table.sources));
    let mut report = ConvertReport {
        bytes_out: files.iter().map(|f| f.bytes).sum(),
        files: files.into_iter().map(|f| FileReport { path: options.output.join(&f.path), ..f }).collect(),
        notes,
        losses,
        ..counted(options, &table, &tallies, rejects, mismatches, started)
    };
    report.notes.extend(report.unread());
    Ok(report)
}

/// What was read of `table`, of which nothing is written yet.
fn counted(
    options: &ConvertOptions,
    table: &Table,
    tallies: &[Tally],
    rejects: Option<Rejects>,
    mismatches: Mismatches,
    started: Instant,
) -> ConvertReport {
    let mut whole = Tally::default();
    tallies.iter().for_each(|tally| whole.add(*tally));
    let sources = table.sources.iter().zip(tallies).map(|(source, t)| SourceReport {
        path: source.path.clone(),
        lines: t.lines,
        rows: t.rows,
        rejects: t.rejects,
        blank: t.blank,
        repaired: t.repaired,
        has_more: source.lines_before() > 0,
    });
    ConvertReport {
        format: table.format.name().to_string(),
        lines: whole.lines,
        rows: whole.rows,
        rejects: whole.rejects,
        blank: whole.blank,
        repaired: whole.repaired,
        bytes_in: whole.stored,
        bytes_decoded: whole.decoded,
        bytes_out: 0,
        seconds: started.elapsed().as_secs_f64(),
        sources: sources.collect(),
        rejects_by_reason: rejects.as_ref().map(|r| r.reasons.counts()).unwrap_or_default(),
        mismatches_by_column: mismatches_by_column(&options.table, mismatches),
        reject_examples: rejects.map(|r| r.examples).unwrap_or_default(),
        files: Vec::new(),
        notes: Vec::new(),
        losses: Losses::default(),
    }
}

/// By name, with those values for which columns became text.
fn mismatches_by_column(table: &Table, mismatches: Mismatches) -> BTreeMap<String, u64> {
    let mut by_column = table.misfits.clone();
    for (column, values) in mismatches {
        *by_column.entry(table.format.schema().field(column).name().clone()).or_default() += values;
    }
    by_column
}

/// Refuses to read what this run would add to, and tells of columns that are only in the names of folders.
fn check_place(options: &ConvertOptions, target: &Target, notes: &mut Vec<String>) -> Result<()> {
    let is_part = |source: &&Source| match (&source.place, target) {
        (Place::File(file), Target::Folder(staging)) => staging.is_earlier_part(file.path()),
        (Place::Object(_), Target::Bucket(staging)) => staging.is_earlier_part(&source.path),
        _ => false,
    };
    let parts = options.table.sources.iter().filter(is_part).count();
    // Files may be rewritten in their place, but only all of them, and nothing else with them.
    let rewritten = parts == options.table.sources.len() && options.existing == Existing::Overwrite;
    if let (Some(part), false) = (options.table.sources.iter().find(is_part), rewritten) {
        let message = format!("{} was written by an earlier run to {}: its rows would be duplicated", part.path, options.output);
        return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "exclude it from the inputs, or write elsewhere"));
    }
    let schema = options.table.format.schema();
    let missing = |key: &String| schema.index_of(key).is_err() && !(DERIVED.contains(&key.as_str()) && schema.index_of("time").is_ok());
    let folders: BTreeSet<String> = options.table.sources.iter().flat_map(Source::partitions).map(|(key, _)| key).filter(missing).collect();
    if !folders.is_empty() {
        let folders: Vec<String> = folders.into_iter().collect();
        notes.push(format!("columns in folder names are ignored: {}; etl query reads them", folders.join(", ")));
    }
    Ok(())
}

/// Partition columns that can be told again from `time`.
const DERIVED: [&str; 2] = ["dt", "hour"];

/// A stream can't be read twice: it is kept until the run is done.
fn spool<'a>(table: &'a Table, target: &Target) -> Result<Cow<'a, Table>> {
    if !table.sources.iter().any(Source::is_stream) {
        return Ok(Cow::Borrowed(table));
    }
    let folder = target.scratch()?;
    fs::create_dir(&folder).map_err(|e| Error::output(folder.display(), e))?;
    let mut table = table.clone();
    for (index, source) in table.sources.iter_mut().enumerate() {
        if source.is_stream() {
            let path = folder.join(index.to_string());
            let mut file = File::create(&path).map_err(|e| Error::output(path.display(), e))?;
            let size = copy(source, &mut file, &path)?;
            source.place = Place::File(Arc::new(LocalFile::at(path)));
            source.size = Some(size);
        }
    }
    Ok(Cow::Owned(table))
}

/// Copies all of `source` to `file`; the error says which of the two failed.
fn copy(source: &Source, file: &mut File, path: &Path) -> Result<u64> {
    let mut reader = source.open()?;
    let mut chunk = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        let n = match reader.read(&mut chunk) {
            Ok(0) => return Ok(size),
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::input(&source.path, e)),
        };
        file.write_all(&chunk[..n]).map_err(|e| Error::output(path.display(), e))?;
        size += n as u64;
    }
}
