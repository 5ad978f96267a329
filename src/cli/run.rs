//! `etl run`: a pipeline, once.

use super::child;
use super::pipeline::{FILE_OR_FOLDER, MemoryArgs, PipelineArgs, ScopeArgs, ThreadArgs};
use super::plan;
use super::plan_telling::Telling;
use super::run_folder;
use super::single_run::{run_once, settings};
use crate::error::Result;
use crate::pipeline::RunSettings;
use crate::units::TimeSpan;
use clap::Args;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  etl run weblogs.yaml
  etl run weblogs.yaml --dry-run
  etl run weblogs.yaml --var date=2020-03-01 --only access_parquet --json
  etl run weblogs.yaml --full
  etl run pipelines/                              # a folder: each pipeline runs after those whose tables it reads
  etl run weblogs.yaml --wait 10m
  etl run weblogs.yaml --max-reject-rate 20%      # only for this run
  etl run weblogs.yaml --retry-rejects

Only what has changed since the last run is read. If all checks pass, readers see all tables of the run at once; otherwise they keep \
seeing the previous ones. The report is stored in the lake, in _etl/runs/, as JSON and as a web page.

With cron, every night at three:
  0 3 * * *  cd /srv/lake && etl run weblogs.yaml

Exit codes: 0 done or nothing to do, 7 a check failed, 8 another run published first; for --dry-run see `etl plan --help`.";

/// Run a pipeline: read what changed, write, check, publish, report
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_arg("file", |file| file.help(FILE_OR_FOLDER)))]
pub(super) struct RunArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,

    #[command(flatten)]
    scope: ScopeArgs,

    /// Only show what would be done, as `etl plan` does
    #[arg(long)]
    dry_run: bool,

    /// With --dry-run, exit with 2 if there are changes
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,

    /// If another run of this pipeline is in progress, wait up to this long for it: 90s, 10m [default: race it]
    #[arg(long, value_name = "TIME")]
    wait: Option<TimeSpan>,

    #[command(flatten)]
    threads: ThreadArgs,

    #[command(flatten)]
    memory: MemoryArgs,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    /// Read the pipeline's text from standard input, and end with this process, which must be the one that started us
    #[arg(long, value_name = "PID", hide = true)]
    child_of: Option<i32>,
}

/// Runs the pipeline.
///
/// # Errors
/// What the run gives.
pub(super) fn run(args: &RunArgs) -> Result<ExitCode> {
    if args.dry_run {
        return plan::tell(&args.pipeline, &args.scope, Telling { json: args.json, detailed_exitcode: args.detailed_exitcode });
    }
    if let Some(folder) = args.pipeline.folder() {
        args.scope.refuse_outputs()?;
        return run_folder::run(&run_folder::load(folder, args.pipeline.vars())?, &args.settings(), args.json);
    }
    let pipeline = match args.child_of {
        Some(parent) => {
            child::end_with(parent)?;
            args.pipeline.load_given()?
        }
        None => args.pipeline.load()?,
    };
    let (_, error) = run_once(&pipeline, &args.settings(), args.json, !args.json);
    error.map_or(Ok(ExitCode::SUCCESS), Err)
}

impl RunArgs {
    fn settings(&self) -> RunSettings {
        settings(self.scope.scope(), self.threads.count(), self.memory.size(), self.wait.map(|span| span.0))
    }
}
