//! Tables whose shape changes between runs: columns that come, partition keys that are others, and tables without a row.

use crate::glue_lake::GlueLake;
use crate::lake::log_of_day;
use crate::same_rows::{As, same};
use serde_json::{Value, json};

const SHAPES: &str = "
version: 1
name: shapes
lake: {location: lake}
sources:
  read: {location: 'in/*.json', format: json}
transforms:
  rows: {sql: 'SELECT id, v, k FROM read'}
outputs:
  json: {from: rows, table: shapes.json, format: json, mode: append}
  csv: {from: rows, table: shapes.csv, format: csv, mode: append}
  parquet: {from: rows, table: shapes.parquet, mode: append}
  keyed: {from: rows, table: shapes.keyed, mode: append, partition_by: [k]}
  keyed_csv: {from: rows, table: shapes.keyed_csv, format: csv, mode: append, partition_by: [k]}
";

const TABLES: [(&str, As); 5] =
    [("json", As::Json), ("csv", As::Text), ("parquet", As::Typed), ("keyed", As::Typed), ("keyed_csv", As::Text)];

#[track_caller]
fn all_are_the_same(lake: &GlueLake, rows: usize) {
    for (name, told) in TABLES {
        assert_eq!(same(lake, &format!("shapes.{name}"), name, told), rows, "{name}");
    }
}

#[test]
fn columns_that_come_and_go_do_so_in_every_partition() {
    let Some(lake) = GlueLake::get() else { return };
    lake.pipeline("shapes.yaml", SHAPES).write("in/1.json", "{\"id\":1,\"v\":\"one\",\"k\":\"a\"}\n{\"id\":2,\"v\":null,\"k\":\"b\"}\n");
    lake.etl("run shapes.yaml").ok();
    all_are_the_same(&lake, 2);
    lake.write("in/2.json", "{\"id\":3,\"v\":\"three\",\"k\":\"b\"}\n{\"id\":4,\"v\":\"four\",\"k\":\"c\"}\n");
    lake.pipeline("shapes.yaml", &SHAPES.replace("SELECT id, v, k", "SELECT id, id * 2 AS early, v, k, upper(k) AS late"));
    lake.etl("run shapes.yaml").ok();
    all_are_the_same(&lake, 4);
    lake.write("in/3.json", "{\"id\":5,\"v\":\"five\",\"k\":\"d\"}\n");
    lake.etl("run shapes.yaml").ok();
    all_are_the_same(&lake, 5);
    // Readers compare the columns of the table with those of each partition.
    let columns = |keyed: &Value| {
        let columns = keyed["StorageDescriptor"]["Columns"].as_array().unwrap();
        columns.iter().map(|column| (column["Name"].clone(), column["Type"].clone())).collect::<Vec<_>>()
    };
    let table = columns(&lake.told("shapes", "keyed"));
    assert!(table.contains(&(json!("early"), json!("bigint"))), "{table:?}");
    for partition in lake.glue.partitions(&lake.database("shapes"), "keyed") {
        assert_eq!(columns(&partition), table);
    }
    // Other types in other places.
    lake.pipeline("shapes.yaml", &SHAPES.replace("SELECT id, v, k", "SELECT v, CAST(id AS double) / 3 AS id, k"));
    lake.etl("run shapes.yaml").ok();
    all_are_the_same(&lake, 5);
}

const KEYS: &str = "
version: 1
name: keys
lake: {location: lake}
sources:
  access: {location: 'in/*.log'}
outputs:
  access: {from: access, table: web.access, PARTITIONS}
";

