//! `etl schema`: the JSON Schema of pipelines.

use super::terminal::print_json;
use crate::error::Result;
use crate::pipeline::spec::json_schema;
use clap::Args;

/// Print the JSON Schema of pipelines, by which editors complete and check them
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  etl schema > pipeline.schema.json\n\nA pipeline that starts with this line is checked by editors:\n  # yaml-language-server: $schema=pipeline.schema.json"
)]
pub(super) struct SchemaArgs {}

/// Prints it.
///
/// # Errors
/// Where standard output can't be written.
pub(super) fn run(_: &SchemaArgs) -> Result<()> {
    print_json(&json_schema())
}
