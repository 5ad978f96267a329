//! What Athena does for a pipeline: checks of what is published, and rows that it makes. Trino stands in for it, behind an endpoint that speaks
//! Athena's language.

use crate::etl::Outcome;
use crate::glue_lake::GlueLake;
use serde_json::{Value, json};

fn said(outcome: Outcome) -> String {
    String::from_utf8(outcome.stdout).unwrap()
}

fn parsed(outcome: Outcome) -> Value {
    serde_json::from_slice(&outcome.stdout).unwrap()
}

const NUMBERS: &str = "
version: 1
name: numbers
lake: {location: lake}
vars: {most: '5000'}
sources:
  numbers: {location: 'in/*.csv', format: csv}
outputs:
  plain: {from: numbers, table: n.plain, mode: append}
  text: {from: numbers, table: n.text, format: csv}
verify:
  - {name: few, rows: {table: n.plain, max: '${most}'}, engine: athena, on_failure: rollback}
  - {name: sums, value: {sql: 'SELECT sum(v) FROM n.plain WHERE k < 10', equals: '4.5'}, engine: both}
  - {name: groups, rows: {sql: 'SELECT k % 3 AS g, count(*) AS n, avg(v) AS a, max(v) AS m FROM n.plain GROUP BY 1', equals: 3}, engine: both}
  - {name: keys, unique: {table: n.plain, columns: [k]}, engine: both}
  - {name: all, equals_query: {sql: 'SELECT count(*) FROM n.plain', other: 'SELECT count(*) FROM n.text'}, engine: both}
";

fn numbers(from: usize, to: usize) -> String {
    let rows: String = (from..to).map(|k| format!("{k},{}.{}\n", k / 10, k % 10)).collect();
    format!("k,v\n{rows}")
}

fn checks(report: &Value) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["kind"] != "accounting");
    checks.map(|check| (text(&check["name"]), text(&check["engine"]), check["passed"].as_bool().unwrap())).collect()
}

#[test]
fn checks_in_athena_take_a_run_back() {
    let Some(lake) = GlueLake::with_athena() else { return };
    lake.pipeline("numbers.yaml", NUMBERS);
    lake.write("in/a.csv", numbers(0, 1000));
    let report = parsed(lake.etl("run numbers.yaml --json").ok());
    let asked = checks(&report);
    assert!(asked.iter().all(|(.., passed)| *passed), "{report}");
    let by = |engine: &str| asked.iter().filter(|(_, by, _)| by == engine).count();
    // Those of both engines are made here before readers see anything, and there behind that.
    assert_eq!((by("athena"), by("both"), by("")), (1, 4, 4), "{asked:?}");

    lake.write("in/b.csv", numbers(1000, 2000));
    let outcome = lake.etl("run numbers.yaml --var most=1500 --json");
    let report = parsed(outcome.fails(7));
    assert_eq!(report["status"], "taken_back", "{report}");
    let database = lake.database("n");
    for table in ["plain", "text"] {
        assert_eq!(lake.trino.number(&format!("SELECT count(*) FROM {database}.{table}")), 1000);
        assert_eq!(lake.value(&format!("SELECT count(*) FROM n.{table}")), "1000");
    }
    // What was taken back is new to the next run.
    lake.etl("run numbers.yaml").ok();
    assert_eq!(lake.trino.number(&format!("SELECT count(*) FROM {database}.plain")), 2000);
}

#[test]
fn what_two_engines_answer_is_compared() {
    let Some(lake) = GlueLake::with_athena() else { return };
    // Where no character is: the one engine counts what is before the text, the other gives nothing.
    let text = NUMBERS.split("verify:").next().unwrap().to_string()
        + "verify:\n  - {name: cut, rows: {sql: \"SELECT substr('abc', 0, 2) AS cut FROM n.plain\", min: 1}, engine: both}\n";
    lake.pipeline("numbers.yaml", &text);
    lake.write("in/a.csv", numbers(0, 10));
    let report = parsed(lake.etl("run numbers.yaml --json").fails(7));
    let failed = report["checks"].as_array().unwrap().iter().find(|check| check["engine"] == "both").unwrap();
    assert_eq!(failed["passed"], false);
    assert!(failed["found"].as_str().unwrap().contains("10 rows only here, 10 rows only there"), "{failed}");
    assert_eq!(report["status"], "published_checks_failed");
}

const MADE: &str = "
version: 1
name: made
lake: {location: lake}
sources: {}
transforms:
  split:
    engine: athena
    sql: |
      SELECT k, v, 'it''s ' || cast(k AS varchar) AS text, nullif(k % 150, 0) AS p,
             timestamp '1969-12-31 23:59:59.999' AS at, cast(v AS decimal(20,3)) AS d
      FROM PREFIXn.plain -- all
  counted: {engine: athena, sql: 'SELECT count(*) AS n, sum(v) AS s FROM PREFIXn.plain'}
