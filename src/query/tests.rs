//! Queries over small files of every kind.

use super::{QueryEngine, QueryOptions};
use crate::error::{ErrorKind, Result};
use arrow::util::pretty::pretty_format_batches;
use parquet::arrow::ArrowWriter;
use std::fs;
use std::io::Write;
use std::path::Path;

fn line(index: usize) -> String {
    let status = if index.is_multiple_of(10) { 404 } else { 200 };
    format!("10.0.0.{} - - [29/Feb/2020:{:02}:00:00 +0000] \"GET /p{index} HTTP/1.1\" {status} {index}\n", index % 256, index % 24)
}

fn log(lines: usize) -> String {
    (0..lines).map(line).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn engine() -> QueryEngine {
    QueryEngine::new(QueryOptions { threads: 3, ..Default::default() }).unwrap()
}

/// The cells of the result, a row a string.
async fn rows(engine: &QueryEngine, sql: &str) -> Result<Vec<String>> {
    let mut result = engine.query(sql).await?;
    let mut batches = Vec::new();
    while let Some(batch) = result.next().await? {
        batches.push(batch);
    }
    let table = pretty_format_batches(&batches).unwrap().to_string();
    let cells = |line: &str| line.split('|').map(str::trim).filter(|c| !c.is_empty()).collect::<Vec<_>>().join(" ");
    Ok(table.lines().filter(|l| l.starts_with('|')).skip(1).map(cells).collect())
}

async fn failure(engine: &QueryEngine, sql: &str) -> crate::Error {
    rows(engine, sql).await.unwrap_err()
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

/// The rows of `sql` as a Parquet file.
async fn write_parquet(folder: &Path, name: &str, sql: &str) -> String {
    let mut result = engine().query(sql).await.unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), result.schema(), None).unwrap();
    while let Some(batch) = result.next().await.unwrap() {
        writer.write(&batch).unwrap();
    }
    write(folder, name, writer.into_inner().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_file_is_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let plain = write(root, "access.log", log(1000));
    let zipped = write(root, "zipped.log.gz", gzip(&log(1000)));
    let csv = write(root, "sales.csv", "shop,price\n1,2.5\n2,3.5\n");
    let json = write(root, "sales.jsonl", "{\"shop\":1,\"price\":2.5}\n{\"shop\":2,\"price\":3.5}\n");
    let parquet = write_parquet(root, "sales.parquet", &format!("SELECT * FROM '{csv}'")).await;
    for path in [plain, zipped] {
        let sql = format!("SELECT status, count(*), sum(bytes) FROM '{path}' GROUP BY status ORDER BY status");
        assert_eq!(rows(&engine(), &sql).await.unwrap(), ["200 900 450000", "404 100 49500"], "{path}");
    }
    for path in [csv, json, parquet] {
        let sql = format!("SELECT sum(price), count(*) FROM '{path}' WHERE shop < 5");
        assert_eq!(rows(&engine(), &sql).await.unwrap(), ["6.0 2"], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_of_a_large_log_are_all_read_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "access.log", log(300_000));
    assert!(fs::metadata(&path).unwrap().len() > 16 << 20);
    let sql = format!("SELECT count(*), sum(bytes), count(DISTINCT path) FROM '{path}'");
    assert_eq!(rows(&engine(), &sql).await.unwrap(), ["300000 44999850000 300000"]);
    let found = rows(&engine(), &format!("SELECT bytes FROM '{path}' WHERE status = 404")).await.unwrap();
    assert_eq!(found.len(), 30_000);
    assert!(found.iter().enumerate().all(|(index, bytes)| *bytes == (index * 10).to_string()));
    assert_eq!(rows(&engine(), &format!("SELECT bytes FROM '{path}' LIMIT 3")).await.unwrap(), ["0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_compare_with_texts() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "access.log", log(48));
    let sql = format!("SELECT count(*) FROM '{path}' WHERE time >= '2020-02-29T01:00:00Z' AND time < '2020-02-29 03:00:00'");
    assert_eq!(rows(&engine(), &sql).await.unwrap(), ["4"]);
    let parquet = write_parquet(folder.path(), "access.parquet", &format!("SELECT * FROM '{path}'")).await;
    assert_eq!(rows(&engine(), &sql.replace(&path, &parquet)).await.unwrap(), ["4"]);
    let sql = format!("SELECT date_trunc('hour', time) AS h, count(*) FROM '{path}' GROUP BY h ORDER BY h LIMIT 1");
    assert_eq!(rows(&engine(), &sql).await.unwrap(), ["2020-02-29T00:00:00Z 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_projection_reaches_the_decoder() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "access.log", log(10));
    let plan = engine().explain(&format!("SELECT status FROM '{path}' WHERE bytes > 3")).await.unwrap();
    assert!(plan.contains("projection=[status, bytes]"), "{plan}");
    let plan = engine().explain(&format!("SELECT count(*) FROM '{path}'")).await.unwrap();
    assert!(plan.contains("Read: ") && !plan.contains("projection=[host"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_reach_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "access.log", log(10));
    let parquet = write_parquet(folder.path(), "access.parquet", &format!("SELECT * FROM '{path}'")).await;
    let plan = engine().explain(&format!("SELECT count(host) FROM '{parquet}' WHERE bytes > 3")).await.unwrap();
    assert!(plan.contains("pruning_predicate=") && plan.contains("projection=[host]"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_stops_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    let whole = gzip(&log(200_000));
    let path = write(folder.path(), "cut.log.gz", &whole[..whole.len() - 100]);
    let engine = engine();
    assert_eq!(rows(&engine, &format!("SELECT bytes FROM '{path}' LIMIT 2")).await.unwrap(), ["0", "1"]);
    let error = failure(&engine, &format!("SELECT count(*) FROM '{path}'")).await;
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.to_string().contains("ends too early"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn partition_folders_are_columns_and_choose_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (day, lines) in [("2020-02-28", 3), ("2020-02-29", 5)] {
        let plain = write(root, &format!("logs/dt={day}/hour=01/a.log"), log(lines));
        write_parquet(root, &format!("lake/dt={day}/hour=01/a.parquet"), &format!("SELECT host, status FROM '{plain}'")).await;
    }
    // A file that can't be read shows that it isn't.
    let root = root.display();
    fs::write(format!("{root}/logs/dt=2020-02-28/hour=01/a.log"), [0x1f, 0x8b, 8, 0]).unwrap();
    for table in [format!("{root}/logs"), format!("{root}/lake"), format!("{root}/lake/dt=*/hour=*/*.parquet")] {
        let sql = format!("SELECT dt, hour, count(*) FROM '{table}' WHERE dt = '2020-02-29' AND status > 0 GROUP BY dt, hour");
        let options = QueryOptions { threads: 2, read: read_common(), stdin: false, ..QueryOptions::default() };
        assert_eq!(rows(&QueryEngine::new(options).unwrap(), &sql).await.unwrap(), ["2020-02-29 01 5"], "{table}");
    }
    let sql = format!("SELECT count(*), min(dt) FROM '{root}/lake' WHERE dt > date '2020-01-01'");
    assert_eq!(rows(&engine(), &sql).await.unwrap(), ["8 2020-02-28"]);
    assert!(rows(&engine(), &format!("SELECT * FROM '{root}/lake' WHERE dt = '2019-01-01'")).await.unwrap().is_empty());
}

fn read_common() -> crate::input::TableOptions {
    let format = crate::accesslog::Preset::Common.format();
    crate::input::TableOptions { log: crate::input::LogChoice::Formats(format.into()), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_results_have_short_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "access.log", log(3));
    let sql = format!("SELECT max(l.time), a.host, l.host FROM '{path}' l JOIN '{path}' a USING (bytes) GROUP BY a.host, l.host");
    let result = engine().query(&sql).await.unwrap();
    let names: Vec<String> = result.schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["max(time)", "host", "host_2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_are_counted_with_the_first_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = log(200_000);
    text.push_str("not a line\n\nnor this\n");
    text.push_str(&log(10));
    let path = write(folder.path(), "access.log", text);
    let engine = engine();
    for _ in 0..2 {
        let counted = rows(&engine, &format!("SELECT count(*), sum(bytes) FROM '{path}'")).await.unwrap();
        assert_eq!(counted, ["200010 19999900045"]);
    }
    assert_eq!(engine.rejects().count(), 2);
    let notes = engine.rejects().notes();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with(&format!("2 lines of {path} are not rows (first at line 200001: ")), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_name_what_is_near() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "access.log", log(10));
    let engine = engine();
    engine.register_path("logs", &path).unwrap();
    for (sql, expected) in [
        ("SELECT stauts FROM logs", "no column `stauts`; did you mean `status`?\n  SELECT stauts FROM logs\n         ^^^^^^ here"),
        ("SELECT l.stauts FROM logs l", "no column `stauts` in `l`; did you mean `status`?"),
        ("SELECT * FROM logz", "there is no table or file `logz`; did you mean `logs`?\n  SELECT * FROM logz\n                ^^^^ here"),
        ("SELECT uppper(path) FROM logs", "no function `uppper`; did you mean `upper`?"),
        ("SELECT path FORM logs", "Expected"),
        ("SELECT path\nFROM logs WHERE (status = 1", "\n  FROM logs WHERE (status = 1\n"),
        ("SELECT 1; SELECT 2", "one query at a time"),
        ("DROP TABLE logs", "queries are read-only"),
        ("COPY logs TO 'x.csv'", "queries are read-only"),
        ("SELECT bytes / 0 FROM logs", "division by zero"),
        ("SELECT cast(path AS int) FROM logs", "Cannot cast string '/p0'"),
        ("SELECT status, path FROM logs GROUP BY status", "column \"logs.path\" must appear in the GROUP BY clause"),
        ("SELECT * FROM read_csv('x')", "write its path in quotes"),
        ("SELECT sum(path) FROM logs", "sum(string): the function exists"),
    ] {
        let error = failure(&engine, sql).await;
        assert_eq!(error.kind(), ErrorKind::Query, "{sql}: {error}");
        let error = error.to_string();
        assert!(error.contains(expected), "{sql}: {error}");
        for inner in ["DataFusion", "Error during planning", "Arrow error", "SQL error", "Schema error", "ParserError"] {
            assert!(!error.contains(inner), "{sql}: {error}");
        }
    }
    let sales = write(folder.path(), "sales/sales.csv", "Shop,price\n1,2.5\n");
    let error = failure(&engine, &format!("SELECT Shop FROM '{sales}'")).await.to_string();
    assert!(error.contains("did you mean \"Shop\", in double quotes"), "{error}");
    let error = failure(&QueryEngine::new(QueryOptions { stdin: false, ..Default::default() }).unwrap(), "SELECT 1 FROM '-'").await;
    assert_eq!(error.kind(), ErrorKind::Usage);
    let error = failure(&engine, &format!("SELECT 1 FROM '{path}x'")).await;
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.to_string().contains("did you mean"), "{error}");
    write(folder.path(), "b.csv", "a\n1\n");
    let error = failure(&engine, &format!("SELECT 1 FROM '{}'", folder.path().display())).await.to_string();
    assert!(error.contains("are not of one format"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_are_made_anew_under_their_names_are_made_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let csv = write(folder.path(), "t.csv", "a,b\n1,x\n2,y\n");
    for (sql, expected) in [
        ("SELECT x + 1 AS x FROM (SELECT x + 1 AS x FROM (SELECT a AS x FROM T))", ["3", "4"]),
        ("SELECT x + 1 AS x FROM (SELECT x + 1 AS x FROM (SELECT a AS x FROM T) WHERE x > 0) WHERE x > 0", ["3", "4"]),
        ("SELECT x + 1 AS x FROM (SELECT x + 1 AS x FROM (SELECT x + 1 + 1 AS x FROM (SELECT a AS x FROM T)))", ["5", "6"]),
        ("SELECT x || 'z' AS x FROM (SELECT x || 'z' AS x FROM (SELECT b AS x FROM T) ORDER BY x)", ["xzz", "yzz"]),
        ("WITH q AS (SELECT a + 1 AS a FROM T) SELECT a + 1 AS a FROM q", ["3", "4"]),
        ("SELECT a + 1 AS a FROM (SELECT a + 1 AS a FROM T) AS q", ["3", "4"]),
        ("SELECT a + 1 AS a FROM (SELECT a + 1 AS a FROM T) UNION ALL SELECT 9 AS a WHERE false", ["3", "4"]),
    ] {
        let sql = sql.replace(" T", &format!(" '{csv}'"));
        assert_eq!(rows(&engine(), &sql).await.unwrap(), expected, "{sql}");
    }
    let sql = format!("SELECT x + 1 AS x FROM (SELECT x + 1 AS y, x FROM (SELECT x + 1 AS x FROM (SELECT a AS x FROM '{csv}'))) WHERE z");
    let error = failure(&engine(), &sql).await.to_string();
    assert!(error.contains("no column `z`") && !error.contains("__query"), "{error}");
}
