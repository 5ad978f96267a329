//! `etl athena workgroup`: made where it is missing, changed where it differs, and left alone where it doesn't.

use crate::athena_stub::{AthenaStub, ok, refused};
use crate::etl::{Etl, Outcome};
use serde_json::{Value, json};

fn workgroup(configuration: Value) -> Value {
    json!({"WorkGroup": {"Name": "etl", "State": "ENABLED", "Configuration": configuration}})
}

fn managed() -> Value {
    json!({
        "EnforceWorkGroupConfiguration": true, "BytesScannedCutoffPerQuery": 10_000_000_000_u64,
        "ManagedQueryResultsConfiguration": {"Enabled": true}, "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3"},
        "PublishCloudWatchMetricsEnabled": true,
    })
}

fn ensure(etl: &Etl, arguments: &[&str]) -> Outcome {
    etl.run(["athena", "workgroup", "ensure", "etl", "--max-scan", "10GB"].iter().chain(arguments))
}

fn stub() -> AthenaStub {
    let stub = AthenaStub::start();
    stub.says("CreateWorkGroup", [ok(json!({}))]);
    stub.says("UpdateWorkGroup", [ok(json!({}))]);
    stub
}

#[test]
fn one_that_is_missing_is_made() {
    let stub = stub();
    stub.says("GetWorkGroup", [refused("InvalidRequestException", "INVALID_INPUT", "WorkGroup etl is not found.")]);
    let outcome = ensure(&stub.etl(), &[]).ok();
    assert_eq!(outcome.stdout, b"workgroup etl was created\n");
    let created = &stub.calls("CreateWorkGroup")[0];
    assert_eq!(created["Name"], "etl");
    let configuration = &created["Configuration"];
    assert_eq!(configuration["BytesScannedCutoffPerQuery"], 10_000_000_000_u64);
    assert_eq!(configuration["EnforceWorkGroupConfiguration"], true);
    assert_eq!(configuration["ManagedQueryResultsConfiguration"]["Enabled"], true);
    // Both at once are refused.
    assert!(configuration.get("ResultConfiguration").is_none(), "{configuration}");
    ensure(&stub.etl(), &["--result-location", "s3://bucket/results"]).ok();
    let configuration = &stub.calls("CreateWorkGroup")[1]["Configuration"];
    assert_eq!(configuration["ResultConfiguration"]["OutputLocation"], "s3://bucket/results/");
    assert!(configuration.get("ManagedQueryResultsConfiguration").is_none(), "{configuration}");
}

#[test]
fn one_that_is_as_it_should_be_is_left_alone() {
    let stub = stub();
    stub.says("GetWorkGroup", [ok(workgroup(managed()))]);
    let outcome = ensure(&stub.etl(), &["--json"]).ok();
    let told: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(told, json!({"name": "etl", "created": false, "changes": [], "disabled": false}));
    assert_eq!(stub.operations(), ["GetWorkGroup"]);
}

#[test]
fn what_differs_is_changed_and_told() {
    let stub = stub();
    let theirs = json!({"EnforceWorkGroupConfiguration": false, "ResultConfiguration": {"OutputLocation": "s3://old/"}});
    stub.says("GetWorkGroup", [ok(workgroup(theirs))]);
    let outcome = ensure(&stub.etl(), &[]).ok();
    let expected = "workgroup etl was changed\n  enforced: no -> yes\n  scan limit per query: none -> 10.00 GB\n  results: s3://old/ -> kept by Athena\n";
    assert_eq!(String::from_utf8(outcome.stdout).unwrap(), expected);
    let updates = &stub.calls("UpdateWorkGroup")[0]["ConfigurationUpdates"];
    assert_eq!(updates["EnforceWorkGroupConfiguration"], true);
    assert_eq!(updates["BytesScannedCutoffPerQuery"], 10_000_000_000_u64);
    assert_eq!(updates["ManagedQueryResultsConfigurationUpdates"]["Enabled"], true);
    assert_eq!(updates["ResultConfigurationUpdates"]["RemoveOutputLocation"], true);
    // Only what differs is sent.
    stub.says("GetWorkGroup", [ok(workgroup(managed()))]);
    ensure(&stub.etl(), &["--result-location", "s3://new/"]).ok();
    let updates = stub.calls("UpdateWorkGroup")[1]["ConfigurationUpdates"].clone();
    let expected = json!({
        "ManagedQueryResultsConfigurationUpdates": {"Enabled": false}, "ResultConfigurationUpdates": {"OutputLocation": "s3://new/"}
    });
    assert_eq!(updates, expected);
}

