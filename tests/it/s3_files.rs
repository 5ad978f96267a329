//! Files in a bucket: what `convert`, `query` and `inspect` do with a folder they do with a prefix, to the byte.

use crate::etl::{Etl, Outcome, generated, gzip, zstd};
use crate::fault_proxy::FaultProxy;
use crate::minio::Minio;
use etl::ErrorKind;
use etl::convert::{ConvertOptions, ConvertReport, Layout, OnError, convert};
use etl::input::{Table, TableOptions, objects};
use etl::output::{CsvDialect, FileFormat, Kind};
use etl::progress::Silent;
use etl::publish::{Existing, Output};
use etl::storage::{Appear, Storage, StoreSettings, Uploads};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A folder and a bucket with the same files.
struct Both {
    etl: Etl,
    minio: Minio,
}

impl Both {
    fn get() -> Option<Both> {
        Some(Both { minio: Minio::get()?, etl: Etl::new() })
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Both {
        self.minio.storage("").put(name, content.as_ref().to_vec()).unwrap();
        self.etl.write(name, content);
        self
    }

    /// Runs in the folder; `@` is where the files are.
    fn here(&self, arguments: &[&str]) -> Outcome {
        self.etl.run(arguments.iter().map(|argument| argument.replace('@', "")))
    }

    /// Runs in the folder; `@` is the bucket.
    fn there(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.etl.command(arguments.iter().map(|argument| argument.replace('@', &self.root())));
        Outcome::of(command.env("AWS_ENDPOINT_URL_S3", &self.minio.endpoint).env("AWS_REGION", "us-east-1").output().unwrap())
    }

    fn root(&self) -> String {
        format!("s3://{}/", self.minio.bucket)
    }

    /// Without what tells one place from the other.
    fn plain(&self, text: &[u8]) -> String {
        String::from_utf8_lossy(text).replace(&self.root(), "")
    }

    /// Runs at both places, which must say the same; gives what they printed.
    #[track_caller]
    fn same(&self, arguments: &[&str]) -> String {
        let (here, there) = (self.here(arguments), self.there(arguments));
        assert_eq!((there.code, self.plain(there.stderr.as_bytes())), (here.code, here.stderr), "{arguments:?}");
        assert_eq!(self.plain(&there.stdout), self.plain(&here.stdout), "{arguments:?}");
        self.plain(&here.stdout)
    }

    /// Converts at both places to `out`, which must come to the same.
    #[track_caller]
    fn converted(&self, arguments: &str, out: &str) -> BTreeMap<String, Vec<u8>> {
        let output = format!("@{out}");
        let mut all = vec!["convert"];
        all.extend(arguments.split_whitespace().chain(["--report", "json", "-o", &output]));
        let report = |outcome: Outcome| {
            let mut report: Value = serde_json::from_str(&self.plain(&outcome.ok().stdout)).unwrap();
            report["seconds"] = 0.into();
            report["peak_memory"] = 0.into();
            report
        };
        let (here, there) = (report(self.here(&all)), report(self.there(&all)));
        assert_eq!(there, here, "{arguments}");
        self.equal(out)
    }

    /// What lies at both places below `folder`, which must be the same.
    #[track_caller]
    fn equal(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let (mut here, there) = (BTreeMap::new(), all(&self.minio.storage(folder)));
        collect(&self.etl.path(folder), "", &mut here);
        assert_eq!(there.keys().collect::<Vec<_>>(), here.keys().collect::<Vec<_>>());
        assert!(there == here, "{folder} differs");
        here
    }
}

/// All objects of a storage.
fn all(storage: &Storage) -> BTreeMap<String, Vec<u8>> {
    let entries = storage.list("").unwrap().into_iter();
    entries.map(|entry| (entry.key.clone(), storage.get(&entry.key).unwrap().unwrap().bytes.to_vec())).collect()
}

/// All files below a folder.
fn collect(folder: &Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{below}{}", entry.file_name().into_string().unwrap());
        match entry.path().is_dir() {
            true => collect(&entry.path(), &format!("{name}/"), found),
            false => drop(found.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
}

/// What is stored in whole blocks is filled up with zeros.
fn zeros_behind(stored: Vec<u8>) -> Vec<u8> {
    [stored, vec![0; 700]].concat()
}

#[test]
fn files_are_the_same_to_the_byte() {
    let Some(both) = Both::get() else { return };
    let log = String::from_utf8(generated(3_000)).unwrap();
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    both.write("logs/b.log", lines[..1_000].concat())
        .write("logs/sub/c.log.gz", zeros_behind(gzip(lines[1_000..2_000].concat().as_bytes())));
    both.write("logs/a.log.zst", zstd(lines[2_000..].concat().as_bytes())).write("logs/_SUCCESS", "").write("logs/.tmp/x.log", "no log\n");
    both.write("logs/b.broken", "what is this?\n");
    let layouts = ["--splits 1", "--splits 7", "--rows-per-file 800", "--target-size 64KiB", "--partition-by dt,hour --splits 2"];
    for (number, format) in ["csv", "csv --compression gzip", "json", "json --compression gzip", "parquet"].iter().enumerate() {
        for (layout_number, layout) in layouts.iter().enumerate() {
            let out = format!("out/{number}/{layout_number}");
            let files = both.converted(&format!("@logs --to {format} {layout} --max-reject-rate 100%"), &out);
            assert!(!files.is_empty());
            // What was written is read again.
            if *layout == "--splits 7" {
                assert_eq!(files.len(), 7);
                for to in ["csv", "parquet"] {
                    both.converted(&format!("@{out} --to {to} --splits 3"), &format!("again/{number}/{to}"));
                }
            }
            let rows = both.same(&["query", &format!("SELECT count(*) AS n, sum(bytes) AS b FROM '@{out}'"), "--format", "csv"]);
            assert!(rows.starts_with("n,b\n3000,"), "{rows}");
        }
    }
    both.same(&["inspect", "@logs", "--json"]);
    both.same(&["inspect", "@out/4/1", "--json"]);
    both.same(&[
        "query",
        "SELECT dt, hour, count(*) FROM '@out/4/4' WHERE dt >= '2020-03-01' GROUP BY ALL ORDER BY 1, 2",
        "--format",
        "csv",
    ]);
    both.same(&[
        "query",
        "SELECT * FROM '@out/4/1/part-0000[0-3].parquet' WHERE status = 404 ORDER BY time, host, path",
        "--format",
        "json",
    ]);
    both.same(&["query", "SELECT host, path FROM '@logs/b.log' LIMIT 5", "--format", "csv"]);
}

#[test]
fn prefixes_and_globs_name_what_folders_and_globs_do() {
    let Some(both) = Both::get() else { return };
    let names = [
        "in/a.csv",
        "in/a/b.csv",
        "in/a/c/d.csv",
        "in/a-b.csv",
        "in/b1/x.csv",
        "in/b2/x.csv",
        "in/b2/y.csv",
        "in/_no/x.csv",
        "in/b1/.no.csv",
        "in/dt=2020-02-29/hour=1/p.csv",
        "in/sp ace+%2F/ü.csv",
    ];
    for (number, name) in names.iter().enumerate() {
        both.write(name, format!("n\n{number}\n"));
    }
    for pattern in [
        "in",
        "in/",
        "in/a",
        "in/a.csv",
        "in/*.csv",
        "in/*",
        "in/b?/*.csv",
        "in/b[12]/x.csv",
        "in/**/x.csv",
        "in/*/*/*.csv",
        "i*/a*",
        "in/_no/*",
    ] {
        let sql = format!("SELECT * FROM '@{pattern}'");
        both.same(&["query", &sql, "--format", "csv"]);
        let arguments = ["inspect".to_string(), format!("@{pattern}"), "--json".to_string()];
        both.same(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let rows = both.same(&["query", "SELECT n, dt FROM '@in/dt=2020-02-29' WHERE hour = '1'", "--format", "csv"]);
    assert_eq!(rows, "n,dt\n9,2020-02-29\n");
    both.there(&["inspect", "@in/nothing"]).fails(3).says("there is no object s3://");
    both.there(&["inspect", "@in/a-b.csw"]).fails(3).says("did you mean");
    both.there(&["inspect", "@in/*.log"]).fails(3).says("no object matches");
    both.there(&["inspect", "@in/[a"]).fails(2).says("is not a glob");
    both.there(&["inspect", "s3://no-such-bucket-here/x"]).fails(3).says("there is no such bucket");
}

#[test]
fn what_is_there_is_refused_replaced_or_added_to() {
    let Some(both) = Both::get() else { return };
    both.write("a.log", generated(500)).write("out/notes.txt", "mine").write("b.csv", "x,y\n1,2\n");
    both.converted("@a.log --to csv --splits 3", "out");
    both.there(&["convert", "@a.log", "--to", "csv", "-o", "@out"]).fails(4).says("has files already");
    both.equal("out");
    both.converted("@a.log --to csv --splits 2 --append", "out");
    assert_eq!(both.equal("out").len(), 6);
    both.there(&["convert", "@a.log", "--to", "json", "-o", "@out", "--append"]).fails(4).says("can't be added to them");
    both.there(&["convert", "@b.csv", "--to", "csv", "-o", "@out", "--append"]).fails(4).says("have the columns");
    both.there(&["convert", "@out/part-00000.csv", "--to", "csv", "-o", "@out", "--append"]).fails(2).says("would be duplicated");
    assert_eq!(both.equal("out").len(), 6);
    both.converted("@a.log --to parquet --partition-by dt --overwrite", "out");
    assert_eq!(both.equal("out").keys().filter(|key| !key.starts_with("dt=")).collect::<Vec<_>>(), ["notes.txt"]);
    // Files may be rewritten in their place.
    both.converted("@out/dt=2020-02-29 --to parquet --overwrite", "out/dt=2020-02-29");
}

#[test]
fn rejects_are_kept_in_a_bucket_too() {
    let Some(both) = Both::get() else { return };
    both.write("a.log", [&generated(50)[..], b"no line of a log\n\xff\n"].concat());
    fs::create_dir(both.etl.path("bad")).unwrap();
    both.converted("@a.log --to csv --rejects @bad/rejects.jsonl", "out");
    let kept = String::from_utf8(both.minio.storage("bad").get("rejects.jsonl").unwrap().unwrap().bytes.to_vec()).unwrap();
    assert_eq!(both.plain(kept.as_bytes()).as_bytes(), both.etl.read("bad/rejects.jsonl"));
    both.there(&["convert", "@a.log", "--to", "csv", "-o", "@out2", "--rejects", "@a.log"]).fails(2).says("would overwrite the input");
}

#[test]
fn many_small_objects_and_a_big_one() {
    let Some(both) = Both::get() else { return };
    both.write("big.log", generated(120_000));
    let whole = both.converted("@big.log --to csv", "whole");
    assert!(whole["part-00000.csv"].len() > 16 << 20, "it went up in parts");
    both.converted("@whole --to json", "json");
    both.etl.log("small.log", 4_000);
    both.converted("small.log --to csv --splits 2000", "small");
    both.converted("@small --to csv", "joined");
    both.converted("@small --to parquet --splits 300", "parquet");
    both.converted("@parquet --to csv", "rejoined");
    let rows = both.same(&["query", "SELECT count(*) AS n FROM '@small'", "--format", "csv"]);
    assert_eq!(rows, "n\n4000\n");
}

/// A conversion of the objects at `key` to CSV.
fn options(storage: &Storage, key: &str, output: Output) -> ConvertOptions {
    ConvertOptions {
        table: Table::open(objects(storage, key).unwrap(), &TableOptions::default()).unwrap(),
        output,
        appear: Appear::AtCommit,
        checksums: true,
        format: FileFormat::new(Kind::Csv, None, None, CsvDialect::Rfc4180).unwrap(),
        layout: Layout::Splits(2.try_into().unwrap()),
        partition_by: Vec::new(),
        timezone: etl::zone::Zone::UTC,
        existing: Existing::Refuse,
        on_error: OnError::Reject,
        max_reject_rate: None,
        accepted_rejects: Vec::new(),
        counted: Default::default(),
        rejects: None,
        rejects_limit: etl::convert::REJECTS_LIMIT,
        threads: 2,
        cancel: Arc::default(),
    }
}

fn run(options: &ConvertOptions) -> etl::Result<ConvertReport> {
    convert(options, &Silent)
}

/// Nothing is there, and no upload is left open.
#[track_caller]
fn nothing(storage: &Storage) {
    assert_eq!(storage.list("").unwrap(), []);
    assert_eq!(storage.stale_uploads("", chrono::TimeDelta::seconds(-60)).unwrap(), []);
}

#[test]
fn checksums_are_those_of_the_bytes() {
    let Some(minio) = Minio::get() else { return };
    let (storage, folder) = (minio.storage("lake"), tempfile::tempdir().unwrap());
    storage.put("a.log", generated(60_000)).unwrap();
    let here = run(&options(&storage, "a.log", folder.path().join("out").into())).unwrap();
    for (run_id, appear) in [("at-commit", Appear::AtCommit), ("when-written", Appear::WhenWritten)] {
        let output = Output::below(&storage, &format!("db/table/{run_id}")).unwrap();
        let there = run(&ConvertOptions { appear, ..options(&storage, "a.log", output) }).unwrap();
        for (there, here) in there.files.iter().zip(&here.files) {
            assert!(there.path.starts_with(&format!("s3://{}/lake/db/table/{run_id}/part-0000", minio.bucket)), "{}", there.path);
            assert_eq!((there.rows, there.bytes, &there.sha256), (here.rows, here.bytes, &here.sha256));
            let name = there.path.rsplit('/').next().unwrap();
            let bytes = storage.get(&format!("db/table/{run_id}/{name}")).unwrap().unwrap().bytes;
            let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((bytes.len() as u64, Some(digest)), (there.bytes, there.sha256.clone()));
        }
    }
    assert_eq!(storage.stale_uploads("", chrono::TimeDelta::seconds(-60)).unwrap(), []);
}

#[test]
fn a_key_that_is_too_long_is_told_before_anything_is_sent() {
    let Some(minio) = Minio::get() else { return };
    let storage = minio.storage("lake");
    storage.put("a.log", generated(10)).unwrap();
    let output = Output::below(&storage, &vec!["abcdefghi"; 101].join("/")).unwrap();
    let error = run(&options(&storage, "a.log", output)).unwrap_err();
    assert_eq!(error.kind(), etl::ErrorKind::Output, "{error}");
    assert!(error.to_string().contains("has 1029 bytes, but S3 allows at most 1024: lake/abcdefghi/"), "{error}");
    assert_eq!(storage.list("").unwrap().len(), 1);
}

#[test]
fn one_fault_in_ten_requests_changes_no_byte() {
    let Some(minio) = Minio::get() else { return };
    let proxy = FaultProxy::start(&minio.endpoint, 100, 5);
    let settings = StoreSettings { endpoint_url: Some(proxy.endpoint.clone()), ..StoreSettings::default() };
    let faulty = Storage::open_with(minio.location(""), &settings).unwrap();
    let here = tempfile::tempdir().unwrap();
    let log = generated(60_000);
    for (number, lines) in log.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>().chunks(1_500).enumerate() {
        minio.storage("in").put(&format!("{number:03}.log"), lines.concat()).unwrap();
    }
    minio.storage("big").put("a.log", log).unwrap();
    for (key, layout) in [("in", Layout::Splits(40.try_into().unwrap())), ("big", Layout::Splits(1.try_into().unwrap()))] {
        for appear in [Appear::AtCommit, Appear::WhenWritten] {
            let out = format!("out/{key}-{appear:?}");
            let there = ConvertOptions { layout, appear, ..options(&faulty, key, Output::below(&faulty, &out).unwrap()) };
            let expected = ConvertOptions { layout, ..options(&minio.storage(""), key, here.path().join(&out).into()) };
            let report = run(&there).unwrap();
            assert_eq!(report.rows, run(&expected).unwrap().rows);
            let mut files = BTreeMap::new();
            collect(&here.path().join(&out), "", &mut files);
            assert!(all(&minio.storage(&out)) == files, "{out} differs");
        }
    }
    assert!(!proxy.injected().is_empty(), "there were faults");
    // An upload is begun again where the answer was lost. The first one is no object, and is found and aborted as a killed run's are.
    let storage = minio.storage("");
    storage.abort_uploads(&storage.stale_uploads("", chrono::TimeDelta::seconds(-60)).unwrap()).unwrap();
    assert_eq!(storage.stale_uploads("", chrono::TimeDelta::seconds(-60)).unwrap(), []);
}

#[test]
fn a_run_that_fails_leaves_nothing() {
    let Some(minio) = Minio::get() else { return };
    let (storage, out) = (minio.storage("in"), minio.storage("out"));
    let log = generated(120_000);
    storage.put("rejects.log", [&log[..], b"no line\n"].concat()).unwrap();
    let packed = gzip(&log);
    storage.put("cut.log.gz", packed[..packed.len() - 1_000].to_vec()).unwrap();
    for appear in [Appear::AtCommit, Appear::WhenWritten] {
        for layout in [Layout::TargetSize("1MiB".parse().unwrap()), Layout::Splits(1.try_into().unwrap())] {
            let failing = |key: &str| ConvertOptions { appear, layout, ..options(&storage, key, Output::below(&out, "").unwrap()) };
            let rejects = ConvertOptions { max_reject_rate: Some("0%".parse().unwrap()), ..failing("rejects.log") };
            assert_eq!(run(&rejects).unwrap_err().kind(), ErrorKind::Rejects);
            nothing(&out);
            assert_eq!(run(&failing("cut.log.gz")).unwrap_err().kind(), ErrorKind::Input);
            nothing(&out);
            let cancelled = failing("rejects.log");
            let cancel = cancelled.cancel.clone();
            let stop = std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(300));
                cancel.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            // It may have been faster.
            match run(&cancelled) {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
                    stop.join().unwrap();
                    nothing(&out);
                }
                Ok(_) => {
                    stop.join().unwrap();
                    out.delete(&all(&out).into_keys().collect::<Vec<_>>()).unwrap();
                }
            }
        }
    }
}

#[test]
fn of_two_runs_at_once_the_second_takes_back_what_it_wrote() {
    let Some(minio) = Minio::get() else { return };
    let storage = minio.storage("out");
    for taken in ["part-00000.csv", "part-00001.csv"] {
        let uploads = Uploads::new(storage.clone(), Appear::AtCommit, Arc::new(AtomicBool::new(false)));
        for (key, size) in [("part-00000.csv", 10), ("part-00001.csv", 20 << 20), ("part-00002.csv", 0)] {
            let mut upload = uploads.begin(key);
            upload.write_all(&vec![b'x'; size]).unwrap();
            upload.finish().unwrap();
        }
        assert_eq!(storage.list("").unwrap(), [], "nothing is seen before the commit");
        storage.put(taken, "theirs").unwrap();
        let error = uploads.commit(|_| false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert_eq!(all(&storage), BTreeMap::from([(taken.to_string(), b"theirs".to_vec())]));
        assert_eq!(storage.stale_uploads("", chrono::TimeDelta::seconds(-60)).unwrap(), []);
        storage.delete(&[taken.to_string()]).unwrap();
    }
}

#[test]
fn an_object_that_changes_while_it_is_read_is_an_error() {
    let Some(minio) = Minio::get() else { return };
    let (storage, out) = (minio.storage("in"), minio.storage("out"));
    let log = generated(60_000);
    storage.put("a.log", log.clone()).unwrap();
    let reading = options(&storage, "a.log", Output::below(&out, "csv").unwrap());
    storage.put("a.log", log[..log.len() / 2].to_vec()).unwrap();
    let error = run(&reading).unwrap_err();
    assert!(error.kind() == ErrorKind::Input && error.to_string().contains("was replaced while it was being read"), "{error}");
    nothing(&out);
    let gone = options(&storage, "a.log", Output::below(&out, "csv").unwrap());
    storage.delete(&["a.log".to_string()]).unwrap();
    let error = run(&gone).unwrap_err();
    assert!(error.to_string().contains("was removed while it was being read"), "{error}");
    nothing(&out);
}
