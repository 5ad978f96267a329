//! `etl catalog diff`: what Glue has differs from what was registered.

use super::name::TableName;
use super::which::WhichArgs;
use crate::catalog::{Catalog, GlueCatalog, LAKE};
use crate::cli::pipeline::open_lake;
use crate::cli::terminal::{is_broken_pipe, print, print_json, say_error};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{ReaderDifference, differences_in, differences_of};
use crate::printable::printable;
use clap::Args;
use std::process::ExitCode;

/// Compare Glue with what its lakes would register
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog diff --lake s3://bucket/lake
  etl catalog diff weblogs.access --lake s3://bucket/lake
  etl catalog diff
  etl catalog diff --json | jq '.[] | select(.behind)'

With a lake, all of its tables are compared with the catalogs in which they are registered; without one, all tables in Glue that name \
their lake are compared with it. `etl catalog sync` updates Glue.

Exit codes: 0 nothing differs, 2 there are differences, 1 an error.")]
pub(super) struct DiffArgs {
    /// Only this table, as DATABASE.TABLE
    #[arg(value_name = "DATABASE.TABLE")]
    table: Option<TableName>,

    #[command(flatten)]
    which: WhichArgs,
}

/// What it ends with where there are differences.
const DIFFERENT: u8 = 2;
/// What it ends with for any error: 2 is taken.
const FAILED: u8 = 1;

/// Writes the differences to standard output. Errors are told here, as they all end with one code.
///
/// # Errors
/// Where standard output is closed.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode> {
    match told(args) {
        Err(error) if !is_broken_pipe(&error) => {
            say_error(&error);
            Ok(ExitCode::from(FAILED))
        }
        told => told,
    }
}

fn told(args: &DiffArgs) -> Result<ExitCode> {
    let only = args.table.as_ref().map(|name| (name.database.as_str(), name.table.as_str()));
    let found = match &args.which.lake {
        Some(lake) => {
            let found = differences_of(&open_lake(lake)?, only)?;
            if let (Some(name), true) = (&args.table, found.is_empty()) {
                let message = format!("table `{name}` of {lake} is not registered in any catalog");
                return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "`etl catalog list` shows the tables in Glue"));
            }
            found
        }
        None => {
            let glue = args.which.glue()?;
            if let Some(name) = &args.table {
                is_of_lake(&glue, name)?;
            }
            differences_in(&glue, only)?
        }
    };
    let differs = found.iter().any(|one| !one.is_none());
    match args.which.json {
        true => print_json(&found)?,
        false => print(&text(&found), false)?,
    }
    Ok(if differs { ExitCode::from(DIFFERENT) } else { ExitCode::SUCCESS })
}

/// Refuses a table that is not there, or that no lake has.
fn is_of_lake(glue: &GlueCatalog, name: &TableName) -> Result<()> {
    let entry = glue.table(&name.database, &name.table)?.ok_or_else(|| name.missing(glue))?;
    if entry.parameters.contains_key(LAKE) {
        return Ok(());
    }
    let error = Error::new(ErrorKind::Usage, format!("{name} doesn't belong to a lake: there is nothing to compare it with"));
    Err(error.with_context("location", &entry.storage.location))
}

fn text(found: &[ReaderDifference]) -> String {
    if found.is_empty() {
        return "no table is registered in a catalog".to_string();
    }
    let mut text = Vec::new();
    for one in found {
        let version = |version: Option<u64>| version.map_or("none".to_string(), |version| version.to_string());
        let state = match () {
            () if one.behind => {
                format!("behind: version {} there, version {} in the lake", version(one.version), version(one.lake_version))
            }
            () if one.is_none() => "as it was told".to_string(),
            () => "differs from what was registered".to_string(),
        };
        text.push(format!("{} in {}: {state}", printable(&one.table), printable(&one.catalog)));
        text.extend(one.lines.iter().map(|line| format!("  {}", printable(line))));
    }
    text.join("\n")
}
