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

For each table in Glue and each principal, this asks Lake Formation for the effective permissions, and for each granted tag expression \
which tables match. For the principal whose credentials are used, it also asks Glue what it returns to engines that enforce permissions \
themselves. Columns are compared one by one; nothing is changed.

Exit codes: 0 no differences, 7 differences found, and the others as for all commands.")]
pub(super) struct CheckArgs {
    /// Only this principal; can be used more than once
    #[arg(long = "principal", value_name = "NAME")]
    principals: Vec<String>,

    #[command(flatten)]
    lake: LakeArgs,

    /// Print the result as JSON
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
        many => Err(Error::new(ErrorKind::Checks, format!("AWS differs in {many} places"))),
    }
}
