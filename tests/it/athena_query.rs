//! `etl query --engine athena`: how a query goes, and how it goes wrong. Athena is a stub that answers as the real one does.

use crate::athena_stub::{AthenaStub, ended, execution, ok, page, refused, without_settings};
use crate::etl::{Etl, Outcome};
use serde_json::{Value, json};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const ONE: &[(&str, &str, i32, i32)] = &[("n", "integer", 10, 0)];

fn one() -> Value {
    page(ONE, &[json!(["n"]), json!(["1"])], None)
}

fn ask(etl: &Etl, arguments: &[&str]) -> Outcome {
    etl.run(["query", "--engine", "athena", "--format", "csv"].iter().chain(arguments))
}

#[test]
fn a_query_is_asked_as_it_was_given_and_told_what_it_took() {
    let stub = AthenaStub::giving(one());
    let outcome = ask(&stub.etl(), &["SELECT 1 AS n", "--workgroup", "etl", "--database", "weblogs"]).ok();
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "n\n1\n");
    assert_eq!(outcome.stderr.trim(), "scanned 12.3 MB in 1.4 s (queued 0.1 s), about $0.000065; query id q-1");
    let start = &stub.calls("StartQueryExecution")[0];
    assert_eq!(start["QueryString"], "SELECT 1 AS n");
    assert_eq!(start["WorkGroup"], "etl");
    assert_eq!(start["QueryExecutionContext"]["Database"], "weblogs");
    // A workgroup whose results Athena keeps refuses a place for them.
    assert!(start.get("ResultConfiguration").is_none() && start.get("ExecutionParameters").is_none(), "{start}");
    assert_eq!(stub.calls("GetQueryResults")[0]["MaxResults"], 1_000);
    assert_eq!(stub.operations(), ["StartQueryExecution", "GetQueryExecution", "GetQueryResults"]);
}

#[test]
fn workgroup_and_price_are_those_of_the_environment_where_none_is_given() {
    let stub = AthenaStub::giving(one());
    ask(&stub.etl().with("ETL_ATHENA_WORKGROUP", "theirs").with("ETL_ATHENA_PRICE_PER_TB", "10"), &["SELECT 1"])
        .ok()
        .says("about $0.00013;");
    ask(&stub.etl(), &["SELECT 1", "--price-per-tb", "50000"]).ok().says("about $0.65;");
    ask(&stub.etl().with("ETL_ATHENA_PRICE_PER_TB", "much"), &["SELECT 1"]).fails(2).says("ETL_ATHENA_PRICE_PER_TB");
    let asked: Vec<Value> = stub.calls("StartQueryExecution").iter().map(|start| start["WorkGroup"].clone()).collect();
    assert_eq!(asked, ["theirs", "primary"]);
}

#[test]
fn parameters_are_expressions_and_the_token_is_made_of_them() {
    let stub = AthenaStub::giving(one());
    let etl = stub.etl();
    ask(&etl, &["SELECT ?, ?, ?", "--param", "404", "--param", "a' OR 'a'='a", "--param=-1", "--result-location", "s3://bucket/results"])
        .ok();
    let start = &stub.calls("StartQueryExecution")[0];
    assert_eq!(start["ExecutionParameters"], json!(["404", "'a'' OR ''a''=''a'", "-1"]));
    assert_eq!(start["ResultConfiguration"]["OutputLocation"], "s3://bucket/results/");
    ask(&etl, &["SELECT ?, ?, ?", "--param", "404", "--param", "a", "--param", "-1"]).ok();
    let tokens: Vec<Value> = stub.calls("StartQueryExecution").iter().map(|start| start["ClientRequestToken"].clone()).collect();
    assert_ne!(tokens[0], tokens[1]);
    assert!(tokens.iter().all(|token| (32..=128).contains(&token.as_str().unwrap().len())), "{tokens:?}");
}

#[test]
fn it_is_waited_for_while_it_is_queued_and_runs() {
    let stub = AthenaStub::giving(one());
    stub.says("GetQueryExecution", ["QUEUED", "RUNNING", "RUNNING", "SUCCEEDED"].map(|state| ok(execution(state))));
    ask(&stub.etl(), &["SELECT 1"]).ok();
    assert_eq!(stub.calls("GetQueryExecution").len(), 4);
}

