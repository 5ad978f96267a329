//! Checks that Athena answers, of what is published.

use super::checks::{in_a_line, run_check};
use super::comparison::compare;
use super::finding::Finding;
use super::prefixed::prefixed;
use crate::error::Result;
use crate::pipeline::athena_engine::{catalog, open};
use crate::pipeline::model::{Check, CheckEngine, Expectation, Pipeline, When};
use crate::pipeline::run_report::CheckRun;
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
    if checks.is_empty() {
        return Ok(Vec::new());
    }
    let prefix = &catalog(pipeline)?.database_prefix;
    let tables: BTreeSet<_> = pipeline.outputs.iter().map(|output| output.table.clone()).collect();
    let local = super::checking::engine(storage, &[], queries)?;
    runtime.block_on(async || {
        let athena = open(pipeline, cancel).await?;
        let mut runs = Vec::with_capacity(checks.len());
        for check in checks {
            let theirs = prefixed(check, prefix, &tables);
            let mut run = run_check(&theirs, &athena).await;
            (run.when, run.engine) = (When::AfterPublish, check.engine);
            if check.engine == CheckEngine::Both && run.passed {
                let compared = both(check, &local, &theirs, &athena).await;
                let compared = compared.unwrap_or_else(|error| Finding::of(false, in_a_line(&error)));
                if !compared.passed {
                    (run.passed, run.found, run.sample) = (false, compared.found, compared.sample);
                }
            }
            runs.push(run);
        }
        Ok(runs)
    })
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
