//! What vacuum leaves: all that Glue points to, also where it is behind, and nothing else.

use crate::glue_lake::GlueLake;
use crate::glue_proxy::refused;
use crate::lake::log_of_day;
use crate::same_rows::{As, same};
use serde_json::Value;
use std::collections::BTreeSet;

const WEB: &str = "
version: 1
name: web
lake: {location: lake}
sources:
  access: {location: 'in/*.log'}
outputs:
  all: {from: access, table: web.all, format: json, mode: append}
  anew: {from: access, table: web.anew, format: csv}
  access: {from: access, table: web.access, partition_by: [dt], mode: replace_partitions}
  projected: {from: access, table: web.projected, partition_by: [dt], mode: append, partition_projection: {dt: {type: date, range: '2020-03-01,2020-03-09'}}}
";

const TABLES: [(&str, As); 4] = [("all", As::Json), ("anew", As::Text), ("access", As::Typed), ("projected", As::Typed)];

/// What Trino reads of each table, in any order.
fn read(lake: &GlueLake) -> Vec<Vec<String>> {
    let of = |name: &str| {
        let sql = format!("SELECT dt, time, host, path, status FROM {}.\"{name}\"", lake.database("web"));
        let sql = if ["all", "anew"].contains(&name) { sql.replace("dt, ", "") } else { sql };
        let mut rows: Vec<String> = lake.trino.rows(&sql).rows.into_iter().map(|row| Value::Array(row).to_string()).collect();
        rows.sort();
        rows
    };
    TABLES.iter().map(|(name, _)| of(name)).collect()
}

/// The folders of lists that are in the lake.
fn lists(lake: &GlueLake) -> BTreeSet<String> {
    let keys = lake.minio.storage("lake").list("web").unwrap().into_iter().map(|entry| entry.key);
    keys.filter_map(|key| key.split_once("/lists/").map(|(table, rest)| format!("{table}/{}", rest.split('/').next().unwrap()))).collect()
}

/// The folders of lists that Glue points to.
fn pointed(lake: &GlueLake) -> BTreeSet<String> {
    let database = lake.database("web");
    let mut places = Vec::new();
    for (name, _) in TABLES {
        let table = lake.told("web", name);
        let template = &table["Parameters"]["storage.location.template"];
        let partitions = lake.glue.partitions(&database, name);
        let found =
            [&table, &Value::Null].into_iter().chain(&partitions).map(|one| &one["StorageDescriptor"]["Location"]).chain([template]);
        places.extend(found.filter_map(Value::as_str).map(str::to_string));
    }
    let lake = lake.location();
    let below = places.iter().filter_map(|place| place.strip_prefix(&format!("{lake}/")));
    below.filter_map(|key| key.split_once("/lists/").map(|(table, rest)| format!("{table}/{}", rest.split('/').next().unwrap()))).collect()
}

#[test]
fn vacuum_leaves_what_glue_points_to() {
    let Some(lake) = GlueLake::get() else { return };
    let vacuum = || lake.etl(&format!("vacuum {} --older-than 0s", lake.location())).ok();
    lake.pipeline("web.yaml", WEB).write("in/1.log", log_of_day(1, 40)).write("in/2.log", log_of_day(2, 40));
    lake.etl("run web.yaml").ok();
    lake.write("in/3.log", log_of_day(1, 10)).write("in/4.log", log_of_day(3, 10));
    lake.etl("run web.yaml").ok();
    let told = read(&lake);
    assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [100; 4]);
    // Glue stays behind by two runs, of which the second replaces what the first one wrote.
    let denied = || refused("AccessDeniedException", "not now");
    for operation in ["UpdateTable", "BatchCreatePartition", "BatchUpdatePartition", "BatchDeletePartition"] {
        lake.proxy.always(operation, denied());
    }
    lake.write("in/5.log", log_of_day(2, 7));
    lake.etl("run web.yaml").fails(4);
    lake.write("in/6.log", log_of_day(3, 3));
    lake.etl("run web.yaml --full").fails(4);
    vacuum();
    assert_eq!(read(&lake), told, "readers of Glue see what they saw");
    vacuum();
    assert_eq!(read(&lake), told);
    // Who can't ask Glue removes nothing.
    let before = lake.minio.storage("lake").list("web").unwrap().len();
    lake.proxy.always("GetTable", denied());
    lake.etl(&format!("vacuum {} --older-than 0s", lake.location())).says("nothing was removed");
    assert_eq!(lake.minio.storage("lake").list("web").unwrap().len(), before);
    lake.proxy.never();
    lake.etl("run web.yaml").ok();
    for (name, told) in TABLES {
        same(&lake, &format!("web.{name}"), name, told);
    }
    vacuum();
    for (name, told) in TABLES {
        same(&lake, &format!("web.{name}"), name, told);
    }
    let now = lake.minio.storage("lake").list("web").unwrap().len();
    assert!(now < before, "{now} objects of {before} are left");
    assert_eq!(lists(&lake), pointed(&lake), "lists to which nobody points are gone");
    // Another run makes lists again, and leaves the old ones to vacuum.
    lake.write("in/7.log", log_of_day(2, 3));
    lake.etl("run web.yaml").ok();
    assert!(!pointed(&lake).is_empty());
    vacuum();
    assert_eq!(lists(&lake), pointed(&lake));
    for (name, told) in TABLES {
        same(&lake, &format!("web.{name}"), name, told);
    }
}
