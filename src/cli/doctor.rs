//! `etl doctor`: whether all around a lake is as it should be.

use super::terminal::{colour_on, print, print_json};
use super::variable::{VarArgs, variables};
use crate::aws::AwsSettings;
use crate::doctor::{Finding, Patient, Verdict, examine};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{CatalogKind, Pipeline};
use crate::printable::printable;
use crate::storage::StoreSettings;
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;

/// Check the setup around a lake: credentials, region, clock, bucket, Glue, Lake Formation, Athena
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl doctor --lake s3://bucket/lake
  etl doctor weblogs.yaml
  etl doctor weblogs.yaml --workgroup etl --json | jq '.[] | select(.verdict != \"well\")'

Nothing is changed. Each finding says how to fix it.

Exit codes: 0 no problems (there may be warnings), 7 problems found, and the others as for all commands.")]
pub(super) struct DoctorArgs {
    /// The file of a pipeline, to check its lake, catalog and workgroup
    #[arg(value_name = "PIPELINE")]
    pipeline: Option<PathBuf>,

    #[command(flatten)]
    vars: VarArgs,

    /// A lake: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LAKE", env = "ETL_LAKE", conflicts_with = "pipeline")]
    lake: Option<String>,

    /// Athena workgroup to check
    #[arg(long, value_name = "NAME")]
    workgroup: Option<String>,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// # Errors
/// [`ErrorKind::Checks`] where something is ill, and what reading the pipeline gives.
pub(super) fn run(args: &DoctorArgs) -> Result<()> {
    let findings = examine(&patient(args)?);
    if args.json {
        print_json(&findings)?;
    } else {
        let colour = colour_on(&std::io::stdout());
        print(text(&findings, colour).trim_end(), colour)?;
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Ill).count() {
        0 => Ok(()),
        1 => Err(Error::new(ErrorKind::Checks, "1 problem found")),
        ill => Err(Error::new(ErrorKind::Checks, format!("{ill} problems found"))),
    }
}

fn patient(args: &DoctorArgs) -> Result<Patient> {
    let workgroup = args.workgroup.clone();
    let Some(file) = &args.pipeline else {
        let aws = AwsSettings::of_command_line();
        let cloud = args.lake.is_none() || workgroup.is_some();
        return Ok(Patient { lake: args.lake.clone(), store: StoreSettings::default(), aws, glue: None, workgroup, cloud });
    };
    let pipeline = Pipeline::load(file, &variables(&args.vars)?)?;
    let glue = match &pipeline.lake.catalog {
        CatalogKind::Glue { settings, .. } => Some(settings.clone()),
        CatalogKind::Local => None,
    };
    let workgroup = workgroup.or_else(|| pipeline.athena.workgroup.clone());
    Ok(Patient {
        aws: AwsSettings::beside(&pipeline.lake.store),
        cloud: workgroup.is_some(),
        lake: Some(pipeline.lake.location),
        store: pipeline.lake.store,
        glue,
        workgroup,
    })
}

fn text(findings: &[Finding], colour: bool) -> String {
    let mut text = String::new();
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    for finding in findings {
        let (word, paint) = match finding.verdict {
            Verdict::Well => ("ok     ", "32"),
            Verdict::Unknown => ("unknown", "2"),
            Verdict::Warning => ("warning", "33"),
            Verdict::Ill => ("problem", "31"),
        };
        let word = if colour { format!("\u{1b}[{paint}m{word}\u{1b}[0m") } else { word.to_string() };
        let mut lines = finding.told.lines();
        let _ = writeln!(text, "{word}  {:width$}  {}", finding.what, printable(lines.next().unwrap_or_default()));
        let gap = width + 11;
        for line in lines {
            let _ = writeln!(text, "{:gap$}{}", "", printable(line));
        }
        if let Some(mend) = &finding.mend {
            let _ = writeln!(text, "{:gap$}fix: {}", "", printable(mend));
        }
    }
    text
}
