//! Glue on a bad day: what it refuses is told with what to do, and the next run completes what was begun.

use crate::glue_lake::GlueLake;
use crate::glue_proxy::refused;
use crate::lake::log_of_day;
use crate::same_rows::{As, same};
use serde_json::{Value, json};

const WEB: &str = "
version: 1
name: web
lake: {location: lake}
sources:
  access: {location: 'in/*.log'}
outputs:
  access: {from: access, table: web.access, partition_by: [dt], mode: append}
  all: {from: access, table: web.all, format: json, mode: append}
";

#[track_caller]
fn all_are_the_same(lake: &GlueLake, rows: usize) {
    assert_eq!(same(lake, "web.access", "access", As::Typed), rows);
    assert_eq!(same(lake, "web.all", "all", As::Json), rows);
}

/// A lake with one run behind it, and lines for another.
fn begun() -> Option<GlueLake> {
    let lake = GlueLake::get()?;
    lake.pipeline("web.yaml", WEB).write("in/1.log", log_of_day(1, 50)).write("in/2.log", log_of_day(2, 50));
    lake.etl("run web.yaml").ok();
    lake.write("in/3.log", log_of_day(2, 20)).write("in/4.log", log_of_day(3, 20));
    lake.proxy.calls();
    Some(lake)
}

#[test]
fn a_version_that_is_not_there_any_more_is_read_again() {
    let Some(lake) = begun() else { return };
    let stale = |kind: &str| refused(kind, "Update table failed due to concurrent modifications.");
    lake.proxy.next("UpdateTable", [stale("ConcurrentModificationException"), stale("VersionMismatchException")]);
    lake.etl("run web.yaml").ok();
    assert_eq!(lake.proxy.pending(), 0);
    let operations = lake.proxy.operations();
    let first = operations.iter().position(|operation| operation == "UpdateTable").unwrap();
    assert_eq!(operations[first + 1], "GetTable", "{operations:?}");
    all_are_the_same(&lake, 140);
}

#[test]
fn calls_that_are_throttled_or_fail_are_made_again() {
    let Some(lake) = begun() else { return };
    let busy = || refused("ThrottlingException", "Rate exceeded");
    lake.proxy.next("GetTable", [busy(), busy()]);
    lake.proxy.next("UpdateTable", [busy(), (500, json!({"__type": "InternalServiceException", "Message": "broken"}))]);
    lake.proxy.next("BatchCreatePartition", [busy()]);
    lake.proxy.next("BatchUpdatePartition", [(503, json!({"__type": "ServiceUnavailableException"}))]);
    lake.etl("run web.yaml").ok();
    assert_eq!(lake.proxy.pending(), 0);
    all_are_the_same(&lake, 140);
    lake.proxy.always("GetTable", busy());
    let mut command = lake.command(["run", "web.yaml"]);
    let outcome = crate::etl::Outcome::of(command.env("AWS_MAX_ATTEMPTS", "2").output().unwrap());
    assert!(outcome.code.is_some_and(|code| code != 0), "{}", outcome.stderr);
    outcome.says("ThrottlingException").says("try again later");
}

#[test]
fn errors_within_an_answer_of_success_are_errors() {
    for (operation, list, code) in [
        ("BatchCreatePartition", "PartitionValues", "InternalServiceException"),
        ("BatchUpdatePartition", "PartitionValueList", "InvalidInputException"),
    ] {
        let Some(lake) = begun() else { return };
        let day = if operation == "BatchCreatePartition" { "2020-03-03" } else { "2020-03-02" };
        let error = json!({list: [day], "ErrorDetail": {"ErrorCode": code, "ErrorMessage": "no luck today"}});
        lake.proxy.next(operation, [(200, json!({"Errors": [error]}))]);
        let outcome = lake.etl("run web.yaml").fails(4);
        outcome.says(day).says(code).says("no luck today").says("the next run");
        assert_eq!(lake.proxy.pending(), 0);
        // The table has no new version before all of its partitions are there.
        assert_eq!(lake.told("web", "access")["Parameters"]["etl.version"], "1");
        assert_eq!(lake.planned("web.yaml", "access")["catalog"]["behind"], true);
        lake.etl("run web.yaml").ok();
        all_are_the_same(&lake, 140);
    }
}

