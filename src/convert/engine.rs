//! The engine: workers take units, decode and encode them; what they make is put together in the order of the input.
//!
//! Memory is bounded: each worker holds one unit, and at most a few finished units wait for their turn.

use super::accounting::Tally;
use super::assembly::Assembly;
use super::count::Counting;
use super::gate::Gate;
use super::options::{ConvertOptions, Layout};
use super::partition::Partitioning;
use super::pass::Pass;
use super::report::{ConvertReport, FileReport, SourceReport};
use super::writing::Writing;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Place, Table};
use crate::progress::Progress;
use crate::publish::Staging;
use std::borrow::Cow;
use std::fs::{self, File};
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
        let counting = Counting::new(&partitioning);
        let pass = Pass { options, table: &table, projection: Some(partitioning.columns()), progress };
        let gate = Gate::new(options, &table, None)?;
        let passed = pass.run(&counting, &gate);
        progress.finish();
        passed?;
        gate.into_totals()?;
        let counted = counting.starts(options.layout);
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
    let writing = Writing::new(options.format, &partitioning, starts.as_ref(), &assembly);
    let pass = Pass { options, table: &table, projection: None, progress };
    let gate = Gate::new(options, &table, Some(&assembly))?;
    let passed = pass.run(&writing, &gate);
    progress.finish();
    passed?;
    let (tallies, rejects) = gate.into_totals()?;
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
    if matches!(table, Cow::Owned(_)) {
        let path = staging.path(SPOOL);
        fs::remove_file(&path).map_err(|e| Error::output(path.display(), e))?;
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

/// The copy of standard input in the hidden folder.
const SPOOL: &str = ".stdin";

/// Standard input can't be read twice: it is kept in the hidden folder.
fn spool<'a>(table: &'a Table, staging: &Staging) -> Result<Cow<'a, Table>> {
    if !table.sources.iter().any(|s| s.is_stdin()) {
        return Ok(Cow::Borrowed(table));
    }
    let mut table = table.clone();
    for source in &mut table.sources {
        if source.is_stdin() {
            let path = staging.path(SPOOL);
            let mut file = File::create(&path).map_err(|e| Error::output(path.display(), e))?;
            let size = std::io::copy(&mut source.open()?, &mut file).map_err(|e| Error::input(&source.path, e))?;
            source.place = Place::File(path);
            source.size = Some(size);
        }
    }
    Ok(Cow::Owned(table))
}
