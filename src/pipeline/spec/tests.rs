//! What pipelines mean, and what templates and schemas say of them.

use super::*;
use crate::governance::{GrantOn, Permission, Tagged, TagsOf};
use crate::output::{Codec, CsvDialect, Kind};
use crate::pipeline::model::*;
use crate::units::{ByteSize, Rate};
use std::num::NonZeroU64;

const FULL: &str = include_str!("tests/full.yaml");

fn environment(name: &str) -> Option<String> {
    (name == "BUCKET").then(|| "secret-bucket".to_string())
}

fn load(text: &str, vars: &[(&str, &str)]) -> Loaded {
    let vars = vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Pipeline::parse("web.yaml", text, Path::new("/data/pipelines"), &vars, &environment)
}

fn pipeline(text: &str, vars: &[(&str, &str)]) -> Pipeline {
    let loaded = load(text, vars);
    assert!(loaded.problems.is_empty(), "{}", loaded.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    loaded.pipeline.unwrap()
}

#[test]
fn a_pipeline_means_what_it_says() {
    let full = pipeline(FULL, &[("given", "2020-03-01")]);
    assert_eq!((full.name.as_str(), full.path.as_str()), ("web", "web.yaml"));
    assert_eq!(full.lake.location, "s3://secret-bucket/lake");
    let vars: Vec<(&str, &str)> = full.vars.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(vars, [("bucket", "${env:BUCKET}"), ("day", "2020-02-29"), ("given", "2020-03-01"), ("rows", "007")]);

    let access = full.source("access").unwrap();
    assert_eq!(access.locations, ["/data/logs/2020-02-29.log", "/var/log/*.gz", "s3://secret-bucket/2020-03-01/"]);
    assert_eq!((access.format, access.on_error, access.fingerprint), (SourceFormat::Log, OnError::Skip, Some(Fingerprint::Checksum)));
    assert_eq!((access.log_formats.join(","), access.unescape, access.incremental), ("combined".to_string(), true, true));
    assert_eq!(access.max_reject_rate, Some(Rate(0.01)));
    assert_eq!(access.place, "web.yaml:10:3");
    let shops = full.source("shops").unwrap();
    assert_eq!((shops.delimiter, shops.header, shops.incremental), (Some(';'), false, false));
    assert_eq!(shops.schema.as_deref(), Some(Path::new("/data/pipelines/shops.schema.yaml")));

    let order: Vec<&str> = full.transforms.iter().map(|transform| transform.name.as_str()).collect();
    assert_eq!(order, ["first", "second", "third"]);
    assert_eq!(full.transform("third").unwrap().sql, "SELECT * FROM second WHERE path LIKE '%$1'");

    let [parquet, csv, json] = full.outputs.as_slice() else { panic!("{:?}", full.outputs) };
    assert_eq!((parquet.format.kind, parquet.format.codec), (Kind::Parquet, Codec::Zstd(9)));
    assert_eq!((parquet.layout, parquet.mode), (Layout::TargetSize(ByteSize(128 << 20)), Mode::ReplacePartitions));
    assert_eq!((parquet.partition_by.as_slice(), parquet.removed_sources), (["dt".to_string()].as_slice(), Removal::Drop));
    assert_eq!(parquet.table, TableName { database: "web".to_string(), table: "access".to_string() });
    assert_eq!(parquet.comments["host"], "Who asked");
    assert_eq!((csv.format.dialect, csv.layout), (CsvDialect::Rfc4180, Layout::RowsPerFile(NonZeroU64::new(7).unwrap())));
    assert_eq!((json.format.codec, json.format.dialect, json.mode), (Codec::Gzip(6), CsvDialect::Athena, Mode::Append));

    let policy = &full.policy;
    let host = Tagged::Columns(parquet.table.clone(), "host".to_string());
    assert!(policy.assignments.iter().any(|one| one.to == host && one.tags["role"] == "analyst"), "{:?}", policy.assignments);
    let both = BTreeSet::from(["leader".to_string(), "analyst".to_string()]);
    assert!(matches!(&policy.grants[0].on, GrantOn::Tags { of: TagsOf::Tables, expression } if expression["role"] == both));
    assert!(matches!(&policy.grants[1].on, GrantOn::Database(name) if name == "web"));
    assert_eq!(policy.grants[1].permissions, BTreeSet::from([Permission::Describe]));

    let names: Vec<&str> = full.verify.iter().map(|check| check.name.as_str()).collect();
    let expected =
        ["rows web.access", "rows web.access (2)", "named", "between", "unique web.access(time, host)", "not_null web.access(time)"];
    assert_eq!(names, [expected.as_slice(), &["matches web.access(method)", "equals_query"]].concat());
    assert!(matches!(&full.verify[0].expect, Expectation::Rows { sql, bounds: Bounds { min: Some(1.0), max: None } }
        if sql == "SELECT * FROM \"web\".\"access\""));
    assert_eq!((full.verify[2].severity, full.verify[2].when), (Severity::Warn, When::AfterPublish));
    assert!(matches!(&full.verify[2].expect, Expectation::Value { equals, .. } if equals == "1.50"));

    let schedule = Schedule { cron: "0 3 * * MON-FRI".to_string(), timezone: "Europe/Berlin".to_string(), catch_up: CatchUp::Once };
    assert_eq!(full.schedule, Some(schedule));
}

#[test]
fn what_is_left_out_has_its_default() {
    let least = "version: 1\nlake: {location: ../lake}\nsources: {a: {location: ./x/../a.log}}\noutputs: {a: {from: a, table: w.a}}\n";
    let least = pipeline(least, &[]);
    assert_eq!(least.lake.location, "/data/lake");
    let source = &least.sources[0];
    assert_eq!((source.locations.as_slice(), source.format), (["/data/pipelines/a.log".to_string()].as_slice(), SourceFormat::Auto));
    assert!(source.header && source.incremental && !source.unescape);
    let output = &least.outputs[0];
    assert_eq!((output.format.kind, output.format.codec, output.mode), (Kind::Parquet, Codec::Zstd(3), Mode::Overwrite));
    assert_eq!(least.schedule, None);
}

#[test]
fn variables_of_the_command_line_must_be_known() {
    let text =
        "version: 1\nlake: {location: lake}\nvars: {date: x}\nsources: {a: {location: '${date}'}}\noutputs: {a: {from: a, table: w.a}}\n";
    let told = load(text, &[("dat", "y")]).into_pipeline().unwrap_err();
    assert_eq!(told.to_string(), "web.yaml:\n  --var dat: the pipeline has no such variable; did you mean `date`?");
    assert_eq!(told.kind(), ErrorKind::Format);
}

/// All keys that sections have, by the JSON Schema.
fn keys(schema: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            if let Some(serde_json::Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| keys(value, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[test]
fn the_template_is_right_and_has_every_key() {
    let text = template();
    pipeline(text, &[]);
    let mut all = std::collections::BTreeSet::new();
    keys(&json_schema(), &mut all);
    assert!(all.len() > 60, "{all:?}");
    // Formats and codecs can be words, too.
    let missing: Vec<&String> =
        all.iter().filter(|key| ![":", ",", " or "].iter().any(|end| text.contains(&format!("{key}{end}")))).collect();
    assert!(missing.is_empty(), "the template says nothing of {missing:?}");
}

#[test]
fn the_template_is_right_where_nothing_is_commented_out() {
    // What is commented out is a key or an item behind one `# `.
    let is_key = |text: &str| {
        text.split_once(':').is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
    };
    let uncommented = |line: &str| match line.trim_start().strip_prefix("# ") {
        Some(rest) if rest.trim_start().starts_with("- ") || is_key(rest.trim_start()) => line.replacen("# ", "", 1),
        _ => line.to_string(),
    };
    let text: String = template().lines().map(|line| uncommented(line) + "\n").collect();
    let loaded = load(&text, &[]);
    let errors: Vec<String> = loaded.problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}\n{text}", errors.join("\n"));
    assert!(loaded.pipeline.unwrap().sources.len() == 2);
}
