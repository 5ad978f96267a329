//! What a run did: one model, kept in the lake as JSON and shown as a table or a page.

use super::model::{CheckEngine, Severity, When};
use crate::catalog::{Registered, Table};
use crate::convert::RejectExample;
use crate::error::{Error, ErrorKind, Result};
use crate::governance::SightChange;
use crate::secrets;
use crate::storage::Storage;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The outcome of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunReport {
    /// Of this format; 1.
    pub version: u32,
    pub run: String,
    pub pipeline: String,
    /// The lake's location.
    pub lake: String,
    pub status: RunStatus,
    pub started: DateTime<Utc>,
    pub finished: DateTime<Utc>,
    pub etl_version: String,
    pub vars: BTreeMap<String, String>,
    pub sources: Vec<SourceRun>,
    pub transforms: Vec<TransformRun>,
    pub outputs: Vec<OutputRun>,
    pub checks: Vec<CheckRun>,
    /// What readers' catalogs were told, by table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catalog: Vec<Registered>,
    /// Who sees more or less than before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<SightChange>,
    /// What Lake Formation was told of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lake_formation: Vec<String>,
    /// What it was busy with, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRun>,
    /// Tables that no output makes any more, and that readers see no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// The table that got another name, where that was all it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed: Option<Renamed>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// The run whose tables are read again, where that was all it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<String>,
}

/// The names of a table, as `database.table`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    pub from: String,
    pub to: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Readers see what it made.
    Published,
    /// There was nothing to do: nothing changed since the last run.
    UpToDate,
    /// A check failed; readers see what they saw before.
    ChecksFailed,
    /// It was published, and a check behind that failed.
    PublishedChecksFailed,
    /// It was published in the lake, and a readers' catalog could not be told.
    PublishedNotRegistered,
    /// It was published, a check behind that failed, and the previous state was restored.
    TakenBack,
    /// Readers see what they saw before.
    Failed,
    /// Somebody stopped it; readers see what they saw before.
    Interrupted,
}

impl RunStatus {
    /// Whether readers see, or saw, what it made.
    pub fn is_published(self) -> bool {
        !matches!(self, RunStatus::Failed | RunStatus::ChecksFailed | RunStatus::Interrupted)
    }
}

/// What was read of a source.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SourceRun {
    pub name: String,
    /// The format found: a preset's name, `custom`, `csv`, `tsv`, `json` or `parquet`.
    pub format: String,
    /// Files by what they are to the outputs that read them.
    pub files_new: u64,
    /// Those that lines were added to.
    #[serde(default)]
    pub files_grown: u64,
    pub files_changed: u64,
    pub files_unchanged: u64,
    pub files_removed: u64,
    /// Of the files that were read.
    pub files_read: u64,
    pub lines: u64,
    pub rows: u64,
    pub rejects: u64,
    pub blank: u64,
    /// Rows whose line was found behind bytes that are none of it.
    #[serde(default)]
    pub repaired: u64,
    /// Bytes as stored, and after decompression.
    pub bytes_in: u64,
    pub bytes_decoded: u64,
    pub rejects_by_reason: BTreeMap<String, u64>,
    /// How many values were none of their column's type, by column, whatever became of them.
    #[serde(default)]
    pub mismatches_by_column: BTreeMap<String, u64>,
    pub reject_examples: Vec<RejectExample>,
    /// The files with the most rejected lines, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reject_files: Vec<RejectFile>,
    /// Where in the lake all rejected lines are kept.
    pub rejects_file: Option<String>,
}

/// A file with rejected lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectFile {
    pub path: String,
    /// Of those that the run read.
    pub lines: u64,
    pub rejects: u64,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRun {
    pub name: String,
    pub seconds: f64,
}

/// What a transform gave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransformRun {
    pub name: String,
    pub rows: u64,
    pub seconds: f64,
}

/// What was written of an output.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutputRun {
    pub name: String,
    /// `database.table`
    pub table: String,
    pub action: Action,
    /// `parquet`, `csv`, `tsv`, `json`
    pub format: String,
    /// `none`, `gzip`, `snappy`, `zstd`
    pub compression: String,
    /// What this run wrote.
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Bytes of input, decompressed, that went into it.
    pub bytes_decoded: u64,
    pub seconds: f64,
    /// Partitions that it wrote to.
    pub partitions: Vec<String>,
    /// How many rows the table held before; nothing where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_before: Option<u64>,
    /// What the table holds now.
    pub total_files: u64,
    pub total_rows: u64,
    pub total_bytes: u64,
    /// The table's version once published.
    pub table_version: u64,
    pub location: String,
}

