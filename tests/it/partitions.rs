//! Hive folders: which row goes where, and names that stay where they belong.

use super::etl::{Etl, Outcome, program};
use super::rows::{files, rows};
use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn rows_go_to_the_folder_of_their_day() {
    let etl = Etl::new();
    etl.log("a.log", 2_000).convert("a.log -o plain --to json").ok();
    etl.convert("a.log -o out --to json --partition-by dt,hour --splits 2").ok();
    let mut expected = rows(&etl.path("plain"));
    let mut got = Vec::new();
    for file in files(&etl.path("out")) {
        let path = file.strip_prefix(etl.path("out")).unwrap().display().to_string();
        for row in super::rows::file_rows(&file) {
            let time = row["time"].as_deref().unwrap();
            assert!(path.starts_with(&format!("dt={}/hour={}/part-0000", &time[..10], &time[11..13])), "{path} {time}");
            got.push(row);
        }
    }
    expected.sort();
    got.sort();
    assert!(got == expected);
}

#[test]
fn rows_without_a_value_go_to_the_folder_that_hive_has_for_them() {
    let etl = Etl::new();
    etl.write("a.csv", "time,x\n2020-02-29 01:02:03,1\n,2\n2020-03-01T00:00:00Z,3\n");
    etl.convert("a.csv -o out --to csv --partition-by dt").ok();
    assert_eq!(etl.names("out"), ["dt=2020-02-29", "dt=2020-03-01", "dt=__HIVE_DEFAULT_PARTITION__"]);
    assert_eq!(etl.read("out/dt=__HIVE_DEFAULT_PARTITION__/part-00000.csv"), b"time,x\n,2\n");
}

#[test]
fn a_value_that_readers_take_for_none_is_refused() {
    let etl = Etl::new();
    etl.write("a.csv", "k,v\na,1\n__HIVE_DEFAULT_PARTITION__,2\n");
    etl.convert("a.csv -o out --partition-by k").fails(3).says("which readers interpret as NULL");
    assert_eq!(etl.names(""), ["a.csv"]);
}

#[test]
fn values_never_leave_their_folder() {
    let etl = Etl::new();
    let values = ["../../up", "..", "/etc", "a%2Fb", "a=b", "tab\t", "new\nline", "c:d", "", "é", " . ", "*"];
    let lines: String = values.iter().map(|value| format!("{}\n", serde_json::json!({"k": value, "x": 1}))).collect();
    etl.write("a.json", lines);
    etl.convert("a.json -o deep/out --to json --partition-by k").ok();
    assert_eq!(etl.names(""), ["a.json", "deep"]);
    assert_eq!(etl.names("deep"), ["out"]);
    let names: BTreeSet<String> = etl.names("deep/out").into_iter().collect();
    let expected = [
        "k=..%2F..%2Fup",
        "k=..",
        "k=%2Fetc",
        "k=a%252Fb",
        "k=a%3Db",
        "k=tab%09",
        "k=new%0Aline",
        "k=c%3Ad",
        "k=__HIVE_DEFAULT_PARTITION__",
        "k=é",
        "k= . ",
        "k=%2A",
    ];
    assert_eq!(names, expected.iter().map(ToString::to_string).collect());
    assert_eq!(files(&etl.path("deep/out")).len(), values.len());
}

#[test]
fn more_partitions_than_open_files_are_written() {
    let etl = Etl::new();
    let lines: String = (0..2_000).map(|n| format!("{},{n}\n", n % 400)).collect();
    etl.write("a.csv", format!("k,n\n{lines}"));
    for to in ["csv", "parquet"] {
        let script = format!("ulimit -n 128 && exec '{}' convert a.csv -o {to} --to {to} --partition-by k", program().display());
        let output = Command::new("sh").args(["-c", &script]).current_dir(etl.path("")).output().unwrap();
        Outcome::of(output).ok();
        assert_eq!(etl.names(to).len(), 400);
        assert_eq!(rows(&etl.path(to)).len(), 2_000);
    }
}

#[test]
fn a_column_that_is_not_there_is_a_near_miss() {
    let etl = Etl::new();
    etl.log("a.log", 3).convert("a.log -o out --partition-by statsu").fails(2).says("did you mean `status`?");
    etl.write("a.csv", "a,b\n1,2\n").convert("a.csv -o out --partition-by dt").fails(2).says("needs a time column");
    assert!(!etl.path("out").exists());
}

#[test]
fn folders_that_readers_pass_over_are_refused() {
    let etl = Etl::new();
    etl.write("a.csv", "_id,.x,P,p\n1,2,3,4\n");
    for (column, why) in
        [("_id", "start with `_`"), (".x", "start with `.`"), ("P", "`p` is the same column"), ("p", "`P` is the same column")]
    {
        etl.convert(&format!("a.csv -o out --to csv --partition-by {column}")).fails(2).says(why);
    }
    assert!(!etl.path("out").exists());
    let output = |columns: &str| {
        format!(
            "version: 1\nlake: {{location: l}}\nsources: {{a: {{location: a.csv}}}}\noutputs: {{a: {{from: a, table: w.a, partition_by: [{columns}]}}}}\n"
        )
    };
    etl.write("p.yaml", output("_id")).run(["validate", "p.yaml"]).fails(2).says("start with `_`");
    etl.write("p.yaml", output("p, P")).run(["validate", "p.yaml"]).fails(2).says("`p` is the same column");
}

#[test]
fn a_value_that_is_too_long_for_a_folder_is_told_with_its_place() {
    let etl = Etl::new();
    let (fits, long) = ("x".repeat(253), "y".repeat(254));
    etl.write("fits.csv", format!("k,n\n{fits},1\n")).write("long.csv", format!("k,n\na,1\n{long},2\n"));
    etl.convert("fits.csv -o fits --to csv --partition-by k").ok();
    for how in ["--splits 1", "--splits 2"] {
        let outcome = etl.convert(&format!("long.csv -o out --to csv --partition-by k {how}")).fails(3);
        let outcome =
            outcome.says("--partition-by k: a value has 254 bytes").says("yyyyyy…").says("in: long.csv, in the 261 bytes from byte 4 on");
        outcome.says("with SQL");
        assert!(!etl.path("out").exists());
    }
}
