//! `etl run` and `etl plan` of a folder: its pipelines, each behind those whose tables it reads.

use super::plan_telling::{CHANGES, FAILED, Telling, print_plan};
use super::single_run::run_once;
use super::terminal::{print, print_json, say};
use super::variable::VarArgs;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{Ordered, Pipeline, RunSettings, Scope, in_order};
use crate::schedule::{Event, Folder};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// The pipelines of `folder` in their order.
///
/// # Errors
/// [`ErrorKind::Format`] where a file of it is no pipeline, [`ErrorKind::Usage`] where there is none, or where they go in circles.
pub(super) fn load(folder: &Path, vars: &VarArgs) -> Result<Vec<Ordered>> {
    let vars = super::variable::variables(vars)?;
    let mut files = Folder::new(folder, move |path| Pipeline::load(path, &vars));
    files.check()?;
    let events = files.refresh().unwrap_or_default();
    let wrong = events.iter().filter_map(|event| match event {
        Event::Invalid { error, .. } | Event::Trouble { error, .. } => Some(error.as_str()),
        _ => None,
    });
    let wrong: Vec<&str> = wrong.collect();
    if !wrong.is_empty() {
        return Err(Error::of_lines(ErrorKind::Format, wrong.join("\n")));
    }
    let pipelines = files.pipelines();
    if pipelines.is_empty() {
        let message = format!("there is no pipeline in {}; expected *.yaml or *.yml files", folder.display());
        return Err(Error::new(ErrorKind::Usage, message));
    }
    in_order(pipelines)
}

/// Runs all, one after the other. What reads tables of one that failed is left out, as it would be made of what was before.
///
/// # Errors
/// The first that a run gives; others are told.
pub(super) fn run(ordered: &[Ordered], settings: &RunSettings, json: bool) -> Result<ExitCode> {
    let mut reports = Vec::new();
    let mut failed: Vec<bool> = Vec::new();
    let mut first: Option<Error> = None;
    for one in ordered {
        let name = &one.pipeline.name;
        if settings.cancel.load(Ordering::Relaxed) {
            return Err(first.unwrap_or_else(|| Error::new(ErrorKind::Interrupted, "interrupted; what was already published stays")));
        }
        if let Some(maker) = one.behind.iter().find(|at| failed[**at]) {
            say(&format!("{name}: not run, because it reads tables of {}, which failed", ordered[*maker].pipeline.name));
            reports.push(json!({"pipeline": name, "status": "not_run", "because_of": ordered[*maker].pipeline.name}));
            failed.push(true);
            continue;
        }
        let (report, error) = run_once(&one.pipeline, settings, false, !json);
        reports.push(serde_json::to_value(&report).map_err(|e| Error::new(ErrorKind::Internal, "can't write JSON").with_source(e))?);
        failed.push(error.is_some());
        match (error, &first) {
            (Some(error), None) => {
                say(&format!("{name} failed; pipelines that don't read its tables still run"));
                first = Some(error.with_context("pipeline", name));
            }
            (Some(error), Some(_)) => super::terminal::say_error(&error.with_context("pipeline", name)),
            (None, _) => {}
        }
    }
    if json {
        print_json(&reports)?;
    }
    first.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Tells the order, and what each run would do.
///
/// # Errors
/// Where standard output is closed.
pub(super) fn plan(ordered: &[Ordered], scope: &Scope, telling: Telling) -> Result<ExitCode> {
    if !telling.json {
        print(&graph(ordered), false)?;
    }
    let (mut changes, mut failed) = (false, false);
    let mut plans: Vec<Value> = Vec::new();
    for one in ordered {
        match crate::pipeline::plan(&one.pipeline, scope) {
            Ok(plan) => {
                changes |= plan.changes;
                match telling.json {
                    true => plans
                        .push(serde_json::to_value(&plan).map_err(|e| Error::new(ErrorKind::Internal, "can't write JSON").with_source(e))?),
                    false => {
                        print("", false)?;
                        print_plan(&plan)?;
                    }
                }
            }
            // What it reads is made by one before it.
            Err(error) if !one.behind.is_empty() && error.kind() == ErrorKind::Input => {
                changes = true;
                match telling.json {
                    true => plans.push(json!({"pipeline": one.pipeline.name, "changes": true, "unplanned": error.to_string()})),
                    false => print(
                        &format!("\n{}: can't be planned until the pipelines that it reads have run: {error}", one.pipeline.name),
                        false,
                    )?,
                }
            }
            Err(error) => {
                failed = true;
                super::terminal::say_error(&error.with_context("pipeline", &one.pipeline.name));
            }
        }
    }
    if telling.json {
        print_json(&plans)?;
    }
    Ok(match (failed, telling.detailed_exitcode && changes) {
        (true, _) => ExitCode::from(FAILED),
        (false, true) => ExitCode::from(CHANGES),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Who makes what of what.
fn graph(ordered: &[Ordered]) -> String {
    let mut text = String::from("order of the pipelines:\n");
    for (at, one) in ordered.iter().enumerate() {
        let makes: Vec<String> = one.pipeline.outputs.iter().map(|output| output.table.to_string()).collect();
        text += &format!("  {}. {} makes {}", at + 1, one.pipeline.name, makes.join(", "));
        if !one.reads.is_empty() {
            text += &format!(", of {}", one.reads.iter().cloned().collect::<Vec<_>>().join(", "));
        }
        if !one.behind.is_empty() {
            let behind: Vec<&str> = one.behind.iter().map(|at| ordered[*at].pipeline.name.as_str()).collect();
            text += &format!(" (behind {})", behind.join(", "));
        }
        text.push('\n');
    }
    text
}
