//! `etl bench`: formats, numbers of files and compression, compared on one's own data.

mod athena;
mod csv;
mod text;

use self::athena::BenchAthenaArgs;
use super::bar::Bar;
use super::from_format::{Dialect, FromFormat, delimiter};
use super::log_format::LogFormatArgs;
use super::terminal::{cancel_on_interrupt, colour_on, cores, print, print_data, print_json, say};
use crate::bench::{AthenaSettings, Caches, DataSet, Prices, Question, Settings, SourceArguments, article, compare, matrix};
use crate::error::{Error, ErrorKind, Result};
use crate::input::TableOptions;
use crate::output::Kind;
use crate::progress::{Progress, Silent};
use crate::report;
use crate::schema::TableSchema;
use clap::{Args, ValueEnum};
use std::io::IsTerminal;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  etl bench access.log --html report.html
  etl bench                                                     # on a generated log of 148,534 lines
  etl bench access.log --splits 1,100 --formats json,parquet --compression none,gzip,zstd --query \"SELECT status, count(*) FROM log GROUP BY 1\"
  etl bench access.log --formats parquet --splits 1 --partition-by dt --scale 10
  etl bench access.log --formats parquet --splits 1 --encodings
  etl bench access.log --engine athena --workgroup etl --lake s3://bucket/bench --max-cost 1
  etl bench sales.csv --query \"shop=SELECT * FROM log WHERE shop_id = 25\" --json

The same rows are converted to each format, in each number of files; each query is run on each data set --runs times, in an order \
that --seed shuffles. The fastest and the slowest run are left out; the mean is reported. In queries the table is called `log`.

Data sets are stored in --data and reused as long as rows and options are the same; remove the folder when you are done.

With --engine athena, they are stored below --lake, as tables of --database in Glue. The figures are Athena's own: execution time, queue \
time, bytes scanned and their cost. In queries, `log` has the types of the rows in each format: columns of CSV, which are text in \
Athena, are cast. A separate query counts the rows of each query; results are not read. Remove tables and files when you are done: \
etl catalog drop, aws s3 rm.";

