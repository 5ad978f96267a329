//! Athena's engine itself, behind its API: the endpoint that `ETL_TEST_ATHENA_ENDPOINT` names. Where there is none, these tests are
//! skipped, loudly, and `ETL_TEST_REQUIRE=aws` forbids that.

use crate::athena_stub::without_settings;
use crate::etl::{Etl, Outcome};
use crate::stand_in::endpoint;
use serde_json::{Value, json};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// The program, and a workgroup of its own.
struct StandIn {
    etl: Etl,
    workgroup: String,
}

impl StandIn {
    /// Nothing where there is no Athena.
    fn get(name: &str) -> Option<StandIn> {
        let endpoint = endpoint("ETL_TEST_ATHENA_ENDPOINT")?;
        let etl = without_settings()
            .with("AWS_ENDPOINT_URL_ATHENA", &endpoint)
            .with("AWS_ACCESS_KEY_ID", "test-access-key")
            .with("AWS_SECRET_ACCESS_KEY", "test-secret-key")
            .with("AWS_REGION", "us-east-1");
        let stand_in = StandIn { etl, workgroup: format!("etl-test-{name}-{}", std::process::id()) };
        stand_in.etl.run(["athena", "workgroup", "ensure", &stand_in.workgroup, "--max-scan", "10GB"]).ok();
        Some(stand_in)
    }

    fn ask(&self, format: &str, arguments: &[&str]) -> Outcome {
        let fixed = ["query", "--engine", "athena", "--workgroup", &self.workgroup, "--format", format];
        self.etl.run(fixed.iter().chain(arguments))
    }

