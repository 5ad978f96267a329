//! `etl convert`: inputs to files.

use super::bar::Bar;
use super::from_format::{Dialect, FromFormat, delimiter};
use super::log_format::LogFormatArgs;
use super::terminal::{cancel_on_interrupt, cores, print_json_text, say_lines};
use crate::catalog::resolve;
use crate::convert::{ConvertOptions, ConvertReport, Layout, OnError, RejectsFile, convert};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{OnMismatch, Table, TableOptions};
use crate::output::{FileFormat, Kind, Timestamps};
use crate::peak_memory::peak_memory;
use crate::progress::{Progress, Silent};
use crate::publish::{Existing, Output};
use crate::schema::TableSchema;
use crate::storage::{Appear, Location};
use crate::units::{ByteSize, Rate};
use crate::zone::Zone;
use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::IsTerminal;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  etl convert access.log.gz -o lake/access --to parquet --splits 10
  etl convert logs/*.gz -o out --to csv --compression gzip --splits 100
  zcat access.log.gz | etl convert - -o out --to json
  etl convert logs/ -o lake/access --to parquet --partition-by dt --append
  etl convert app.log -o out --to parquet --log-format '%h %t \"%r\" %>s %D' --rejects bad.jsonl
  etl convert sales.csv -o out --to parquet --schema sales.yaml
  etl convert s3://logs/2020/ -o s3://lake/access --to parquet --partition-by dt

Every line of the input is accounted for: lines = rows + rejects + blank. Nothing appears \
in the output folder before all of it is written; in a bucket, objects appear one after the other once all are written.";

/// Convert access logs, CSV, TSV, JSON lines or Parquet to CSV, TSV, JSON lines or Parquet files
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ConvertArgs {
    /// Files, folders, globs, s3://BUCKET/PREFIX, or - for standard input; plain, gzip, zstd or bzip2
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,

    /// Folder for the output files (part-00000 and so on), or s3://BUCKET/PREFIX
    #[arg(short, long = "output", visible_alias = "out", value_name = "FOLDER")]
    output: String,

    /// The format of the output files
    #[arg(long, value_enum, default_value_t = ToFormat::Parquet)]
    to: ToFormat,

    /// The format of the inputs
    #[arg(long, value_enum, default_value_t = FromFormat::Auto)]
    from: FromFormat,

    #[command(flatten)]
    log_format: LogFormatArgs,

    /// Decode Apache's escapes in values (\" \\ \n \xhh); by default they are kept as they are in the log
    #[arg(long)]
    unescape: bool,

    /// none or gzip for CSV, TSV and JSON; none, snappy, zstd or gzip for Parquet [default: none; zstd for Parquet]
    #[arg(long, value_name = "CODEC")]
    compression: Option<String>,

    /// The codec's level: 1 to 9 for gzip [default: 6], 1 to 22 for zstd [default: 3]
    #[arg(long, value_name = "LEVEL")]
    compression_level: Option<i32>,

    /// Write exactly this many files, whose row counts differ by at most one
    #[arg(long, value_name = "N", default_value = "1", conflicts_with_all = ["rows_per_file", "target_size"])]
    splits: NonZeroU64,

    /// Write files of this many rows
    #[arg(long, value_name = "ROWS", conflicts_with = "target_size")]
    rows_per_file: Option<NonZeroU64>,

    /// Write files of about this size, such as 128MiB
    #[arg(long, value_name = "SIZE")]
    target_size: Option<ByteSize>,

    /// Write Hive folders for dt (the day of `time`), hour, or any columns, separated by commas; --splits then applies per folder
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    partition_by: Vec<String>,

    /// Time zone of dt and hour, such as Asia/Tokyo; times stay in UTC
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "partition_by")]
    timezone: Zone,

    /// Unit of times in the output: auto keeps that of the rows, except that nanoseconds become milliseconds in Parquet, because Athena and
    /// Spark can't read them
    #[arg(long, value_enum, value_name = "UNIT", default_value_t = TimestampsArg::Auto)]
    timestamps: TimestampsArg,

    /// How to escape CSV output
    #[arg(long, value_enum, default_value_t = Dialect::Rfc4180)]
    dialect: Dialect,

    /// Replace existing files
    #[arg(long, conflicts_with = "append")]
    overwrite: bool,

    /// Keep existing files and add new ones
    #[arg(long)]
    append: bool,

    /// What to do with a line that can't be read: report it, only count it, or fail
    #[arg(long, value_enum, default_value_t = OnErrorArg::Reject)]
    on_error: OnErrorArg,

    /// What to do with a value of CSV, TSV or JSON that doesn't exactly fit its column's type
    #[arg(long, value_enum, default_value_t = OnMismatchArg::Reject)]
    on_mismatch: OnMismatchArg,

    /// Publish nothing if more than this share of the lines is rejected, such as 1% (exit code 5) [default: any share, but at least one line
    /// of each file must be readable]
    #[arg(long, value_name = "RATE")]
    max_reject_rate: Option<Rate>,

    /// Write rejected lines to this file, as JSON lines with file, line, byte offset, reason and the line itself
    #[arg(long, value_name = "FILE")]
    rejects: Option<String>,

    /// Maximum size of that file; further lines are only counted
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    rejects_limit: ByteSize,

    /// The delimiter of CSV inputs: one character, or `tab` [default: detected from the first lines]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// CSV and TSV inputs have no header; their columns are called column_1 and so on
    #[arg(long)]
    no_header: bool,

    /// How CSV inputs are escaped
    #[arg(long, value_enum, value_name = "DIALECT", default_value_t = Dialect::Rfc4180)]
    from_dialect: Dialect,

    /// Description of the columns of CSV, TSV and JSON inputs, as in schemas/ [default: guessed from the first lines]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,

    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// How to report the result: as text on standard error, as JSON on standard output, or not at all
    #[arg(long, value_enum, default_value_t = ReportFormat::Text, default_value_if("json", ArgPredicate::IsPresent, "json"))]
    report: ReportFormat,

    /// Print the report as JSON; the same as --report json
    #[arg(long, conflicts_with = "report")]
    json: bool,
}

/// The report as programs read it.
#[derive(Serialize)]
struct Reported<'a> {
    #[serde(flatten)]
    report: &'a ConvertReport,
    /// The most bytes of memory that the process held, where the system tells.
    peak_memory: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ToFormat {
    Csv,
    /// As Hive's LazySimpleSerDe reads it
    Tsv,
    /// One object per line
    Json,
    Parquet,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TimestampsArg {
    Auto,
    Millis,
    Micros,
    Keep,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnErrorArg {
    Reject,
    Skip,
    Fail,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnMismatchArg {
    /// Reject its line
    Reject,
    /// Replace it with NULL, and count it
    Null,
    /// Turn its column into text; the input is read twice
    Text,
}

impl From<OnMismatchArg> for OnMismatch {
    fn from(argument: OnMismatchArg) -> Self {
        match argument {
            OnMismatchArg::Reject => OnMismatch::Reject,
            OnMismatchArg::Null => OnMismatch::Null,
            OnMismatchArg::Text => OnMismatch::Text,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    Text,
    Json,
    None,
}

pub(super) fn run(args: ConvertArgs) -> Result<()> {
    let report_format = args.report;
    let options = args.into_options()?;
    let progress: Box<dyn Progress> = if std::io::stderr().is_terminal() { Box::new(Bar::default()) } else { Box::new(Silent) };
    let report = convert(&options, progress.as_ref())?;
    match report_format {
        ReportFormat::Text => say_lines(&report.to_string(), false),
        ReportFormat::None => {}
        ReportFormat::Json => {
            let json = serde_json::to_string(&Reported { report: &report, peak_memory: peak_memory() });
            print_json_text(&json.map_err(|e| Error::new(ErrorKind::Internal, "can't write the report as JSON").with_source(e))?)?;
        }
    }
    Ok(())
}

impl ConvertArgs {
    fn into_options(self) -> Result<ConvertOptions> {
        let kind = match self.to {
            ToFormat::Csv => Kind::Csv,
            ToFormat::Tsv => Kind::Tsv,
            ToFormat::Json => Kind::Json,
            ToFormat::Parquet => Kind::Parquet,
        };
        if self.dialect == Dialect::Athena && kind != Kind::Csv {
            let message = "--dialect is for CSV output: add --to csv; for CSV inputs use --from-dialect";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let format = FileFormat::new(kind, self.compression.as_deref(), self.compression_level, self.dialect.into())?;
        let format = format.with_timestamps(match self.timestamps {
            TimestampsArg::Auto => Timestamps::Auto,
            TimestampsArg::Millis => Timestamps::Millis,
            TimestampsArg::Micros => Timestamps::Micros,
            TimestampsArg::Keep => Timestamps::Keep,
        });
        if !self.timezone.is_utc() && !self.partition_by.iter().any(|name| name == "dt" || name == "hour") {
            let message = "--timezone applies to dt and hour, but --partition-by has neither";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let layout = match (self.rows_per_file, self.target_size) {
            (Some(rows), _) => Layout::RowsPerFile(rows),
            (None, Some(size)) => Layout::TargetSize(size),
            (None, None) => Layout::Splits(self.splits),
        };
        let table_options = TableOptions {
            format: self.from.into(),
            log: self.log_format.choice()?,
            unescape: self.unescape,
            delimiter: self.delimiter,
            no_header: self.no_header,
            dialect: self.from_dialect.into(),
            schema: self.schema.as_deref().map(TableSchema::load).transpose()?.map(|schema| schema.arrow_schema()),
            on_mismatch: self.on_mismatch.into(),
            ..Default::default()
        };
        Ok(ConvertOptions {
            table: Table::open(resolve(&self.inputs)?, &table_options)?,
            output: Output::open(Location::parse(&self.output)?)?,
            appear: Appear::AtCommit,
            checksums: false,
            format,
            layout,
            partition_by: self.partition_by,
            timezone: self.timezone,
            existing: match (self.overwrite, self.append) {
                (true, _) => Existing::Overwrite,
                (_, true) => Existing::Append,
                _ => Existing::Refuse,
            },
            on_error: match self.on_error {
                OnErrorArg::Reject => OnError::Reject,
                OnErrorArg::Skip => OnError::Skip,
                OnErrorArg::Fail => OnError::Fail,
            },
            max_reject_rate: self.max_reject_rate,
            accepted_rejects: Vec::new(),
            counted: Default::default(),
            rejects: self.rejects.as_deref().map(RejectsFile::open).transpose()?,
            rejects_limit: self.rejects_limit,
            threads: self.threads.map_or_else(cores, |threads| threads.get().min(MOST_THREADS)),
            cancel: cancel_on_interrupt(),
        })
    }
}

/// More threads than this only stand in each other's way.
const MOST_THREADS: usize = 256;
