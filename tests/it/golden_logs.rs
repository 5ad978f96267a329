//! Real logs, whose counts an independent parser made. They are private: a folder with them and their `GOLDEN.json` is named by
//! the environment variable `ETL_TEST_LOGS`; where it isn't set, this is skipped, loudly, and `ETL_TEST_REQUIRE=logs` forbids that.

use super::fixture;
use super::table::{Cell, Table};
use crate::required::is_required;
use etl::accesslog::detect;
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("ETL_TEST_LOGS").map(PathBuf::from);
    if folder.is_none() {
        let required = is_required("logs");
        assert!(!required, "ETL_TEST_REQUIRE asks for the real logs, and ETL_TEST_LOGS names no folder");
        // Not by `eprintln!`, which the test harness keeps to itself where a test passes.
        std::io::stderr().write_all(b"SKIPPED: real access logs, because ETL_TEST_LOGS names no folder\n").unwrap();
    }
    folder
}

/// The counts of a log, as `GOLDEN.json` has them.
fn counted(log: Vec<u8>) -> Value {
    let first_lines = log[..log.len().min(1 << 20)].to_vec();
    let detection = detect(&first_lines.into()).unwrap().expect("a format");
    let table = Table::of(&detection.format, &log);
    let column = |name: &str| -> Vec<Cell> { (0..table.rows()).map(|row| table.named(name, row)).collect() };
    let histogram = |cells: &[Cell]| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for cell in cells {
            let key = match cell {
                Cell::Null => "?".to_string(),
                Cell::Number(n) => n.to_string(),
                Cell::Text(text) => String::from_utf8(text.clone()).unwrap(),
                Cell::Time(_) => unreachable!("no histogram of times"),
            };
            *counts.entry(key).or_default() += 1;
        }
        counts
    };
    let numbers = |cells: &[Cell]| -> Vec<i64> {
        cells.iter().filter_map(|c| if let Cell::Number(n) | Cell::Time(n) = c { Some(*n) } else { None }).collect()
    };
    let nulls = |cells: &[Cell]| cells.iter().filter(|c| **c == Cell::Null).count();
    let (bytes, methods, times, users) = (column("bytes"), column("method"), numbers(&column("time")), column("auth_user"));
    let unsplit = column("request");
    let rejected: Vec<u64> = table.decoded.rejects.iter().map(|r| r.line + 1).collect();
    let accepted_lines = (1..).zip(log.split(|b| *b == b'\n')).filter(|(number, _)| !rejected.contains(number));
    json!({
        "format": detection.format.name(),
        "lines": table.decoded.lines,
        "accepted": table.rows(),
        "rejected": rejected.len(),
        "rejected_lines": rejected,
        "accepted_not_utf8": accepted_lines.filter(|(_, line)| std::str::from_utf8(line).is_err()).count(),
        "distinct_hosts": column("host").into_iter().collect::<HashSet<_>>().len(),
        "sum_bytes": numbers(&bytes).iter().sum::<i64>(),
        "bytes_dash": nulls(&bytes),
        "with_user": users.len() - nulls(&users),
        "request_dash": methods.iter().zip(&unsplit).filter(|(m, r)| **m == Cell::Null && **r == Cell::Null).count(),
        "status": histogram(&column("status")),
        "method": histogram(&methods),
        "min_time": times.iter().min(),
        "max_time": times.iter().max(),
    })
}

#[test]
fn counts_are_those_of_an_independent_parser() {
    let Some(folder) = folder() else { return };
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("GOLDEN.json")).unwrap()).unwrap();
    let files = golden.as_object().unwrap();
    assert!(!files.is_empty());
    for (file, expected) in files {
        let got = counted(decompressed(&folder.join(file)));
        for (key, value) in expected.as_object().unwrap() {
            let (key, value) = match key.as_str() {
                "min_time_utc" => ("min_time", json!(fixture::millis(value.as_str().unwrap()))),
                "max_time_utc" => ("max_time", json!(fixture::millis(value.as_str().unwrap()))),
                key => (key, value.clone()),
            };
            assert_eq!(got[key], value, "{file}: {key}");
        }
    }
}

fn decompressed(path: &Path) -> Vec<u8> {
    let mut log = Vec::new();
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    MultiGzDecoder::new(file).read_to_end(&mut log).unwrap();
    log
}
