//! The runs of a pipeline, as they told of themselves.

use crate::catalog::{Head, LocalCatalog};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::model::Pipeline;
use crate::pipeline::run_report::RunReport;
use crate::publish::RunId;
use crate::publish::keys::RUNS;
use crate::storage::Storage;
use serde::Serialize;

/// A run, and whether readers see it.
#[derive(Debug, Clone, Serialize)]
pub struct PastRun {
    /// The tables that readers now see as this run made them.
    pub current: Vec<String>,
    pub report: RunReport,
}

/// The runs around one.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// Those before it, the last of them the last.
    pub before: Vec<RunReport>,
    /// The one behind it, where there is one.
    pub after: Option<String>,
}

/// So many runs are shown together.
const SHOWN: usize = 30;

impl Around {
    /// Those before `run`, which is the newest of `pipeline`.
    ///
    /// # Errors
    /// As [`history`].
    pub(crate) fn before(storage: &Storage, pipeline: &Pipeline, run: &str) -> Result<Around> {
        let mut before: Vec<RunReport> = history(storage, pipeline, SHOWN)?.into_iter().map(|past| past.report).collect();
        before.retain(|report| *report.run < *run);
        before.reverse();
        Ok(Around { before, after: None })
    }
}

/// The last `most` runs of `pipeline`, the newest first. Runs that had nothing to do are none.
///
/// # Errors
/// Where the lake can't be read.
pub fn history(storage: &Storage, pipeline: &Pipeline, most: usize) -> Result<Vec<PastRun>> {
    let folder = format!("{RUNS}/{}", pipeline.name);
    let mut runs: Vec<String> = storage.folders(&folder)?.into_iter().filter(|name| RunId::of_folder(name).is_some()).collect();
    runs.reverse();
    let head = LocalCatalog::new(storage.clone()).snapshot()?.head;
    let mut past = Vec::new();
    // A run without a report is at work, or was killed: it is none of those that are asked for.
    let mut rest = runs.as_slice();
    while past.len() < most && !rest.is_empty() {
        let (some, others) = rest.split_at(rest.len().min(most - past.len()));
        rest = others;
        let keys: Vec<String> = some.iter().map(|run| format!("{folder}/{run}/report.json")).collect();
        past.extend(reported(storage, &head, &keys)?);
    }
    Ok(past)
}

/// Those runs whose reports at `keys` are there.
fn reported(storage: &Storage, head: &Head, keys: &[String]) -> Result<Vec<PastRun>> {
    let mut past = Vec::new();
    for (object, key) in storage.get_all(keys)?.into_iter().zip(keys).filter_map(|(object, key)| Some((object?, key))) {
        let report: RunReport = serde_json::from_slice(&object.bytes).map_err(|e| {
            Error::new(ErrorKind::Input, format!("{} is not the report of a run", storage.location().join(key))).with_source(e)
        })?;
        let current = head.tables().filter(|(_, _, table)| table.run == report.run).map(|(database, name, _)| format!("{database}.{name}"));
        past.push(PastRun { current: current.collect(), report });
    }
    Ok(past)
}
