//! TSV as Hive's LazySimpleSerDe has it: what is written comes back, from a reader of its own and from the program's.

use super::etl::{Etl, generated, gzip};
use super::lake::{Lake, action, on_both_lakes};
use super::rows::{Row, file_rows, files, rows, tsv_records};
use arrow::array::{ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMillisecondArray};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use std::sync::Arc;

/// What becomes of line ends in a text.
fn on_one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r")
}

fn figures(report: &Value) -> [u64; 4] {
    ["lines", "rows", "rejects", "blank"].map(|key| report[key].as_u64().unwrap())
}

/// Line and reason of what a file of rejects has.
fn rejects(etl: &Etl, file: &str) -> Vec<(u64, String)> {
    let text = String::from_utf8(etl.read(file)).unwrap();
    let parsed = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    parsed.map(|reject| (reject["line"].as_u64().unwrap(), reject["reason"].as_str().unwrap().to_string())).collect()
}

const NO_ESCAPE: &str = "a backslash before a letter or digit that TSV has no escape of";
const LINE_END: &str = "a backslash at the end of the line";

#[test]
fn a_log_is_what_it_is_in_other_formats() {
    let etl = Etl::new();
    let hard = b"h - - [29/Feb/2020:00:00:02 +0000] \"GET /a\\tb HTTP/1.1\" 200 5 \"\" \"say \\\"hi\\\", \\\\N and \\x41 \\n \\\\ \xff\"\n";
    let null = b"h - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"\\\\N\"\n";
    etl.write("a.log", [&hard[..], null, &generated(1_500)].concat());
    for (unescape, said) in [("", false), ("--unescape", true)] {
        etl.convert(&format!("a.log -o json --to json --overwrite --log-format combined {unescape}")).ok();
        let mut expected = rows(&etl.path("json"));
        expected.iter_mut().flat_map(Row::values_mut).flatten().for_each(|text| *text = on_one_line(text));
        for (codec, splits) in [("none", 1), ("gzip", 7)] {
            let how = format!("-o out --to tsv --compression {codec} --splits {splits} --overwrite");
            let outcome = etl.convert(&format!("a.log {how} --log-format combined {unescape}")).ok();
            assert_eq!(outcome.stderr.contains("column `user_agent`: 1 text has line ends, which became"), said, "{}", outcome.stderr);
            let names = files(&etl.path("out"));
            assert_eq!(names.len(), splits);
            let ending = if codec == "gzip" { ".tsv.gz" } else { ".tsv" };
            assert!(names.iter().all(|name| name.to_string_lossy().ends_with(ending)), "{names:?}");
            assert!(rows(&etl.path("out")) == expected, "{codec} {unescape}");
            let report = etl.report("out -o back --from tsv --to json --overwrite");
            assert_eq!(figures(&report), [1_502, 1_502, 0, 0]);
            assert!(rows(&etl.path("back")) == expected, "{codec} {unescape}");
        }
        assert_eq!(expected[1]["user_agent"].as_deref(), Some(if said { "\\N" } else { "\\\\N" }));
        assert_eq!((expected[0]["referer"].as_deref(), expected[1]["referer"].as_deref()), (Some(""), None));
    }
}

const PIECES: [&str; 15] = ["\\", "\\N", "N", "\t", "\n", "\r", "n", "t", "a", "\"", "\0", "\u{feff}", "ü", " ", "0"];

const SCHEMA: &str = "
name: t
columns:
  - {name: a, type: string}
  - {name: n, type: bigint}
  - {name: d, type: double}
  - {name: f, type: boolean}
  - {name: at, type: timestamp}
  - {name: b, type: binary}
  - {name: z, type: string}
";

fn text() -> impl Strategy<Value = Option<String>> {
    option::of(vec(select(&PIECES[..]), 0..6).prop_map(|pieces| pieces.concat()))
}

type Cells = (Option<String>, Option<i64>, Option<f64>, Option<bool>, Option<i64>, Option<Vec<u8>>, Option<String>);

fn cells() -> impl Strategy<Value = Cells> {
    let double = prop_oneof![any::<f64>(), select(vec![f64::INFINITY, f64::NEG_INFINITY, 0.1, -0.0, 1e300, 5e-324])];
    let time = -62_135_596_800_000i64..253_402_300_800_000;
    (
        text(),
        option::of(any::<i64>()),
        option::of(double),
        option::of(any::<bool>()),
        option::of(time),
        option::of(vec(any::<u8>(), 0..9)),
        text(),
    )
}

