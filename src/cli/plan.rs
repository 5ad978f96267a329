//! `etl plan`: what a run would do.

use super::pipeline::{FILE_OR_FOLDER, PipelineArgs, ScopeArgs};
use super::plan_telling::{CHANGES, Telling, print_plan, told};
use super::run_folder;
use super::terminal::print_json;
use crate::error::Result;
use crate::pipeline::{Pipeline, Scope, plan};
use clap::Args;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  etl plan weblogs.yaml
  etl plan pipelines/
  etl plan weblogs.yaml --var date=2020-03-01 --only access_parquet
  etl plan weblogs.yaml --detailed-exitcode > /dev/null; [ $? -eq 2 ] && etl run weblogs.yaml
  etl plan weblogs.yaml --json | jq '.outputs[] | select(.action != \"unchanged\")'

Nothing is written. Sources and catalog are read to show what is new, which tables would be created or changed, and what others \
have changed in them since the last run.

Exit codes: 0 whether or not there are changes, 1 for any error; with --detailed-exitcode 2 if there are changes.";

/// Show what a run of a pipeline would do
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_arg("file", |file| file.help(FILE_OR_FOLDER)))]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,

    #[command(flatten)]
    scope: ScopeArgs,

    /// Exit with 2 if there are changes, as terraform plan does
    #[arg(long)]
    detailed_exitcode: bool,

    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &PlanArgs) -> Result<ExitCode> {
    tell(&args.pipeline, &args.scope, Telling { json: args.json, detailed_exitcode: args.detailed_exitcode })
}

/// Writes the plan of a pipeline, or of a folder of them. Errors are told here, as they all end with one code.
///
/// # Errors
/// Where standard output is closed.
pub(super) fn tell(pipeline: &PipelineArgs, scope: &ScopeArgs, telling: Telling) -> Result<ExitCode> {
    told(match pipeline.folder() {
        Some(folder) => {
            scope.refuse_outputs().and_then(|()| run_folder::plan(&run_folder::load(folder, pipeline.vars())?, &scope.scope(), telling))
        }
        None => pipeline.load().and_then(|pipeline| write(&pipeline, &scope.scope(), telling)),
    })
}

fn write(pipeline: &Pipeline, scope: &Scope, telling: Telling) -> Result<ExitCode> {
    let plan = plan(pipeline, scope)?;
    match telling.json {
        true => print_json(&plan)?,
        false => print_plan(&plan)?,
    }
    Ok(if telling.detailed_exitcode && plan.changes { ExitCode::from(CHANGES) } else { ExitCode::SUCCESS })
}
