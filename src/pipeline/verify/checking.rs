//! Checks what a run made, before readers see it or after.

use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::make::producing::Product;
use crate::pipeline::model::{Check, CheckEngine, Pipeline, Severity, When};
use crate::pipeline::run_report::CheckRun;
use crate::query::{LakeTables, QueryEngine, QueryOptions, Runtime};
use crate::storage::Storage;
use crate::units::count;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use std::time::Instant;

/// Reads back what each product's files hold: as many rows as were written, in files that can be read.
///
/// # Errors
/// Where the lake can't be read.
pub(crate) fn accounting(storage: &Storage, products: &[Product], queries: &QueryOptions, runtime: &Runtime) -> Result<Vec<CheckRun>> {
    let mut checks = Vec::new();
    for product in products.iter().filter(|product| product.manifest.is_some()) {
        let started = Instant::now();
        let mut table = product.table.clone();
        // Older segments were read back when they were written.
        let newest = table.segments.pop();
        table.segments = newest.into_iter().collect();
        let (database, name) = (table.database.clone(), table.name.clone());
        let engine = engine(storage, &[table], queries)?;
        let sql = format!("SELECT count(*) FROM \"{database}\".\"{name}\"");
        let found = runtime.block_on(|| rows(&engine, &sql));
        let wanted = product.summary.rows;
        checks.push(CheckRun {
            name: format!("accounting of {database}.{name}"),
            kind: "accounting".to_string(),
            severity: Severity::Fail,
            when: When::BeforePublish,
            engine: CheckEngine::Local,
            passed: found.as_ref().is_ok_and(|found| *found == wanted),
            expected: format!("{} rows can be read back", count(wanted)),
            found: found.map_or_else(|error| error.to_string(), |found| format!("{} rows", count(found))),
            sql: Vec::new(),
            sample: None,
            seconds: started.elapsed().as_secs_f64(),
        });
    }
    Ok(checks)
}

/// Runs the pipeline's checks of one time, on the tables of the lake with `staged` among them.
///
/// # Errors
/// Where the lake can't be read.
pub(crate) fn verify(
    pipeline: &Pipeline,
    storage: &Storage,
    staged: &[Table],
    when: When,
    queries: &QueryOptions,
    runtime: &Runtime,
) -> Result<Vec<CheckRun>> {
    let checks: Vec<Check> =
        pipeline.verify.iter().filter(|check| check.when == when && check.engine != CheckEngine::Athena).cloned().collect();
    if checks.is_empty() {
        return Ok(Vec::new());
    }
    let engine = engine(storage, staged, queries)?;
    runtime.block_on(async || Ok(super::checks::run_checks(&checks, &engine).await))
}

pub(super) fn engine(storage: &Storage, staged: &[Table], queries: &QueryOptions) -> Result<QueryEngine> {
    let engine = QueryEngine::new(queries.clone())?;
    engine.register_lake(LakeTables::open(storage.clone())?.with_staged(staged.iter().cloned()))?;
    Ok(engine)
}

/// The one number that a query gives. Lines that are no rows are none of those that were written.
async fn rows(engine: &QueryEngine, sql: &str) -> Result<u64> {
    let mut result = engine.query(sql).await?;
    let batch = result.next().await?.filter(|batch| batch.num_rows() == 1);
    let value = batch.and_then(|batch| batch.column(0).as_primitive_opt::<Int64Type>().map(|column| column.value(0)));
    let value = value.ok_or_else(|| Error::new(ErrorKind::Internal, "a count gave no number"))?;
    Ok(u64::try_from(value).unwrap_or_default())
}
