//! `etl history` and `etl rollback`: earlier runs, and going back to one.

use super::pipeline::{PipelineArgs, open_lake_of};
use super::terminal::{colour_on, print, print_json, say};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{PastRun, RunReport, history, rollback};
use crate::publish::{keys, run_named};
use crate::report;
use clap::Args;

/// List the runs of a pipeline, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl history weblogs.yaml
  etl history weblogs.yaml --limit 100 --json
  etl history weblogs.yaml last
  etl history weblogs.yaml 20200301T03 --json | jq .sources

Runs that found nothing to do are not listed.")]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// Show the full report of one run, by id or its first characters; `last` is the newest
    #[arg(value_name = "RUN")]
    run: Option<String>,

    /// Maximum number of runs to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// Print the reports of the runs as JSON
    #[arg(long)]
    json: bool,
}

/// Restore what an earlier run published
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl rollback weblogs.yaml --to 20200301T030000000Z-7f3a9c01

Restores all tables of the pipeline, at once, to their state after that run. Only the catalog is changed, and nothing is lost: a rollback can be \
rolled back, too. Tables that were dropped since are restored as well, unless a vacuum has removed their files. `etl history` shows the runs.")]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// The run to restore, by its id or its first characters; `last` is the newest that published
    #[arg(long, value_name = "RUN")]
    to: String,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &HistoryArgs) -> Result<()> {
    let pipeline = args.pipeline.load()?;
    let storage = open_lake_of(&pipeline.lake)?;
    if let Some(wanted) = &args.run {
        let report = one(&history(&storage, &pipeline, usize::MAX)?, wanted, &pipeline.name)?;
        if args.json {
            return print_json(&report);
        }
        let colour = colour_on(&std::io::stdout());
        print(report::text(&report, colour).trim_end(), colour)?;
        say(&format!("report: {}/{}/report.html", pipeline.lake.location, keys::run_folder(&pipeline.name, &report.run)));
        return Ok(());
    }
    let runs = history(&storage, &pipeline, args.limit)?;
    if args.json {
        return print_json(&runs);
    }
    let colour = colour_on(&std::io::stdout());
    print(&report::history(runs.iter().map(|run| &run.report), colour), colour)?;
    let current = |run: &PastRun| (!run.current.is_empty()).then(|| format!("{} as of run {}", run.current.join(", "), run.report.run));
    let current: Vec<String> = runs.iter().filter_map(current).collect();
    if !current.is_empty() {
        say(&format!("readers see {}", current.join("; ")));
    }
    Ok(())
}

/// The report of the run that `wanted` begins the id of; `runs` are the newest first.
fn one(runs: &[PastRun], wanted: &str, pipeline: &str) -> Result<RunReport> {
    let ids = runs.iter().map(|run| run.report.run.as_str());
    let named = run_named(wanted, ids).map_err(|error| error.with_context("pipeline", pipeline))?;
    match runs.iter().find(|run| Some(run.report.run.as_str()) == named) {
        Some(one) => Ok(one.report.clone()),
        None => Err(Error::new(ErrorKind::Usage, format!("{pipeline} has no run `{wanted}`"))
            .with_context("what to do", "`etl history` without a run lists all runs")),
    }
}

pub(super) fn run_rollback(args: &RollbackArgs) -> Result<()> {
    let pipeline = args.pipeline.load()?;
    let done = rollback(&open_lake_of(&pipeline.lake)?, &pipeline, &args.to)?;
    if args.json {
        print_json(&done)?;
        return told(&done);
    }
    let to = done.rolled_back_to.as_deref().unwrap_or(&args.to);
    for output in &done.outputs {
        say(&format!("{} is now version {}, with the rows from run {to}", output.table, output.table_version));
    }
    done.notes.iter().for_each(|note| say(&format!("note: {note}")));
    told(&done)
}

/// The error of a rollback of which a catalog of readers could not be told.
fn told(done: &RunReport) -> Result<()> {
    match &done.error {
        None => Ok(()),
        Some(error) => Err(Error::of_lines(ErrorKind::Output, format!("rolled back in the lake, but not in Glue: {error}"))),
    }
}
