//! `etl catalog sync`: Glue is told what a lake has.

use crate::cli::pipeline::{open_lake, open_lake_of};
use crate::cli::terminal::{print_json, say};
use crate::cli::variable::{VarArgs, variables};
use crate::error::Result;
use crate::pipeline::{Pipeline, said, sync};
use clap::Args;
use std::path::PathBuf;

/// Bring Glue up to date with a lake, for example after a run was killed before it had registered its tables
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog sync --lake s3://bucket/lake
  etl catalog sync weblogs.yaml
  etl catalog sync --lake s3://bucket/lake --json | jq '.[] | select(.change != \"unchanged\")'

Updates the catalogs in which the lake's tables are already registered; a run of a pipeline with `catalog: {glue: …}` registers them \
first.")]
pub(super) struct SyncArgs {
    /// The file of a pipeline, to use its lake
    #[arg(value_name = "PIPELINE", required_unless_present = "lake")]
    pipeline: Option<PathBuf>,

    /// The lake: s3://bucket/prefix
    #[arg(long, value_name = "LAKE", env = "ETL_LAKE")]
    lake: Option<String>,

    #[command(flatten)]
    vars: VarArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Tells the catalogs.
///
/// # Errors
/// Where the lake or a catalog can't be read or written.
pub(super) fn run(args: &SyncArgs) -> Result<()> {
    let storage = match (&args.pipeline, &args.lake) {
        (Some(file), _) => open_lake_of(&Pipeline::load(file, &variables(&args.vars)?)?.lake)?,
        (None, lake) => open_lake(lake.as_deref().unwrap_or_default())?,
    };
    let registered = sync(&storage)?;
    if args.json {
        return print_json(&registered);
    }
    if registered.is_empty() {
        say("no table of this lake is registered in a catalog; a run of a pipeline with `catalog: {glue: {}}` registers it");
    }
    for one in &registered {
        say(&said(one));
        one.notes.iter().for_each(|note| say(&format!("note: {note}")));
    }
    Ok(())
}
