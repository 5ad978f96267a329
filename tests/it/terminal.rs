//! No text that others wrote controls a terminal, breaks a line, or hides: not in messages, notes, tables or reports.

use super::etl::{Etl, Outcome, generated};
use etl::printable::is_unseen;
use serde_json::json;
use std::fs;

/// ESC with a colour and with a title, BEL, CR, a line break, C1, DEL, overrides of direction, a blank without width.
const HOSTILE: &str = "a\u{1b}[31m\u{1b}]0;t\u{7}\r\nb\u{9b}\u{7f}\u{202e}c\u{2066}\u{200b}\u{2028}";

/// The text in quotes of YAML, which has no such characters as they are.
fn yaml(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_unseen(c) => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    format!("\"{quoted}\"")
}

/// Nothing in either stream but what is seen, and line ends.
#[track_caller]
fn clean(outcome: Outcome) -> Outcome {
    for (stream, text) in [("stdout", String::from_utf8_lossy(&outcome.stdout).into_owned()), ("stderr", outcome.stderr.clone())] {
        let found = text.chars().find(|c| *c != '\n' && is_unseen(*c));
        assert!(found.is_none(), "{stream} has {found:?} in it: {}", text.escape_debug());
        assert!(!text.lines().any(|line| line.starts_with('b')), "{stream} was broken: {text}");
    }
    outcome
}

#[test]
fn names_of_files_and_columns_control_no_terminal() {
    let etl = Etl::new();
    let csv = format!("{HOSTILE}/a.csv");
    let header = format!("\"{HOSTILE}\",n\n\"{HOSTILE}\",1\nx,y,z\n");
    etl.write(&csv, &header).write(&format!("{HOSTILE}/b.csv"), "other\n");
    let jsonl = format!("{HOSTILE}.jsonl");
    etl.write(&jsonl, format!("{}\n{{\"{}\n", json!({HOSTILE: HOSTILE, "n": 1}), HOSTILE.replace(char::is_control, "")));
    let log = format!("{HOSTILE}.log");
    etl.write(&log, [&generated(20)[..], HOSTILE.as_bytes()].concat());
    let run = |arguments: &[&str]| clean(etl.run(arguments));
    for input in [csv.as_str(), &jsonl, &log] {
        run(&["convert", input, "-o", &format!("out{HOSTILE}"), "--to", "parquet", "--overwrite"]).ok();
        run(&["convert", input, "-o", "out", "--to", "csv", "--overwrite", "--report", "json"]).ok();
        run(&["convert", input, "-o", "out", "--to", "csv"]).fails(4);
        run(&["convert", input, "-o", "x", "--to", "csv", "--on-error", "fail"]).fails(5);
        run(&["convert", input, "-o", "x", "--to", "csv", "--max-reject-rate", "0%"]).fails(5);
        run(&["convert", input, "-o", "y", "--to", "csv", "--overwrite", "--partition-by", HOSTILE]);
        run(&["convert", input, "-o", "x", "--to", "csv", "--rejects", input]).fails(2);
        run(&["inspect", input]).ok();
        run(&["inspect", "--json", input]).ok();
        run(&["query", &format!("SELECT * FROM '{input}'")]).ok();
        run(&["query", &format!("SELECT nope FROM '{input}'")]).fails(6);
        run(&["query", "--explain", &format!("SELECT count(*) FROM '{input}'")]).ok();
    }
    let parquet = format!("out{HOSTILE}/part-00000.parquet");
    run(&["inspect", &parquet]).ok();
    run(&["query", &format!("SELECT * FROM '{parquet}'")]);
    fs::write(etl.path(&parquet), "PAR1 no").unwrap();
    run(&["inspect", &parquet]).fails(3);
    let (missing, glob, folder) = (format!("{HOSTILE}x"), format!("{HOSTILE}*/*.none"), format!("{HOSTILE}/*.csv"));
    run(&["convert", &missing, "-o", "x", "--to", "csv"]).fails(3);
    run(&["convert", &glob, "-o", "x", "--to", "csv"]).fails(3);
    run(&["convert", &folder, "-o", "x", "--to", "csv"]).fails(2).says("/b.csv:1: the header is");
    run(&["convert", &format!("{HOSTILE}**["), "-o", "x", "--to", "csv"]).fails(2);
    run(&["convert", &csv, &csv, "-o", "twice", "--to", "csv"]).ok().says("is read once");
    for wrong in ["--log-format", "--delimiter", "--schema", "--httpd-conf", "--compression", "--splits", "--no-such"] {
        let outcome = run(&["convert", &log, "-o", "x", "--to", "csv", wrong, &format!("%h{HOSTILE}")]);
        assert_ne!(outcome.code, Some(0), "{wrong}");
    }
    for wrong in [vec!["query", HOSTILE], vec!["query", &format!("SELECT {HOSTILE}")], vec!["inspect", &missing], vec![HOSTILE]] {
        assert_ne!(run(&wrong).code, Some(0));
    }
    run(&["query", "--lake", &missing, "SELECT 1 FROM a.b"]).fails(3);
    run(&["convert", &csv, "-o", &format!("s3://{HOSTILE}/x"), "--to", "csv"]).fails(2);
    run(&["convert", &csv, "-o", &format!("{HOSTILE}://x"), "--to", "csv"]).fails(2);
    run(&["generate", "--format", HOSTILE]).fails(2);
    // What was asked for as data is what it is.
    let data = etl.run(["query", "--format", "csv", &format!("SELECT n FROM '{jsonl}'")]).ok();
    assert_eq!(data.stdout, b"n\n1\n");
    let data = etl.run(["query", "--format", "json", &format!("SELECT \"{HOSTILE}\" AS v FROM '{jsonl}'")]).ok();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&data.stdout).unwrap()["v"], HOSTILE);
}

