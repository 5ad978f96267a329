//! `etl tags diff`: what a policy would change.

use super::draft_text;
use crate::cli::governed_lake::LakeArgs;
use crate::cli::terminal::{colour_on, is_broken_pipe, print, print_json, say_error, say_lines};
use crate::error::Result;
use crate::governance::{Draft, PolicyFile, Resources};
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show who would gain or lose access with a policy
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl tags diff governance.yaml --lake lake/
  etl tags diff governance.yaml --lake lake/ --json | jq '.access[] | select(.after == \"all\")'

Nothing is changed. Exit codes: 0 no changes, 2 there are changes, 1 an error.")]
pub(super) struct DiffArgs {
    /// The policy's file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    lake: LakeArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What it ends with where there are differences.
const DIFFERENT: u8 = 2;
/// What it ends with for any error: 2 is taken.
const FAILED: u8 = 1;

/// Writes the differences to standard output. Errors are told here, as they all end with one code.
///
/// # Errors
/// Where standard output is closed.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode> {
    match told(args) {
        Err(error) if !is_broken_pipe(&error) => {
            say_error(&error);
            Ok(ExitCode::from(FAILED))
        }
        told => told,
    }
}

fn told(args: &DiffArgs) -> Result<ExitCode> {
    let lake = args.lake.open()?;
    let file = load(&args.file)?;
    let draft = Draft::of(&lake.catalog, &lake.snapshot, BTreeMap::from([(file.owner, file.policy)]), Resources::new())?;
    if args.json {
        print_json(&draft_text::json(&draft))?;
    } else {
        let colour = colour_on(&std::io::stdout());
        print(&draft_text::text(&draft, "changes", colour), colour)?;
    }
    draft.refuse()?;
    Ok(if draft.writes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

/// The policy in `file`; warnings are told.
///
/// # Errors
/// [`crate::ErrorKind::Format`] for all that is wrong in it.
pub(super) fn load(file: &std::path::Path) -> Result<PolicyFile> {
    let loaded = PolicyFile::check(file)?;
    loaded.problems.iter().filter(|problem| !problem.is_error()).for_each(|warning| say_lines(&format!("warning: {warning}"), false));
    loaded.into_file()
}
