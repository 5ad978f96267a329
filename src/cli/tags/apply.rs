//! `etl tags apply`: publishes a policy.

use super::diff::load;
use super::draft_text;
use crate::aws::AwsSettings;
use crate::cli::governed_lake::LakeArgs;
use crate::cli::terminal::{colour_on, print_json, say, say_lines};
use crate::error::Result;
use crate::pipeline::{apply_policy, tell_lake_formation};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Publish a policy to the lake
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl tags apply governance.yaml --lake lake/
  etl tags apply governance.yaml --lake s3://bucket/lake --json

Replaces only the earlier policy of the same owner, which is the `name` in the file, or the file's own name. The policies of pipelines \
and other files stay. An empty policy revokes everything of its owner. If tables of the lake are in Glue, Lake Formation is updated too, \
where it differs.")]
pub(super) struct ApplyArgs {
    /// The policy's file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    lake: LakeArgs,

    /// Print the changes as JSON
    #[arg(long)]
    json: bool,
}

/// # Errors
/// [`crate::ErrorKind::Format`] where the policy can't be applied, [`crate::ErrorKind::Conflict`] where others contradict it, or were faster.
pub(super) fn run(args: &ApplyArgs) -> Result<()> {
    let lake = args.lake.open()?;
    let file = load(&args.file)?;
    let draft = apply_policy(&lake.storage, &lake.snapshot, file.owner, file.policy)?;
    let told = tell_lake_formation(&lake.storage, &AwsSettings::of_command_line(), None);
    if args.json {
        let mut json = draft_text::json(&draft);
        json["lake_formation"] = json!(told.as_ref().map(Vec::as_slice).unwrap_or_default());
        print_json(&json)?;
        return told.map(drop);
    }
    let colour = colour_on(&std::io::stderr());
    say_lines(&draft_text::text(&draft, "is published", colour), colour);
    told?.iter().for_each(|step| say(&format!("Lake Formation: {step}")));
    Ok(())
}