/// What happened to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Created,
    /// All its rows were rebuilt.
    Replaced,
    /// Rows were added.
    Appended,
    /// Some of its rows were rebuilt.
    Updated,
    /// Only what is said of it is new: its description, or comments of columns.
    Altered,
    /// It is again what it was.
    RolledBack,
    /// Nothing had changed.
    Unchanged,
    /// Files were written, and removed again, as the run failed: it is what it was before.
    Discarded,
}

impl Action {
    /// Whether files were written.
    pub fn writes(self) -> bool {
        matches!(self, Action::Created | Action::Replaced | Action::Appended | Action::Updated)
    }
}

/// How a check ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckRun {
    pub name: String,
    /// `rows`, `value`, `between`, `unique`, `not_null`, `matches`, `equals_query` or `accounting`.
    pub kind: String,
    pub severity: Severity,
    pub when: When,
    /// Who answered.
    #[serde(default, skip_serializing_if = "is_local")]
    pub engine: CheckEngine,
    pub passed: bool,
    /// What was expected, and what was found, in words.
    pub expected: String,
    pub found: String,
    /// The queries that the pipeline has for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sql: Vec<String>,
    /// Rows that show what is wrong: names of columns, then values.
    pub sample: Option<Sample>,
    pub seconds: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_local(engine: &CheckEngine) -> bool {
    *engine == CheckEngine::Local
}

/// A few rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

impl OutputRun {
    /// What a version of a table holds, as if no file had been written for it.
    pub(crate) fn of_table(table: &Table) -> OutputRun {
        OutputRun {
            name: table.origin.output.clone(),
            table: format!("{}.{}", table.database, table.name),
            action: Action::RolledBack,
            format: table.kind_name().to_string(),
            compression: table.parameters.get("compressionType").cloned().unwrap_or_default(),
            files: 0,
            rows: 0,
            bytes: 0,
            bytes_decoded: 0,
            seconds: 0.0,
            partitions: Vec::new(),
            rows_before: None,
            total_files: table.files,
            total_rows: table.rows,
            total_bytes: table.bytes,
            table_version: table.version,
            location: table.storage.location.clone(),
        }
    }
}

impl RunReport {
    /// The report of a run that has begun.
    pub(crate) fn begun(run: &str, pipeline: &str, lake: &str, started: DateTime<Utc>) -> RunReport {
        RunReport {
            version: 1,
            run: run.to_string(),
            pipeline: pipeline.to_string(),
            lake: lake.to_string(),
            status: RunStatus::Failed,
            started,
            finished: started,
            etl_version: env!("CARGO_PKG_VERSION").to_string(),
            vars: BTreeMap::new(),
            sources: Vec::new(),
            transforms: Vec::new(),
            outputs: Vec::new(),
            checks: Vec::new(),
            catalog: Vec::new(),
            access: Vec::new(),
            lake_formation: Vec::new(),
            steps: Vec::new(),
            dropped: Vec::new(),
            renamed: None,
            notes: Vec::new(),
            error: None,
            rolled_back_to: None,
        }
    }

    /// Writes it to `key`, as JSON, without secrets.
    pub(super) fn keep(&self, storage: &Storage, key: &str) -> Result<()> {
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|e| Error::new(ErrorKind::Internal, "a report can't be written as JSON").with_source(e))?;
        storage.put(key, secrets::redact_json(&text))
    }

    /// Hides what is secret, wherever it is in the report.
    pub(super) fn redact(&mut self) {
        // All of it is text, names, and figures, and so will be what is added.
        let Ok(json) = serde_json::to_string(self) else { return };
        let shown = secrets::redact_json(&json);
        if shown != json
            && let Ok(shown) = serde_json::from_str(&shown)
        {
            *self = shown;
        }
    }

    /// The error of the checks that failed at `when`, if any that counts did.
    pub(super) fn failed_checks(&self, when: When) -> Option<Error> {
        let failed: Vec<&CheckRun> =
            self.checks.iter().filter(|check| check.when == when && !check.passed && check.severity == Severity::Fail).collect();
        if failed.is_empty() {
            return None;
        }
        let checks = if failed.len() == 1 { "check" } else { "checks" };
        let seen = if when == When::BeforePublish { "; nothing was published" } else { "" };
        let names: Vec<&str> = failed.iter().map(|check| check.name.as_str()).collect();
        let error = Error::new(ErrorKind::Checks, format!("{} {checks} failed: {}{seen}", failed.len(), names.join(", ")));
        // Who sees nothing but the error sees what is wrong.
        Some(failed.iter().fold(error, |error, check| {
            error.with_context("check", format!("{}: expected {}; found {}", check.name, check.expected, check.found))
        }))
    }

    /// How long it took.
    pub fn seconds(&self) -> f64 {
        (self.finished - self.started).as_seconds_f64()
    }
}
