//! What Glue is told, and what it is not: nothing where nothing changes, nothing over what others wrote, nothing of others' tables.

use crate::etl::{Etl, Outcome};
use crate::glue_lake::GlueLake;
use crate::glue_proxy::{refused, writes};
use crate::lake::log_of_day;
use crate::same_rows::{As, same};
use serde_json::{Value, json};

const WEB: &str = "
version: 1
name: web
lake: {location: lake}
sources:
  access: {location: 'in/*.log'}
transforms:
  by_status: {sql: 'SELECT status, count(*) AS requests FROM access GROUP BY status'}
outputs:
  access:
    from: access
    table: web.access
    description: A row a request
    columns: {status: The final status}
    partition_by: [dt]
    mode: append
  by_status: {from: by_status, table: web.by_status, format: {csv: {cast_view: by_status_typed}}}
";

const TABLES: [(&str, &str, As); 3] =
    [("web.access", "access", As::Typed), ("web.by_status", "by_status", As::Text), ("web.by_status", "by_status_typed", As::Cast)];

#[track_caller]
fn all_are_the_same(lake: &GlueLake) {
    for (table, name, told) in TABLES {
        same(lake, table, name, told);
    }
}

/// A lake with one run behind it.
fn begun() -> Option<GlueLake> {
    let lake = GlueLake::get()?;
    lake.pipeline("web.yaml", WEB).write("in/1.log", log_of_day(1, 50)).write("in/2.log", log_of_day(2, 50));
    lake.etl("run web.yaml").ok();
    Some(lake)
}

#[test]
fn who_has_nothing_to_tell_writes_nothing() {
    let Some(lake) = begun() else { return };
    assert!(!writes(&lake.proxy.operations()).is_empty());
    let before = lake.told("web", "access");
    lake.etl("run web.yaml").ok().says("nothing to do");
    lake.etl("plan --detailed-exitcode web.yaml").ok();
    let operations = lake.proxy.operations();
    assert!(operations.contains(&"GetTable".to_string()), "{operations:?}");
    assert_eq!(writes(&operations), [""; 0]);
    assert_eq!(lake.told("web", "access"), before);
    // A run that adds to one partition moves that one, and says the version to the table.
    lake.write("in/3.log", log_of_day(2, 10));
    lake.etl("run web.yaml").ok();
    let calls = lake.proxy.calls();
    let moved: Vec<&Value> = calls.iter().filter(|(operation, _)| operation == "BatchUpdatePartition").map(|(_, body)| body).collect();
    assert_eq!(moved.len(), 1, "{calls:?}");
    assert_eq!(moved[0]["Entries"].as_array().unwrap().len(), 1);
    assert_eq!(moved[0]["Entries"][0]["PartitionValueList"], json!(["2020-03-02"]));
    assert!(!moved[0]["Entries"][0]["PartitionInput"]["StorageDescriptor"]["Columns"].as_array().unwrap().is_empty());
    let updated: Vec<&Value> = calls.iter().filter(|(operation, _)| operation == "UpdateTable").map(|(_, body)| body).collect();
    // The two tables and the view, each once, only if nobody was faster, and without a copy of what was.
    assert_eq!(updated.len(), 3, "{calls:?}");
    for update in updated {
        assert!(update["VersionId"].is_string() && update["SkipArchive"] == true, "{update}");
        assert!(update["TableInput"]["PartitionKeys"].is_array(), "{update}");
    }
    all_are_the_same(&lake);
}

