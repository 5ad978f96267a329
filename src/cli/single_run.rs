//! One run of one pipeline, told to who waits for it and to others.

use super::bar::{Bar, Plain};
use super::terminal::{cancel_on_interrupt, colour_on, is_quiet, print_json, say, say_lines};
use crate::error::{Error, ErrorKind};
use crate::pipeline::{self, Outcome, Pipeline, RunReport, RunSettings, RunStatus, Scope};
use crate::progress::Progress;
use crate::publish::keys;
use crate::report;
use crate::units::ByteSize;
use std::io::IsTerminal;
use std::time::Duration;

/// How a run of the command line works.
pub(super) fn settings(scope: Scope, threads: usize, memory: ByteSize, wait: Option<Duration>) -> RunSettings {
    RunSettings { scope, threads, memory, wait, cancel: cancel_on_interrupt(), page: Some(report::html) }
}

/// Runs a pipeline, tells what it did, as JSON on standard output or to people, and tells others. With neither nothing is written of it.
pub(super) fn run_once(pipeline: &Pipeline, settings: &RunSettings, json: bool, people: bool) -> (RunReport, Option<Error>) {
    let progress: Box<dyn Progress> = if std::io::stderr().is_terminal() { Box::new(Bar::default()) } else { Box::new(Plain) };
    let Outcome { report, mut error } = pipeline::run(pipeline, settings, progress.as_ref());
    if json {
        error = error.or(print_json(&report).err());
    } else if people && (!report.outputs.is_empty() || error.is_none() || report.sources.iter().any(|source| source.lines > 0)) {
        // The error is told last, as that of any command.
        let told = RunReport { error: None, ..report.clone() };
        let colour = colour_on(&std::io::stderr());
        say_lines(report::text(&told, colour).trim_end(), colour);
        if !is_quiet() && report.sources.iter().any(|source| !source.reject_examples.is_empty()) {
            error = error.map(|error| error.without_context("rejected"));
        }
        // An error of checks names it itself.
        if report.status != RunStatus::UpToDate && !error.as_ref().is_some_and(|error| error.kind() == ErrorKind::Checks) {
            say(&format!("report: {}/{}/report.html", pipeline.lake.location, keys::run_folder(&pipeline.name, &report.run)));
        }
    }
    for note in pipeline::tell_hooks(pipeline, &report, error.as_ref()) {
        say(&format!("note: {note}"));
    }
    (report, error)
}
