//! `etl inspect`: what is in files.

use super::from_format::{Dialect, FromFormat, delimiter};
use super::inspection_text::InspectionText;
use super::log_format::LogFormatArgs;
use super::terminal::{print_data, print_data_json, say};
use crate::accesslog::Preset;
use crate::catalog::resolve;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Table, TableFormat, TableOptions, suggested_format};
use crate::inspect::inspect;
use crate::printable::printable;
use crate::schema::TableSchema;
use crate::units::{count, counted};
use clap::Args;

const EXAMPLES: &str = "Examples:
  etl inspect access.log.gz
  etl inspect lake/access
  etl inspect out/part-00000.parquet --json
  etl inspect app.log --log-format '%h %t \"%r\" %>s %D'
  etl inspect app.log --suggest-format
  zcat access.log.gz | etl inspect -
  etl inspect orders.csv --schema > orders.schema.yaml

Several paths are inspected as one table, so they must have the same format.";

/// Show the format, columns and values of logs, CSV, TSV, JSON lines or Parquet, and lines that can't be parsed
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct InspectArgs {
    /// Files, folders, globs, or - for standard input; plain, gzip, zstd or bzip2
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,

    /// The format of the files
    #[arg(long, value_enum, default_value_t = FromFormat::Auto)]
    from: FromFormat,

    /// How CSV files are escaped
    #[arg(long, value_enum, value_name = "DIALECT", default_value_t = Dialect::Rfc4180)]
    from_dialect: Dialect,

    /// The delimiter of CSV files: one character, or `tab` [default: detected from the first lines]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,

    #[command(flatten)]
    log_format: LogFormatArgs,

    /// Print only a description of the columns, to be corrected and used with --schema or as `schema` of a source
    #[arg(long, conflicts_with = "json")]
    schema: bool,

    /// Only print a format that the lines of a log fit, for --log-format: a preset, or one made from the looks of the first lines
    #[arg(long, conflicts_with_all = ["json", "schema"])]
    suggest_format: bool,

    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
}

/// Inspects the paths and prints what was found to standard output.
///
/// # Errors
/// [`ErrorKind::Input`] where a path can't be read, [`ErrorKind::Format`] where it can't be told what it holds.
pub(super) fn run(args: &InspectArgs) -> Result<()> {
    let options = TableOptions {
        format: args.from.into(),
        log: args.log_format.choice()?,
        dialect: args.from_dialect.into(),
        delimiter: args.delimiter,
        ..Default::default()
    };
    if args.suggest_format {
        return suggest(args);
    }
    let table = Table::open(resolve(&args.paths)?, &options)?;
    if args.schema {
        return print_data(schema(&table, &args.paths[0])?.trim_end());
    }
    let found = inspect(&table)?;
    match args.json {
        true => {
            let json = serde_json::to_string_pretty(&found);
            print_data_json(&json.map_err(|e| Error::new(ErrorKind::Internal, "the inspection can't be written as JSON").with_source(e))?)
        }
        false => print_data(InspectionText(&found).to_string().trim_end()),
    }
}

/// Prints a format that the first lines fit, and how many of them.
fn suggest(args: &InspectArgs) -> Result<()> {
    let suggestion = suggested_format(resolve(&args.paths)?)?;
    print_data(&suggestion.format)?;
    let fitting = format!("{} of the first {} fit", count(suggestion.fitting), counted(suggestion.tried, "line"));
    match suggestion.base {
        Some(base) => say(&format!("note: {fitting}; the format is {} with other fields, whose names are guesses", base.name())),
        None if suggestion.tried == 0 => say("note: made of the fields that the log names"),
        None if Preset::named(&suggestion.format).is_some() => say(&format!("note: {fitting}")),
        None => say(&format!("note: {fitting}; names of fields are guesses")),
    }
    Ok(())
}

/// The description of the columns, as `schemas/` has those of the presets.
fn schema(table: &Table, path: &str) -> Result<String> {
    let log_format = match &table.format {
        TableFormat::Log { formats, .. } => formats.single().map(|format| format.text().to_string()),
        _ => None,
    };
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
    let name = if name.is_empty() || name == "-" { "table" } else { name };
    let described = TableSchema::describing(name, log_format, &table.format.schema());
    let guessed = match table.format {
        TableFormat::Log { .. } | TableFormat::Parquet { .. } => "",
        _ => ", guessed from the first lines; correct them where needed",
    };
    Ok(format!("# Columns of {}{guessed}.\n{}", printable(path), described.to_yaml()?))
}
