//! Placeholder until merged.
use super::model::Check;
use super::run_report::CheckRun;
use crate::query::QueryEngine;
pub(super) async fn run_checks(_checks: &[Check], _engine: &QueryEngine) -> Vec<CheckRun> {
    Vec::new()
}
