//! The whole comparison.

use super::athena::Athena;
use super::cell::{Cell, Run};
use super::days::middle;
use super::encodings::encodings;
use super::engine::Engine;
use super::estimate::monthly;
use super::local::Local;
use super::making::{Made, Maker, Record};
use super::question::Question;
use super::recommendation::recommendation;
use super::report::{BenchReport, Rows};
use super::settings::{Caches, Settings};
use super::shuffle::shuffle;
use crate::error::{Error, ErrorKind, Result};
use crate::input::CsvDialect;
use crate::progress::Progress;
use crate::query::athena::PricePerTb;
use crate::units::count;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// A question to a data set, with what its runs told.
struct Open<'a> {
    made: &'a Made,
    /// What was made; without it there is an error.
    record: Option<&'a Record>,
    place: String,
    question: &'a Question,
    runs: Vec<Run>,
    error: Option<String>,
}

/// Makes the data sets that are not there yet, asks all questions of all of them, and says what follows.
///
/// # Errors
/// [`ErrorKind::Input`] and [`ErrorKind::Format`] where the rows can't be read, [`ErrorKind::Output`] where there is no place for data sets,
/// [`ErrorKind::Interrupted`]. What fails of a cell is told in it.
pub fn compare(settings: &Settings, progress: &dyn Progress) -> Result<BenchReport> {
    let source = settings.source.prepare(settings.scale, &settings.data)?;
    let schema = source.table.format.schema();
    let mut notes = source.table.notes.clone();
    let folder = settings.data.join(&source.fingerprint);
    let (place, records, dialect) = match &settings.athena {
        None => (folder.display().to_string(), folder.clone(), CsvDialect::Rfc4180),
        Some(athena) => {
            let known = hex::encode(&Sha256::digest(&athena.lake)[..6]);
            (format!("{}/{}", athena.lake, source.fingerprint), folder.join(format!("athena-{known}")), CsvDialect::Athena)
        }
    };
    std::fs::create_dir_all(&records).map_err(|e| Error::output(records.display(), e))?;
    let (program, threads, reading) = (settings.program.as_path(), settings.threads, settings.source.arguments.as_slice());
    let maker = Maker { source: &source, reading, place, records, dialect, program, threads };
    let local = Local { threads: settings.threads, caches: settings.caches, schema: schema.clone(), dialect };
    let mut engine = match &settings.athena {
        None => Engine::Local(&local),
        Some(athena) => {
            let price = PricePerTb(settings.prices.athena_per_tb);
            Engine::Athena(Box::new(Athena::open(athena, &source.fingerprint, schema.clone(), price, &settings.cancel)?))
        }
    };
    progress.start("data sets", Some(settings.data_sets.len() as u64));
    let mut made = Vec::with_capacity(settings.data_sets.len());
    for data_set in &settings.data_sets {
        stop_if(settings)?;
        made.push(maker.make(data_set)?);
        progress.advance(1);
    }
    progress.finish();
    let rejects = made.iter().filter_map(|made| made.record.as_ref()).map(|record| record.rejects).max().unwrap_or_default();
    if rejects > 0 {
        let said = if rejects == 1 { "1 line is not a row".to_string() } else { format!("{} lines are not rows", count(rejects)) };
        notes.push(format!("{said}, and in no data set; `etl inspect` says why"));
    }

    // One whose files have all columns.
    let whole = made.iter().find(|made| made.record.is_some() && made.data_set.partition_by.is_empty());
    let mut questions = settings.questions.clone();
    if questions.is_empty() {
        questions = Question::usual(&schema);
    }
    if made.iter().any(|made| made.data_set.partition_by == ["dt"])
        && let Some(whole) = whole
        && let Some((day, next)) =
            local.times(&whole.data_set, &maker.place(&whole.data_set))?.and_then(|(first, last)| middle(first, last))
    {
        questions.push(Question::of_day(&day, &next));
    }
    let mut cells: Vec<Open<'_>> = Vec::new();
    for made in &made {
        stop_if(settings)?;
        let (place, record) = (maker.place(&made.data_set), made.record.as_ref());
        let error = match &made.error {
            Some(error) => Some(error.clone()),
            None => engine.prepare(&made.data_set, &place).err().map(|error| error.to_string()),
        };
        let open = |question| Open { made, record, place: place.clone(), question, runs: Vec::new(), error: error.clone() };
        cells.extend(questions.iter().map(open));
    }
    let fewer = ask(settings, &mut engine, &mut cells, progress)?;
    if fewer > 0 {
        notes.push(format!("{} runs were skipped because of --max-cost; their cells have fewer runs", count(fewer as u64)));
    }
    same_rows(&mut cells, &questions);
    let mut runs = cells.iter().flat_map(|cell| &cell.runs).peekable();
    if settings.athena.is_none() && settings.caches == Caches::Cold && runs.peek().is_some() && runs.all(|run| run.from_disk == 0) {
        notes.push("caches can't be dropped here: nothing was read from disk, so these are warm-cache times".to_string());
    }
    let encoded = match whole {
        Some(made) if settings.encodings => {
            progress.start("encodings", None);
            let told = encodings(settings, &local, &made.data_set, &maker.place(&made.data_set), &folder.join("encodings"));
            progress.finish();
            told?
        }
        _ => Vec::new(),
    };
    let cells: Vec<Cell> =
        cells.into_iter().map(|cell| Cell::of(cell.made.name.clone(), cell.question.name.clone(), &cell.runs, cell.error)).collect();
    let is_here = settings.athena.is_none();
    let mut report = BenchReport {
        etl: env!("CARGO_PKG_VERSION").to_string(),
        engine: match &settings.athena {
            None => "DataFusion on this machine".to_string(),
            Some(athena) => format!("Athena in workgroup {}", athena.workgroup),
        },
        threads: is_here.then_some(settings.threads),
        rows: Rows {
            source: source.name.clone(),
            format: source.table.format.name().to_string(),
            bytes: source.bytes,
            rows: made.iter().find_map(|made| Some(made.record.as_ref()?.rows)),
        },
        runs: settings.runs,
        seed: settings.seed,
        caches: is_here.then_some(settings.caches),
        usd: match &engine {
            Engine::Local(_) => None,
            Engine::Athena(athena) => Some(athena.spent()),
        },
        questions,
        monthly: monthly(&made, &cells, &settings.prices, settings.queries_per_day),
        data_sets: made,
        cells,
        encodings: encoded,
        queries_per_day: settings.queries_per_day,
        prices: settings.prices.clone(),
        recommendation: Vec::new(),
        notes,
        data: settings.data.display().to_string(),
    };
    report.recommendation = recommendation(&report);
    Ok(report)
}