/// Benchmark formats, file counts and compression on your own data and queries
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct BenchArgs {
    /// Files, folders, globs, s3://BUCKET/PREFIX, or - for standard input [default: a generated access log of 148,534 lines]
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,

    /// Formats to compare, separated by commas [default: json, csv and parquet]
    #[arg(long, value_enum, value_name = "FORMATS", value_delimiter = ',')]
    formats: Vec<Format>,

    /// Numbers of files to compare, separated by commas [default: 1, 10, 100, 1000 and 10000]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    splits: Vec<NonZeroU64>,

    /// Compression to compare, separated by commas [default: none and gzip; zstd for Parquet]
    #[arg(long, value_name = "CODECS", value_delimiter = ',', value_parser = ["none", "gzip", "snappy", "zstd"])]
    compression: Vec<String>,

    /// A query on the table `log`, as SQL or NAME=SQL; can be used more than once [default: all rows, a LIKE, three columns]
    #[arg(long = "query", value_name = "SQL")]
    queries: Vec<String>,

    /// Also write each data set in Hive folders by these columns; with dt, also query the rows of one day
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    partition_by: Vec<String>,

    /// Also measure each column in each Parquet encoding: its size, and the time to read it
    #[arg(long)]
    encodings: bool,

    /// Repeat the rows N times
    #[arg(long, value_name = "N", default_value = "1")]
    scale: NonZeroU32,

    /// Runs per query and data set
    #[arg(long, value_name = "N", default_value = "5")]
    runs: NonZeroU32,

    /// Seed for the order of runs
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// State of the system's file cache before each run [default: warm]
    #[arg(long, value_enum, value_name = "CACHES")]
    caches: Option<CachesArg>,

    /// The engine that runs the query
    #[arg(long, value_enum, value_name = "ENGINE", default_value_t = EngineArg::Local)]
    engine: EngineArg,

    #[command(flatten)]
    athena: BenchAthenaArgs,

    /// Where to store data sets, or for those in S3, information about them
    #[arg(long, value_name = "FOLDER", default_value = "etl-bench")]
    data: PathBuf,

    /// Write a page with charts to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Output::Table)]
    format: Output,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Queries per day, for the monthly estimate
    #[arg(long, value_name = "N", default_value_t = 100)]
    queries_per_day: u32,

    /// YAML file of prices in USD, for the monthly estimate, with the keys list, athena_per_tb, s3_per_gb_month, s3_per_1000_get, s3_per_1000_put
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// The format of the inputs
    #[arg(long, value_enum, default_value_t = FromFormat::Auto)]
    from: FromFormat,

    #[command(flatten)]
    log_format: LogFormatArgs,

    /// How CSV inputs are escaped
    #[arg(long, value_enum, value_name = "DIALECT", default_value_t = Dialect::Rfc4180)]
    from_dialect: Dialect,

    /// The delimiter of CSV inputs: one character, or `tab` [default: detected from the first lines]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// Description of the columns of CSV, TSV and JSON inputs, as in schemas/ [default: guessed from the first lines]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,

    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Csv,
    Tsv,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineArg {
    /// DataFusion, in this process
    Local,
    /// Amazon Athena
    Athena,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CachesArg {
    /// All files are cached, if memory allows: for data that is queried often
    Warm,
    /// Nothing is cached: for data that is queried rarely (Linux only)
    Cold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// One table per query
    Table,
    /// One line per query and data set
    Csv,
    Json,
}

/// Compares, and writes what came of it to standard output, and to a page.
///
/// # Errors
/// Where the rows can't be read, there is no place for data sets, or no cell could be measured.
pub(super) fn run(args: &BenchArgs) -> Result<()> {
    let settings = args.settings()?;
    if let Some(page) = &args.html {
        // After all that work it would be late to find that it can't be written.
        let folder = page.parent().filter(|folder| !folder.as_os_str().is_empty());
        if page.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Error::new(ErrorKind::Output, format!("{} can't be written: choose a file in an existing folder", page.display())));
        }
    }
    let progress: Box<dyn Progress> = if std::io::stderr().is_terminal() { Box::new(Bar::counting()) } else { Box::new(Silent) };
    let told = compare(&settings, progress.as_ref())?;
    match if args.json { Output::Json } else { args.format } {
        Output::Table => print(text::text(&told, colour_on(&std::io::stdout())).trim_end(), colour_on(&std::io::stdout()))?,
        Output::Csv => print_data(csv::csv(&told).trim_end())?,
        Output::Json => print_json(&told)?,
    }
    if let Some(page) = &args.html {
        std::fs::write(page, report::comparison(&told)).map_err(|e| Error::output(page.display(), e))?;
        say(&format!("wrote {}", page.display()));
    }
    told.notes.iter().for_each(|note| say(&format!("note: {note}")));
    let reused = told.data_sets.iter().filter(|made| made.reused).count();
    let kept = format!("{} data sets ({reused} reused) are stored in", told.data_sets.len());
    match &settings.athena {
        None => say(&format!("{kept} {}", told.data)),
        Some(athena) => say(&format!("{kept} {}, their tables in {} of Glue", athena.lake, athena.database)),
    }
    match told.failed() {
        0 => Ok(()),
        all if all == told.cells.len() => {
            let reason = told.cells.iter().find_map(|cell| cell.error.clone()).unwrap_or_default();
            Err(Error::of_lines(ErrorKind::Query, format!("nothing could be measured: {reason}")))
        }
        some => {
            say(&format!("{some} of {} cells could not be measured; each shows its reason", told.cells.len()));
            Ok(())
        }
    }
}