#[test]
fn what_others_wrote_is_kept() {
    let Some(lake) = begun() else { return };
    let database = lake.database("web");
    lake.glue.change(&database, "access", |table| {
        table["Parameters"]["team"] = json!("web");
        table["Parameters"]["projection.note"] = json!("theirs");
        table["Owner"] = json!("somebody");
        table["Retention"] = json!(30);
        let columns = table["StorageDescriptor"]["Columns"].as_array_mut().unwrap();
        columns.iter_mut().find(|column| column["Name"] == "path").unwrap()["Comment"] = json!("What was asked for");
    });
    let kept = |lake: &GlueLake| {
        let table = lake.told("web", "access");
        let comment = |name: &str| {
            let columns = table["StorageDescriptor"]["Columns"].as_array().unwrap();
            columns.iter().find(|column| column["Name"] == name).unwrap()["Comment"].clone()
        };
        assert_eq!((&table["Parameters"]["team"], &table["Parameters"]["projection.note"]), (&json!("web"), &json!("theirs")));
        assert_eq!((&table["Owner"], &table["Retention"]), (&json!("somebody"), &json!(30)));
        assert_eq!((comment("path"), comment("status")), (json!("What was asked for"), json!("The final status")));
        assert_eq!(table["Description"], "A row a request");
    };
    let plan = lake.planned("web.yaml", "access");
    assert_eq!(plan["catalog"]["drift"], json!([]), "{plan}");
    lake.proxy.operations();
    lake.etl("run web.yaml").ok();
    assert_eq!(writes(&lake.proxy.operations()), [""; 0], "what others wrote is no reason to write");
    kept(&lake);
    lake.write("in/3.log", log_of_day(3, 10));
    lake.etl("run web.yaml").ok();
    kept(&lake);
    assert_eq!(lake.told("web", "access")["Parameters"]["etl.version"], "2");
    // A comment that is ours goes where the pipeline has none any more.
    lake.pipeline("web.yaml", &WEB.replace("    columns: {status: The final status}\n", ""));
    lake.etl("run web.yaml --full").ok();
    let columns = lake.told("web", "access")["StorageDescriptor"]["Columns"].as_array().unwrap().clone();
    let comments: Vec<&Value> = columns.iter().filter(|column| column["Comment"].is_string()).map(|column| &column["Name"]).collect();
    assert_eq!(comments, ["path"]);
}

#[test]
fn who_changes_a_table_meanwhile_loses_nothing() {
    let Some(lake) = begun() else { return };
    let database = lake.database("web");
    lake.write("in/3.log", log_of_day(2, 10));
    lake.proxy.calls();
    let run = || lake.command(["run", "web.yaml"]).spawn().unwrap();
    let meanwhile = || lake.glue.change(&database, "access", |table| table["Parameters"]["team"] = json!("web"));
    let run = lake.proxy.hold("UpdateTable", run, meanwhile);
    Outcome::of(run.wait_with_output().unwrap()).ok();
    let updated =
        lake.proxy.calls().into_iter().filter(|(operation, body)| operation == "UpdateTable" && body["TableInput"]["Name"] == "access");
    assert_eq!(updated.count(), 2, "the first one was of a version that is not there any more");
    let told = lake.told("web", "access");
    assert_eq!((&told["Parameters"]["team"], &told["Parameters"]["etl.version"]), (&json!("web"), &json!("2")));
    all_are_the_same(&lake);
}

#[test]
fn a_later_version_that_somebody_else_told_stays() {
    let Some(lake) = begun() else { return };
    lake.write("in/3.log", log_of_day(2, 10));
    lake.proxy.calls();
    // While the one run waits to tell of its version, another one publishes the next and tells it.
    let run = || lake.command(["run", "web.yaml"]).spawn().unwrap();
    let meanwhile = || {
        lake.write("in/4.log", log_of_day(3, 10));
        let mut faster = lake.command(["run", "web.yaml"]);
        Outcome::of(faster.env("AWS_ENDPOINT_URL_GLUE", &lake.glue.endpoint).output().unwrap()).ok();
    };
    let run = lake.proxy.hold("UpdateTable", run, meanwhile);
    Outcome::of(run.wait_with_output().unwrap()).ok();
    assert_eq!(lake.told("web", "access")["Parameters"]["etl.version"], "3");
    all_are_the_same(&lake);
}

#[test]
fn what_others_broke_is_told_and_mended() {
    let Some(lake) = begun() else { return };
    let database = lake.database("web");
    lake.glue.change(&database, "access", |table| {
        table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] = json!("org.example.Other");
        table["Parameters"]["classification"] = json!("csv");
        table["StorageDescriptor"]["Columns"].as_array_mut().unwrap().remove(0);
        table["Description"] = json!("theirs");
    });
    lake.glue.change(&database, "by_status", |table| table["StorageDescriptor"]["Location"] = json!("s3://lake/elsewhere/"));
    let keys = json!({"DatabaseName": database, "TableName": "access", "PartitionsToDelete": [{"Values": ["2020-03-01"]}]});
    lake.glue.done("BatchDeletePartition", &keys);
    let drift = lake.planned("web.yaml", "access")["catalog"]["drift"].to_string();
    for word in
        ["SerDe: org.example.Other", "classification", "column host: none -> string", "description: theirs", "1 partition to be registered"]
    {
        assert!(drift.contains(word), "`{word}` is not in {drift}");
    }
    let drift = lake.planned("web.yaml", "by_status")["catalog"]["drift"].to_string();
    assert!(drift.contains("location: s3://lake/elsewhere/"), "{drift}");
    lake.proxy.operations();
    lake.etl("plan --detailed-exitcode web.yaml").fails(2);
    assert_eq!(writes(&lake.proxy.operations()), [""; 0], "a plan changes nothing");
    lake.etl("run web.yaml").ok();
    all_are_the_same(&lake);
    assert_eq!(lake.planned("web.yaml", "access")["catalog"]["drift"], json!([]));
    assert_eq!(lake.told("web", "access")["Description"], "A row a request");
}

