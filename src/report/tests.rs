//! Reports of runs that went well, badly, or over files of somebody who means harm.

use crate::pipeline::{
    Action, CheckEngine, CheckRun, OutputRun, RejectExample, RunReport, RunStatus, Sample, Severity, SourceRun, StepRun, TransformRun, When,
};
use chrono::{DateTime, TimeDelta};

/// A run that went well, with a rejected line and a warning.
pub(super) fn published() -> RunReport {
    let started = DateTime::from_timestamp(1_582_959_600, 0).unwrap();
    let output = |name: &str, action, format: &str, compression: &str, bytes, seconds| OutputRun {
        name: name.into(),
        table: format!("web.{name}"),
        action,
        format: format.into(),
        compression: compression.into(),
        files: 10,
        rows: 148_533,
        bytes,
        bytes_decoded: 31_457_280,
        seconds,
        partitions: vec!["dt=2020-02-28".into(), "dt=2020-02-29".into()],
        rows_before: Some(1_000),
        total_files: 30,
        total_rows: 445_599,
        total_bytes: bytes * 3,
        table_version: 7,
        location: format!("/lake/web/{name}/20200229T070000Z-7f3a"),
    };
    let check = |name: &str, kind: &str, severity, passed, expected: &str, found: &str| CheckRun {
        name: name.into(),
        kind: kind.into(),
        severity,
        when: When::BeforePublish,
        engine: CheckEngine::Local,
        passed,
        expected: expected.into(),
        found: found.into(),
        sql: Vec::new(),
        sample: None,
        seconds: 0.02,
    };
    RunReport {
        version: 1,
        rolled_back_to: None,
        run: "20200229T070000Z-7f3a".into(),
        pipeline: "access_daily".into(),
        lake: "s3://example-lake/prod".into(),
        status: RunStatus::Published,
        started,
        finished: started + TimeDelta::milliseconds(3_214),
        etl_version: "0.1.0".into(),
        vars: [("day".to_string(), "2020-02-29".to_string())].into(),
        sources: vec![
            SourceRun {
                name: "access".into(),
                format: "combined".into(),
                files_new: 3,
                files_changed: 1,
                files_unchanged: 10,
                files_read: 4,
                lines: 148_540,
                rows: 148_533,
                rejects: 4,
                blank: 3,
                bytes_in: 2_411_724,
                bytes_decoded: 31_457_280,
                mismatches_by_column: [("price".to_string(), 2)].into(),
                rejects_by_reason: [("no closing quote".to_string(), 3), ("`time` is no time".to_string(), 1)].into(),
                reject_examples: vec![
                    RejectExample {
                        path: "logs/access.log.2.gz".into(),
                        line: 8_899,
                        offset: 2_111_246,
                        reason: "no closing quote".into(),
                        text: "203.0.113.9 - - [29/Feb/2020:00:00:02 +0000] \"GET /search?q=\\x16\\x03".into(),
                    },
                    RejectExample {
                        path: "logs/access.log.2.gz".into(),
                        line: 9_001,
                        offset: 2_140_001,
                        reason: "`time` is no time".into(),
                        text: "203.0.113.9 - - [30/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 17".into(),
                    },
                ],
                rejects_file: Some("s3://example-lake/prod/_etl/runs/access_daily/20200229T070000Z-7f3a/rejects-access.jsonl".into()),
                ..Default::default()
            },
            SourceRun {
                name: "shops".into(),
                format: "csv".into(),
                files_new: 1,
                files_read: 1,
                lines: 26,
                rows: 26,
                bytes_in: 1_024,
                bytes_decoded: 1_024,
                ..Default::default()
            },
        ],
        transforms: vec![TransformRun { name: "daily".into(), rows: 148_533, seconds: 0.41 }],
        outputs: vec![
            output("access", Action::Appended, "parquet", "zstd", 5_662_310, 0.82),
            output("access_csv", Action::Created, "csv", "gzip", 7_864_320, 1.93),
            OutputRun { files: 0, rows: 0, bytes: 0, seconds: 0.0, ..output("shops", Action::Unchanged, "json", "none", 9_000, 0.0) },
        ],
        checks: vec![
            check("accounting", "accounting", Severity::Fail, true, "lines = rows + rejects + blank", "148,540 = 148,533 + 4 + 3"),
            CheckRun {
                sample: Some(Sample {
                    columns: vec!["host".into(), "status".into()],
                    rows: vec![vec![Some("203.0.113.9".into()), Some("599".into())], vec![None, Some("600".into())]],
                }),
                ..check("status_range", "matches", Severity::Warn, false, "status matches ^[1-5][0-9][0-9]$", "2 rows that don't")
            },
        ],
        catalog: Vec::new(),
        access: Vec::new(),
        lake_formation: Vec::new(),
        steps: vec![StepRun { name: "make the tables".into(), seconds: 3.1 }, StepRun { name: "publish".into(), seconds: 0.1 }],
        dropped: Vec::new(),
        renamed: None,
        notes: vec!["log format combined (found in logs/access.log.gz)".into()],
        error: None,
    }
}

/// A run that a check stopped.
pub(super) fn failed() -> RunReport {
    let mut report = published();
    report.status = RunStatus::ChecksFailed;
    report.outputs.truncate(1);
    report.checks[1].severity = Severity::Fail;
    report.error = Some("1 check failed, and nothing was published\n  check: status_range".into());
    report
}

/// A run that had nothing to do.
pub(super) fn up_to_date() -> RunReport {
    let mut report = published();
    report.status = RunStatus::UpToDate;
    for source in &mut report.sources {
        *source = SourceRun { name: source.name.clone(), format: source.format.clone(), files_unchanged: 7, ..Default::default() };
    }
    report.transforms.clear();
    report.outputs.clear();
    report.checks.clear();
    report.finished = report.started + TimeDelta::milliseconds(42);
    report
}

/// The names and texts of a run that hold what must not get through.
pub(super) fn hostile() -> RunReport {
    const EVIL: &str = "<script>alert('x')</script>\" onload=\"y\u{1b}[31m\u{202e}&amp;\0<!--]]></style></title>";
    let evil = || EVIL.to_string();
    let mut report = failed();
    report.run = evil();
    report.pipeline = evil();
    report.lake = evil();
    report.etl_version = evil();
    report.vars = [(evil(), evil())].into();
    report.notes = vec![evil()];
    report.error = Some(evil());
    for source in &mut report.sources {
        source.name = evil();
        source.format = evil();
        source.rejects_file = Some(evil());
        source.rejects_by_reason = [(evil(), 4)].into();
        source.rejects = 4;
        for line in &mut source.reject_examples {
            (line.path, line.reason, line.text) = (evil(), evil(), EVIL.repeat(100));
        }
    }
    for transform in &mut report.transforms {
        transform.name = evil();
    }
    for output in &mut report.outputs {
        (output.name, output.table, output.location) = (evil(), evil(), evil());
        (output.format, output.compression) = (evil(), evil());
        output.partitions = vec![evil(); 1_000];
    }
    for check in &mut report.checks {
        (check.name, check.kind, check.expected, check.found) = (evil(), evil(), evil(), evil());
        check.sample = Some(Sample { columns: vec![evil()], rows: vec![vec![Some(evil())], vec![None]] });
    }
    report
}
