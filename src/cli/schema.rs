//! `etl schema`: the JSON Schemas of what people write.

use super::terminal::print_json;
use crate::error::Result;
use crate::governance;
use crate::pipeline::spec::json_schema;
use clap::{Args, ValueEnum};

/// Print the JSON Schema of pipelines or policies, for completion and checks in editors
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl schema > pipeline.schema.json
  etl schema governance > governance.schema.json

Editors check a pipeline that starts with this line:
  # yaml-language-server: $schema=pipeline.schema.json")]
pub(super) struct SchemaArgs {
    /// Which schema
    #[arg(value_enum, value_name = "WHAT", default_value_t = Subject::Pipeline)]
    subject: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Pipelines
    Pipeline,
    /// Policy files, which pipelines refer to under `governance`
    Governance,
}

/// Prints it.
///
/// # Errors
/// Where standard output can't be written.
pub(super) fn run(args: &SchemaArgs) -> Result<()> {
    print_json(&match args.subject {
        Subject::Pipeline => json_schema(),
        Subject::Governance => governance::json_schema(),
    })
}