#[test]
fn partitions_that_are_gone_already_are_gone() {
    let Some(lake) = begun() else { return };
    lake.pipeline("web.yaml", &WEB.replace("mode: append}", "mode: append, removed_sources: drop}"));
    std::fs::remove_file(lake.path("in/1.log")).unwrap();
    let detail = json!({"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found."});
    lake.proxy.next("BatchDeletePartition", [(200, json!({"Errors": [{"PartitionValues": ["2020-03-01"], "ErrorDetail": detail}]}))]);
    lake.etl("run web.yaml").ok();
    assert_eq!(lake.proxy.pending(), 0);
}

#[test]
fn what_is_not_allowed_is_told_with_what_to_do() {
    let Some(lake) = begun() else { return };
    let denied = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: glue:UpdateTable on resource: y";
    let location = "Insufficient Lake Formation permission(s): Required Create Database on Catalog";
    lake.proxy.next("UpdateTable", [refused("AccessDeniedException", denied)]);
    lake.etl("run web.yaml").fails(4).says("glue:UpdateTable").says("grant these credentials").says("request-1");
    lake.proxy.next("BatchCreatePartition", [refused("AccessDeniedException", location)]);
    lake.write("in/5.log", log_of_day(4, 20));
    let outcome = lake.etl("run web.yaml").fails(4);
    outcome.says("Insufficient Lake Formation permission(s)").says("Lake Formation decides here").says("DATA_LOCATION_ACCESS");
    assert_eq!(lake.proxy.pending(), 0);
    // What is refused before the publication hinders it.
    lake.proxy.next("GetTable", [refused("AccessDeniedException", location)]);
    lake.write("in/6.log", log_of_day(5, 20));
    lake.etl("run web.yaml").says("Lake Formation decides here");
    assert_eq!(lake.value("SELECT count(*) FROM web.access"), "160");
    lake.etl("run web.yaml").ok();
    all_are_the_same(&lake, 180);
}

#[test]
fn where_nobody_answers_nothing_is_published_and_no_secret_is_told() {
    let Some(lake) = GlueLake::get() else { return };
    lake.pipeline("web.yaml", WEB).write("in/1.log", log_of_day(1, 50));
    let run = |name: &str, value: &str| {
        let mut command = lake.command(["run", "web.yaml"]);
        command.env("AWS_MAX_ATTEMPTS", "2").env(name, value);
        let outcome = crate::etl::Outcome::of(command.output().unwrap());
        assert!(outcome.code.is_some_and(|code| code != 0), "{}", outcome.stderr);
        let tables = lake.etl(&format!("catalog list --lake {} --json", lake.location()));
        assert!(!String::from_utf8_lossy(&tables.stdout).contains("access"), "{}", outcome.stderr);
        outcome
    };
    run("AWS_ENDPOINT_URL_GLUE", "http://127.0.0.1:1").says("no response from").says("AWS_ENDPOINT_URL_GLUE");
    let outcome = run("AWS_ENDPOINT_URL_GLUE", "http://user:hidden-word@127.0.0.1:1").says("AWS_ENDPOINT_URL_GLUE");
    assert!(!outcome.stderr.contains("hidden-word"), "{}", outcome.stderr);
    // A service may repeat what it was sent.
    let secret = std::env::var("AWS_SECRET_ACCESS_KEY").unwrap();
    let repeated = format!("aws_secret_access_key={secret} is not known");
    lake.proxy.next("GetTable", [refused("UnrecognizedClientException", &repeated)]);
    let outcome = run("LANG", "C").says("UnrecognizedClientException").says("AWS_SECRET_ACCESS_KEY");
    assert!(!outcome.stderr.contains(&secret), "{}", outcome.stderr);
}

#[test]
fn keys_that_are_missing_are_told() {
    let Some(lake) = GlueLake::get() else { return };
    lake.pipeline("web.yaml", WEB).write("in/1.log", log_of_day(1, 50));
    let mut command = lake.command(["run", "web.yaml"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"] {
        command.env_remove(name);
    }
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let outcome = crate::etl::Outcome::of(command.output().unwrap());
    assert!(outcome.code.is_some_and(|code| code != 0), "{}", outcome.stderr);
    outcome.says("credentials").says("AWS_ACCESS_KEY_ID");
    assert!(lake.glue.table(&lake.database("web"), "access").is_none());
}

#[test]
fn a_table_that_others_change_all_the_time_is_told_as_such() {
    let Some(lake) = begun() else { return };
    lake.proxy.always("UpdateTable", refused("ConcurrentModificationException", "somebody was faster"));
    let outcome = lake.etl("run web.yaml --json").fails(8);
    let report: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(report["status"], "published_not_registered", "{report}");
    outcome.says("others keep changing");
    lake.proxy.never();
    lake.etl("run web.yaml").ok();
    all_are_the_same(&lake, 140);
}
