//! `etl validate`: what is wrong with pipelines, and with files of who may see what.

use super::terminal::{print, print_json, say_error, say_lines};
use super::variable::{VarArgs, variables};
use crate::error::{Error, ErrorKind, Result};
use crate::governance::{LoadedPolicy, PolicyFile};
use crate::pipeline::Pipeline;
use crate::pipeline::spec::Loaded;
use crate::printable::printable;
use crate::yaml::{Problem, read_text};
use clap::Args;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "Examples:
  etl validate weblogs.yaml
  etl validate pipelines/*.yaml --json
  etl validate weblogs.yaml --var date=2020-03-01
  etl validate governance.yaml";

/// Check pipelines and policies, and report every problem at once
///
/// Reads only the pipeline files and checks that the files they name exist; `etl plan` looks inside those.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ValidateArgs {
    /// The files of pipelines and policies
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Print the result as JSON
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
        let checked = read_text(file).and_then(|text| match PolicyFile::is_one(&text) {
            true => Ok(Checked::of_policy(PolicyFile::parse(&path, &text))),
            false => Pipeline::check_text(file, &text, &vars).map(Checked::of_pipeline),
        });
        let checked = match checked {
            Ok(checked) => checked,
            Err(error) => {
                // That of the only file is told where the program ends.
                match args.json {
                    true => reports.push(json!({"file": path, "ok": false, "error": error.to_string()})),
                    false if args.files.len() > 1 => say_error(&error),
                    false => {}
                }
                unreadable.push(error);
                continue;
            }
        };
        wrong += usize::from(checked.contents.is_none());
        match args.json {
            true => reports.push(checked.report(&path)),
            false => checked.tell(&path)?,
        }
    }
    if args.json {
        print_json(&Value::Array(reports))?;
    }
    let (bad, all) = (wrong + unreadable.len(), args.files.len());
    match (wrong, unreadable.pop()) {
        (0, None) => Ok(()),
        (0, Some(error)) if all == 1 => Err(error),
        (0, Some(error)) => Err(Error::new(error.kind(), format!("{} can't be read", some_of(bad, all)))),
        _ => Err(Error::new(ErrorKind::Format, format!("{} can't be run", some_of(bad, all)))),
    }
}

/// So many of all pipelines.
fn some_of(bad: usize, all: usize) -> String {
    match all {
        1 => "the pipeline".to_string(),
        _ => format!("{bad} of {all} pipelines"),
    }
}

/// What was found in a file.
struct Checked {
    problems: Vec<Problem>,
    missing: Vec<Missing>,
    /// What it is made of, in words; nothing where it can't be used.
    contents: Option<String>,
    /// The same for programs.
    counts: Map<String, Value>,
}

impl Checked {
    fn of_pipeline(loaded: Loaded) -> Checked {
        let counts = loaded.pipeline.as_ref().map(counts).unwrap_or_default();
        let missing = loaded.pipeline.as_ref().map(missing).unwrap_or_default();
        let can_run = !missing.iter().any(|missing| missing.is_error);
        Checked { problems: loaded.problems, missing, contents: loaded.pipeline.as_ref().filter(|_| can_run).map(contents), counts }
    }

    fn of_policy(loaded: LoadedPolicy) -> Checked {
        let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let contents = loaded.file.as_ref().map(|file| {
            let policy = &file.policy;
            format!("policy {}: {}, {}", file.owner, counted(policy.tags.len(), "tag"), counted(policy.grants.len(), "grant"))
        });
        let mut counts = Map::new();
        if let Some(file) = &loaded.file {
            counts.insert("name".to_string(), json!(file.owner));
            counts.insert("tags".to_string(), json!(file.policy.tags.len()));
            counts.insert("grants".to_string(), json!(file.policy.grants.len()));
        }
        Checked { problems: loaded.problems, missing: Vec::new(), contents, counts }
    }

    /// For people: problems on standard error, what is well on standard output.
    fn tell(&self, path: &str) -> Result<()> {
        for problem in &self.problems {
            say_lines(&format!("{}: {problem}", if problem.is_error() { "error" } else { "warning" }), false);
        }
        for Missing { is_error, message } in &self.missing {
            say_lines(&printable(&format!("{}: {message}", if *is_error { "error" } else { "warning" })), false);
        }
        match &self.contents {
            Some(contents) => print(&printable(&format!("{path}: ok ({contents})")), false),
            None => Ok(()),
        }
    }

    fn report(&self, path: &str) -> Value {
        let mut report = json!({"file": path, "ok": self.contents.is_some(), "problems": self.problems});
        if !self.missing.is_empty() {
            report["missing"] = json!(self.missing.iter().map(|missing| missing.message.as_str()).collect::<Vec<_>>());
        }
        self.counts.iter().for_each(|(key, value)| report[key] = value.clone());
        report
    }
}

/// A file that a pipeline names and that is not there.
struct Missing {
    /// Without it no run begins; what sources read may still come.
    is_error: bool,
    message: String,
}

/// The files of this machine that `pipeline` names, without a pattern, and that are not there.
fn missing(pipeline: &Pipeline) -> Vec<Missing> {
    let mut missing = Vec::new();
    for source in &pipeline.sources {
        if let Some(schema) = source.schema.as_ref().filter(|path| !path.exists()) {
            let message = format!("{}: the schema of `{}` does not exist: {}", source.place, source.name, schema.display());
            missing.push(Missing { is_error: true, message });
        }
        for location in source.locations.iter().filter(|location| !location.contains("://") && !location.contains(['*', '?', '['])) {
            if !Path::new(location).exists() {
                let message = format!("{}: `{}` has nothing to read yet: {location} does not exist", source.place, source.name);
                missing.push(Missing { is_error: false, message });
            }
        }
    }
    missing
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

fn counts(pipeline: &Pipeline) -> Map<String, Value> {
    let counts = json!({
        "name": pipeline.name,
        "sources": pipeline.sources.len(),
        "transforms": pipeline.transforms.len(),
        "outputs": pipeline.outputs.len(),
        "checks": pipeline.verify.len(),
    });
    counts.as_object().cloned().unwrap_or_default()
}
