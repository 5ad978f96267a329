use super::*;
use crate::accesslog::{DecodeOptions, LogDecoder, detect};
use crate::decode::{Decoded, Decoder};
use crate::units::Rate;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, TimestampMillisecondType};
use bytes::Bytes;
use std::collections::{BTreeMap, HashSet};

fn log(lines: u64, seed: u64, format: Preset) -> Vec<u8> {
    let mut out = Vec::new();
    generate(&GenerateOptions { lines, seed, format, ..GenerateOptions::default() }, &mut out).unwrap();
    out
}

fn decoded(log: Vec<u8>, format: Preset) -> Decoded {
    LogDecoder::new(format.format(), DecodeOptions::default()).decode(&Bytes::from(log)).unwrap()
}

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn every_line_of_every_preset_can_be_read() {
    for format in Preset::ALL {
        let decoded = decoded(log(50_000, 1, format), format);
        assert_eq!(decoded.rejects, [], "{}", format.name());
        let heading = super::service::heading(format).lines().count() as u64;
        assert_eq!((decoded.lines, decoded.blank, decoded.batch.num_rows()), (50_000 + heading, heading, 50_000), "{}", format.name());
    }
}

#[test]
fn the_format_is_found_from_the_first_lines() {
    for format in Preset::ALL {
        let found = detect(&Bytes::from(log(200, 3, format))).unwrap().unwrap().format;
        assert_eq!(found.columns().len(), format.format().columns().len(), "{}", format.name());
    }
}

#[test]
fn a_seed_names_its_bytes() {
    let first = log(1_000, 1, Preset::Combined);
    assert_eq!(first, log(1_000, 1, Preset::Combined));
    assert_ne!(first, log(1_000, 2, Preset::Combined));
    // Logs are named by lines and seed, so these bytes never change.
    assert_eq!((first.len(), hash(&first)), (216_071, 6_701_618_288_530_850_272));
}

#[test]
fn the_sample_data_is_generated() {
    let sample = include_bytes!("../../sample-data/access.log.gz");
    let mut lines = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&sample[..]), &mut lines).unwrap();
    assert!(lines == log(2_000, 1, Preset::Combined), "make it again: etl generate --lines 2000 --seed 1 | gzip -9n");
}

#[test]
fn the_log_looks_like_a_sites() {
    let bytes = log(150_000, 1, Preset::Combined);
    let mean = bytes.len() / 150_000;
    assert!((190..=220).contains(&mean), "{mean} bytes a line");
    let batch = decoded(bytes, Preset::Combined).batch;
    let text = |name: &str| batch.column_by_name(name).unwrap().as_string_view().clone();
    let hosts: HashSet<String> = text("host").iter().flatten().map(Into::into).collect();
    assert!((300..=3_000).contains(&hosts.len()), "{} hosts", hosts.len());
    assert!(hosts.contains("::1"));
    let agents: HashSet<String> = text("user_agent").iter().flatten().map(Into::into).collect();
    assert!((40..=60).contains(&agents.len()), "{} user agents", agents.len());
    let methods: HashSet<String> = text("method").iter().flatten().map(Into::into).collect();
    for method in ["GET", "POST", "HEAD", "OPTIONS", "PROPFIND"] {
        assert!(methods.contains(method), "{method}");
    }
    let mut statuses = BTreeMap::new();
    for status in batch.column_by_name("status").unwrap().as_primitive::<Int32Type>().iter().flatten() {
        *statuses.entry(status).or_insert(0) += 1;
    }
    for status in [200, 206, 207, 302, 304, 400, 401, 403, 404, 408, 500] {
        assert!(statuses.contains_key(&status), "{status} is missing in {statuses:?}");
    }
    assert!(statuses[&200] > 100_000, "{statuses:?}");
    let php = text("path").iter().flatten().filter(|path| path.contains(".php")).count();
    assert!((40_000..120_000).contains(&php), "{php} of .php");
    assert!((500..20_000).contains(&(150_000 - text("auth_user").null_count())));
    assert!((1..1_000).contains(&(150_000 - text("request").null_count())));
    let times = batch.column_by_name("time").unwrap().as_primitive::<TimestampMillisecondType>().values();
    assert!(times.is_sorted());
    let days = (times[times.len() - 1] - times[0]) as f64 / 86_400_000.0;
    assert!((4.5..5.5).contains(&days), "{days} days");
}

#[test]
fn what_makes_no_log_is_refused() {
    for options in [
        GenerateOptions { start: -1, ..GenerateOptions::default() },
        GenerateOptions { start: i64::MAX, ..GenerateOptions::default() },
        GenerateOptions { lines_per_day: 0, ..GenerateOptions::default() },
        GenerateOptions { end: Some(0), ..GenerateOptions::default() },
    ] {
        assert_eq!(generate(&options, &mut Vec::new()).unwrap_err().kind(), ErrorKind::Usage);
    }
    assert!(log(0, 1, Preset::Combined).is_empty());
}

#[test]
fn bad_lines_are_as_many_as_asked_and_are_rejected() {
    for format in Preset::ALL {
        let options = GenerateOptions { lines: 20_000, format, bad: Rate(0.05), ..GenerateOptions::default() };
        let mut damaged = Vec::new();
        generate(&options, &mut damaged).unwrap();
        let whole = log(20_000, 1, format);
        let pairs = damaged.split(|b| *b == b'\n').zip(whole.split(|b| *b == b'\n'));
        let bad = pairs.filter(|(one, other)| one != other).count();
        assert!((900..1_100).contains(&bad), "{}: {bad}", format.name());
        let decoded = decoded(damaged, format);
        assert_eq!((decoded.rejects.len(), decoded.lines - decoded.blank), (bad, 20_000), "{}", format.name());
    }
}

#[test]
fn a_log_of_some_days_has_no_line_of_others() {
    let (start, days) = (1_772_323_200, 7);
    let end = start + days * 86_400 - 1;
    let options = GenerateOptions { lines: 7_000, start, lines_per_day: 1_000, end: Some(end), ..GenerateOptions::default() };
    let mut out = Vec::new();
    generate(&options, &mut out).unwrap();
    let batch = decoded(out, Preset::Combined).batch;
    let times = batch.column_by_name("time").unwrap().as_primitive::<TimestampMillisecondType>().values();
    let seen: HashSet<i64> = times.iter().map(|time| time / 86_400_000).collect();
    assert_eq!(seen, (0..days).map(|day| start / 86_400 + day).collect());
}
