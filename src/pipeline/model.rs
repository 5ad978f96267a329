//! A pipeline as it is run: everything resolved and checked. How it is written is the concern of [`super::spec`].

pub use crate::catalog::TableName;
pub use crate::convert::{Layout, OnError};
pub use crate::input::FormatChoice as SourceFormat;
pub use crate::input::OnMismatch;

use crate::catalog::{GlueSettings, ReaderOptions};
use crate::governance::{Policy, PolicyFile};
use crate::output::FileFormat;
use crate::storage::StoreSettings;
use crate::units::Rate;
use crate::zone::Zone;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A job that makes tables.
#[derive(Debug, Clone, Serialize)]
pub struct Pipeline {
    /// The file that it was read from, as messages call it.
    #[serde(skip)]
    pub path: String,
    /// Lower-case letters, digits, `_` and `-`; unique in its lake.
    pub name: String,
    pub description: Option<String>,
    pub lake: Lake,
    /// The variables with their values; never those of the environment, which may be secrets.
    pub vars: BTreeMap<String, String>,
    pub sources: Vec<Source>,
    /// In an order in which each needs only those before it.
    pub transforms: Vec<Transform>,
    pub outputs: Vec<Output>,
    /// What becomes of its tables that no output makes any more.
    pub removed_tables: Removal,
    /// Who may see what, as the pipeline says it.
    #[serde(skip_serializing_if = "Policy::is_empty")]
    pub policy: Policy,
    /// The file of who may see what that it shares with others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governance: Option<PolicyFile>,
    pub verify: Vec<Check>,
    pub athena: AthenaSettings,
    pub schedule: Option<Schedule>,
    #[serde(skip_serializing_if = "Hooks::is_empty")]
    pub hooks: Hooks,
    /// As it is written.
    #[serde(skip)]
    pub text: Arc<str>,
}

/// Where the tables are.
#[derive(Debug, Clone, Serialize)]
pub struct Lake {
    /// An absolute path of a folder, or `s3://bucket/prefix`.
    pub location: String,
    /// Who else is told of the tables.
    pub catalog: CatalogKind,
    /// How its bucket is reached and written.
    pub store: StoreSettings,
}

/// Which catalog of readers is told of the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogKind {
    /// None: readers go by the lake itself.
    #[default]
    Local,
    Glue {
        #[serde(flatten)]
        settings: GlueSettings,
        /// Take over tables of others.
        adopt: bool,
    },
}

/// Files to read.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    pub name: String,
    /// `file:line:column` of its name in the pipeline's file.
    #[serde(skip)]
    pub place: String,
    /// Files, folders and globs: absolute paths, or `s3://…`.
    pub locations: Vec<String>,
    /// How buckets among them are reached.
    pub store: StoreSettings,
    pub format: SourceFormat,
    /// Names of presets and LogFormats, the first of which that fits a line is its; found out where none is given.
    pub log_formats: Vec<String>,
    pub unescape: bool,
    /// Of CSV.
    pub delimiter: Option<char>,
    /// CSV and TSV files have a first line of names.
    pub header: bool,
    /// The names that columns of CSV, TSV and JSON had before, each with the one that it has now.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub renames: BTreeMap<String, String>,
    /// The description of the columns of CSV, TSV and JSON, as in `schemas/`.
    pub schema: Option<PathBuf>,
    pub on_error: OnError,
    /// What becomes of values of CSV, TSV and JSON that are none of their column's type.
    pub on_mismatch: OnMismatch,
    /// Above this share of rejected lines nothing is published.
    pub max_reject_rate: Option<Rate>,
    /// By content for logs, and by size and time for others, where not given.
    pub fingerprint: Option<Fingerprint>,
    /// Outputs that add to what is there read only files that are new; of a source that is not incremental always all of them, as
    /// of a table that others are joined with.
    pub incremental: bool,
}

/// How it is told which files were read, and whether one has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fingerprint {
    /// By the lines in it, whatever its name and compression: one that has grown is read from where it ended.
    Content,
    /// By size, and time of change or ETag.
    #[default]
    Modified,
    /// By SHA-256 of its bytes: a file that was only touched or renamed is the same.
    Checksum,
}

/// A table made by SQL of sources and earlier transforms, by their names.
#[derive(Debug, Clone, Serialize)]
pub struct Transform {
    pub name: String,
    #[serde(skip)]
    pub place: String,
    pub sql: String,
    /// The sources and earlier transforms that it reads; none of one that Athena makes.
    pub reads: Vec<String>,
    /// The tables of the lake that it reads, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableName>,
    #[serde(skip_serializing_if = "TransformEngine::is_local")]
    pub engine: TransformEngine,
}

