//! `etl access grants`: what was granted to whom, and by whom.

use crate::cli::governed_lake::{LakeArgs, shown};
use crate::cli::terminal::{print, print_json, say};
use crate::error::Result;
use crate::governance::{Grant, GrantOn};
use crate::printable::printable;
use clap::Args;
use serde::Serialize;

/// List the grants of a lake's policies
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  etl access grants --lake lake/\n  etl access grants --principal analyst --lake lake/ --json")]
pub(super) struct GrantsArgs {
    /// Only grants that apply to this principal: its own, its groups', and everybody's
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,

    #[command(flatten)]
    lake: LakeArgs,

    /// Print the grants as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Granted<'g> {
    #[serde(flatten)]
    grant: &'g Grant,
    /// In words.
    text: String,
}

/// # Errors
/// Where the lake can't be read.
pub(super) fn run(args: &GrantsArgs) -> Result<()> {
    let evaluator = args.lake.open()?.evaluator()?;
    let grants: Vec<&Grant> = match &args.principal {
        Some(principal) => evaluator.grants_of(principal),
        None => evaluator.policy().grants.iter().collect(),
    };
    if args.json {
        let granted: Vec<Granted<'_>> = grants.into_iter().map(|grant| Granted { grant, text: grant.to_string() }).collect();
        return print_json(&granted);
    }
    if grants.is_empty() {
        say("there are no such grants");
        return Ok(());
    }
    let mut table = shown(&["to", "on", "permissions", "where", "said by"]);
    for grant in grants {
        let permissions: Vec<String> = grant.permissions.iter().map(|permission| permission.to_string().to_lowercase()).collect();
        let on: &GrantOn = &grant.on;
        let words =
            [grant.to.clone(), on.to_string(), permissions.join(", "), grant.condition.clone().unwrap_or_default(), grant.place.clone()];
        table.add_row(words.map(|word| printable(&word).into_owned()).to_vec());
    }
    print(&table.to_string(), false)
}