/// The columns of `table`, with the texts that `of` makes.
fn columns(table: &[Cells], of: impl Fn(&str) -> String) -> Vec<(&'static str, ArrayRef)> {
    let texts = |text: fn(&Cells) -> &Option<String>| StringArray::from_iter(table.iter().map(|row| text(row).as_deref().map(&of)));
    let times = TimestampMillisecondArray::from_iter(table.iter().map(|row| row.4)).with_timezone("UTC");
    let bytes: Vec<Option<&[u8]>> = table.iter().map(|row| row.5.as_deref()).collect();
    vec![
        ("a", Arc::new(texts(|row| &row.0))),
        ("n", Arc::new(Int64Array::from_iter(table.iter().map(|row| row.1)))),
        ("d", Arc::new(Float64Array::from_iter(table.iter().map(|row| row.2)))),
        ("f", Arc::new(BooleanArray::from_iter(table.iter().map(|row| row.3)))),
        ("at", Arc::new(times)),
        ("b", Arc::new(BinaryArray::from(bytes))),
        ("z", Arc::new(texts(|row| &row.6))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_comes_back(table in vec(cells(), 1..30), gzip: bool) {
        let etl = Etl::new();
        etl.write("schema.yaml", SCHEMA);
        etl.parquet("a.parquet", columns(&table, str::to_string));
        etl.parquet("expected.parquet", columns(&table, on_one_line));
        let codec = if gzip { "gzip" } else { "none" };
        let with_line_ends = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(['\n', '\r']));
        let outcome = etl.convert(&format!("a.parquet -o tsv --to tsv --splits 2 --compression {codec}")).ok();
        let changed = table.iter().filter(|row| with_line_ends(&row.0)).count();
        let note = format!("column `a`: {changed} text");
        prop_assert_eq!(outcome.stderr.contains(&note), changed > 0, "{}", outcome.stderr);
        etl.convert("tsv -o back --from tsv --to parquet --schema schema.yaml").ok();
        let expected = file_rows(&etl.path("expected.parquet"));
        prop_assert_eq!(&rows(&etl.path("back")), &expected);
        // The reader that knows no types sees the same texts.
        let read = rows(&etl.path("tsv"));
        for (read, expected) in read.iter().zip(&expected) {
            for column in ["a", "n", "f", "at", "z"] {
                prop_assert_eq!(&read[column], &expected[column], "{}", column);
            }
            let double = |row: &Row| row["d"].as_deref().map(|text| text.replace("inf", "Infinity").parse::<f64>().unwrap().to_bits());
            prop_assert_eq!(double(read), double(expected));
        }
    }
}

#[test]
fn a_column_alone_keeps_its_nulls_and_its_empty_texts() {
    let etl = Etl::new();
    etl.write("a.json", "{\"t\":null}\n{\"t\":\"\"}\n{\"t\":\"\\\\N\"}\n{\"t\":\"x\"}\n{\"t\":\"\"}\n");
    etl.convert("a.json -o tsv --to tsv").ok();
    assert_eq!(etl.read("tsv/part-00000.tsv"), b"t\n\\N\n\n\\\\N\nx\n\n");
    let report = etl.report("tsv -o back --from tsv --to json");
    assert_eq!(figures(&report), [5, 5, 0, 0]);
    assert_eq!(rows(&etl.path("back")), rows(&etl.path("tsv")));
    let sql = "SELECT count(*) AS n, count(t) AS texts, count(*) FILTER (WHERE t = '') AS empty FROM 'tsv'";
    let outcome = etl.run(["query", "--from", "tsv", "--format", "csv", sql]).ok();
    assert_eq!(outcome.stdout, b"n,texts,empty\n5,4,2\n");
}

#[test]
fn a_query_writes_it_and_reads_it() {
    let etl = Etl::new();
    let sql = "SELECT 1 AS n, CAST(NULL AS varchar) AS t, '' AS e, 'a\tb\\' AS x, X'00ff' AS b, TIMESTAMP '2020-02-29 00:00:02.5' AS at, \
               CAST('infinity' AS double) AS d";
    let outcome = etl.run(["query", "--format", "tsv", sql]).ok();
    let text = String::from_utf8(outcome.stdout).unwrap();
    let records = tsv_records(&text);
    let found: Vec<_> = records[1].iter().map(|field| field.as_deref()).collect();
    let time = found[5].unwrap();
    assert!(time.starts_with("2020-02-29 00:00:02.500"), "{time}");
    assert_eq!(found[..5], [Some("1"), None, Some(""), Some("a\tb\\"), Some("AP8=")]);
    assert_eq!(found[6], Some("Infinity"));
    etl.write("q.tsv", &text);
    let back = etl.run(["query", "--from", "tsv", "--format", "tsv", "SELECT n, t, e, x, b, d FROM 'q.tsv'"]).ok();
    let without_time = |record: &[Option<String>]| [&record[..5], &record[6..]].concat();
    let back = tsv_records(&String::from_utf8(back.stdout).unwrap());
    assert_eq!(back, records.iter().map(|record| without_time(record)).collect::<Vec<_>>());
}

#[test]
fn files_of_others_are_read_or_rejected_with_a_reason() {
    let etl = Etl::new();
    // A path that nobody escaped is what its escapes say, where there are such.
    let text = "id\tt\tx\n1\ta\\nb\\tc\\rd\t1.5\n2\t\\N\t\\N\n3\ta\\\tb\\\\\\\"\t2\r\n\n4\tC:\\new\\temp\t3\n5\ta\\qb\t3\n6\tx\\N\t3\n\
                7\tb\\\n8\tshort\n9\t\"a\tb\"\t4\n10\t\"quoted\"\t5\nx\t\t6\n11\tlast\\";
    etl.write("a.tsv", text).write("a.tsv.gz", gzip(text.as_bytes()));
    etl.write("t.yaml", "name: t\ncolumns:\n  - {name: id, type: int}\n  - {name: t, type: string}\n  - {name: x, type: double}\n");
    for input in ["a.tsv", "a.tsv.gz", "a.tsv --threads 1"] {
        let report = etl.report(&format!("{input} -o out --from tsv --to json --schema t.yaml --overwrite --rejects bad"));
        assert_eq!(figures(&report), [13, 5, 7, 1], "{report}");
        let expected = [
            (7, NO_ESCAPE),
            (8, NO_ESCAPE),
            (9, LINE_END),
            (10, "2 fields where the header has 3"),
            (11, "4 fields where the header has 3"),
            (13, "column id is not of type int"),
            (14, LINE_END),
        ];
        assert_eq!(rejects(&etl, "bad"), expected.map(|(line, reason)| (line, reason.to_string())));
        let texts: Vec<_> = rows(&etl.path("out")).into_iter().map(|mut row| row.remove("t").flatten()).collect();
        let expected = [Some("a\nb\tc\rd"), None, Some("a\tb\\\""), Some("C:\new\temp"), Some("\"quoted\"")];
        assert_eq!(texts, expected.map(|text| text.map(str::to_string)));
    }
}

#[test]
fn an_empty_field_is_a_text_and_no_value_of_another_type() {
    let etl = Etl::new();
    etl.write("a.tsv", "n\tt\n1\t\n\tx\n\\N\ty\n");
    etl.write("t.yaml", "name: t\ncolumns:\n  - {name: n, type: int}\n  - {name: t, type: string}\n");
    let report = etl.report("a.tsv -o reject --from tsv --to json --schema t.yaml --rejects bad");
    assert_eq!((figures(&report), rejects(&etl, "bad")), ([3, 2, 1, 0], vec![(3, "column n is not of type int".to_string())]));
    let values = |folder: &str, column: &str| -> Vec<Option<String>> {
        rows(&etl.path(folder)).into_iter().map(|mut row| row.remove(column).flatten()).collect()
    };
    let some = |text: &str| Some(text.to_string());
    assert_eq!((values("reject", "n"), values("reject", "t")), (vec![some("1"), None], vec![some(""), some("y")]));
    etl.convert("a.tsv -o null --from tsv --to json --schema t.yaml --on-mismatch null").ok().says("column n: 1 value is not of its type");
    assert_eq!(values("null", "n"), [some("1"), None, None]);
    etl.convert("a.tsv -o text --from tsv --to json --schema t.yaml --on-mismatch text").ok();
    assert_eq!(values("text", "n"), [some("1"), some(""), None]);
    // A guess loses nothing.
    etl.convert("a.tsv -o guess --from tsv --to json").ok();
    assert_eq!(values("guess", "n"), [some("1"), some(""), None]);
}

#[test]
fn names_do_not_say_that_quotes_mean_nothing() {
    let etl = Etl::new();
    etl.write("a.tsv", "n\tt\n1\t\"a\tb\"\n2\tC:\\x\n3\t\n").write("b.tsv", "n\tt\n1\t\\N\n2\ta\\\\b\n");
    let outcome = etl.convert("a.tsv -o csv --to json").ok();
    assert!(!outcome.stderr.contains("--from tsv"), "{}", outcome.stderr);
    let texts: Vec<_> = rows(&etl.path("csv")).into_iter().map(|mut row| row.remove("t").flatten()).collect();
    assert_eq!(texts, [Some("a\tb".to_string()), Some("C:\\x".to_string()), None]);
    etl.convert("b.tsv -o other --to json").ok().says("b.tsv has fields of `\\N`, which is text in CSV; --from tsv");
    assert_eq!(rows(&etl.path("other"))[0]["t"].as_deref(), Some("\\N"));
    for arguments in ["--delimiter ;", "--from-dialect athena"] {
        etl.convert(&format!("a.tsv -o x --from tsv {arguments}")).fails(2).says("are for CSV").says("--from csv");
    }
    etl.convert("a.tsv -o x --to tsv --dialect athena").fails(2).says("--dialect is for CSV");
    etl.convert("a.tsv -o x --to tsv --compression zstd").fails(2).says("tsv can't be compressed with zstd");
    etl.write("a.json", "{\"a\":[1]}\n");
    etl.convert("a.json -o x --to tsv").fails(2).says("which TSV can't hold");
    etl.write("c.tsv", "n\t\\N\n1\t2\n").write("d.tsv", "a\\x\tb\n1\t2\n").write("e.tsv", "1\ta\n2\t\n");
    etl.convert("c.tsv -o x --from tsv").fails(2).says("column 2 of the header has no name");
    etl.convert("d.tsv -o x --from tsv").fails(2).says("the header has a backslash before a letter");
    assert_eq!(etl.report("e.tsv -o headless --from tsv --no-header --to csv")["rows"], 2);
    let inspected = etl.run(["inspect", "--json", "--from", "tsv", "b.tsv"]).ok();
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!((&inspected["format"], &inspected["columns"][1]["nulls"]), (&Value::from("tsv"), &Value::from(1)));
}

#[test]
fn files_are_added_to_others_and_lie_in_partitions() {
    let etl = Etl::new();
    etl.write("a.json", "{\"p\":\"x\\ty\",\"t\":\"a\\\\b\"}\n{\"p\":\"z\",\"t\":null}\n").write("b.json", "{\"p\":\"z\",\"t\":\"\"}\n");
    etl.convert("a.json -o out --to tsv --partition-by p").ok();
    etl.convert("b.json -o out --to tsv --partition-by p --append").ok();
    assert_eq!(etl.read("out/p=z/part-00001.tsv"), b"t\n\n");
    etl.convert("a.json -o out --to tsv --append").fails(4).says("partitioned by p");
    etl.convert("a.json -o out --to csv --partition-by p --append").fails(4).says("files ending in .csv can't be added to them");
    let sql = "SELECT p, t FROM 'out' ORDER BY p, t NULLS FIRST";
    let outcome = etl.run(["query", "--from", "tsv", "--format", "tsv", sql]).ok();
    assert_eq!(outcome.stdout, b"p\tt\nx\\\ty\ta\\\\b\nz\t\\N\nz\t\n");
    etl.convert("out -o whole --from tsv --to tsv").ok();
    etl.convert("b.json -o whole --to tsv --overwrite").ok();
    assert_eq!(etl.names("whole"), ["part-00000.tsv"]);
}

on_both_lakes! {
    a_table_of_it_is_what_a_table_of_parquet_is,
    sources_of_it_are_read_by_its_rules,
}

const TWINS: &str = "
version: 1
name: twins
lake: {location: lake}
sources:
  raw: {location: in/*.json, schema: t.yaml}
outputs:
  tsv: {from: raw, table: t.tsv, format: tsv, compression: gzip, splits: 2, mode: overwrite}
  added: {from: raw, table: t.added, format: {tsv: {}}, mode: append}
  replaced: {from: raw, table: t.replaced, format: tsv, partition_by: [p], mode: replace_partitions}
  parquet: {from: raw, table: t.parquet, format: parquet}
";

fn a_table_of_it_is_what_a_table_of_parquet_is(lake: &Lake) {
    let types = "name: t\ncolumns:\n  - {name: p, type: string}\n  - {name: t, type: string}\n  - {name: n, type: bigint}\n  \
                 - {name: at, type: timestamp}\n  - {name: b, type: binary}\n";
    lake.pipeline("twins.yaml", TWINS).write("t.yaml", types);
    let row = |p: &str, t: Option<&str>, n: Option<i64>| {
        let at = n.map(|n| format!("19{:02}-02-28 00:00:02.5", n.rem_euclid(100)));
        serde_json::json!({ "p": p, "t": t, "n": n, "at": at, "b": n.map(|_| "00fF7e") }).to_string() + "\n"
    };
    let hostile = ["", "\\N", "\\", "a\tb", "\"a\"", "\\\\N", "\u{0}x", "\u{feff}", "ü,;|\u{1}\u{2}", "n\\n", "  "];
    let first: String = hostile.iter().enumerate().map(|(n, text)| row(["x", "y z"][n % 2], Some(text), Some(n as i64 - 3))).collect();
    lake.write("in/1.json", first + &row("x", None, None));
    let report = lake.run_pipeline("twins.yaml", 0);
    let written = report["outputs"].as_array().unwrap().iter().find(|output| output["name"] == "tsv").unwrap().clone();
    assert_eq!((&written["format"], &written["files"]), (&Value::from("tsv"), &Value::from(2)));
    lake.write("in/2.json", row("y z", Some("late\\"), Some(i64::MAX)) + &row("w", Some("new"), Some(i64::MIN)));
    let report = lake.run_pipeline("twins.yaml", 0);
    assert_eq!((action(&report, "added"), action(&report, "replaced")), ("appended", "updated"));
    let all = |table: &str| {
        let sql = format!("SELECT p, t, n, at, b FROM t.{table} ORDER BY n, t");
        String::from_utf8(lake.run(["query", "--lake", &lake.location, "--format", "json", &sql]).ok().stdout).unwrap()
    };
    let expected = all("parquet");
    assert_eq!(expected.lines().count(), hostile.len() + 3);
    for table in ["tsv", "added", "replaced"] {
        assert_eq!(all(table), expected, "{table}");
        let shown = lake.json(&format!("catalog show t.{table} --lake {}", lake.location));
        assert_eq!(shown["storage"]["serde"]["library"], "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe");
        assert_eq!(shown["storage"]["serde"]["parameters"]["serialization.null.format"], "\\N");
        assert_eq!((&shown["parameters"]["classification"], &shown["parameters"]["skip.header.line.count"]), (&"csv".into(), &"1".into()));
    }
    assert_eq!(action(&lake.run_pipeline("twins.yaml", 0), "tsv"), "unchanged");
    lake.etl(&format!("catalog list --lake {}", lake.location)).ok();
    lake.etl(&format!("catalog repair --lake {}", lake.location)).ok();
}

fn sources_of_it_are_read_by_its_rules(lake: &Lake) {
    let pipeline = "
version: 1
name: read
lake: {location: lake}
sources:
  raw: {location: 'in/*.tsv', format: tsv}
outputs:
  read: {from: raw, table: t.read, mode: append}
";
    lake.pipeline("read.yaml", pipeline).write("in/a.tsv", "n\tt\n1\t\\N\n2\t\\\\N\n3\ta\\qb\n");
    let report = lake.run_pipeline("read.yaml", 0);
    assert_eq!((&report["sources"][0]["format"], &report["sources"][0]["rejects"]), (&Value::from("tsv"), &Value::from(1)));
    lake.write("in/b.tsv", "n\tt\n4\t\n");
    assert_eq!(action(&lake.run_pipeline("read.yaml", 0), "read"), "appended");
    let texts = "SELECT string_agg(n || ':' || coalesce('<' || t || '>', 'null'), ' ' ORDER BY n) FROM t.read";
    assert_eq!(lake.value(texts), "1:null 2:<\\N> 4:<>");
    assert_eq!(action(&lake.run_pipeline("read.yaml", 0), "read"), "unchanged");
    // The same files by the rules of CSV are other rows.
    lake.pipeline("read.yaml", pipeline.replace("format: tsv", "format: csv"));
    lake.run_pipeline("read.yaml", 0);
    assert_eq!(lake.value(texts), "1:<\\N> 2:<\\\\N> 3:<a\\qb> 4:null");
    lake.pipeline("read.yaml", pipeline.replace("format: tsv", "format: tsv, delimiter: ';'"));
    lake.etl("validate read.yaml").fails(2).says("`delimiter` is not for sources of this format");
}