#[test]
fn what_a_pipeline_says_controls_no_terminal() {
    let etl = Etl::new();
    let text = yaml(HOSTILE);
    etl.write(&format!("{HOSTILE}/in/a.csv"), "k,n\nx,1\nx,y,z\n");
    let pipeline = format!(
        "version: 1\nname: p\ndescription: {text}\nlake: {{location: ../lake}}\nvars: {{v: {text}}}\n\
         sources: {{s: {{location: in/*.csv}}, u: {{location: {text}}}}}\n\
         transforms: {{t: {{sql: {}}}}}\n\
         outputs:\n  a: {{from: s, table: w.a, description: {text}, columns: {{k: {text}}}}}\n  b: {{from: t, table: w.b, partition_by: [v]}}\n\
         verify:\n  - {{name: {text}, value: {{sql: {}, equals: {text}}}, severity: warn}}\n  - {{matches: {{table: w.a, column: k, pattern: 'z'}}, severity: warn}}\n",
        yaml(&format!("SELECT '{HOSTILE}' AS v, n FROM s")),
        yaml(&format!("SELECT '{HOSTILE}x' AS \"{HOSTILE}\"")),
    );
    let file = format!("{HOSTILE}/p.yaml");
    etl.write(&file, &pipeline);
    let run = |arguments: &[&str]| clean(etl.run(arguments));
    let lake = etl.path("lake").display().to_string();
    run(&["validate", &file]).ok();
    run(&["validate", "--json", &file]).ok();
    run(&["plan", &file]).ok();
    run(&["plan", "--json", "--detailed-exitcode", &file]).fails(2);
    run(&["run", &file]).ok();
    run(&["run", "--full", "--json", &file]).ok();
    run(&["run", &file]).ok();
    run(&["history", &file]).ok();
    run(&["history", "--json", &file]).ok();
    run(&["catalog", "list", "--lake", &lake]).ok();
    for table in ["w.a", "w.b"] {
        run(&["catalog", "show", table, "--lake", &lake, "--files"]).ok();
        run(&["catalog", "show", table, "--lake", &lake, "--json"]).ok();
    }
    run(&["query", "--lake", &lake, "SELECT * FROM w.b"]).ok();
    run(&["vacuum", &lake, "--dry-run"]).ok();
    run(&["rollback", &file, "--to", HOSTILE]);
    run(&["init", &format!("{HOSTILE}/new.yaml")]).ok();
    run(&["schedule", "--list", HOSTILE]);
    // Each value in turn is one that can't be, and so is each key.
    for line in pipeline.lines().filter(|line| line.contains(": ")) {
        let (key, _) = line.split_once(": ").unwrap();
        for wrong in [format!("{key}: {text}"), line.replacen(": ", &format!("{}: ", HOSTILE.replace(['\r', '\n'], "")), 1)] {
            etl.write("wrong.yaml", pipeline.replacen(line, &wrong, 1));
            run(&["validate", "wrong.yaml"]);
            run(&["validate", "--json", "wrong.yaml"]);
            run(&["plan", "wrong.yaml"]);
        }
    }
    etl.write("folder/wrong.yaml", pipeline.replacen("version: 1", &format!("version: {text}"), 1));
    run(&["schedule", "--list", "folder"]);
}