/// Runs all cells once, in an order of chance, and again, until each has run as often as it shall.
/// Gives how many runs were left out for what they cost.
fn ask(settings: &Settings, engine: &mut Engine<'_>, cells: &mut [Open<'_>], progress: &dyn Progress) -> Result<usize> {
    let mut fewer = 0;
    progress.start("questions", Some(u64::from(settings.runs) * cells.len() as u64));
    for round in 0..settings.runs {
        let mut order: Vec<usize> = (0..cells.len()).collect();
        shuffle(&mut order, settings.seed.wrapping_add(u64::from(round)));
        for at in order {
            stop_if(settings)?;
            let cell = &mut cells[at];
            progress.advance(1);
            let (set, Some(record), None) = (&cell.made.data_set, cell.record, &cell.error) else { continue };
            let rows = cell.runs.first().map(|run| run.rows);
            if let Some(reason) = engine.refusal(record, rows) {
                // What was measured stays, and is of fewer runs.
                fewer += usize::from(!cell.runs.is_empty());
                cell.error = cell.runs.is_empty().then_some(reason);
                continue;
            }
            match engine.ask(set, &cell.place, cell.question.sql(!set.partition_by.is_empty()), rows) {
                Ok(run) => cell.runs.push(run),
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                Err(error) => cell.error = Some(error.to_string()),
            }
        }
    }
    progress.finish();
    Ok(fewer)
}

fn stop_if(settings: &Settings) -> Result<()> {
    match settings.cancel.load(Ordering::Relaxed) {
        true => Err(Error::new(ErrorKind::Interrupted, "interrupted; finished data sets are kept and will be reused")),
        false => Ok(()),
    }
}

/// A cell that gives other rows than most has measured something else.
fn same_rows(cells: &mut [Open<'_>], questions: &[Question]) {
    for question in questions {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        let of_this = |cell: &&mut Open<'_>| cell.question.name == question.name && cell.error.is_none();
        for rows in cells.iter_mut().filter(of_this).flat_map(|cell| cell.runs.iter().map(|run| run.rows)) {
            *counts.entry(rows).or_default() += 1;
        }
        let Some((most, _)) = counts.iter().max_by_key(|(_, cells)| **cells) else { continue };
        for cell in cells.iter_mut().filter(of_this) {
            if let Some(other) = cell.runs.iter().map(|run| run.rows).find(|rows| rows != most) {
                cell.error = Some(format!("{other} rows, but most data sets return {most}"));
            }
        }
    }
}