    #[track_caller]
    fn rows(&self, sql: &str) -> Vec<Value> {
        let outcome = self.ask("json", &[sql]).ok();
        String::from_utf8(outcome.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn values_of_all_types_are_equal() {
    let Some(athena) = StandIn::get("types") else { return };
    let rows = athena.rows(
        "SELECT true AS yes, TINYINT '-128' AS tiny, SMALLINT '32767' AS small, INTEGER '-2147483648' AS whole, BIGINT '9223372036854775807' AS big,
                REAL '0.1' AS single, DOUBLE '1e10' AS double_, DECIMAL '-12345678901234567890123456.78' AS exact, 'a,\"b\" é' || chr(9) || chr(10) AS text,
                CAST('ab' AS char(5)) AS fixed, DATE '1969-12-31' AS day, TIMESTAMP '1969-12-31 23:59:59.999' AS at, X'E4BDA0' AS bytes,
                '' AS empty, CAST(NULL AS bigint) AS nothing, ARRAY[1, NULL, 3] AS list, MAP(ARRAY['a', 'b'], ARRAY[1, 2]) AS pairs,
                CAST(ROW(1, 'x') AS row(x bigint, y varchar)) AS fields, NULL AS unknown_",
    );
    let row = &rows[0];
    let expected = json!({
        "yes": true, "tiny": -128, "small": 32767, "whole": i32::MIN, "big": i64::MAX, "single": 0.1, "double_": 1e10,
        "text": "a,\"b\" é\t\n", "fixed": "ab   ", "day": "1969-12-31", "at": "1969-12-31 23:59:59.999", "empty": "", "nothing": null,
        "list": "[1, null, 3]", "pairs": "{a=1, b=2}", "fields": "{x=1, y=x}", "unknown_": null,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&row[name], value, "{name}: {row}");
    }
    let csv = athena.ask("csv", &["SELECT DECIMAL '-12345678901234567890123456.78' AS exact, DECIMAL '0.10' AS small"]).ok();
    assert_eq!(csv.stdout, b"exact,small\n-12345678901234567890123456.78,0.10\n");
    let bytes = athena.rows("SELECT X'E4BDA0' AS bytes, X'' AS none, to_hex(X'00FF') AS hex");
    assert_eq!((&bytes[0]["hex"], &bytes[0]["none"]), (&json!("00FF"), &json!("")));
}

#[test]
fn pages_are_all_of_the_result_in_its_order() {
    let Some(athena) = StandIn::get("pages") else { return };
    let rows = athena.rows("SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n");
    let numbers: Vec<i64> = rows.iter().map(|row| row["n"].as_i64().unwrap()).collect();
    assert!(numbers.into_iter().eq(1..=2500));
    assert!(athena.rows("SELECT 1 AS n WHERE false").is_empty());
}

#[test]
fn parameters_are_the_values_that_were_given() {
    let Some(athena) = StandIn::get("parameters") else { return };
    let parameters =
        ["--param", "O'Brien ' OR 1=1 --", "--param", "404", "--param", "DATE '2020-02-29'", "--param", "1+1", "--param", "'404'"];
    let outcome = athena.ask("csv", &[&["SELECT ? AS a, ? + 0 AS b, ? AS c, ? AS d, ? AS e"], &parameters[..]].concat()).ok();
    assert_eq!(String::from_utf8(outcome.stdout).unwrap(), "a,b,c,d,e\nO'Brien ' OR 1=1 --,404,2020-02-29,1+1,404\n");
}

#[test]
fn mistakes_have_a_caret() {
    let Some(athena) = StandIn::get("mistakes") else { return };
    athena.ask("csv", &["SELEC 1"]).fails(6).says("mismatched input 'SELEC'").says("\n  SELEC 1\n  ^^^^^ here");
    athena.ask("csv", &["SELECT x\nFROM (SELECT 1 AS y) AS t"]).fails(6).says("\n  SELECT x\n         ^ here").says("COLUMN_NOT_FOUND");
    athena.ask("csv", &["SELECT * FROM no_such_database.t"]).fails(6).says("query id").says("--database");
    athena.ask("csv", &["SELECT 1 / 0"]).fails(6).says("DIVISION_BY_ZERO");
    let other = ["query", "--engine", "athena", "--workgroup", "no-such-workgroup", "SELECT 1"];
    athena.etl.run(other).fails(6).says("WorkGroup").says("etl athena workgroup ensure no-such-workgroup");
}

#[test]
fn a_workgroup_is_as_it_was_made() {
    let Some(athena) = StandIn::get("workgroup") else { return };
    let outcome = athena.etl.run(["athena", "workgroup", "ensure", &athena.workgroup, "--max-scan", "10GB"]).ok();
    assert_eq!(String::from_utf8(outcome.stdout).unwrap(), format!("workgroup {} is up to date\n", athena.workgroup));
    let outcome = athena.etl.run(["athena", "workgroup", "ensure", &athena.workgroup, "--max-scan", "20MB"]).ok();
    assert!(String::from_utf8(outcome.stdout).unwrap().contains("10.00 GB -> 20.0 MB"));
    let outcome = athena.etl.run(["athena", "workgroup", "show", &athena.workgroup, "--json"]).ok();
    let shown: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!((&shown["max_scan"], &shown["results"], &shown["enforced"]), (&json!(20_000_000), &json!("managed"), &json!(true)));
    let outcome = athena.etl.run(["athena", "workgroup", "list"]).ok();
    assert!(String::from_utf8(outcome.stdout).unwrap().contains(&athena.workgroup));
}

/// Long enough to be stopped, as long as a machine has less than a day for it.
const LONG: &str =
    "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(n), UNNEST(sequence(1, 10000)) AS b(n), UNNEST(sequence(1, 10000)) AS c(n)
                    WHERE a.n * b.n % 7919 = c.n % 97";

#[test]
fn what_is_interrupted_or_too_slow_is_stopped() {
    let Some(athena) = StandIn::get("stopped") else { return };
    let begun = Instant::now();
    athena.ask("csv", &[LONG, "--timeout", "2s"]).fails(6).says("it took longer than 2 s").says("query id");
    let child = athena.etl.command(["query", "--engine", "athena", "--workgroup", &athena.workgroup, LONG]).spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    Outcome::of(child.wait_with_output().unwrap()).fails(130).says("interrupted: the query was stopped").says("query id");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
