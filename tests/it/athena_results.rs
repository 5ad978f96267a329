//! What Athena gives, as rows: pages, types, NULLs, and what is none of its type.

use crate::athena_stub::{AthenaStub, execution, ok, page};
use crate::etl::{Etl, Outcome};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use std::fs;
use std::thread;
use std::time::Duration;

const COLUMNS: &[(&str, &str, i32, i32)] = &[
    ("yes", "boolean", 0, 0),
    ("tiny", "tinyint", 3, 0),
    ("small", "smallint", 5, 0),
    ("whole", "integer", 10, 0),
    ("big", "bigint", 19, 0),
    ("single", "float", 17, 0),
    ("double", "double", 17, 0),
    ("exact", "decimal", 38, 2),
    ("text", "varchar", i32::MAX, 0),
    ("fixed", "char", 5, 0),
    ("day", "date", 0, 0),
    ("at", "timestamp", 3, 0),
    ("zoned", "timestamp with time zone", 3, 0),
    ("bytes", "varbinary", 1_073_741_824, 0),
    ("list", "array", 0, 0),
    ("pairs", "map", 0, 0),
    ("fields", "row", 0, 0),
];

fn head() -> Value {
    COLUMNS.iter().map(|(name, ..)| *name).collect()
}

fn full() -> Value {
    json!([
        "true",
        "-128",
        "32767",
        "-2147483648",
        "9223372036854775807",
        "0.1",
        "1.0E10",
        "-123456789012345678901234567890123456.78",
        "a,\"b\"\né",
        "ab   ",
        "1969-12-31",
        "1969-12-31 23:59:59.999",
        "2020-02-29 12:00:00.000 Europe/Berlin",
        "e4 bd a0",
        "[1, null, 3]",
        "{a=1, b=2}",
        "{x=1, y=null}"
    ])
}

fn nulls() -> Value {
    COLUMNS.iter().map(|_| Value::Null).collect()
}

fn ask(etl: &Etl, format: &str) -> Outcome {
    etl.run(["query", "--engine", "athena", "--format", format, "SELECT 1"])
}

#[test]
fn all_types_are_what_they_are() {
    let stub = AthenaStub::giving(page(COLUMNS, &[head(), full(), nulls()], None));
    let etl = stub.etl();
    let json = ask(&etl, "json").ok();
    let rows: Vec<Value> = String::from_utf8(json.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    let row = &rows[0];
    assert_eq!((&row["yes"], &row["tiny"], &row["small"]), (&json!(true), &json!(-128), &json!(32767)));
    assert_eq!((&row["whole"], &row["big"]), (&json!(i32::MIN), &json!(i64::MAX)));
    assert_eq!((&row["single"], &row["double"]), (&json!(0.1), &json!(1e10)));
    assert_eq!((&row["text"], &row["fixed"]), (&json!("a,\"b\"\né"), &json!("ab   ")));
    assert_eq!((&row["day"], &row["at"]), (&json!("1969-12-31"), &json!("1969-12-31 23:59:59.999")));
    assert_eq!(row["zoned"], "2020-02-29 12:00:00.000 Europe/Berlin");
    assert_eq!((&row["list"], &row["pairs"], &row["fields"]), (&json!("[1, null, 3]"), &json!("{a=1, b=2}"), &json!("{x=1, y=null}")));
    let csv = String::from_utf8(ask(&etl, "csv").ok().stdout).unwrap();
    assert!(csv.contains("-123456789012345678901234567890123456.78"), "{csv}");
    let parquet = ask(&etl, "parquet").ok();
    fs::write(etl.path("r.parquet"), &parquet.stdout).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(etl.path("r.parquet")).unwrap()).unwrap();
    let types: Vec<String> = reader.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    let expected =
        "Boolean Int8 Int16 Int32 Int64 Float32 Float64 Decimal128(38, 2) Utf8 Utf8 Date32 Timestamp(ms) Utf8 Binary Utf8 Utf8 Utf8";
    assert_eq!(types.join(" "), expected);
    let batch = reader.build().unwrap().next().unwrap().unwrap();
    assert!(batch.columns().iter().all(|column| column.is_valid(0) && column.is_null(1)));
    ask(&etl, "table").ok().says("2 rows");
}

#[test]
fn pages_follow_each_other_and_only_the_first_has_a_head() {
    let columns = &[("n", "integer", 10, 0)];
    let stub = AthenaStub::giving(page(columns, &[json!(["n"]), json!(["1"]), json!(["2"])], Some("second")));
    // A page may be empty, and others follow it.
    let second = page(columns, &[], Some("third"));
    let third = page(columns, &[json!(["3"]), json!([null])], None);
    stub.says("GetQueryResults", [page(columns, &[json!(["n"]), json!(["1"]), json!(["2"])], Some("second")), second, third].map(ok));
    let outcome = ask(&stub.etl(), "csv").ok();
    assert_eq!(String::from_utf8(outcome.stdout).unwrap(), "n\n1\n2\n3\n\"\"\n");
    let tokens: Vec<Value> = stub.calls("GetQueryResults").iter().map(|call| call["NextToken"].clone()).collect();
    assert_eq!(tokens, [Value::Null, json!("second"), json!("third")]);
}