#[test]
fn tables_that_are_gone_come_back() {
    let Some(lake) = begun() else { return };
    let database = lake.database("web");
    for name in ["access", "by_status_typed"] {
        lake.glue.done("DeleteTable", &json!({"DatabaseName": database, "Name": name}));
    }
    lake.etl("run web.yaml").ok();
    all_are_the_same(&lake);
    lake.glue.done("DeleteDatabase", &json!({"Name": database}));
    lake.etl("run web.yaml").ok();
    all_are_the_same(&lake);
}

#[test]
fn a_table_of_somebody_else_is_refused_before_anything_is_published() {
    let Some(lake) = GlueLake::get() else { return };
    let database = lake.database("web");
    lake.glue.done("CreateDatabase", &json!({"DatabaseInput": {"Name": database}}));
    let columns = json!([{"Name": "a", "Type": "int"}]);
    let theirs = json!({"Name": "access", "TableType": "EXTERNAL_TABLE", "PartitionKeys": [], "Parameters": {"team": "other"},
        "StorageDescriptor": {"Columns": columns, "Location": "s3://other/place/", "SerdeInfo": {"SerializationLibrary": "x"}}});
    lake.glue.done("CreateTable", &json!({"DatabaseName": database, "TableInput": theirs}));
    let before = lake.told("web", "access");
    lake.pipeline("web.yaml", WEB).write("in/1.log", log_of_day(1, 50));
    let plan = lake.planned("web.yaml", "access");
    assert!(plan["catalog"]["refused"].as_str().is_some_and(|whose| whose.contains("s3://other/place/")), "{plan}");
    let outcome = lake.etl("run web.yaml").fails(2);
    outcome.says("belongs to somebody else").says("s3://other/place/").says("adopt: true");
    assert_eq!(lake.told("web", "access"), before);
    assert!(lake.glue.table(&database, "by_status").is_none(), "nor is any other table told");
    let tables = lake.etl(&format!("catalog list --lake {} --json", lake.location()));
    assert!(!String::from_utf8_lossy(&tables.stdout).contains("access"), "nothing is published");
    assert_eq!(writes(&lake.proxy.operations()), [""; 0]);
    // Taken over, said out loud; what they wrote stays.
    lake.pipeline_with("web.yaml", WEB, ", adopt: true");
    lake.etl("run web.yaml").ok().says("taken over");
    assert_eq!(lake.told("web", "access")["Parameters"]["team"], "other");
    all_are_the_same(&lake);
    // Another lake's table is somebody else's, too.
    lake.write(
        "other.yaml",
        WEB.replace(
            "lake: {location: lake}",
            &format!("lake: {{location: '{}', catalog: {{glue: {{database_prefix: {}}}}}}}", lake.minio.location("second"), lake.prefix),
        ),
    );
    lake.etl("run other.yaml").fails(2).says("the lake s3://");
}

#[test]
fn partitions_of_others_by_other_keys_are_not_removed_with_a_table_that_is_taken_over() {
    let Some(lake) = GlueLake::get() else { return };
    let database = lake.database("web");
    lake.glue.done("CreateDatabase", &json!({"DatabaseInput": {"Name": database}}));
    let stored = |location: &str| json!({"Columns": [{"Name": "a", "Type": "int"}], "Location": location, "SerdeInfo": {"SerializationLibrary": "x"}});
    let theirs = json!({"Name": "access", "TableType": "EXTERNAL_TABLE", "PartitionKeys": [{"Name": "region", "Type": "string"}],
        "StorageDescriptor": stored("s3://other/place/")});
    lake.glue.done("CreateTable", &json!({"DatabaseName": database, "TableInput": theirs}));
    for (region, location) in [("eu", "s3://other/place/eu/"), ("us", "s3://elsewhere/us/")] {
        let input = json!({"Values": [region], "StorageDescriptor": stored(location)});
        lake.glue.done("CreatePartition", &json!({"DatabaseName": database, "TableName": "access", "PartitionInput": input}));
    }
    lake.pipeline_with("web.yaml", WEB, ", adopt: true").write("in/1.log", log_of_day(1, 50));
    let outcome = lake.etl("run web.yaml");
    assert!(outcome.code.is_some_and(|code| code != 0), "{}", outcome.stderr);
    outcome.says("somebody else registered 1 partition of").says("with other keys (region)").says("have them removed first");
    let delete = json!({"DatabaseName": database, "TableName": "access", "PartitionValues": ["us"]});
    lake.glue.done("DeletePartition", &delete);
    lake.etl("run web.yaml").ok();
    all_are_the_same(&lake);
}