outputs:
  split: {from: split, table: m.split, partition_by: [p], columns: {d: A decimal}}
  counted: {from: counted, table: m.counted, compression: snappy}
verify:
  - {rows: {table: m.split, equals: 1000}, engine: both}
  - {value: {sql: 'SELECT n FROM m.counted', equals: '1000'}}
";

#[test]
fn athena_makes_rows_by_a_hundred_partitions() {
    let Some(lake) = GlueLake::with_athena() else { return };
    lake.pipeline("numbers.yaml", NUMBERS);
    lake.write("in/a.csv", numbers(0, 1000));
    lake.etl("run numbers.yaml").ok();
    lake.pipeline("made.yaml", &MADE.replace("PREFIX", &lake.prefix));
    let plan = said(lake.etl("plan --detailed-exitcode made.yaml").fails(2));
    assert!(plan.contains("+ d decimal(20,3)") && plan.contains("+ p bigint (partition)"), "{plan}");
    lake.etl("run made.yaml").ok();
    let database = lake.database("m");
    // 149 remainders, and none.
    let sql = "SELECT count(*) AS n, count(DISTINCT p) AS p, sum(k) AS k, sum(d) AS d, min(at) AS at, max(text) AS t FROM";
    let theirs = lake.trino.rows(&format!("{sql} {database}.split")).rows;
    assert_eq!(theirs[0][..3], [json!(1000), json!(149), json!(499_500)]);
    let ours = said(lake.run(["query", "--lake", &lake.location(), "--format", "csv", &format!("{sql} m.split")]).ok());
    assert_eq!(ours.lines().nth(1).unwrap(), "1000,149,499500,49950.000,1969-12-31 23:59:59.999,it's 999");
    assert_eq!(theirs[0][3..], [json!("49950.000"), json!("1969-12-31 23:59:59.999"), json!("it's 999")]);
    // Nobody finds the tables that Athena wrote to.
    let tables = lake.glue.done("GetTables", &json!({"DatabaseName": database}));
    let names: Vec<&str> = tables["TableList"].as_array().unwrap().iter().map(|table| table["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["counted", "split"]);
    // Nothing is rebuilt until what is read has another version.
    assert!(lake.etl("run made.yaml").ok().stderr.contains("nothing to do"));
    lake.write("in/b.csv", numbers(1000, 1001));
    lake.etl("run numbers.yaml").ok();
    let plan = said(lake.etl("plan --detailed-exitcode made.yaml").fails(2));
    assert!(plan.contains("plain has changed"), "{plan}");
}

#[test]
fn what_athena_can_not_make_is_told_at_its_place() {
    let Some(lake) = GlueLake::with_athena() else { return };
    lake.pipeline("numbers.yaml", NUMBERS);
    lake.write("in/a.csv", numbers(0, 10));
    lake.etl("run numbers.yaml").ok();
    let of = |sql: &str| {
        let text = format!(
            "version: 1\nname: made\nlake: {{location: lake}}\nsources: {{}}\ntransforms:\n  t: {{engine: athena, sql: \"{sql}\"}}\noutputs:\n  o: {{from: t, table: m.o}}\n"
        );
        lake.pipeline("made.yaml", &text.replace("PREFIX", &lake.prefix));
        lake.etl("run made.yaml").fails(6).stderr
    };
    let nested = of("SELECT array[k] AS ks FROM PREFIXn.plain");
    assert!(nested.contains("column ks") && nested.contains("array") && nested.contains("made.yaml:6"), "{nested}");
    let unknown = of("SELECT nothing FROM PREFIXn.plain");
    assert!(unknown.contains("COLUMN_NOT_FOUND"), "{unknown}");
    // What is written in the pipeline itself is told without asking anybody.
    lake.write(
        "wrong.yaml",
        "version: 1\nname: wrong\nlake: {location: lake}\nsources: {}\ntransforms:\n  t: {engine: athena, sql: 'SELECT 1 AS a'}\n  u: {sql: 'SELECT a FROM t'}\n\
         outputs:\n  o: {from: t, table: m.o, format: csv, splits: 3, mode: append}\n  p: {from: u, table: m.p}\n",
    );
    let told = lake.etl("validate wrong.yaml").fails(2).stderr;
    for word in ["catalog: glue", "always written as Parquet", "Athena decides the number of files", "`overwrite`", "stay there"] {
        assert!(told.contains(word), "{word}: {told}");
    }
}