#[test]
fn what_is_throttled_is_asked_again_with_the_same_token() {
    let stub = AthenaStub::giving(one());
    let throttled = || refused("TooManyRequestsException", "TOO_MANY_REQUESTS", "Rate exceeded");
    stub.says("StartQueryExecution", [throttled(), throttled(), ok(json!({"QueryExecutionId": "q-1"}))]);
    stub.says("GetQueryResults", [throttled(), ok(one())]);
    let outcome = ask(&stub.etl(), &["SELECT 1"]).ok();
    assert_eq!(outcome.stdout, b"n\n1\n");
    let tokens: Vec<Value> = stub.calls("StartQueryExecution").iter().map(|start| start["ClientRequestToken"].clone()).collect();
    assert!(tokens.len() == 3 && tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    // It does not go on for ever.
    stub.says("StartQueryExecution", [throttled()]);
    ask(&stub.etl().with("AWS_MAX_ATTEMPTS", "2"), &["SELECT 1"]).fails(6).says("TooManyRequestsException").says("what to do");
}

#[test]
fn a_query_that_failed_by_athenas_fault_is_run_again() {
    let system = json!({"ErrorCategory": 1, "ErrorType": 233, "Retryable": false, "ErrorMessage": "GENERIC_INTERNAL_ERROR: null"});
    let retryable = json!({"ErrorCategory": 3, "ErrorType": 1, "Retryable": true});
    for error in [system.clone(), retryable] {
        let stub = AthenaStub::giving(one());
        let failed = ok(ended("FAILED", "GENERIC_INTERNAL_ERROR: null", error));
        stub.says("GetQueryExecution", [failed, ok(execution("SUCCEEDED"))]);
        ask(&stub.etl(), &["SELECT 1"]).ok().says("note: Athena failed, and the query was run again: GENERIC_INTERNAL_ERROR: null");
        let tokens: Vec<Value> = stub.calls("StartQueryExecution").iter().map(|start| start["ClientRequestToken"].clone()).collect();
        // For an old token Athena would give the query that failed.
        assert!(tokens.len() == 2 && tokens[0] != tokens[1], "{tokens:?}");
    }
    let stub = AthenaStub::giving(one());
    stub.says("GetQueryExecution", [ok(ended("FAILED", "GENERIC_INTERNAL_ERROR: null", system.clone()))]);
    ask(&stub.etl(), &["SELECT 1"]).fails(6).says("error: GENERIC_INTERNAL_ERROR: null").says("query id: q-1");
    assert_eq!(stub.calls("StartQueryExecution").len(), 3);
    // What writes may have written already.
    let mut insert = ended("FAILED", "GENERIC_INTERNAL_ERROR: null", system);
    insert["QueryExecution"]["SubstatementType"] = "INSERT".into();
    let stub = AthenaStub::giving(one());
    stub.says("GetQueryExecution", [ok(insert)]);
    ask(&stub.etl(), &["INSERT INTO t SELECT 1"]).fails(6);
    assert_eq!(stub.calls("StartQueryExecution").len(), 1);
}

#[test]
fn a_query_that_failed_by_its_own_fault_has_a_caret() {
    let stub = AthenaStub::giving(one());
    let reason = "COLUMN_NOT_FOUND: line 2:8: Column 'stauts' cannot be resolved or requester is not authorized to access requested resources. \
                  This query ran against the \"weblogs\" database, unless qualified by the query.";
    let error = json!({"ErrorCategory": 2, "ErrorType": 1006, "Retryable": false, "ErrorMessage": reason});
    stub.says("GetQueryExecution", [ok(ended("FAILED", reason, error))]);
    let outcome = ask(&stub.etl(), &["/* which */\nSELECT stauts FROM access"]).fails(6);
    let expected = "error: COLUMN_NOT_FOUND: Column 'stauts' cannot be resolved or requester is not authorized to access requested resources.\n  \
                    SELECT stauts FROM access\n         ^^^^^^ here\n  query id: q-1\n  what to do: DESCRIBE";
    assert!(outcome.stderr.starts_with(expected), "{}", outcome.stderr);
    assert!(outcome.stdout.is_empty());
    assert_eq!(stub.calls("StartQueryExecution").len(), 1);
}

#[test]
fn a_table_that_is_missing_has_near_ones() {
    let stub = AthenaStub::giving(one());
    let reason = "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.weblogs.acess' does not exist";
    stub.says("GetQueryExecution", [ok(ended("FAILED", reason, json!({"ErrorCategory": 2, "ErrorType": 1301, "Retryable": false})))]);
    let sql = "SELECT * FROM weblogs.acess";
    let without =
        ask(&stub.etl(), &[sql]).fails(6).says("  SELECT * FROM weblogs.acess\n                ^^^^^^^^^^^^^ here").says("--database");
    assert!(!without.stderr.contains("did you mean"), "{}", without.stderr);
    stub.says("ListTableMetadata", [ok(json!({"TableMetadataList": [{"Name": "errors"}, {"Name": "access"}]}))]);
    ask(&stub.etl(), &[sql]).fails(6).says("did you mean: weblogs.access");
    assert_eq!(stub.calls("ListTableMetadata")[1]["DatabaseName"], "weblogs");
}

#[test]
fn a_query_that_is_wrong_never_starts() {
    let stub = AthenaStub::giving(one());
    let told = "line 1:1: mismatched input 'SELEC'. Expecting: 'ALTER', 'ANALYZE'";
    stub.says("StartQueryExecution", [refused("InvalidRequestException", "MALFORMED_QUERY", told)]);
    let outcome = ask(&stub.etl(), &["SELEC 1"]).fails(6);
    assert_eq!(outcome.stderr.trim(), "error: mismatched input 'SELEC'. Expecting: 'ALTER', 'ANALYZE'\n  SELEC 1\n  ^^^^^ here");
    assert_eq!(stub.operations(), ["StartQueryExecution"]);
}

#[test]
fn what_is_missing_is_told_with_what_to_do() {
    for (message, advice) in [
        ("WorkGroup is not found.", "etl athena workgroup ensure etl --max-scan 10GB"),
        (
            "No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.",
            "--result-location s3://BUCKET/PREFIX/",
        ),
    ] {
        let stub = AthenaStub::giving(one());
        stub.says("StartQueryExecution", [refused("InvalidRequestException", "INVALID_INPUT", message)]);
        ask(&stub.etl(), &["SELECT 1", "--workgroup", "etl"])
            .fails(6)
            .says(message.trim_end_matches('.'))
            .says(advice)
            .says("request id: request-1");
    }
    let stub = AthenaStub::giving(one());
    let message =
        "User: arn:aws:iam::123456789012:user/x is not authorized to perform: athena:StartQueryExecution on resource: workgroup/etl";
    stub.says("StartQueryExecution", [refused("AccessDeniedException", "ACCESS_DENIED", message)]);
    let outcome =
        ask(&stub.etl(), &["SELECT 1"]).fails(6).says("athena:StartQueryExecution on resource").says("what to do: grant these credentials");
    assert_eq!(outcome.stderr.matches("what to do").count(), 1, "{}", outcome.stderr);
    let reason = "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s) on t";
    let stub = AthenaStub::giving(one());
    stub.says("GetQueryExecution", [ok(ended("FAILED", reason, json!({"ErrorCategory": 2, "ErrorType": 1100, "Retryable": false})))]);
    ask(&stub.etl(), &["SELECT 1"]).fails(6).says("Lake Formation decides here");
}

#[test]
fn a_query_that_athena_stops_costs_what_it_scanned() {
    let stub = AthenaStub::giving(one());
    stub.says("GetQueryExecution", [ok(execution("RUNNING")), ok(ended("CANCELLED", "Bytes scanned limit was exceeded", Value::Null))]);
    let outcome = ask(&stub.etl(), &["SELECT 1", "--workgroup", "etl"]).fails(6);
    outcome
        .says("it scanned more than workgroup etl lets a query scan")
        .says("scanned: 12.3 MB, which is charged for")
        .says("ensure etl --max-scan SIZE");
    stub.says("GetQueryExecution", [ok(ended("CANCELLED", "Query cancelled by user", Value::Null))]);
    ask(&stub.etl(), &["SELECT 1"]).fails(6).says("the query was cancelled: Query cancelled by user");
    assert!(stub.calls("StopQueryExecution").is_empty());
}

#[test]
fn a_query_is_stopped_that_scans_too_much() {
    let stub = AthenaStub::giving(one());
    let running = |bytes: u64| {
        let mut running = execution("RUNNING");
        running["QueryExecution"]["Statistics"] = json!({"DataScannedInBytes": bytes});
        ok(running)
    };
    let cancelled = || ok(ended("CANCELLED", "Query cancelled by user", Value::Null));
    for limit in [["--max-scan", "20MB"], ["--max-cost", "0.0001"]] {
        stub.says("GetQueryExecution", [running(20_000_000), running(20_000_001), cancelled()]);
        let outcome = ask(&stub.etl(), &[&["SELECT 1"], &limit[..]].concat()).fails(6);
        outcome.says("it scanned more than 20.0 MB (--max-scan, --max-cost)").says("scanned: 12.3 MB, which is charged for");
    }
    assert_eq!(stub.calls("StopQueryExecution"), [json!({"QueryExecutionId": "q-1"}), json!({"QueryExecutionId": "q-1"})]);
    // What is over can't be stopped.
    stub.says("GetQueryExecution", [ok(execution("SUCCEEDED"))]);
    ask(&stub.etl(), &["SELECT 1", "--max-scan", "10MB"]).ok().says("note: the query scanned 12.3 MB, more than it may");
}

#[test]
fn a_query_that_takes_too_long_is_stopped() {
    let stub = AthenaStub::giving(one());
    stub.says("GetQueryExecution", [ok(execution("RUNNING"))]);
    stub.says("StopQueryExecution", [ok(json!({}))]);
    let begun = Instant::now();
    ask(&stub.etl(), &["SELECT 1", "--timeout", "500ms"]).fails(6).says("it took longer than 0.5 s (--timeout)").says("query id: q-1");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(stub.calls("StopQueryExecution").len(), 1);
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn ctrl_c_stops_the_query() {
    let stub = AthenaStub::giving(one());
    stub.says("GetQueryExecution", [ok(execution("RUNNING"))]);
    let child = stub.etl().command(["query", "--engine", "athena", "SELECT 1"]).spawn().unwrap();
    stub.wait_for("GetQueryExecution");
    interrupt(&child);
    stub.wait_for("StopQueryExecution");
    stub.says("GetQueryExecution", [ok(ended("CANCELLED", "Query cancelled by user", Value::Null))]);
    Outcome::of(child.wait_with_output().unwrap())
        .fails(130)
        .says("interrupted: the query was stopped")
        .says("query id: q-1")
        .says("12.3 MB");
}

#[test]
fn ctrl_c_stops_a_query_whose_start_was_not_answered_yet() {
    let stub = AthenaStub::giving(one());
    stub.says("StartQueryExecution", [ok(json!({"QueryExecutionId": "q-late"})).after(Duration::from_secs(1))]);
    stub.says("GetQueryExecution", [ok(ended("CANCELLED", "Query cancelled by user", Value::Null))]);
    let child = stub.etl().command(["query", "--engine", "athena", "SELECT 1"]).spawn().unwrap();
    stub.wait_for("StartQueryExecution");
    interrupt(&child);
    Outcome::of(child.wait_with_output().unwrap()).fails(130).says("query id: q-late");
    assert_eq!(stub.calls("StopQueryExecution"), [json!({"QueryExecutionId": "q-late"})]);
}

#[test]
fn ctrl_c_ends_the_reading_of_a_result() {
    let stub = AthenaStub::giving(one());
    let first = page(ONE, &[json!(["n"]), json!(["1"])], Some("second"));
    stub.says("GetQueryResults", [ok(first), ok(one()).after(Duration::from_secs(30))]);
    let begun = Instant::now();
    let child = stub.etl().command(["query", "--engine", "athena", "SELECT 1"]).spawn().unwrap();
    while stub.calls("GetQueryResults").len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "no second page was asked for");
        std::thread::sleep(Duration::from_millis(10));
    }
    interrupt(&child);
    Outcome::of(child.wait_with_output().unwrap()).fails(130).says("interrupted: the result is not whole").says("scanned 12.3 MB");
    // The query was over.
    assert!(begun.elapsed() < Duration::from_secs(25) && stub.calls("StopQueryExecution").is_empty());
}