impl BenchArgs {
    fn settings(&self) -> Result<Settings> {
        let questions: Vec<Question> = self.queries.iter().enumerate().map(|(at, text)| Question::parse(text, at + 1)).collect();
        for (at, question) in questions.iter().enumerate() {
            if questions[..at].iter().any(|other| other.name == question.name) {
                return Err(Error::new(ErrorKind::Usage, format!("two queries are named `{}`", question.name)));
            }
        }
        let program = std::env::current_exe()
            .map_err(|e| Error::new(ErrorKind::Internal, "the program doesn't know where it is, so it can't convert").with_source(e))?;
        Ok(Settings {
            source: SourceArguments { inputs: self.inputs.clone(), options: self.options()?, arguments: self.reading() },
            scale: self.scale.get(),
            data_sets: self.data_sets(),
            questions,
            encodings: self.encodings,
            runs: self.runs.get(),
            seed: self.seed,
            caches: match self.caches {
                None | Some(CachesArg::Warm) => Caches::Warm,
                Some(CachesArg::Cold) => Caches::Cold,
            },
            athena: self.athena()?,
            threads: self.threads.map_or_else(cores, NonZeroUsize::get),
            data: self.data.clone(),
            program,
            prices: self.prices.as_deref().map(Prices::load).transpose()?.unwrap_or_default(),
            queries_per_day: self.queries_per_day,
            cancel: cancel_on_interrupt(),
        })
    }

    /// Athena's settings, where it is to answer.
    fn athena(&self) -> Result<Option<AthenaSettings>> {
        let usage = |message: String| Err(Error::new(ErrorKind::Usage, message));
        match self.engine {
            EngineArg::Local => match self.athena.given() {
                Some(option) => usage(format!("{option} is only for Athena: add --engine athena")),
                None => Ok(None),
            },
            EngineArg::Athena if self.caches.is_some() => usage("--caches applies to this machine only, not to Athena".to_string()),
            EngineArg::Athena if self.encodings => {
                usage("--encodings is measured on this machine: leave out --engine athena or --encodings".to_string())
            }
            EngineArg::Athena => self.athena.settings().map(Some),
        }
    }

    fn data_sets(&self) -> Vec<DataSet> {
        let mut sets = match self.formats.is_empty() && self.splits.is_empty() && self.compression.is_empty() {
            true => article(),
            false => {
                let kinds: Vec<Kind> = match self.formats.as_slice() {
                    [] => vec![Kind::Json, Kind::Csv, Kind::Parquet],
                    formats => formats.iter().map(|format| format.kind()).collect(),
                };
                let splits: Vec<u64> = match self.splits.as_slice() {
                    [] => vec![1, 10, 100, 1_000, 10_000],
                    splits => splits.iter().map(|splits| splits.get()).collect(),
                };
                matrix(&kinds, &splits, (!self.compression.is_empty()).then_some(self.compression.as_slice()))
            }
        };
        if !self.partition_by.is_empty() {
            let folders = sets.iter().map(|set| DataSet { partition_by: self.partition_by.clone(), ..set.clone() });
            let folders: Vec<DataSet> = folders.collect();
            sets.extend(folders);
        }
        let mut seen = std::collections::BTreeSet::new();
        sets.retain(|set| seen.insert(set.name()));
        sets
    }

    fn options(&self) -> Result<TableOptions> {
        Ok(TableOptions {
            format: self.from.into(),
            log: self.log_format.choice()?,
            dialect: self.from_dialect.into(),
            delimiter: self.delimiter,
            schema: self.schema.as_deref().map(TableSchema::load).transpose()?.map(|schema| schema.arrow_schema()),
            ..Default::default()
        })
    }

    /// The options of reading as `etl convert` takes them.
    fn reading(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |name: &str, value: String| arguments.push(format!("--{name}={value}"));
        let named = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_string()).unwrap_or_default();
        add("from", named(self.from.to_possible_value()));
        self.log_format.log_format.iter().for_each(|format| add("log-format", format.clone()));
        if let Some(conf) = &self.log_format.httpd_conf {
            add("httpd-conf", conf.display().to_string());
        }
        add("from-dialect", named(self.from_dialect.to_possible_value()));
        if let Some(delimiter) = self.delimiter {
            add("delimiter", if delimiter == b'\t' { "tab".to_string() } else { char::from(delimiter).to_string() });
        }
        if let Some(schema) = &self.schema {
            add("schema", schema.display().to_string());
        }
        arguments
    }
}

impl Format {
    fn kind(self) -> Kind {
        match self {
            Format::Json => Kind::Json,
            Format::Csv => Kind::Csv,
            Format::Tsv => Kind::Tsv,
            Format::Parquet => Kind::Parquet,
        }
    }
}
