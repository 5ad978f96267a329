//! `etl catalog register`: files that are there already become a table.

use super::name::TableName;
use super::which::{Opened, WhichArgs};
use crate::cli::from_format::{Dialect, FromFormat, delimiter};
use crate::cli::log_format::LogFormatArgs;
use crate::cli::terminal::{print_json, say};
use crate::error::{Error, ErrorKind, Result};
use crate::input::TableOptions;
use crate::pipeline::{Registering, said};
use crate::schema::TableSchema;
use crate::storage::Location;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Register existing files as a table, without converting them
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog register s3://bucket/old/ --table weblogs.old
  etl catalog register s3://bucket/logs/ --table weblogs.raw --log-format combined
  etl catalog register s3://bucket/events/ --table weblogs.events --partitions projected
  etl catalog register archive/ --table weblogs.archive --lake lake/

Format, columns and types are detected as by `etl inspect`; folders such as dt=2020-02-29 become partitions. Raw logs become a table \
that Athena reads with a regular expression made from their LogFormat. Running it again finds new partitions, and changes nothing else.")]
pub(super) struct RegisterArgs {
    /// Folder of the files: s3://bucket/prefix/, or for a lake's catalog also a local folder
    #[arg(value_name = "LOCATION")]
    location: String,

    /// The table, as DATABASE.TABLE
    #[arg(long, value_name = "DATABASE.TABLE")]
    table: TableName,

    #[command(flatten)]
    which: WhichArgs,

    /// The format of the files
    #[arg(long, value_enum, default_value_t = FromFormat::Auto)]
    from: FromFormat,

    /// How CSV files are escaped
    #[arg(long, value_enum, value_name = "DIALECT", default_value_t = Dialect::Rfc4180)]
    from_dialect: Dialect,

    /// The delimiter of CSV files: one character, or `tab` [default: detected from the first lines]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// CSV files have no header
    #[arg(long)]
    no_header: bool,

    /// Description of the columns of CSV and JSON, as in schemas/ [default: guessed from the first lines]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,

    #[command(flatten)]
    log_format: LogFormatArgs,

    /// How readers find partitions
    #[arg(long, value_enum, default_value_t = Partitions::Registered)]
    partitions: Partitions,

    /// Take over a table that somebody else made
    #[arg(long)]
    adopt: bool,
}

/// How readers find partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Partitions {
    /// Each partition is registered in the catalog
    Registered,
    /// Readers compute partitions from settings of the table
    Projected,
}

/// Registers the files.
///
/// # Errors
/// [`ErrorKind::Usage`] for a name that can't be a table's, and as those of [`Registering::register`].
pub(super) fn run(args: &RegisterArgs) -> Result<()> {
    let name = args.table.checked()?;
    let options = TableOptions {
        format: args.from.into(),
        log: args.log_format.choice()?,
        dialect: args.from_dialect.into(),
        delimiter: args.delimiter,
        no_header: args.no_header,
        schema: args.schema.as_deref().map(TableSchema::load).transpose()?.map(|schema| schema.arrow_schema()),
        ..Default::default()
    };
    let registering = Registering {
        location: &args.location,
        database: &name.database,
        name: &name.table,
        options: &options,
        projected: args.partitions == Partitions::Projected,
        adopt: args.adopt,
    };
    let opened = args.which.open()?;
    if matches!(opened, Opened::Glue(_)) && Location::parse(&args.location)?.path().is_some() {
        let message = format!("{} is a local folder, but readers of Glue read from S3", args.location);
        let error = Error::new(ErrorKind::Usage, message);
        return Err(error.with_context(
            "what to do",
            "use a location in a bucket: s3://bucket/prefix/; or a lake with --lake, whose queries read local folders",
        ));
    }
    let registered = registering.register(opened.catalog().as_ref())?;
    if args.which.json {
        return print_json(&registered);
    }
    say(&said(&registered));
    registered.notes.iter().for_each(|note| say(&format!("note: {note}")));
    Ok(())
}
