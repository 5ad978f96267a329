//! Files that change while they are read, and files that have many names.

use super::etl::{Etl, generated, gzip};
use super::rows::rows;
use etl::convert::{ConvertOptions, ConvertReport, Layout, OnError, convert};
use etl::input::{Table, TableOptions, resolve};
use etl::inspect::inspect;
use etl::output::{FileFormat, Kind};
use etl::pipeline::{self, Pipeline, RunSettings, Scope};
use etl::progress::{Progress, Silent};
use etl::publish::Existing;
use etl::query::{QueryEngine, QueryOptions};
use etl::storage::Appear;
use etl::{Error, ErrorKind};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Does something once, when a phase begins, or when the first bytes of it are read.
struct Meanwhile<'a> {
    phase: &'static str,
    reading: bool,
    begun: AtomicBool,
    act: Mutex<Option<&'a (dyn Fn() + Sync)>>,
}

impl<'a> Meanwhile<'a> {
    fn new(phase: &'static str, reading: bool, act: &'a (dyn Fn() + Sync)) -> Self {
        Meanwhile { phase, reading, begun: AtomicBool::new(false), act: Mutex::new(Some(act)) }
    }

    fn act(&self) {
        if let Some(act) = self.act.lock().unwrap().take() {
            act();
        }
    }
}

impl Progress for Meanwhile<'_> {
    fn start(&self, phase: &str, _: Option<u64>) {
        if phase == self.phase {
            self.begun.store(true, Ordering::Relaxed);
            if !self.reading {
                self.act();
            }
        }
    }

    fn advance(&self, _: u64) {
        if self.reading && self.begun.load(Ordering::Relaxed) {
            self.act();
        }
    }

    fn finish(&self) {}
}

fn table(path: &Path) -> etl::Result<Table> {
    Table::open(resolve(&[path.display().to_string()])?, &TableOptions::default())
}

fn options(table: Table, output: &Path, splits: u64) -> ConvertOptions {
    ConvertOptions {
        table,
        output: output.to_path_buf().into(),
        appear: Appear::AtCommit,
        checksums: false,
        format: FileFormat::new(Kind::Csv, None, None, etl::tabular::CsvDialect::Rfc4180).unwrap(),
        layout: Layout::Splits(splits.try_into().unwrap()),
        partition_by: Vec::new(),
        timezone: etl::zone::Zone::UTC,
        existing: Existing::Refuse,
        on_error: OnError::Reject,
        max_reject_rate: None,
        accepted_rejects: Vec::new(),
        counted: Default::default(),
        rejects: None,
        rejects_limit: etl::convert::REJECTS_LIMIT,
        threads: 1,
        cancel: Default::default(),
    }
}

fn cut(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(path.metadata().unwrap().len() / 3).unwrap();
}

/// The same size, and another file.
fn replace(path: &Path) {
    let other = path.with_extension("other");
    fs::copy(path, &other).unwrap();
    fs::rename(&other, path).unwrap();
}

/// The same size, written over.
fn write_over(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(3)).unwrap();
}

fn grow(path: &Path) {
    File::options().append(true).open(path).unwrap().write_all(&generated(100)).unwrap();
}

type Change = fn(&Path);

const CHANGES: [(Change, &str); 3] = [(cut, "was cut off"), (replace, "was replaced"), (write_over, "was changed")];

#[track_caller]
fn told<T: std::fmt::Debug>(result: Result<T, Error>, path: &Path, what: &str) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Input, "{text}");
    assert!(text.contains(path.file_name().unwrap().to_str().unwrap()) && text.contains(what) && text.contains("run this again"), "{text}");
}

