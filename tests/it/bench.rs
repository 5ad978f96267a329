//! `etl bench`: what is compared, what is told, and that the page can be read.

use super::browser::Browser;
use super::etl::Etl;
use serde_json::{Value, json};
use std::fs;

/// A folder with a log of so many lines.
fn with_log(lines: u32) -> Etl {
    let etl = Etl::new();
    let log = etl.run(["generate", "--lines", &lines.to_string()]).ok().stdout;
    etl.write("access.log", log);
    etl
}

fn bench(etl: &Etl, arguments: &str) -> Value {
    let told = etl.etl(&format!("bench {arguments} --json")).ok();
    serde_json::from_slice(&told.stdout).unwrap()
}

fn named<'v>(list: &'v Value, key: &str, name: &str) -> Vec<&'v Value> {
    list.as_array().unwrap().iter().filter(|one| one[key] == name).collect()
}

#[test]
fn the_same_rows_are_asked_in_every_form() {
    let etl = with_log(600);
    let told = bench(&etl, "access.log --splits 1,7 --runs 3");
    assert_eq!((&told["rows"]["rows"], &told["rows"]["format"], &told["runs"]), (&json!(600), &json!("combined"), &json!(3)));
    let names: Vec<&str> = told["data_sets"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    let expected =
        ["json_none", "json_gzip", "csv_none", "csv_gzip", "parquet_zstd"].map(|form| [format!("{form}_1"), format!("{form}_7")]).concat();
    assert_eq!(names, expected);
    assert_eq!(told["cells"].as_array().unwrap().len(), 10 * 3);
    for (question, rows) in [("all", Some(600)), ("columns", Some(600)), ("like", None)] {
        let cells = named(&told["cells"], "question", question);
        assert_eq!(cells.len(), 10);
        for cell in cells {
            assert!(cell.get("error").is_none(), "{cell}");
            assert_eq!(cell["seconds"]["runs"].as_array().unwrap().len(), 3);
            assert!(rows.is_none_or(|rows: u64| cell["rows"] == rows), "{cell}");
        }
    }
    for set in told["data_sets"].as_array().unwrap() {
        assert_eq!((&set["files"], &set["rows"]), (&set["splits"], &json!(600)), "{set}");
        let files = fs::read_dir(etl.path("etl-bench").join(folder(&etl)).join(set["name"].as_str().unwrap())).unwrap();
        let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert_eq!(set["bytes"], bytes);
        let scanned = &named(&told["cells"], "data_set", set["name"].as_str().unwrap())[0];
        if cfg!(target_os = "linux") && set["format"] != "parquet" {
            // Text is read whole; a few bytes more are the counters themselves.
            let read = scanned["bytes_read"].as_u64().unwrap();
            assert!((bytes..bytes + 20_000).contains(&read), "{read} of {bytes}: {set}");
            assert!(set["conversion_memory"].as_u64().unwrap() > 1 << 20);
        }
    }
    assert!(told["recommendation"][0].as_str().unwrap().starts_with("Take "), "{told}");
    assert_eq!(told["monthly"].as_array().unwrap().len(), 10);
}

/// The folder of the only rows that were compared.
fn folder(etl: &Etl) -> String {
    let folders = fs::read_dir(etl.path("etl-bench")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_string()).next().unwrap()
}

#[test]
fn data_sets_are_made_once() {
    let etl = with_log(100);
    let made =
        |told: &Value| -> Vec<bool> { told["data_sets"].as_array().unwrap().iter().map(|set| set["reused"].as_bool().unwrap()).collect() };
    let arguments = "access.log --formats csv --compression none --splits 1,3 --runs 1";
    assert_eq!(made(&bench(&etl, arguments)), [false, false]);
    assert_eq!(made(&bench(&etl, arguments)), [true, true]);
    // What was made is not what is compared.
    etl.etl("bench . --splits 1 --formats csv --runs 1").fails(2).says("belongs to an earlier benchmark");
    // One that is not as it was made is made again; other rows and other options make others.
    fs::remove_file(etl.path("etl-bench").join(folder(&etl)).join("csv_none_3/part-00001.csv")).unwrap();
    let told = bench(&etl, arguments);
    assert_eq!(made(&told), [true, false]);
    assert_eq!(told["data_sets"][1]["files"], 3);
    assert_eq!(made(&bench(&etl, &format!("{arguments} --scale 3"))), [false, false]);
    let other = etl.run(["generate", "--lines", "100", "--seed", "2"]).ok().stdout;
    etl.write("access.log", other);
    assert_eq!(made(&bench(&etl, arguments)), [false, false]);
}

#[test]
fn nothing_but_times_differs_for_a_seed() {
    let etl = with_log(50);
    let arguments = "access.log --formats json,parquet --splits 1,2 --runs 2 --seed 7";
    bench(&etl, arguments);
    let timeless = |mut told: Value| {
        for cell in told["cells"].as_array_mut().unwrap() {
            for key in ["seconds", "bytes_read", "reads"] {
                cell[key] = Value::Null;
            }
        }
        told["recommendation"] = Value::Null;
        told["monthly"] = Value::Null;
        told
    };
    assert_eq!(timeless(bench(&etl, arguments)), timeless(bench(&etl, arguments)));
}

#[test]
fn a_cell_that_fails_has_its_reason() {
    let etl = with_log(50);
    let outcome = etl
        .run([
            "bench",
            "access.log",
            "--formats",
            "json,parquet",
            "--compression",
            "zstd",
            "--splits",
            "1",
            "--runs",
            "1",
            "--query",
            "ok=SELECT host FROM log",
            "--query",
            "SELECT hots FROM log",
            "--json",
        ])
        .ok()
        .says("3 of 4 cells could not be measured");
    let told: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    let error = |set: &str, question: &str| {
        let cells = named(&told["cells"], "data_set", set);
        cells.into_iter().find(|cell| cell["question"] == question).unwrap()["error"].as_str().map(str::to_string)
    };
    assert!(error("json_zstd_1", "ok").unwrap().contains("json can't be compressed with zstd; expected none or gzip"));
    assert_eq!(error("parquet_zstd_1", "ok"), None);
    assert!(error("parquet_zstd_1", "query 2").unwrap().contains("host"), "the nearest name is told");
    etl.etl("bench access.log --formats json --compression zstd --splits 1 --runs 1").fails(6).says("nothing could be measured");
}

#[test]
fn folders_are_compared_with_none() {
    let etl = with_log(90_000);
    let told = bench(&etl, "access.log --formats csv,parquet --compression none --splits 1 --partition-by dt --runs 1");
    let cells = named(&told["cells"], "question", "day");
    assert_eq!(cells.len(), 4);
    let read = |set: &str| cells.iter().find(|cell| cell["data_set"] == set).unwrap()["bytes_read"].as_u64();
    assert!(cells.iter().all(|cell| cell["rows"] == cells[0]["rows"] && cell.get("error").is_none()), "{cells:?}");
    assert!(cells[0]["rows"].as_u64().unwrap() > 1_000);
    if cfg!(target_os = "linux") {
        assert!(read("csv_none_1_by_dt") < read("csv_none_1"));
    }
    assert!(
        told["recommendation"].as_array().unwrap().iter().any(|text| text.as_str().unwrap().starts_with("Folders, for `day`")),
        "{told}"
    );
}

#[test]
fn any_table_can_be_compared() {
    let etl = Etl::new();
    let rows: String = (0..200).map(|row| format!("{row},shop {},{}.5\n", row % 7, row * 3)).collect();
    etl.write("sales.csv", format!("id,shop,price\n{rows}"));
    let told = bench(&etl, "sales.csv --splits 1 --runs 1 --caches cold --scale 2");
    assert_eq!(told["rows"]["rows"], 400);
    assert_eq!(told["questions"][1]["sql"], "SELECT * FROM log WHERE \"shop\" LIKE '%e%'");
    assert!(told["cells"].as_array().unwrap().iter().all(|cell| cell.get("error").is_none()), "{told}");
    // What nobody can read, or write, is told before anything is done.
    etl.etl("bench none.csv").fails(3);
    etl.etl("bench sales.csv --html no/such/folder.html").fails(4).says("choose a file in an existing folder");
    etl.write("prices.yaml", "athena_per_tb: -1\n");
    etl.etl("bench sales.csv --prices prices.yaml").fails(2).says("prices.yaml:1:16").says("expected a number of at least 0");
    etl.write("prices.yaml", "athena: 5\n");
    etl.etl("bench sales.csv --prices prices.yaml").fails(2).says("unknown key `athena`");
}

#[test]
fn columns_are_measured_in_each_encoding() {
    let etl = with_log(3_000);
    let arguments = "access.log --formats parquet --splits 1 --runs 1 --encodings";
    let told = bench(&etl, arguments);
    let columns = told["encodings"].as_array().unwrap();
    assert_eq!(columns.len(), 13, "{told}");
    let size = |column: &str, encoding: &str| {
        let column = columns.iter().find(|one| one["column"] == column).unwrap();
        let encoding = named(&column["encodings"], "name", encoding)[0];
        assert_eq!(encoding["seconds"]["runs"].as_array().unwrap().len(), 1);
        encoding["bytes"].as_u64().unwrap()
    };
    // Times go up by little, there are few statuses, and sorted ones are few runs.
    assert!(size("time", "delta") * 2 < size("time", "plain"));
    assert!(size("status", "dictionary") * 2 < size("status", "plain"));
    assert!(size("status", "sorted") < size("status", "dictionary"));
    assert!(told["recommendation"].as_array().unwrap().iter().any(|text| text.as_str().unwrap().starts_with("Encodings ")), "{told}");
    etl.etl(&format!("bench {arguments} --html report.html")).ok();
    assert!(String::from_utf8(etl.read("report.html")).unwrap().contains("byte-stream-split"));
}

#[test]
fn prices_are_those_that_are_given() {
    let etl = with_log(20);
    etl.write("prices.yaml", "list: ours\nathena_per_tb: 1000000\n");
    let told = bench(&etl, "access.log --formats csv --compression none --splits 1 --runs 1 --prices prices.yaml --queries-per-day 1");
    assert_eq!(told["prices"]["list"], "ours");
    // 30 queries of 10 MB.
    assert!((told["monthly"][0]["scanned"].as_f64().unwrap() - 300.0).abs() < 1e-6, "{told}");
}

#[test]
fn tables_and_lines_are_told() {
    let etl = with_log(40);
    let arguments = "bench access.log --formats csv,parquet --splits 1,2 --runs 1";
    let outcome = etl.etl(arguments).ok().says("6 data sets (0 reused)");
    let text = String::from_utf8(outcome.stdout).unwrap();
    for part in ["all, seconds", "│ CSV gzip ", "│ Parquet zstd ", "USD per month", "Take "] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let outcome = etl.etl(&format!("{arguments} --format csv")).ok();
    let text = String::from_utf8(outcome.stdout).unwrap();
    assert_eq!(text.lines().count(), 1 + 6 * 3);
    let columns = text.lines().next().unwrap().split(',').count();
    assert!(text.lines().all(|line| line.split(',').count() == columns), "{text}");
}

#[test]
fn the_page_is_read_on_any_screen() {
    let Some(browser) = Browser::get() else { return };
    let etl = with_log(2_000);
    etl.etl("bench access.log --splits 1,10,50 --runs 3 --html report.html").ok().says("wrote report.html");
    let page = etl.path("report.html");
    for width in [320, 390, 768, 1_280] {
        let told = browser.measure(&page, width);
        let charts = told["charts"].as_array().unwrap();
        // Lines and bars for each question, and the sizes.
        assert_eq!(charts.len(), 3 * 2 + 1, "{told}");
        assert_eq!(told["visible"], width, "{told}");
        assert!(told["width"].as_u64() <= told["visible"].as_u64(), "the page is wider than {width} pixels: {told}");
        for chart in charts {
            assert!(chart["drawn"].as_u64().unwrap() >= 5, "{chart}");
            assert_eq!((&chart["out"], &chart["cut"]), (&json!(0), &json!(0)), "at {width}: {chart}");
        }
    }
    for (width, dark) in [(390, false), (390, true), (1_280, false), (1_280, true)] {
        let told = browser.measure(&page, width);
        let picture = browser.picture(&page, width, 3_000, dark);
        let corner = picture.at(2, 2).iter().map(|channel| u32::from(*channel)).sum::<u32>();
        assert_eq!(corner < 3 * 100, dark, "the page is as dark as the system");
        for chart in told["charts"].as_array().unwrap() {
            let number = |key: &str| chart[key].as_f64().unwrap() as usize;
            if number("top") + number("height") > picture.height {
                continue;
            }
            let drawn = picture.drawn(number("left"), number("top"), number("width"), number("height"));
            assert!(drawn > 500, "an empty chart: {chart}");
        }
    }
}