#[test]
fn a_catalog_that_does_not_answer_is_told_before_anything_is_written() {
    let Some(lake) = GlueLake::get() else { return };
    lake.pipeline("web.yaml", WEB).write("in/1.log", log_of_day(1, 50));
    lake.proxy.always("GetTable", refused("AccessDeniedException", "not you"));
    lake.etl("run web.yaml").says("not you").says("nothing was read or written");
    let keys: Vec<String> = lake.minio.storage("lake").list("web").unwrap().into_iter().map(|entry| entry.key).collect();
    assert!(keys.is_empty(), "{keys:?}");
    lake.proxy.never();
    lake.etl("run web.yaml").ok();
    all_are_the_same(&lake);
}

#[test]
fn the_catalog_of_another_account_is_named_in_every_call() {
    let Some(lake) = GlueLake::get() else { return };
    lake.pipeline_with("web.yaml", WEB, ", catalog_id: '123456789012'").write("in/1.log", log_of_day(1, 50));
    lake.etl("run web.yaml").ok();
    lake.write("in/2.log", log_of_day(2, 50)).write("in/3.log", log_of_day(1, 5));
    lake.etl("run web.yaml").ok();
    std::fs::remove_file(lake.path("in/2.log")).unwrap();
    lake.pipeline_with("web.yaml", &WEB.replace("mode: append", "mode: append\n    removed_sources: drop"), ", catalog_id: '123456789012'");
    lake.etl("run web.yaml").ok();
    lake.etl("plan --detailed-exitcode web.yaml").ok();
    lake.etl(&format!("vacuum {} --older-than 0s", lake.location())).ok();
    let calls = lake.proxy.calls();
    let mut operations: Vec<&str> = calls.iter().map(|(operation, _)| operation.as_str()).collect();
    operations.sort_unstable();
    operations.dedup();
    let all = [
        "BatchCreatePartition",
        "BatchDeletePartition",
        "BatchUpdatePartition",
        "CreateDatabase",
        "CreateTable",
        "GetDatabase",
        "GetPartitions",
        "GetTable",
        "UpdateTable",
    ];
    assert_eq!(operations, all);
    for (operation, body) in &calls {
        assert_eq!(body["CatalogId"], "123456789012", "{operation}: {body}");
    }
    all_are_the_same(&lake);
}

#[test]
fn a_plan_says_that_glue_is_behind_and_the_next_run_brings_it_forward() {
    let Some(lake) = begun() else { return };
    lake.write("in/3.log", log_of_day(3, 25));
    lake.proxy.always("UpdateTable", refused("AccessDeniedException", "not allowed to glue:UpdateTable"));
    lake.etl("run web.yaml").fails(4).says("is published in the lake, but Glue could not be updated").says("glue:UpdateTable");
    assert_eq!(lake.value("SELECT count(*) FROM web.access"), "125");
    let plan = lake.planned("web.yaml", "access");
    let catalog = &plan["catalog"];
    assert_eq!((&catalog["behind"], &catalog["version"], &catalog["lake_version"]), (&json!(true), &json!(1), &json!(2)), "{plan}");
    lake.proxy.never();
    lake.etl("run web.yaml").ok();
    assert_eq!(lake.planned("web.yaml", "access")["catalog"]["behind"], false);
    all_are_the_same(&lake);
}

#[test]
fn a_lake_in_a_folder_has_no_readers_in_glue() {
    let etl = Etl::new();
    etl.write("web.yaml", WEB.replace("lake: {location: lake}", "lake: {location: lake, catalog: glue}"))
        .write("in/1.log", log_of_day(1, 5));
    etl.etl("run web.yaml").fails(2).says("readers of Glue read from S3");
    assert!(!etl.path("lake").exists());
}