#[test]
fn a_value_that_is_none_is_an_error_that_names_its_place() {
    let columns = &[("n", "integer", 10, 0), ("day", "date", 0, 0)];
    let stub = AthenaStub::giving(Value::Null);
    let first = page(columns, &[json!(["n", "day"]), json!(["1", "2020-02-29"]), json!([null, null])], Some("second"));
    let second = page(columns, &[json!(["2", "2020-03-01"]), json!(["3", "2020-02-30"])], None);
    stub.says("GetQueryResults", [ok(first), ok(second)]);
    let outcome = ask(&stub.etl(), "csv").fails(6).says("error: column `day`, row 4: `2020-02-30` is not a date, as Athena says it is");
    // It is paid for all the same.
    outcome.says("what to do: ask for it as text: CAST(day AS varchar)").says("scanned 12.3 MB");
    let stub = AthenaStub::giving(page(columns, &[json!(["n", "day"]), json!(["1", "2020-02-29", "3"])], None));
    ask(&stub.etl(), "csv").fails(6).says("row 1 of Athena's answer has 3 values, where there are 2 columns");
}

#[test]
fn what_describes_has_no_head_and_what_changes_has_no_rows() {
    let names = &[("tab_name", "string", 0, 0)];
    // A table of the name of the column.
    let stub = AthenaStub::giving(page(names, &[json!(["tab_name"]), json!(["access"])], None));
    let mut show = execution("SUCCEEDED");
    show["QueryExecution"]["StatementType"] = "UTILITY".into();
    show["QueryExecution"]["SubstatementType"] = "SHOW_TABLES".into();
    show["QueryExecution"]["Statistics"]["DataScannedInBytes"] = 0.into();
    stub.says("GetQueryExecution", [ok(show.clone())]);
    let outcome = ask(&stub.etl(), "csv").ok().says("scanned 0 B in 1.4 s (queued 0.1 s), free; query id q-1");
    assert_eq!(outcome.stdout, b"tab_name\ntab_name\naccess\n");
    let columns = &[("col_name", "string", 0, 0), ("data_type", "string", 0, 0), ("comment", "string", 0, 0)];
    stub.says("GetQueryResults", [ok(page(columns, &[json!(["id                  \tint                 \t                    "])], None))]);
    let outcome = ask(&stub.etl(), "json").ok();
    let row: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(row["data_type"], "int                 ");
    let mut insert = execution("SUCCEEDED");
    insert["QueryExecution"]["SubstatementType"] = "INSERT".into();
    stub.says("GetQueryExecution", [ok(insert)]);
    stub.says("GetQueryResults", [ok(json!({"UpdateCount": 12_345, "ResultSet": {"Rows": [], "ResultSetMetadata": {"ColumnInfo": []}}}))]);
    for format in ["csv", "json", "parquet", "table"] {
        let outcome = ask(&stub.etl(), format).ok().says("12,345 rows written");
        assert!(outcome.stdout.is_empty(), "{format}");
    }
}

#[test]
fn a_plan_is_asked_for_and_shown() {
    let mut explained = execution("SUCCEEDED");
    explained["QueryExecution"]["StatementType"] = "UTILITY".into();
    explained["QueryExecution"]["SubstatementType"] = "EXPLAIN".into();
    let plan = &[("Query Plan", "varchar", 0, 0)];
    let stub = AthenaStub::giving(page(plan, &[json!(["Query Plan"]), json!(["Fragment 0 [SINGLE]"])], None));
    stub.says("GetQueryExecution", [ok(explained)]);
    let outcome = stub.etl().run(["query", "--engine", "athena", "--explain", "--format", "csv", "SELECT 1"]).ok();
    assert_eq!(outcome.stdout, b"Query Plan\nFragment 0 [SINGLE]\n");
    assert_eq!(stub.calls("StartQueryExecution")[0]["QueryString"], "EXPLAIN SELECT 1");
}

#[test]
fn columns_of_one_name_are_told_apart() {
    let columns = &[("a", "integer", 10, 0), ("a", "integer", 10, 0)];
    let stub = AthenaStub::giving(page(columns, &[json!(["a", "a"]), json!(["1", "2"])], None));
    assert_eq!(ask(&stub.etl(), "csv").ok().stdout, b"a,a_2\n1,2\n");
}

/// The most memory that a process has had, in KiB.
fn peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// Asks for `pages` full pages; gives how many rows came, and the most memory that it took, in KiB.
fn long(pages: usize) -> (usize, u64) {
    let columns = &[("n", "bigint", 19, 0), ("text", "varchar", 0, 0)];
    let text = "x".repeat(1_000);
    let rows: Vec<Value> = (0..1_000).map(|n| json!([n.to_string(), text])).collect();
    let stub = AthenaStub::giving(Value::Null);
    let answer = |number: usize| {
        let token = (number + 1 < pages).then(|| format!("page-{number}"));
        ok(page(columns, &rows, token.as_deref()))
    };
    stub.says("GetQueryResults", (0..pages).map(answer));
    let etl = stub.etl();
    let mut command = etl.command(["query", "--engine", "athena", "--format", "csv", "SELECT 1"]);
    let mut child = command.stdout(fs::File::create(etl.path("out.csv")).unwrap()).spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(child.id()));
        thread::sleep(Duration::from_millis(2));
    }
    Outcome::of(child.wait_with_output().unwrap()).ok();
    (String::from_utf8(etl.read("out.csv")).unwrap().lines().count() - 1, most)
}

#[test]
fn a_result_of_any_size_is_not_held() {
    // After some pages the allocator has what it needs.
    let (few, small) = long(20);
    let (many, large) = long(100);
    assert_eq!((few, many), (20_000, 100_000));
    // All of it would be some 77 MiB more, and several times that as Athena sends it.
    assert!(large < small + (32 << 10), "{} MiB for 100 pages, {} MiB for 20", large >> 10, small >> 10);
}
