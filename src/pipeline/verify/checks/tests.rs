//! Each kind of check, on tables that pass and on tables that don't.

use super::*;
use crate::pipeline::model::{CheckEngine, OnFailure, Severity, When};
use crate::query::{QueryEngine, QueryOptions};
use std::fs;

const ROWS: &str = r#"{"id":1,"host":"a","Path \"x\"":"/","n":1.5,"day":"2020-02-29"}
{"id":2,"host":"a","Path \"x\"":"/it's","n":2.5,"day":"2020-02-29"}
{"id":3,"host":null,"Path \"x\"":"/b","n":null,"day":"2020-03-01"}
{"id":4,"host":null,"Path \"x\"":"b","n":4,"day":"2020-03-01"}
{"id":5,"host":"ü","Path \"x\"":"b","n":5,"day":"2020-03-01"}
"#;

/// Tables of the data base `public`, which is where the engine puts those without one.
fn engine(folder: &tempfile::TempDir) -> QueryEngine {
    let engine = QueryEngine::new(QueryOptions { threads: 2, ..QueryOptions::default() }).unwrap();
    for (name, rows) in [("t", ROWS.to_string()), ("few", ROWS.lines().take(2).map(|line| format!("{line}\n")).collect())] {
        let path = folder.path().join(format!("{name}.jsonl"));
        fs::write(&path, rows).unwrap();
        engine.register_path(name, &path.display().to_string()).unwrap();
    }
    engine
}

fn t() -> TableName {
    TableName { database: "public".to_string(), table: "t".to_string() }
}

async fn run(expect: Expectation) -> CheckRun {
    let folder = tempfile::tempdir().unwrap();
    let check = Check {
        name: "c".to_string(),
        place: String::new(),
        expect,
        severity: Severity::Warn,
        when: When::AfterPublish,
        engine: CheckEngine::Local,
        on_failure: OnFailure::Keep,
    };
    let mut runs = run_checks(&[check], &engine(&folder)).await;
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].severity, runs[0].when), (Severity::Warn, When::AfterPublish));
    runs.remove(0)
}

/// Whether it passed, and what was found.
async fn found(expect: Expectation) -> (bool, String) {
    let run = run(expect).await;
    (run.passed, run.found)
}

fn bounds(min: Option<f64>, max: Option<f64>) -> Bounds {
    Bounds { min, max }
}

