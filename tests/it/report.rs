//! What a run says, to people and to programs.

use super::etl::{Etl, generated};
use insta::assert_snapshot;
use std::io::Read;

#[test]
fn the_report_for_programs_has_its_keys() {
    let etl = Etl::new();
    etl.write("a.log", [&generated(20), &b"bad\n\n"[..]].concat());
    let outcome = etl.convert("a.log -o out --report json --splits 2").ok();
    assert_eq!(outcome.stderr, "");
    let text = String::from_utf8(outcome.stdout).unwrap();
    assert_eq!((text.lines().count(), text.ends_with('\n')), (1, true));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in ["format", "lines", "rows", "rejects", "blank", "bytes_in", "bytes_out", "seconds", "files", "rejects_by_reason", "sources"]
    {
        assert!(!report[key].is_null(), "{key}");
    }
    assert_eq!(report["format"], "combined");
    assert_eq!(report["bytes_in"], std::fs::metadata(etl.path("a.log")).unwrap().len());
    let files = report["files"].as_array().unwrap();
    for file in files {
        let path = etl.path(file["path"].as_str().unwrap());
        assert_eq!(file["bytes"], std::fs::metadata(path).unwrap().len());
    }
    assert_eq!(files.iter().map(|file| file["bytes"].as_u64().unwrap()).sum::<u64>(), report["bytes_out"].as_u64().unwrap());
    assert_eq!(report["rejects_by_reason"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>(), 1);
    assert_eq!(
        report["sources"][0],
        serde_json::json!({"path": "a.log", "lines": 22, "rows": 20, "rejects": 1, "blank": 1, "repaired": 0})
    );
}

#[test]
fn a_report_can_be_left_out() {
    let etl = Etl::new();
    let outcome = etl.log("a.log", 20).convert("a.log -o out --report none").ok();
    assert_eq!((outcome.stdout.len(), outcome.stderr.as_str()), (0, ""));
}

#[test]
fn the_report_for_people() {
    let etl = Etl::new();
    etl.write("a.log", [&generated(1_200), &b"bad line\n\n\x1b[31m\n"[..]].concat());
    let outcome = etl.convert("a.log -o out --to csv --splits 3").ok();
    assert_eq!(outcome.stdout, b"");
    assert_snapshot!(outcome.scrubbed(), @r#"
        1,203 lines = 1,200 rows + 2 rejects + 1 blank
        256.0 kB in, 242.8 kB out in 3 files (94.8% of the text), [time], [rate]
          1 rejected: no ` ` after %h
          1 rejected: no ` ` after %l
            a.log:1201 (byte 256030): bad line
            a.log:1203 (byte 256040): \u{1b}[31m
        note: log format combined (found in a.log)
        wrote out/part-00000.csv … out/part-00002.csv
        "#);
    etl.write("none.log", "").convert("none.log -o none --to csv").ok();
    assert_snapshot!(etl.convert("none.log -o none --to csv --overwrite").ok().scrubbed(), @r#"
        0 lines = 0 rows + 0 rejects + 0 blank
        0 B in, 93 B out in 1 file (0.0% of the text), [time], [rate]
        note: log format combined (no line to detect it from)
        note: there are no rows: wrote one empty file, so that the table has its columns
        wrote none/part-00000.csv
        "#);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let etl = Etl::new();
    etl.log("a.log", 30_000);
    for arguments in [&["query", "--format", "csv", "SELECT * FROM 'a.log'"][..], &["generate", "--lines", "100000"]] {
        let mut child = etl.command(arguments).spawn().unwrap();
        let mut start = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut start).unwrap();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(0) && !said.contains("error"), "{arguments:?} {said}");
    }
}
