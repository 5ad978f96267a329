//! The pipelines that come with the program can be run, and make what they say.

use super::lake::{Lake, action};
use std::fs;
use std::path::Path;

/// The checkout's pipelines and their data, in a folder of the test's own; the lake is beside them.
fn samples() -> Lake {
    let lake = Lake::in_folder();
    for folder in ["pipelines", "pipelines/governed-sales", "sample-data"] {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            lake.write(&format!("{folder}/{}", path.file_name().unwrap().to_string_lossy()), fs::read(&path).unwrap());
        }
    }
    lake
}

#[test]
fn all_are_right() {
    let lake = samples();
    let mut files = lake.names("pipelines");
    files.retain(|name| name.ends_with(".yaml"));
    assert_eq!(
        files,
        ["athena.yaml", "format-comparison.yaml", "governed-sales.yaml", "interactions.yaml", "quickstart.yaml", "sales.yaml"]
    );
    let arguments = files.iter().map(|name| format!("pipelines/{name}")).collect::<Vec<_>>().join(" ");
    let told = lake.etl(&format!("validate {arguments}")).ok();
    assert_eq!(told.stderr, "");
    assert!(String::from_utf8(told.stdout).unwrap().contains("pipelines/format-comparison.yaml: ok (1 source, 21 outputs)"));
}

#[test]
fn the_quickstart_makes_two_tables() {
    let lake = samples();
    let report = lake.run_pipeline("pipelines/quickstart.yaml", 0);
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["passed"] == true), "{report}");
    assert_eq!(lake.value("SELECT count(*) FROM quickstart.access WHERE dt = '2020-02-29'"), "2000");
    assert_eq!(lake.value("SELECT sum(requests) FROM quickstart.status_by_hour"), "2000");
    assert_eq!(action(&lake.run_pipeline("pipelines/quickstart.yaml", 0), "access"), "unchanged");
}

#[test]
fn formats_are_compared_by_tables_of_the_same_rows() {
    let lake = samples();
    // Few rows, so that not too many files of one row are made.
    lake.log("small.log", 120);
    let report = lake.run_pipeline("pipelines/format-comparison.yaml --var log=../small.log", 0);
    let outputs = report["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), 21);
    for output in outputs {
        let name = output["name"].as_str().unwrap();
        let wanted: u64 = name.rsplit('_').next().unwrap().parse().unwrap();
        assert_eq!((output["files"].as_u64(), output["rows"].as_u64()), (Some(wanted.min(120)), Some(120)), "{name}");
        let codec = if name.contains("gzip") {
            "gzip"
        } else if name.starts_with("parquet") {
            "zstd"
        } else {
            "none"
        };
        assert_eq!((output["format"].as_str().unwrap(), output["compression"].as_str().unwrap()), (name.split('_').next().unwrap(), codec));
    }
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["passed"] == true), "{report}");
}

#[test]
fn interactions_are_one_csv_that_a_recommender_reads() {
    let lake = samples();
    lake.run_pipeline("pipelines/interactions.yaml", 0);
    let files: Vec<String> = lake.below("recommender").into_iter().filter(|key| key.ends_with(".csv")).collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let text = String::from_utf8(lake.read(&format!("lake/{file}"))).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("user_id,item_id,timestamp,event_type"));
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert!(first[0].parse::<u64>().unwrap() >= 1000 && first[2].starts_with("158293") && first[3] == "view", "{first:?}");
}

#[test]
fn sales_can_be_asked_as_text_and_as_dates() {
    let lake = samples();
    lake.run_pipeline("pipelines/sales.yaml", 0);
    let rows = |sql: &str| lake.value(sql).parse::<u64>().unwrap();
    assert_eq!(rows("SELECT count(*) FROM shops.sales"), 600);
    let by_text = rows("SELECT count(*) FROM shops.sales_csv WHERE date LIKE '%.2014'");
    assert_eq!(rows("SELECT count(*) FROM shops.sales WHERE year = '2014'"), by_text);
    assert!(by_text > 100 && rows("SELECT count(*) FROM shops.sales_csv WHERE shop_id = 25") > 5);
    assert_eq!(lake.value("SELECT sum(amount) = sum(item_price * item_count) FROM shops.sales"), "true");
}

#[test]
fn what_init_writes_runs() {
    let lake = Lake::in_folder();
    lake.log("access.log", 500);
    lake.etl("init weblogs.yaml").ok();
    let report = lake.run_pipeline("weblogs.yaml", 0);
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["passed"] == true), "{report}");
    assert_eq!(lake.value("SELECT sum(requests) FROM weblogs.status_by_hour"), "500");
}
