//! `etl access`: who sees what of a lake, and why.

mod check;
mod explain;
mod grants;
mod matrix;

use crate::error::Result;
use clap::{Args, Subcommand};

/// Show who can see what in a lake, and why
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl access matrix --lake lake/
  etl access matrix --lake lake/ --format html > access.html
  etl access explain --principal analyst --table shops.sales --lake lake/
  etl access grants --principal analyst --lake lake/
  etl access check --lake s3://bucket/lake

These commands use the policies stored in the lake, which runs and `etl tags apply` publish. `etl query --as NAME` runs a query as that \
principal.")]
pub(super) struct AccessArgs {
    #[command(subcommand)]
    command: AccessCommand,
}

#[derive(Debug, Subcommand)]
enum AccessCommand {
    Matrix(matrix::MatrixArgs),
    Explain(explain::ExplainArgs),
    Grants(grants::GrantsArgs),
    Check(check::CheckArgs),
}

/// # Errors
/// What the command gives.
pub(super) fn run(args: &AccessArgs) -> Result<()> {
    match &args.command {
        AccessCommand::Matrix(args) => matrix::run(args),
        AccessCommand::Explain(args) => explain::run(args),
        AccessCommand::Grants(args) => grants::run(args),
        AccessCommand::Check(args) => check::run(args),
    }
}
