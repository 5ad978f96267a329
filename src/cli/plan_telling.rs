//! How a plan is told, and what a command ends with that told one.

use super::plan_text::plan_text;
use super::terminal::{colour_on, is_broken_pipe, print, say_error};
use crate::error::Result;
use crate::pipeline::Plan;
use std::process::ExitCode;

/// How a plan is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling {
    pub(super) json: bool,
    /// Whether changes are an exit code of their own.
    pub(super) detailed_exitcode: bool,
}

/// What `plan` ends with where there are changes, if asked.
pub(super) const CHANGES: u8 = 2;
/// What it ends with for any error: 2 is taken.
pub(super) const FAILED: u8 = 1;

/// Tells an error of planning, as all end with one code.
///
/// # Errors
/// Where standard output is closed.
pub(super) fn told(planned: Result<ExitCode>) -> Result<ExitCode> {
    match planned {
        Err(error) if !is_broken_pipe(&error) => {
            say_error(&error);
            Ok(ExitCode::from(FAILED))
        }
        told => told,
    }
}

/// Writes a plan for people.
///
/// # Errors
/// Where standard output is closed.
pub(super) fn print_plan(plan: &Plan) -> Result<()> {
    let colour = colour_on(&std::io::stdout());
    print(plan_text(plan, colour).trim_end(), colour)
}
