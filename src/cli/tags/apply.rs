//! `etl tags apply`: publishes a policy.

use super::diff::load;
use super::draft_text;
use crate::cli::governed_lake::LakeArgs;
use crate::cli::terminal::{colour_on, print_json, say_lines};
use crate::error::Result;
use crate::pipeline::apply_policy;
use clap::Args;
use std::path::PathBuf;

/// Publish a policy: from then on the lake says it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl tags apply governance.yaml --lake lake/
  etl tags apply governance.yaml --lake s3://bucket/lake --json

Only what the file's owner said before is replaced: the file's `name`, or its own name. What pipelines and other files say stays. An empty
policy takes back all that its owner said.")]
pub(super) struct ApplyArgs {
    /// The policy's file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    lake: LakeArgs,

    /// Write what changes as JSON
    #[arg(long)]
    json: bool,
}

/// # Errors
/// [`crate::ErrorKind::Format`] where the policy can't be applied, [`crate::ErrorKind::Conflict`] where others contradict it, or were faster.
pub(super) fn run(args: &ApplyArgs) -> Result<()> {
    let lake = args.lake.open()?;
    let file = load(&args.file)?;
    let draft = apply_policy(&lake.storage, &lake.snapshot, file.owner, file.policy)?;
    if args.json {
        return print_json(&draft_text::json(&draft));
    }
    let colour = colour_on(&std::io::stderr());
    say_lines(&draft_text::text(&draft, colour).replace("is another one", "is published"), colour);
    Ok(())
}
