//! Rows are spread over files without loss, double or disorder.

use super::etl::{Etl, generated};
use super::rows::{file_rows, files, rows};
use proptest::prelude::*;

fn counts(etl: &Etl, folder: &str) -> Vec<usize> {
    files(&etl.path(folder)).iter().map(|path| file_rows(path).len()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_number_of_splits_keeps_the_rows(
        kinds in prop::collection::vec(0u8..8, 1..120),
        splits in 1usize..60,
        to in prop::sample::select(vec!["csv", "tsv", "json", "parquet"]),
    ) {
        let etl = Etl::new();
        let mut log = String::from("h - - [29/Feb/2020:00:00:02 +0000] \"GET /first HTTP/1.1\" 200 5\n");
        for (index, kind) in kinds.iter().enumerate() {
            log.push_str(&match kind {
                0 => "\n".to_string(),
                1 => "not a line of a log\n".to_string(),
                _ => format!("h - - [29/Feb/2020:00:00:02 +0000] \"GET /{index} HTTP/1.1\" 200 5\n"),
            });
        }
        let expected: Vec<String> = log.lines().filter_map(|line| Some(line.split("GET ").nth(1)?.split(' ').next()?.to_string())).collect();
        etl.write("a.log", &log);
        let report = etl.report(&format!("a.log -o out --to {to} --splits {splits} --log-format common"));
        let got: Vec<String> = rows(&etl.path("out")).into_iter().map(|row| row["path"].clone().unwrap()).collect();
        prop_assert_eq!(&got, &expected);
        let counts = counts(&etl, "out");
        prop_assert_eq!(counts.len(), splits.min(expected.len()));
        prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
        let number = |key: &str| report[key].as_u64().unwrap();
        prop_assert_eq!(number("lines"), number("rows") + number("rejects") + number("blank"));
        prop_assert_eq!(number("lines") as usize, log.lines().count());
    }
}

#[test]
fn the_published_comparison_has_its_shape() {
    let etl = Etl::new();
    let log = generated(148_534);
    etl.write("a.log", &log);
    for (to, splits, most) in [("json", 10, 14_854), ("csv", 100, 1_486), ("parquet", 1_000, 149)] {
        let report = etl.report(&format!("a.log -o out-{to} --to {to} --splits {splits}"));
        let rows: Vec<u64> = report["files"].as_array().unwrap().iter().map(|file| file["rows"].as_u64().unwrap()).collect();
        assert_eq!((rows.len(), rows.iter().max(), rows.iter().sum()), (splits, Some(&most), 148_534));
        assert!(rows.iter().min().unwrap() + 1 >= most);
    }
    // In the order of the input: the last file ends with the last line.
    let last = file_rows(&etl.path("out-csv/part-00099.csv")).pop().unwrap();
    let text = String::from_utf8_lossy(&log).lines().last().unwrap().to_string();
    assert!(text.starts_with(last["host"].as_deref().unwrap()) && text.contains(last["path"].as_deref().unwrap()), "{text}");
}

#[test]
fn files_have_so_many_rows_or_bytes() {
    let etl = Etl::new();
    etl.log("a.log", 30_000);
    etl.convert("a.log -o rows --to csv --rows-per-file 9000").ok();
    assert_eq!(counts(&etl, "rows"), [9_000, 9_000, 9_000, 3_000]);
    let report = etl.report("a.log -o size --to csv --target-size 1.5MB");
    let sizes: Vec<u64> = report["files"].as_array().unwrap().iter().map(|file| file["bytes"].as_u64().unwrap()).collect();
    // A file ends at the end of a block of input, of 1 MiB.
    assert!(sizes.len() > 2 && sizes[..sizes.len() - 1].iter().all(|size| (1_500_000..2_600_000).contains(size)), "{sizes:?}");
    etl.convert("a.log -o whole --to csv").ok();
    assert!(rows(&etl.path("size")) == rows(&etl.path("whole")));
}

#[test]
fn fewer_rows_than_files_are_said() {
    let etl = Etl::new();
    etl.log("a.log", 3)
        .convert("a.log -o out --to json --splits 10")
        .ok()
        .says("fewer rows (3) than the requested 10 files: one file per row");
    assert_eq!(counts(&etl, "out"), [1, 1, 1]);
}
