//! `etl tags`: the LF-Tags of a lake, and who owns them.

mod apply;
mod diff;
mod draft_text;
mod list;
mod show;

use crate::error::Result;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Show and change access policies of a lake: LF-Tags, grants, filters
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl tags list --lake lake/
  etl tags show shops.sales --lake lake/
  etl tags diff governance.yaml --lake lake/
  etl tags apply governance.yaml --lake lake/

A policy is part of a pipeline (`tags`, `grants`, `governance`), or a file of its own that pipelines can share under `governance` \
and that `etl tags apply` publishes without running any of them. `etl schema governance` describes it.")]
pub(super) struct TagsArgs {
    #[command(subcommand)]
    command: TagsCommand,
}

#[derive(Debug, Subcommand)]
enum TagsCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Diff(diff::DiffArgs),
    Apply(apply::ApplyArgs),
}

/// # Errors
/// What the command gives.
pub(super) fn run(args: &TagsArgs) -> Result<ExitCode> {
    match &args.command {
        TagsCommand::List(args) => list::run(args).map(|()| ExitCode::SUCCESS),
        TagsCommand::Show(args) => show::run(args).map(|()| ExitCode::SUCCESS),
        TagsCommand::Diff(args) => diff::run(args),
        TagsCommand::Apply(args) => apply::run(args).map(|()| ExitCode::SUCCESS),
    }
}