#[test]
fn a_query_that_nobody_waits_for_any_more_is_stopped() {
    let stub = AthenaStub::giving(one());
    // Athena doesn't tell any more how the query stands.
    stub.says("GetQueryExecution", [ok(execution("RUNNING")), refused("InvalidRequestException", "INVALID_INPUT", "What query?")]);
    ask(&stub.etl(), &["SELECT 1"]).fails(6).says("can't see how query q-1 stands").says("What query?");
    assert_eq!(stub.calls("StopQueryExecution").len(), 1);
    // And where it can't be stopped, that is told.
    stub.says("GetQueryExecution", [ok(execution("RUNNING"))]);
    stub.says("StopQueryExecution", [refused("InvalidRequestException", "INVALID_INPUT", "Not now.")]);
    ask(&stub.etl(), &["SELECT 1", "--timeout", "300ms"]).fails(6).says("it may go on");
}

#[test]
fn no_secret_is_sent_or_shown() {
    let stub = AthenaStub::giving(one());
    let message = "The key secret-of-the-tests of AKIDOFTHETESTS is not known. Signature=0123456789abcdef";
    stub.says("StartQueryExecution", [refused("UnrecognizedClientException", "", message)]);
    let outcome = ask(&stub.etl(), &["SELECT 1"]).fails(6).says("[redacted]").says("AWS_SECRET_ACCESS_KEY");
    for secret in ["secret-of-the-tests", "0123456789abcdef"] {
        assert!(!outcome.stderr.contains(secret), "{}", outcome.stderr);
    }
    let sent = stub.sent();
    assert!(sent.contains("AWS4-HMAC-SHA256 Credential=AKIDOFTHETESTS/") && !sent.contains("secret-of-the-tests"), "{sent}");
}