#[test]
fn mistakes_are_told_before_anything_is_written() {
    let stub = stub();
    let etl = stub.etl();
    etl.run(["athena", "workgroup", "ensure", "etl", "--max-scan", "9.9MB"]).fails(2).says("minimum limit is 10MB");
    etl.run(["athena", "workgroup", "ensure", "a b", "--max-scan", "1GB"]).fails(2).says("not a workgroup name");
    etl.run(["athena", "workgroup", "ensure", "etl"]).fails(2).says("--max-scan");
    assert!(stub.operations().is_empty());
    let spark = json!({"EngineVersion": {"EffectiveEngineVersion": "PySpark engine version 3"}});
    stub.says("GetWorkGroup", [ok(workgroup(spark))]);
    ensure(&etl, &[]).fails(4).says("doesn't run SQL");
    stub.says("GetWorkGroup", [ok(workgroup(json!({})))]);
    stub.says("UpdateWorkGroup", [refused("AccessDeniedException", "", "not authorized to perform: athena:UpdateWorkGroup")]);
    ensure(&etl, &[]).fails(4).says("can't change workgroup etl").says("athena:UpdateWorkGroup");
    let mut disabled = workgroup(managed());
    disabled["WorkGroup"]["State"] = "DISABLED".into();
    stub.says("GetWorkGroup", [ok(disabled)]);
    ensure(&etl, &[]).ok().says("is disabled and stays disabled");
}

#[test]
fn they_are_listed_and_shown() {
    let stub = stub();
    let line = |name: &str, state: &str| json!({"Name": name, "State": state, "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3"}});
    stub.says(
        "ListWorkGroups",
        [
            ok(json!({"WorkGroups": [line("primary", "ENABLED")], "NextToken": "more"})),
            ok(json!({"WorkGroups": [line("etl", "DISABLED")]})),
        ],
    );
    let outcome = stub.etl().run(["athena", "workgroup", "list"]).ok();
    let shown = String::from_utf8(outcome.stdout).unwrap();
    assert!(shown.contains("primary") && shown.contains("etl") && shown.contains("switched off"), "{shown}");
    assert_eq!(stub.calls("ListWorkGroups")[1]["NextToken"], "more");
    stub.says("GetWorkGroup", [ok(workgroup(managed()))]);
    let outcome = stub.etl().run(["athena", "workgroup", "show", "etl"]).ok();
    let expected =
        "workgroup etl, enabled\nengine Athena engine version 3\nscan limit per query: 10.00 GB\nresults: kept by Athena\nenforced: yes\n";
    assert_eq!(String::from_utf8(outcome.stdout).unwrap(), expected);
    let outcome = stub.etl().run(["athena", "workgroup", "show", "etl", "--json"]).ok();
    let shown: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!((&shown["max_scan"], &shown["results"]), (&json!(10_000_000_000_u64), &json!("managed")));
    stub.says("GetWorkGroup", [refused("InvalidRequestException", "INVALID_INPUT", "WorkGroup is not found.")]);
    stub.etl()
        .run(["athena", "workgroup", "show", "etl"])
        .fails(3)
        .says("there is no workgroup etl")
        .says("etl athena workgroup ensure etl");
}