#[test]
fn a_file_that_changes_is_an_error_wherever_the_run_is() {
    let etl = Etl::new();
    let log = generated(60_000);
    etl.write("whole.log", &log).write("whole.gz", gzip(&log));
    etl.convert("whole.log -o parquet --to parquet --rows-per-file 20000").ok();
    fs::copy(etl.path("parquet/part-00000.parquet"), etl.path("whole.parquet")).unwrap();
    for name in ["log", "gz", "parquet"] {
        let path = etl.path(&format!("input.{name}"));
        let fresh = || assert!(fs::copy(etl.path(&format!("whole.{name}")), &path).is_ok());
        for (change, what) in CHANGES {
            // Between finding it and looking at it.
            fresh();
            let found = resolve(&[path.display().to_string()]).unwrap();
            change(&path);
            told(Table::open(found, &TableOptions::default()), &path, what);
            // Between looking at it and a pass, between passes, and within each.
            for (phase, reading, splits) in
                [("counting", false, 2), ("counting", true, 2), ("converting", false, 2), ("converting", true, 2), ("converting", false, 1)]
            {
                // What is read by then is the old file, whole, and nothing is opened again.
                if reading && (name == "parquet" || (name == "gz" && phase == "converting" && what == "was replaced")) {
                    continue;
                }
                fresh();
                let out = etl.path("out");
                let act = || change(&path);
                let done = convert(&options(table(&path).unwrap(), &out, splits), &Meanwhile::new(phase, reading, &act));
                assert!(!out.exists(), "{name} {what} {phase} {reading}");
                told(done, &path, what);
            }
            fresh();
            let seen = table(&path).unwrap();
            change(&path);
            told(inspect(&seen), &path, what);
        }
    }
}

#[test]
fn a_file_that_changes_is_an_error_for_queries() {
    let etl = Etl::new();
    etl.log("whole.log", 5_000).convert("whole.log -o parquet --to parquet").ok();
    fs::copy(etl.path("parquet/part-00000.parquet"), etl.path("whole.parquet")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for name in ["log", "parquet"] {
        let path = etl.path(&format!("input.{name}"));
        for (change, what) in CHANGES {
            fs::copy(etl.path(&format!("whole.{name}")), &path).unwrap();
            let engine = QueryEngine::new(QueryOptions { threads: 2, ..QueryOptions::default() }).unwrap();
            engine.register_files("t", table(&path).unwrap(), false).unwrap();
            change(&path);
            let error = runtime.block_on(async {
                match engine.query("SELECT sum(bytes) FROM t").await {
                    Ok(mut result) => loop {
                        match result.next().await {
                            Ok(Some(_)) => {}
                            Ok(None) => panic!("{name} {what}: nothing was noticed"),
                            Err(error) => break error,
                        }
                    },
                    Err(error) => error,
                }
            });
            assert!(error.to_string().contains(what), "{name}: {error}");
        }
    }
}

#[test]
fn a_file_that_grew_is_read_as_far_as_it_was_there() {
    let etl = Etl::new();
    let log = generated(60_000);
    let expected = {
        etl.write("whole.log", &log).convert("whole.log -o plain --to csv").ok();
        rows(&etl.path("plain"))
    };
    for (round, (phase, reading)) in
        [("counting", false), ("counting", true), ("converting", false), ("converting", true)].into_iter().enumerate()
    {
        let (path, out) = (etl.path("input.log"), etl.path(&format!("out-{round}")));
        fs::write(&path, &log).unwrap();
        let act = || grow(&path);
        let report: ConvertReport = convert(&options(table(&path).unwrap(), &out, 2), &Meanwhile::new(phase, reading, &act)).unwrap();
        assert_eq!((report.lines, report.rows), (60_000, 60_000), "{phase}");
        assert!(rows(&out) == expected, "{phase}");
        let note = format!("its first {} bytes are read", etl::units::count(log.len() as u64));
        assert!(report.notes.iter().any(|told| told.contains("input.log grew") && told.contains(&note)), "{:?}", report.notes);
    }
    let path = etl.path("input.log");
    let seen = table(&path).unwrap();
    grow(&path);
    let found = inspect(&seen).unwrap();
    assert!(found.notes.iter().any(|note| note.contains("grew while it was read")), "{:?}", found.notes);
}

#[test]
fn pipelines_publish_nothing_of_a_file_that_changed() {
    let etl = Etl::new();
    let yaml =
        "version: 1\nname: p\nlake: {location: lake}\nsources: {logs: {location: logs/*.log}}\noutputs: {all: {from: logs, table: w.a}}\n";
    etl.write("p.yaml", yaml);
    let pipeline = Pipeline::load(&etl.path("p.yaml"), &BTreeMap::new()).unwrap();
    let settings = RunSettings {
        scope: Scope::default(),
        threads: 1,
        wait: None,
        cancel: Default::default(),
        memory: etl::query::default_memory(),
        page: None,
    };
    let path = etl.path("logs/a.log");
    for (change, what) in CHANGES {
        etl.write("logs/a.log", generated(5_000));
        let act = || change(&path);
        let outcome = pipeline::run(&pipeline, &settings, &Meanwhile::new("converting", false, &act));
        told(outcome.error.map_or(Ok(()), Err), &path, what);
        etl.run(["query", "--lake", "lake", "SELECT count(*) FROM w.a"]).fails(6);
    }
    etl.write("logs/a.log", generated(5_000));
    let act = || grow(&path);
    let outcome = pipeline::run(&pipeline, &settings, &Meanwhile::new("converting", false, &act));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert!(outcome.report.notes.iter().any(|note| note.contains("logs/a.log grew")), "{:?}", outcome.report.notes);
    // What it grew by is read by the next run.
    let outcome = pipeline::run(&pipeline, &settings, &Silent);
    assert_eq!((outcome.report.outputs[0].total_rows, outcome.error.is_none()), (5_100, true));
}

#[test]
fn a_file_of_many_names_is_read_once() {
    let etl = Etl::new();
    etl.write("d/a/x.log", generated(1_000)).write("d/b/y.log", generated(1_000));
    symlink("..", etl.path("d/a/up")).unwrap();
    symlink("../../d", etl.path("d/b/top")).unwrap();
    symlink("x.log", etl.path("d/a/latest.log")).unwrap();
    for named in ["d/**/*.log", "d", "d/a/x.log d/./a/x.log d/b", "d/a d/*/*.log d", "d/a/latest.log d/a/x.log d/b/y.log"] {
        let report = etl.report(&format!("{named} -o out --to csv --overwrite"));
        assert_eq!(report["rows"], 2_000, "{named}");
        assert!(report["notes"].to_string().contains("a file with two names is read once"), "{report}");
    }
    let count = |from: &str| {
        let outcome = etl.run(["query", "--format", "csv", &format!("SELECT count(*) AS n FROM '{from}'")]).ok();
        (String::from_utf8(outcome.stdout).unwrap(), outcome.stderr)
    };
    let (rows, told) = count("d/**/*.log");
    assert_eq!(rows, "n\n2000\n");
    assert!(told.contains("is read once"), "{told}");
    let inspected = etl.run(["inspect", "--json", "d/**/*.log"]).ok().stdout;
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&inspected).unwrap()["rows"], 2_000);
    etl.write(
        "p.yaml",
        "version: 1\nname: p\nlake: {location: lake}\nsources: {logs: {location: ['d/**/*.log', d/a/latest.log, d]}}\noutputs: {all: {from: logs, table: w.a}}\n",
    );
    etl.run(["run", "p.yaml"]).ok().says("is read once");
    etl.run(["run", "p.yaml"]).ok().says("nothing to do");
    let rows = etl.run(["query", "--lake", "lake", "--format", "csv", "SELECT count(*) AS n FROM w.a"]).ok().stdout;
    assert_eq!(String::from_utf8(rows).unwrap(), "n\n2000\n");
}

