//! Many partitions: in calls of no more than Glue takes, and in answers of several pages.

use crate::glue_lake::GlueLake;
use crate::same_rows::{As, same};
use serde_json::{Value, json};

const MANY: &str = "
version: 1
name: many
lake: {location: lake}
sources:
  read: {location: 'in/*.json', format: json}
transforms:
  rows: {sql: 'SELECT id, n FROM read WHERE n < 1000'}
outputs:
  rows: {from: rows, table: many.rows, format: json, partition_by: [n]}
";

const PARTITIONS: usize = 230;

/// How many partitions each call of `operation` had.
fn sizes(calls: &[(String, Value)], operation: &str, list: &str) -> Vec<usize> {
    let of = calls.iter().filter(|(asked, _)| asked == operation);
    let mut sizes: Vec<usize> = of.map(|(_, body)| body[list].as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    sizes
}

#[test]
fn partitions_are_told_in_batches_and_read_in_pages() {
    let Some(lake) = GlueLake::get() else { return };
    let database = lake.database("many");
    let rows = |count: usize| (0..count).map(|n| format!("{{\"id\":{n},\"n\":{n}}}\n")).collect::<String>();
    lake.pipeline("many.yaml", MANY).write("in/1.json", rows(PARTITIONS));
    lake.etl("run many.yaml").ok();
    assert_eq!(sizes(&lake.proxy.calls(), "BatchCreatePartition", "PartitionInputList"), [30, 100, 100]);
    assert_eq!(same(&lake, "many.rows", "rows", As::Json), PARTITIONS);
    lake.etl("run many.yaml --full").ok();
    assert_eq!(sizes(&lake.proxy.calls(), "BatchUpdatePartition", "Entries"), [30, 100, 100]);
    // An answer in pages, of which one has no partition, and one has again what the one before had.
    let all = lake.glue.partitions(&database, "rows");
    let page = |partitions: &[Value], next: Option<&str>| {
        let mut page = json!({"Partitions": partitions});
        if let Some(next) = next {
            page["NextToken"] = json!(next);
        }
        (200, page)
    };
    lake.proxy.next("GetPartitions", [page(&all[..90], Some("a")), page(&[], Some("b")), page(&all[80..], None)]);
    assert_eq!(lake.planned("many.yaml", "rows")["catalog"]["drift"], json!([]));
    let calls = lake.proxy.calls();
    let tokens: Vec<&Value> = calls.iter().filter(|(asked, _)| asked == "GetPartitions").map(|(_, body)| &body["NextToken"]).collect();
    assert_eq!(tokens, [&Value::Null, &json!("a"), &json!("b")]);
    // All but a few go.
    lake.pipeline("many.yaml", &MANY.replace("n < 1000", "n < 20"));
    lake.etl("run many.yaml").ok();
    assert_eq!(sizes(&lake.proxy.calls(), "BatchDeletePartition", "PartitionsToDelete"), [10, 25, 25, 25, 25, 25, 25, 25, 25]);
    assert_eq!(same(&lake, "many.rows", "rows", As::Json), 20);
    assert_eq!(lake.glue.partitions(&database, "rows").len(), 20);
}
