//! `etl validate`: what is wrong with pipelines.

use super::terminal::{print, print_json, say_lines};
use super::variable::{VarArgs, variables};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::pipeline::spec::Loaded;
use crate::printable::printable;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  etl validate weblogs.yaml
  etl validate pipelines/*.yaml --json
  etl validate weblogs.yaml --var date=2020-03-01";

/// Check pipelines, and tell all that is wrong with them
///
/// Nothing but the files themselves is read: what the sources hold is seen by `etl plan`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ValidateArgs {
    /// The pipelines' files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Tell it as JSON, on standard output
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    vars: VarArgs,
}

/// Checks all files.
///
/// # Errors
/// [`ErrorKind::Format`] where a pipeline is wrong, [`ErrorKind::Input`] where a file can't be read.
pub(super) fn run(args: &ValidateArgs) -> Result<()> {
    let vars = variables(&args.vars)?;
    let mut reports = Vec::new();
    let (mut wrong, mut unreadable) = (0, Vec::new());
    for file in &args.files {
        let path = file.display().to_string();
        let loaded = match Pipeline::check(file, &vars) {
            Ok(loaded) => loaded,
            Err(error) => {
                // That of the only file is told where the program ends.
                match args.json {
                    true => reports.push(json!({"file": path, "ok": false, "error": error.to_string()})),
                    false if args.files.len() > 1 => say_lines(&format!("error: {error}"), false),
                    false => {}
                }
                unreadable.push(error);
                continue;
            }
        };
        wrong += usize::from(loaded.pipeline.is_none());
        match args.json {
            true => reports.push(report(&path, &loaded)),
            false => tell(&path, &loaded)?,
        }
    }
    if args.json {
        print_json(&Value::Array(reports))?;
    }
    let (bad, all) = (wrong + unreadable.len(), args.files.len());
    match (wrong, unreadable.pop()) {
        (0, None) => Ok(()),
        (0, Some(error)) if all == 1 => Err(error),
        (0, Some(error)) => Err(Error::new(error.kind(), format!("{bad} of {all} pipelines can't be read"))),
        _ => Err(Error::new(ErrorKind::Format, format!("{bad} of {all} pipelines can't be run"))),
    }
}

/// For people: problems on standard error, what is well on standard output.
fn tell(path: &str, loaded: &Loaded) -> Result<()> {
    for problem in &loaded.problems {
        say_lines(&format!("{}: {problem}", if problem.is_error() { "error" } else { "warning" }), false);
    }
    match &loaded.pipeline {
        Some(pipeline) => print(&printable(&format!("{path}: ok ({})", contents(pipeline))), false),
        None => Ok(()),
    }
}

/// What a pipeline is made of: `2 sources, 1 transform, 3 outputs`.
fn contents(pipeline: &Pipeline) -> String {
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut parts = vec![counted(pipeline.sources.len(), "source")];
    if !pipeline.transforms.is_empty() {
        parts.push(counted(pipeline.transforms.len(), "transform"));
    }
    parts.push(counted(pipeline.outputs.len(), "output"));
    parts.join(", ")
}

fn report(path: &str, loaded: &Loaded) -> Value {
    let mut report = json!({"file": path, "ok": loaded.pipeline.is_some(), "problems": loaded.problems});
    if let Some(pipeline) = &loaded.pipeline {
        report["name"] = json!(pipeline.name);
        report["sources"] = json!(pipeline.sources.len());
        report["transforms"] = json!(pipeline.transforms.len());
        report["outputs"] = json!(pipeline.outputs.len());
        report["checks"] = json!(pipeline.verify.len());
    }
    report
}
