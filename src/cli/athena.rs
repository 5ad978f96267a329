//! `etl athena`: what limits queries in Athena and keeps their results.

use super::athena_estimate::{self, CostArgs};
use super::athena_query::result_location;
use super::terminal::{print, print_json, say};
use crate::aws::AwsSettings;
use crate::error::Result;
use crate::printable::printable;
use crate::query::Runtime;
use crate::query::athena::{
    Client, Ensured, Keeping, LEAST_LIMIT, Workgroup, WorkgroupLine, ensure_workgroup, list_workgroups, show_workgroup,
};
use crate::units::ByteSize;
use clap::{Args, Subcommand};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, Table};

/// Set up Athena for `etl query --engine athena`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl athena workgroup ensure etl --max-scan 10GB
  etl athena workgroup ensure etl --max-scan 10GB --result-location s3://bucket/athena-results/
  etl athena workgroup list
  etl athena workgroup show etl --json
  etl athena cost \"SELECT * FROM weblogs.access\"")]
pub(super) struct AthenaCommandArgs {
    #[command(subcommand)]
    command: AthenaCommand,
}

#[derive(Debug, Subcommand)]
enum AthenaCommand {
    Cost(CostArgs),
    /// Manage workgroups, which limit what a query scans and determine where its result is stored
    Workgroup {
        #[command(subcommand)]
        command: WorkgroupCommand,
    },
}

#[derive(Debug, Subcommand)]
enum WorkgroupCommand {
    /// Create or update a workgroup; does nothing if it already has these settings
    Ensure {
        /// The workgroup
        #[arg(value_name = "NAME", value_parser = workgroup_name)]
        name: String,

        /// Maximum that a query may scan before Athena stops it, at least 10MB
        #[arg(long, value_name = "SIZE", value_parser = limit)]
        max_scan: ByteSize,

        /// Store results in a bucket, s3://BUCKET/PREFIX/ [default: Athena stores them for 24 hours]
        #[arg(long, value_name = "S3-URL", value_parser = result_location)]
        result_location: Option<String>,

        #[command(flatten)]
        output: OutputArgs,
    },
    /// List all workgroups
    List(OutputArgs),
    /// Show a workgroup: its limit, and where results are stored
    Show {
        /// The workgroup
        #[arg(value_name = "NAME", value_parser = workgroup_name)]
        name: String,

        #[command(flatten)]
        output: OutputArgs,
    },
}

#[derive(Debug, Args)]
struct OutputArgs {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// What Athena refuses.
pub(super) fn run(args: &AthenaCommandArgs) -> Result<()> {
    let command = match &args.command {
        AthenaCommand::Cost(args) => return athena_estimate::run(args),
        AthenaCommand::Workgroup { command } => command,
    };
    Runtime::new(1)?.block_on(async || {
        let client = Client::open(&AwsSettings::of_command_line()).await?;
        match command {
            WorkgroupCommand::Ensure { name, max_scan, result_location, output } => {
                let results = result_location.clone().map_or(Keeping::Managed, Keeping::Location);
                told(&ensure_workgroup(&client, name, max_scan.0, &results).await?, output.json)
            }
            WorkgroupCommand::List(output) => listed(&list_workgroups(&client).await?, output.json),
            WorkgroupCommand::Show { name, output } => shown(&show_workgroup(&client, name).await?, output.json),
        }
    })
}

fn told(ensured: &Ensured, json: bool) -> Result<()> {
    let Ensured { name, created, changes, disabled } = ensured;
    if *disabled {
        say(&format!("note: workgroup {name} is disabled and stays disabled: no query can run in it"));
    }
    if json {
        return print_json(ensured);
    }
    let done = match (created, changes.as_slice()) {
        (true, _) => format!("workgroup {name} was created"),
        (false, []) => format!("workgroup {name} is up to date"),
        (false, changes) => {
            format!("workgroup {name} was changed\n  {}", changes.iter().map(|c| printable(c)).collect::<Vec<_>>().join("\n  "))
        }
    };
    print(&done, false)
}

fn listed(workgroups: &[WorkgroupLine], json: bool) -> Result<()> {
    if json {
        return print_json(&workgroups);
    }
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(["workgroup", "state", "engine", "description"]);
    for workgroup in workgroups {
        table.add_row([
            Cell::new(printable(&workgroup.name)),
            Cell::new(state(workgroup.enabled)),
            Cell::new(printable(workgroup.engine.as_deref().unwrap_or_default())),
            Cell::new(printable(workgroup.description.as_deref().unwrap_or_default())),
        ]);
    }
    print(&table.to_string(), false)
}

fn shown(workgroup: &Workgroup, json: bool) -> Result<()> {
    if json {
        return print_json(workgroup);
    }
    let engine = workgroup.engine.as_deref().unwrap_or("not told");
    let limit = workgroup.max_scan.map_or("none".to_string(), |most| ByteSize(most).as_given());
    let lines = [
        format!("workgroup {}, {}", workgroup.name, state(workgroup.enabled)),
        format!("engine {engine}"),
        format!("scan limit per query: {limit}"),
        format!("results: {}", workgroup.results),
        format!("enforced: {}", if workgroup.enforced { "yes" } else { "no, queries can override them" }),
    ];
    let lines = workgroup.description.iter().cloned().chain(lines).map(|line| printable(&line).into_owned());
    print(&lines.collect::<Vec<_>>().join("\n"), false)
}

fn state(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "switched off" }
}

fn limit(text: &str) -> Result<ByteSize, String> {
    match text.parse::<ByteSize>()? {
        size if size.0 < LEAST_LIMIT => Err(format!("Athena's minimum limit is 10MB, {LEAST_LIMIT} bytes; `{text}` is less")),
        size => Ok(size),
    }
}

fn workgroup_name(text: &str) -> Result<String, String> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    match fits {
        true => Ok(text.to_string()),
        false => Err(format!("`{text}` is not a workgroup name; it may have up to 128 letters, digits and . _ -")),
    }
}
