//! Checks that Athena answers, of what is published.

use super::checks::run_check;
use super::comparison::compare;
use super::finding::Finding;
use super::prefixed::prefixed;
use crate::aws::AwsSettings;
use crate::error::Result;
use crate::pipeline::model::{AthenaSettings, CatalogKind, Check, CheckEngine, Expectation, Pipeline, When};
use crate::pipeline::run_report::CheckRun;
use crate::query::athena::{AthenaEngine, Limits, Request};
use crate::query::{QueryEngine, QueryOptions, Runtime, SqlEngine};
use crate::storage::Storage;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Runs the pipeline's checks that are Athena's, and compares what both engines answer where that is asked for.
///
/// # Errors
/// Where the lake can't be read, or Athena can't be reached at all.
pub(crate) fn verify_in_athena(
    pipeline: &Pipeline,
    storage: &Storage,
    cancel: &Arc<AtomicBool>,
    queries: &QueryOptions,
    runtime: &Runtime,
) -> Result<Vec<CheckRun>> {
    let checks: Vec<&Check> = pipeline.verify.iter().filter(|check| check.engine != CheckEngine::Local).collect();
    let CatalogKind::Glue { settings, .. } = &pipeline.lake.catalog else { return Ok(Vec::new()) };
    if checks.is_empty() {
        return Ok(Vec::new());
    }
    let tables: BTreeSet<_> = pipeline.outputs.iter().map(|output| output.table.clone()).collect();
    let aws = AwsSettings { region: settings.region.clone(), ..AwsSettings::default() }.or(AwsSettings::beside(&pipeline.lake.store));
    let local = super::checking::engine(storage, &[], queries)?;
    runtime.block_on(async || {
        let athena = open(&pipeline.athena, &aws, cancel).await?;
        let mut runs = Vec::with_capacity(checks.len());
        for check in checks {
            let theirs = prefixed(check, &settings.database_prefix, &tables);
            let mut run = run_check(&theirs, &athena).await;
            (run.when, run.engine) = (When::AfterPublish, check.engine);
            if check.engine == CheckEngine::Both && run.passed {
                let compared = both(check, &local, &theirs, &athena).await;
                let compared = compared.unwrap_or_else(|error| Finding::of(false, error.to_string()));
                if !compared.passed {
                    (run.passed, run.found, run.sample) = (false, compared.found, compared.sample);
                }
            }
            runs.push(run);
        }
        Ok(runs)
    })
}

/// Athena, as a pipeline asks it.
///
/// # Errors
/// Where no region is known.
pub(crate) async fn open(settings: &AthenaSettings, aws: &AwsSettings, cancel: &Arc<AtomicBool>) -> Result<AthenaEngine> {
    let of_environment = || std::env::var("ETL_ATHENA_WORKGROUP").ok().filter(|name| !name.is_empty());
    let workgroup = settings.workgroup.clone().or_else(of_environment).unwrap_or_else(|| "primary".to_string());
    let place = Request { workgroup, result_location: settings.result_location.clone(), ..Request::default() };
    let limits = Limits { timeout: settings.timeout, max_scan: settings.max_scan, cancel: cancel.clone() };
    AthenaEngine::open(aws, place, limits).await
}

/// Whether both engines answer the same; of checks of tables, whether they find the same.
async fn both(check: &Check, local: &QueryEngine, theirs: &Check, athena: &impl SqlEngine) -> Result<Finding> {
    match (&check.expect, &theirs.expect) {
        (Expectation::Rows { sql, .. }, Expectation::Rows { sql: other, .. })
        | (Expectation::Value { sql, .. }, Expectation::Value { sql: other, .. })
        | (Expectation::Between { sql, .. }, Expectation::Between { sql: other, .. }) => compare(local, sql, athena, other).await,
        (Expectation::EqualsQuery { sql, other }, Expectation::EqualsQuery { sql: first, other: second }) => {
            let found = compare(local, sql, athena, first).await?;
            if found.passed { compare(local, other, athena, second).await } else { Ok(found) }
        }
        _ => {
            let (here, there) = (run_check(check, local).await, run_check(theirs, athena).await);
            let same = here.passed == there.passed && here.found == there.found;
            Ok(Finding::of(same, format!("here: {}; in Athena: {}", here.found, there.found)))
        }
    }
}