fn words(passed: bool, found: &str) -> (bool, String) {
    (passed, found.to_string())
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| value.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted() {
    let rows = |sql: &str, min, max| Expectation::Rows { sql: sql.to_string(), bounds: bounds(min, max) };
    assert_eq!(found(rows("SELECT * FROM public.t", Some(5.0), Some(5.0))).await, words(true, "5 rows"));
    assert_eq!(found(rows("SELECT a.id, b.id FROM t a JOIN t b ON a.id = b.id; ", Some(1.0), None)).await, words(true, "5 rows"));
    assert_eq!(found(rows("SELECT id FROM t WHERE id > 4 -- the last", None, Some(1.0))).await, words(true, "1 row"));
    assert_eq!(found(rows("SELECT id FROM t", Some(6.0), None)).await, words(false, "5 rows"));
    let many = run(rows("SELECT id FROM t WHERE id > 3 ORDER BY id", None, Some(0.0))).await;
    assert_eq!((many.passed, many.expected.as_str(), many.kind.as_str()), (false, "at most 0 rows", "rows"));
    let sample = many.sample.unwrap();
    assert_eq!((sample.columns, sample.rows), (texts(&["id"]), vec![vec![Some("4".to_string())], vec![Some("5".to_string())]]));
    assert_eq!(run(rows("SELECT 1", Some(1.0), Some(1.0))).await.expected, "1 row");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_compared_as_text_or_number() {
    let value = |sql: &str, equals: &str| Expectation::Value { sql: sql.to_string(), equals: equals.to_string() };
    assert_eq!(found(value("SELECT max(id) FROM public.t", "5")).await, words(true, "`5`"));
    assert_eq!(found(value("SELECT min(n) FROM t", "1.50")).await, words(true, "`1.5`"));
    assert_eq!(found(value("SELECT min(day) FROM t", "2020-02-29")).await, words(true, "`2020-02-29`"));
    assert_eq!(found(value("SELECT '1.5'", "1.50")).await, words(false, "`1.5`"));
    assert_eq!(found(value("SELECT host FROM t WHERE id = 3", "NULL")).await, words(false, "NULL"));
    assert_eq!(found(value("SELECT id FROM t", "1")).await, words(false, "more than one row, where one value is expected"));
    assert_eq!(found(value("SELECT id FROM t WHERE id = 9", "1")).await, words(false, "no row, where one value is expected"));
    assert_eq!(found(value("SELECT 1, 2", "1")).await, words(false, "2 columns, where one value is expected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_lies_between() {
    let between = |sql: &str, min, max| Expectation::Between { sql: sql.to_string(), bounds: bounds(min, max) };
    assert_eq!(found(between("SELECT avg(n) FROM public.t", Some(3.25), Some(3.25))).await, words(true, "3.25"));
    assert_eq!(found(between("SELECT CAST(1.10 AS DECIMAL(5,2))", Some(1.1), None)).await, words(true, "1.10"));
    assert_eq!(found(between("SELECT sum(id) FROM t", None, Some(14.0))).await, words(false, "15"));
    assert_eq!(found(between("SELECT NULL", None, Some(14.0))).await, words(false, "NULL, which is no number"));
    assert_eq!(found(between("SELECT 'x'", None, Some(14.0))).await, words(false, "`x`, which is no number"));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_unique() {
    let unique = |columns: &[&str]| Expectation::Unique { table: t(), columns: texts(columns) };
    assert_eq!(found(unique(&["id"])).await, words(true, "no two rows are the same in them"));
    assert!(found(unique(&["host", "Path \"x\""])).await.0);
    let twice = run(unique(&["host"])).await;
    assert_eq!((twice.passed, twice.found.as_str()), (false, "2 values in 4 rows"));
    assert_eq!(twice.expected, "no two rows of public.t with the same host");
    let sample = twice.sample.unwrap();
    assert_eq!(sample.columns, ["host", "rows"]);
    assert_eq!(sample.rows, [vec![Some("a".to_string()), Some("2".to_string())], vec![None, Some("2".to_string())]]);
    assert_eq!(found(unique(&["Path \"x\"", "day"])).await, words(false, "1 value in 2 rows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_have_no_nulls() {
    let not_null = |columns: &[&str]| Expectation::NotNull { table: t(), columns: texts(columns) };
    assert_eq!(found(not_null(&["id", "Path \"x\""])).await, words(true, "no NULL"));
    let some = run(not_null(&["id", "host", "n"])).await;
    assert_eq!((some.passed, some.found.as_str()), (false, "2 NULL in host, 1 NULL in n"));
    let sample = some.sample.unwrap();
    assert_eq!((sample.columns.len(), sample.rows.len()), (5, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_match() {
    let matches =
        |column: &str, pattern: &str| Expectation::Matches { table: t(), column: column.to_string(), pattern: pattern.to_string() };
    assert_eq!(found(matches("host", "^[aü]$")).await, words(true, "all match"));
    assert_eq!(found(matches("id", "^[1-5]$")).await, words(true, "all match"));
    assert_eq!(found(matches("Path \"x\"", "^(/|/it's|/?b)$")).await, words(true, "all match"));
    let some = run(matches("Path \"x\"", "^/")).await;
    assert_eq!((some.passed, some.found.as_str()), (false, "2 rows that do not match"));
    assert_eq!(some.sample.unwrap().rows, [[Some("b".to_string()), Some("2".to_string())]]);
    assert_eq!(found(matches("id", "^[1-4]$")).await, words(false, "1 row that does not match"));
    assert!(!found(matches("host", "(")).await.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_queries_give_the_same_rows() {
    let equals = |sql: &str, other: &str| Expectation::EqualsQuery { sql: sql.to_string(), other: other.to_string() };
    assert!(found(equals("SELECT host, n FROM public.t ORDER BY id;", "SELECT host, n FROM t ORDER BY id DESC -- back")).await.0);
    assert!(found(equals("SELECT count(*) FROM t", "SELECT 5.0")).await.0);
    assert!(found(equals("SELECT id FROM t WHERE id > 9", "SELECT id FROM t WHERE id > 8")).await.0);
    let fewer = run(equals("SELECT host AS who FROM t", "SELECT DISTINCT host FROM t")).await;
    assert_eq!((fewer.passed, fewer.found.as_str()), (false, "2 rows only in the first, 0 rows only in the other"));
    let sample = fewer.sample.unwrap();
    assert_eq!(sample.columns, ["only in", "rows", "who"]);
    assert_eq!(sample.rows[0], [Some("first".to_string()), Some("1".to_string()), Some("a".to_string())]);
    let others = run(equals("SELECT id FROM few", "SELECT id + 1 FROM few")).await;
    assert_eq!(others.found, "1 row only in the first, 1 row only in the other");
    assert_eq!(found(equals("SELECT 1, 2", "SELECT 1")).await, words(false, "2 columns of the first, 1 of the other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_fails_is_a_check_that_fails() {
    let lost = run(Expectation::Rows { sql: "SELECT * FROM public.tt".to_string(), bounds: bounds(Some(1.0), None) }).await;
    assert!(!lost.passed && lost.found.contains("no table"), "{}", lost.found);
    let lost = run(Expectation::NotNull { table: t(), columns: texts(&["hosts"]) }).await;
    assert!(!lost.passed && lost.found.contains("did you mean `host`?"), "{}", lost.found);
    let lost = run(Expectation::EqualsQuery { sql: "SELECT 1".to_string(), other: "SELECT 1/0 FROM t".to_string() }).await;
    assert!(!lost.passed, "{}", lost.found);
    let lost = run(Expectation::Value { sql: "DROP TABLE t".to_string(), equals: String::new() }).await;
    assert!(!lost.passed, "{}", lost.found);
}
