//! Whole pipelines on a lake in a bucket, with one in ten requests broken on the way.

use crate::etl::{Etl, Outcome};
use crate::fault_proxy::FaultProxy;
use crate::lake::log_of_day;
use crate::minio::Minio;
use etl::storage::Storage;
use serde_json::Value;
use std::thread;

/// A pipeline named `name` from logs in the bucket to two tables in it.
fn pipeline(minio: &Minio, name: &str, tables: &str) -> String {
    let (logs, lake) = (minio.location(&format!("incoming/{name}")), minio.location("lake"));
    format!(
        "version: 1
name: {name}
lake: {{location: {lake}}}
sources:
  access: {{location: {logs}/}}
transforms:
  by_status: {{sql: 'SELECT CAST(time AS DATE) AS day, status, count(*) AS requests FROM access GROUP BY 1, 2'}}
outputs:
  access: {{from: access, table: {tables}.access, format: parquet, mode: replace_partitions, partition_by: [dt]}}
  all: {{from: access, table: {tables}.everything, format: csv, compression: gzip, mode: append}}
  by_status: {{from: by_status, table: {tables}.by_status, format: json}}
verify:
  - unique: {{table: {tables}.by_status, columns: [day, status]}}
"
    )
}

fn run(etl: &Etl, endpoint: &str, arguments: &[&str]) -> Outcome {
    Outcome::of(etl.command(arguments).env("AWS_ENDPOINT_URL_S3", endpoint).output().unwrap())
}

/// The first column of what a query of the lake gives, without any fault.
fn query(etl: &Etl, minio: &Minio, sql: &str) -> Vec<String> {
    let lake = minio.location("lake").to_string();
    let outcome = run(etl, &minio.endpoint, &["query", "--lake", &lake, "--format", "csv", sql]).ok();
    String::from_utf8(outcome.stdout).unwrap().lines().skip(1).map(str::to_string).collect()
}

#[test]
fn pipelines_through_one_fault_in_ten_requests_end_right() {
    let Some(minio) = Minio::get() else { return };
    let proxy = FaultProxy::start(&minio.endpoint, 100, 7);
    let etl = Etl::new();
    etl.write("web.yaml", pipeline(&minio, "web", "web"));
    let logs = minio.storage("incoming/web");
    let mut lines = 0;
    for day in 1..=6 {
        for part in 0..5 {
            let n = 100 + u64::from(day) * 10 + part;
            logs.put(&format!("{day:02}-{part}.log"), log_of_day(day, n)).unwrap();
            lines += n;
        }
        let outcome = run(&etl, &proxy.endpoint, &["run", "web.yaml", "--json"]).ok();
        let report: Value = serde_json::from_slice(&outcome.stdout).unwrap();
        assert_eq!(report["status"], "published", "{report}");
        for table in ["web.access", "web.everything"] {
            assert_eq!(query(&etl, &minio, &format!("SELECT count(*) FROM {table}")), [lines.to_string()], "day {day}");
        }
        assert_eq!(query(&etl, &minio, "SELECT sum(requests) FROM web.by_status"), [lines.to_string()]);
    }
    let outcome = run(&etl, &proxy.endpoint, &["run", "web.yaml", "--json"]).ok();
    let report: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(report["status"], "up_to_date");
    // Readers have a bad day, too.
    let lake = minio.location("lake").to_string();
    for _ in 0..3 {
        let outcome = run(&etl, &proxy.endpoint, &["query", "--lake", &lake, "--format", "csv", "SELECT count(*) FROM web.access"]).ok();
        assert!(String::from_utf8(outcome.stdout).unwrap().ends_with(&format!("\n{lines}\n")));
    }
    for (fault, count) in proxy.injected() {
        assert!(count > 0, "{fault:?} never happened in {} requests", proxy.requests());
    }
    clean(&minio);
}

#[test]
fn pipelines_at_once_lose_nothing_of_each_other() {
    let Some(minio) = Minio::get() else { return };
    let proxy = FaultProxy::start(&minio.endpoint, 100, 11);
    let etl = Etl::new();
    let names = ["one", "two", "three"];
    for name in names {
        etl.write(&format!("{name}.yaml"), pipeline(&minio, name, name));
    }
    for day in 1..=3 {
        thread::scope(|scope| {
            for name in names {
                let (etl, minio, proxy) = (&etl, &minio, &proxy);
                scope.spawn(move || {
                    minio.storage(&format!("incoming/{name}")).put(&format!("{day}.log"), log_of_day(day, 100)).unwrap();
                    run(etl, &proxy.endpoint, &["run", &format!("{name}.yaml")]).ok();
                });
            }
        });
    }
    for name in names {
        assert_eq!(query(&etl, &minio, &format!("SELECT count(*) FROM {name}.access")), ["300"]);
        assert_eq!(query(&etl, &minio, &format!("SELECT count(*) FROM {name}.everything")), ["300"]);
    }
    clean(&minio);
}

/// Uploads whose beginning nobody heard of are aborted, so that the bucket can be removed.
fn clean(minio: &Minio) {
    let storage: Storage = minio.storage("");
    storage.abort_uploads(&storage.stale_uploads("", chrono::TimeDelta::seconds(-60)).unwrap()).unwrap();
}

#[test]
fn a_pipeline_says_itself_where_its_buckets_are() {
    let Some(minio) = Minio::get() else { return };
    let etl = Etl::new();
    let endpoint = &minio.endpoint;
    let text = pipeline(&minio, "web", "web")
        .replace("/lake}", &format!("/lake, s3: {{endpoint_url: '{endpoint}', tags: {{team: web}}}}}}"))
        .replace("incoming/web/}", &format!("incoming/web/, s3: {{endpoint_url: '{endpoint}', region: eu-central-1}}}}"));
    etl.write("web.yaml", text);
    minio.storage("incoming/web").put("1.log", log_of_day(1, 100)).unwrap();
    // Elsewhere nobody answers.
    let nowhere = "http://127.0.0.1:1";
    let plan = run(&etl, nowhere, &["plan", "web.yaml", "--json"]);
    assert!(String::from_utf8_lossy(&plan.stdout).contains("web.access"), "{}", plan.stderr);
    run(&etl, nowhere, &["run", "web.yaml"]).ok();
    assert_eq!(query(&etl, &minio, "SELECT count(*) FROM web.access"), ["100"]);
    let storage = minio.storage("lake");
    let file = storage.list("web/access").unwrap().remove(0);
    let (status, tags) = minio.signed("GET", &format!("lake/{}?tagging=", file.key.replace('=', "%3D")), "");
    assert!(status == 200 && tags.contains("<Key>team</Key>"), "{status} {tags}");
}