/// Who makes the rows of a transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransformEngine {
    /// The engine of this process.
    #[default]
    Local,
    /// Athena, of tables of Glue; it writes them into the lake itself.
    Athena,
}

impl TransformEngine {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_local(&self) -> bool {
        *self == TransformEngine::Local
    }
}

/// A table to write.
#[derive(Debug, Clone, Serialize)]
pub struct Output {
    pub name: String,
    #[serde(skip)]
    pub place: String,
    /// The source or transform that supplies the rows.
    pub from: String,
    pub table: TableName,
    pub description: Option<String>,
    /// Comments on columns.
    pub comments: BTreeMap<String, String>,
    pub format: FileFormat,
    pub layout: Layout,
    pub partition_by: Vec<String>,
    /// Whose days and hours `dt` and `hour` are.
    pub timezone: Zone,
    pub mode: Mode,
    pub removed_sources: Removal,
    /// How readers' catalogs are told of it.
    pub readers: ReaderOptions,
}

impl Output {
    /// Whether days or hours name its partitions.
    pub fn has_days(&self) -> bool {
        self.partition_by.iter().any(|name| name == "dt" || name == "hour")
    }
}

/// What a run does with existing rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The table holds the rows of all sources as they are now; if any changed, all is rebuilt.
    #[default]
    Overwrite,
    /// Rows of new files are added. Rows of files that changed take the place of the rows that those files gave before.
    Append,
    /// The partitions that new and changed files have rows in are rebuilt, of all files that have rows in them.
    ReplacePartitions,
}

/// What becomes of rows whose source file is no longer there, in tables that are not overwritten; and of tables that no output makes any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    #[default]
    Keep,
    Drop,
}

/// What is checked before readers see a run, or after.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub name: String,
    #[serde(skip)]
    pub place: String,
    pub expect: Expectation,
    pub severity: Severity,
    pub when: When,
    pub engine: CheckEngine,
    pub on_failure: OnFailure,
}

/// Who answers a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckEngine {
    /// The engine of this process.
    #[default]
    Local,
    /// Athena, once it is published.
    Athena,
    /// Both, and what they answer is compared.
    Both,
}

/// What becomes of a run that is published and of which a check failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Readers go on seeing it.
    #[default]
    Keep,
    /// Readers see again what they saw before.
    Rollback,
}

/// Where Athena answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AthenaSettings {
    pub workgroup: Option<String>,
    /// Where results are kept, where the workgroup doesn't say it.
    pub result_location: Option<String>,
    /// The bytes that a query may scan.
    pub max_scan: Option<u64>,
    /// The longest that a query may take.
    pub timeout: Option<std::time::Duration>,
}

/// What is expected. Tables in SQL are `database.table`, as they will be once the run is published.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// How many rows a query gives.
    Rows { sql: String, bounds: Bounds },
    /// The one value that a query gives, as text.
    Value { sql: String, equals: String },
    /// The single number returned by a query is between these, both included.
    Between { sql: String, bounds: Bounds },
    /// No two rows of a table have the same values in these columns.
    Unique { table: TableName, columns: Vec<String> },
    /// None of these columns contains NULL.
    NotNull { table: TableName, columns: Vec<String> },
    /// Every value of a column that is not NULL matches a regular expression.
    Matches { table: TableName, column: String, pattern: String },
    /// Two queries return the same rows, in any order.
    EqualsQuery { sql: String, other: String },
}

/// From and to, both included; at least one of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    pub min: Option<f64>,
    pub max: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is reported.
    Warn,
    /// The run fails; nothing is published where the check is before that.
    #[default]
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    #[default]
    BeforePublish,
    AfterPublish,
}

/// Who is told of runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hooks {
    pub on_failure: Vec<Hook>,
    pub on_success: Vec<Hook>,
}

impl Hooks {
    fn is_empty(&self) -> bool {
        self.on_failure.is_empty() && self.on_success.is_empty()
    }
}

/// How somebody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// A command of the shell.
    Command(String),
    /// An address that gets a POST.
    Webhook(String),
}

/// When `etl schedule` runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// Five fields, as of cron.
    pub cron: String,
    /// A name of the IANA data base.
    pub timezone: String,
    pub catch_up: CatchUp,
}

/// What is done about times that passed while nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Nothing.
    #[default]
    Skip,
    /// One run for all of them.
    Once,
}

impl Pipeline {
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// The transform of which `output` has the rows, where Athena makes it.
    pub fn made_in_athena(&self, output: &Output) -> Option<&Transform> {
        self.transform(&output.from).filter(|transform| transform.engine == TransformEngine::Athena)
    }

    pub fn transform(&self, name: &str) -> Option<&Transform> {
        self.transforms.iter().find(|transform| transform.name == name)
    }
}
