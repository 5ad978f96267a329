//! A table is taken out of a lake.

use crate::catalog::{Catalog, LocalCatalog, REGISTERING, Table};
use crate::error::Result;
use crate::pipeline::run_report::{RunReport, RunStatus};
use crate::publish::{RunId, keys};
use crate::storage::Storage;
use chrono::Utc;

/// Takes `table` out of the lake in `storage`; its files stay until a vacuum. False where it was gone already. The history of its pipeline tells
/// of it.
///
/// # Errors
/// Where the lake can't be read or written.
pub fn drop_table(storage: &Storage, table: &Table) -> Result<bool> {
    let started = Utc::now();
    if !LocalCatalog::new(storage.clone()).drop_table(&table.database, &table.name)? {
        return Ok(false);
    }
    let pipeline = &table.origin.pipeline;
    if pipeline != REGISTERING {
        let run = RunId::new(started);
        let report = RunReport {
            status: RunStatus::Published,
            finished: Utc::now(),
            dropped: vec![format!("{}.{}", table.database, table.name)],
            ..RunReport::begun(run.as_str(), pipeline, &storage.location().to_string(), started)
        };
        report.keep(storage, &keys::report(pipeline, run.as_str()))?;
    }
    Ok(true)
}
