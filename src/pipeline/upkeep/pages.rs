//! The pages of runs: each beside its report, with links to the runs before and after.

use super::history::Around;
use crate::error::Result;
use crate::pipeline::model::Pipeline;
use crate::pipeline::run_report::RunReport;
use crate::publish::keys;
use crate::storage::Storage;

/// Makes the page of a run.
pub type Page = fn(&RunReport, &Around) -> String;

/// Keeps the page of `report`, the newest of `pipeline`; that of the run before leads to it from now on.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn keep_page(storage: &Storage, pipeline: &Pipeline, report: &RunReport, page: Page) -> Result<()> {
    let place = |run: &str| format!("{}/report.html", keys::run_folder(&pipeline.name, run));
    // A report of old that can't be read is no reason to have no page.
    let around = Around::before(storage, pipeline, &report.run).unwrap_or_default();
    storage.put(&place(&report.run), page(report, &around))?;
    if let Some((last, before)) = around.before.split_last() {
        let around = Around { before: before.to_vec(), after: Some(report.run.clone()) };
        storage.put(&place(&last.run), page(last, &around))?;
    }
    Ok(())
}