#[test]
fn other_partition_keys_come_before_the_partitions_that_have_them() {
    let Some(lake) = GlueLake::get() else { return };
    let database = lake.database("web");
    lake.write("in/1.log", log_of_day(1, 30)).write("in/2.log", log_of_day(2, 30));
    let run = |partitions: &str| {
        lake.pipeline("keys.yaml", &KEYS.replace("PARTITIONS", partitions));
        lake.proxy.calls();
        lake.etl("run keys.yaml --full").ok();
        assert_eq!(same(&lake, "web.access", "access", As::Typed), 60, "{partitions}");
        lake.proxy.calls()
    };
    let at = |calls: &[(String, Value)], operation: &str| calls.iter().position(|(asked, _)| asked == operation);
    run("partition_by: [dt]");
    let calls = run("partition_by: [dt, hour]");
    let first = at(&calls, "UpdateTable").unwrap();
    assert!(at(&calls, "BatchDeletePartition").unwrap() < first, "those of other keys are gone before");
    assert_eq!(calls[first].1["TableInput"]["PartitionKeys"].as_array().unwrap().len(), 2);
    assert_eq!(calls[first].1["TableInput"]["Parameters"]["etl.version"], "0", "what is not told to its end says so");
    let created = at(&calls, "BatchCreatePartition").unwrap();
    assert!(first < created);
    assert_eq!(calls[created].1["PartitionInputList"][0]["Values"].as_array().unwrap().len(), 2);
    assert_eq!(lake.told("web", "access")["Parameters"]["etl.version"], "2");
    // Where readers compute partitions, those that are registered go when nobody needs them any more.
    let calls = run("partition_by: [dt, hour], partition_projection: {dt: {type: date, range: '2020-03-01,2020-03-05'}}");
    assert!(at(&calls, "UpdateTable").unwrap() < at(&calls, "BatchDeletePartition").unwrap(), "{calls:?}");
    assert!(lake.glue.partitions(&database, "access").is_empty());
    run("partition_by: [dt, hour]");
    assert_eq!(lake.glue.partitions(&database, "access").len(), 2);
    run("compression: gzip");
    run("partition_by: [status]");
}

#[test]
fn tables_without_a_row_are_read_as_such() {
    let Some(lake) = GlueLake::get() else { return };
    let text = "
version: 1
name: none
lake: {location: lake}
sources:
  access: {location: 'in/*.log'}
transforms:
  some: {sql: 'SELECT * FROM access WHERE status = 999'}
outputs:
  parquet: {from: some, table: none.parquet}
  csv: {from: some, table: none.csv, format: csv}
  json: {from: some, table: none.json, format: json, mode: append}
  keyed: {from: some, table: none.keyed, partition_by: [method]}
  projected: {from: some, table: none.projected, partition_by: [method], partition_projection: true}
";
    let tables = [("parquet", As::Typed), ("csv", As::Text), ("json", As::Json), ("keyed", As::Typed), ("projected", As::Typed)];
    let all_are_the_same = || tables.map(|(name, told)| same(&lake, &format!("none.{name}"), name, told));
    lake.pipeline("none.yaml", text).write("in/1.log", log_of_day(1, 20));
    lake.etl("run none.yaml").ok();
    assert_eq!(all_are_the_same(), [0; 5]);
    lake.pipeline("none.yaml", &text.replace("status = 999", "status < 999"));
    lake.etl("run none.yaml --full").ok();
    assert_eq!(all_are_the_same(), [20; 5]);
    lake.pipeline("none.yaml", text);
    lake.etl("run none.yaml --full").ok();
    let left = all_are_the_same();
    assert_eq!([left[0], left[1], left[3], left[4]], [0; 4]);
}

#[test]
fn what_glue_does_not_take_is_refused_before_anything_is_published() {
    let Some(lake) = GlueLake::get() else { return };
    lake.write("in/1.log", log_of_day(1, 20));
    for (setting, said) in [
        (format!("description: '{}'", "ä".repeat(1_025)), "the description in"),
        (format!("columns: {{status: '{}'}}", "c".repeat(256)), "the comment of status in"),
    ] {
        lake.pipeline("keys.yaml", &KEYS.replace("PARTITIONS", &setting));
        lake.etl("run keys.yaml").fails(2).says(said).says("make it shorter");
        assert!(lake.glue.table(&lake.database("web"), "access").is_none());
    }
    let setting = format!("description: '{}', columns: {{status: '{}'}}", "ä".repeat(1_024), "c".repeat(255));
    lake.pipeline("keys.yaml", &KEYS.replace("PARTITIONS", &setting));
    lake.etl("run keys.yaml").ok();
    assert_eq!(same(&lake, "web.access", "access", As::Typed), 20);
}
