//! What is told of a run that failed.

use super::pages::{Page, keep_page};
use crate::catalog::LocalCatalog;
use crate::error::{Error, ErrorKind};
use crate::pipeline::model::Pipeline;
use crate::pipeline::run_report::{Action, RunReport};
use crate::pipeline::state::before::State;
use crate::publish::{RunId, keys};
use crate::storage::{Location, Storage};
use chrono::Utc;

/// Keeps that the run failed before it had begun, where there is a lake to keep it in: a night on which nothing came is history, too.
pub(crate) fn keep_failure(pipeline: &Pipeline, run: &RunId, page: Option<Page>, error: &Error, report: &mut RunReport) {
    if !matches!(error.kind(), ErrorKind::Input | ErrorKind::Format) {
        return;
    }
    let Ok(location) = Location::parse(&pipeline.lake.location) else { return };
    if location.path().is_some_and(|path| !path.exists()) {
        return;
    }
    let Ok(storage) = Storage::open_with(location, &pipeline.lake.store) else { return };
    if !LocalCatalog::new(storage.clone()).snapshot().is_ok_and(|snapshot| !snapshot.is_empty()) {
        return;
    }
    (report.error, report.finished) = (Some(error.to_string()), Utc::now());
    report.redact();
    // That it can't be kept does not matter beside what went wrong.
    if report.keep(&storage, &keys::report(&pipeline.name, run.as_str())).is_ok()
        && let Some(page) = page
    {
        let _ = keep_page(&storage, pipeline, report, page);
    }
}

/// Tells of the tables that a run would have made what they are: as they were before it.
pub(crate) fn discarded(state: &State, report: &mut RunReport) {
    for output in report.outputs.iter_mut().filter(|output| output.action.writes()) {
        let before = state.outputs.iter().find(|before| before.output.name == output.name).and_then(|before| before.table.as_ref());
        output.action = Action::Discarded;
        (output.total_files, output.total_rows, output.total_bytes, output.table_version) =
            before.map_or((0, 0, 0, 0), |table| (table.files, table.rows, table.bytes, table.version));
    }
}