#[test]
fn the_lake_is_no_source_of_itself_by_any_name() {
    let etl = Etl::new();
    etl.write("logs/a.csv", "a,b\n1,2\n");
    symlink("../lake", etl.path("logs/more")).unwrap();
    etl.write(
        "p.yaml",
        "version: 1\nname: p\nlake: {location: lake}\nsources: {s: {location: 'logs/**/*.csv'}}\noutputs: {all: {from: s, table: w.a, format: csv, mode: append}}\n",
    );
    etl.run(["run", "p.yaml"]).ok();
    etl.run(["run", "p.yaml"]).ok().says("nothing to do").says("files of the lake itself are not read");
}

#[test]
fn a_pipe_among_files_is_not_waited_for() {
    let etl = Etl::new();
    etl.log("d/a.log", 100);
    assert!(std::process::Command::new("mkfifo").arg(etl.path("d/b.log")).status().unwrap().success());
    for named in ["d/*.log", "d"] {
        let report = etl.report(&format!("{named} -o out --to csv --overwrite"));
        assert_eq!(report["rows"], 100);
        assert!(report["notes"].to_string().contains("only files are read: skipped d/b.log"), "{report}");
    }
    let (pipe, log) = (etl.path("d/b.log"), generated(50));
    let writer = std::thread::spawn(move || fs::write(pipe, log).unwrap());
    assert_eq!(etl.report("d/b.log -o out --to csv --overwrite")["rows"], 50);
    writer.join().unwrap();
}