#[test]
fn without_keys_region_or_answer_it_says_what_is_missing() {
    let stub = AthenaStub::giving(one());
    let etl = without_settings().with("AWS_ENDPOINT_URL_ATHENA", &stub.endpoint);
    ask(&etl, &["SELECT 1"]).fails(6).says("no credentials").says("what to do: set AWS_ACCESS_KEY_ID");
    assert!(stub.operations().is_empty());
    ask(&without_settings(), &["SELECT 1"]).fails(2).says("the AWS region for Athena is not set").says("AWS_REGION");
    let down = AthenaStub::start();
    let etl = down.etl().with("AWS_ENDPOINT_URL_ATHENA", "http://127.0.0.1:9").with("AWS_MAX_ATTEMPTS", "2");
    ask(&etl, &["SELECT 1"]).fails(6).says("no response from http://127.0.0.1:9").says("AWS_ENDPOINT_URL_ATHENA");
    let etl = down.etl().with("AWS_ENDPOINT_URL_ATHENA", "http://user:hunter2@127.0.0.1:9");
    let outcome = ask(&etl, &["SELECT 1"]).fails(2).says("the endpoint of Athena is not an http or https URL");
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
}

#[test]
fn options_that_do_not_fit_the_engine_are_refused() {
    let stub = AthenaStub::giving(one());
    let etl = stub.etl();
    for option in
        [["--lake", "lake"], ["--table", "a=b.log"], ["--from", "csv"], ["--delimiter", "tab"], ["--memory", "1GiB"], ["--threads", "2"]]
    {
        ask(&etl, &[&["SELECT 1"], &option[..]].concat()).fails(2).says(&format!("{} doesn't fit the engine", option[0]));
    }
    for option in [["--workgroup", "a"], ["--param", "1"], ["--max-scan", "1GB"], ["--timeout", "1s"], ["--price-per-tb", "5"]] {
        let outcome = etl.run(["query", "SELECT 1"].iter().chain(&option)).fails(2);
        outcome.says(&format!("{} doesn't fit the engine: it is for --engine athena", option[0]));
    }
    assert!(stub.operations().is_empty());
    // The environment's lake is for what is asked here, and its workgroup for what is asked there.
    ask(&stub.etl().with("ETL_LAKE", "lake"), &["SELECT 1"]).ok();
    etl.run(["query", "SELECT 1"]).ok();
    stub.etl().with("ETL_ATHENA_WORKGROUP", "theirs").run(["query", "SELECT 1"]).ok();
}
