//! `etl access check`: our verdict beside AWS's own.

use crate::aws::AwsSettings;
use crate::cli::governed_lake::LakeArgs;
use crate::cli::terminal::{print, print_json, say};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{Disagreement, compare_with_aws};
use clap::Args;

/// Compare a lake's policies with what AWS itself allows
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl access check --lake s3://bucket/lake
  etl access check --lake s3://bucket/lake --principal analyst --json

For each table that Glue has, and each principal, Lake Formation is asked for the effective permissions, and for each expression of tags
that is granted, which tables match. Of the principal whose keys are used Glue is asked, too, what it gives to engines that enforce
permissions themselves. Columns are compared one by one; nothing is changed.

Exit codes: 0 both say the same, 7 they don't, and the others as of all commands.")]
pub(super) struct CheckArgs {
    /// Only this principal; can be used more than once
    #[arg(long = "principal", value_name = "NAME")]
    principals: Vec<String>,

    #[command(flatten)]
    lake: LakeArgs,

    /// Write it as JSON
    #[arg(long)]
    json: bool,
}

/// # Errors
/// [`ErrorKind::Checks`] where both don't say the same, [`ErrorKind::Input`] where AWS doesn't tell.
pub(super) fn run(args: &CheckArgs) -> Result<()> {
    let lake = args.lake.open()?;
    let compared = compare_with_aws(&lake.storage, &AwsSettings::of_command_line(), &args.principals)?;
    if args.json {
        print_json(&compared)?;
    } else {
        let lines: Vec<String> = compared.disagreements.iter().map(Disagreement::to_string).collect();
        if !lines.is_empty() {
            print(&lines.join("\n"), false)?;
        }
        say(&format!("{} columns of {} tables compared for {} principals", compared.columns, compared.tables, compared.principals));
    }
    compared.notes.iter().for_each(|note| say(&format!("note: {note}")));
    match compared.disagreements.len() {
        0 => Ok(()),
        many => Err(Error::new(ErrorKind::Checks, format!("AWS says otherwise {many} times"))),
    }
}
