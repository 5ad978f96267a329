//! What a query took.

use super::cost::{Cost, PricePerTb};
use crate::units::ByteSize;
use aws_sdk_athena::types::{QueryExecution, QueryExecutionState, StatementType};
use serde::Serialize;

/// What a query took, as Athena counted it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// The id of the query, under which Athena keeps it for 45 days.
    pub id: String,
    /// Milliseconds that it waited for its turn.
    pub queued_ms: u64,
    /// Milliseconds that the engine worked.
    pub engine_ms: u64,
    /// Milliseconds from its start to its end.
    pub total_ms: u64,
    /// Bytes that it read.
    pub scanned: u64,
    /// The units of reserved capacity that it ran on, if it did.
    pub dpus: Option<f64>,
    /// Its result was that of an earlier query.
    pub reused: bool,
    /// Whether what it read is charged for.
    pub charged: bool,
}

impl Statistics {
    pub(super) fn of(execution: &QueryExecution) -> Statistics {
        let id = execution.query_execution_id().unwrap_or_default().to_string();
        let failed = execution.status().and_then(|status| status.state()) == Some(&QueryExecutionState::Failed);
        let reads = execution.statement_type() == Some(&StatementType::Dml);
        let Some(told) = execution.statistics() else { return Statistics { id, charged: reads && !failed, ..Statistics::default() } };
        let number = |told: Option<i64>| told.and_then(|value| u64::try_from(value).ok()).unwrap_or_default();
        let scanned = number(told.data_scanned_in_bytes());
        Statistics {
            id,
            queued_ms: number(told.query_queue_time_in_millis()),
            engine_ms: number(told.engine_execution_time_in_millis()),
            total_ms: number(told.total_execution_time_in_millis()),
            scanned,
            dpus: told.dpu_count().filter(|dpus| *dpus > 0.0),
            reused: told.result_reuse_information().is_some_and(|reuse| reuse.reused_previous_result()),
            // What defines or describes is free; a table that is made of a query is a definition, and isn't.
            charged: !failed && (reads || scanned > 0),
        }
    }

    /// What it costs at this price.
    pub fn cost(&self, price: PricePerTb) -> Cost {
        match self.dpus {
            _ if self.reused || !self.charged => Cost::Free,
            Some(dpus) => Cost::Reserved { dpu_hours: dpus * self.engine_ms as f64 / 3_600_000.0 },
            None => price.of(self.scanned),
        }
    }

    /// `scanned 12.3 MB in 1.4 s (queued 0.1 s), about $0.000065; query id …`.
    pub fn in_words(&self, price: PricePerTb) -> String {
        let seconds = |millis: u64| millis as f64 / 1e3;
        let scanned = match self.reused {
            true => "the result of an earlier query, reused".to_string(),
            false => format!("scanned {}", ByteSize(self.scanned)),
        };
        format!(
            "{scanned} in {:.1} s (queued {:.1} s), {}; query id {}",
            seconds(self.total_ms),
            seconds(self.queued_ms),
            self.cost(price),
            self.id
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_athena::types::{QueryExecutionStatistics, QueryExecutionStatus, ResultReuseInformation};

    fn execution(state: QueryExecutionState, kind: StatementType, scanned: i64) -> aws_sdk_athena::types::builders::QueryExecutionBuilder {
        let statistics = statistics(scanned).build();
        let status = QueryExecutionStatus::builder().state(state).build();
        QueryExecution::builder().query_execution_id("id").status(status).statement_type(kind).statistics(statistics)
    }

    fn statistics(scanned: i64) -> aws_sdk_athena::types::builders::QueryExecutionStatisticsBuilder {
        QueryExecutionStatistics::builder()
            .data_scanned_in_bytes(scanned)
            .total_execution_time_in_millis(1_400)
            .query_queue_time_in_millis(100)
            .engine_execution_time_in_millis(1_800_000)
    }

    #[test]
    fn what_is_charged_for() {
        let price = PricePerTb::default();
        let cost = |state, kind, scanned| Statistics::of(&execution(state, kind, scanned).build()).cost(price);
        let scanned = |billed: u64| Cost::Scanned { billed, usd: billed as f64 * 5.0 / 1e12 };
        assert_eq!(cost(QueryExecutionState::Succeeded, StatementType::Dml, 12_300_000), scanned(13_000_000));
        assert_eq!(cost(QueryExecutionState::Cancelled, StatementType::Dml, 12_300_000), scanned(13_000_000));
        assert_eq!(cost(QueryExecutionState::Failed, StatementType::Dml, 12_300_000), Cost::Free);
        assert_eq!(cost(QueryExecutionState::Succeeded, StatementType::Ddl, 0), Cost::Free);
        assert_eq!(cost(QueryExecutionState::Succeeded, StatementType::Utility, 0), Cost::Free);
        assert_eq!(cost(QueryExecutionState::Succeeded, StatementType::Ddl, 20_000_000), scanned(20_000_000));
        let reuse = ResultReuseInformation::builder().reused_previous_result(true).build();
        let reused = statistics(0).result_reuse_information(reuse).build();
        let reused = execution(QueryExecutionState::Succeeded, StatementType::Dml, 0).statistics(reused).build();
        assert_eq!(Statistics::of(&reused).cost(price), Cost::Free);
        let reserved = statistics(1 << 40).dpu_count(8.0).build();
        let reserved = execution(QueryExecutionState::Succeeded, StatementType::Dml, 0).statistics(reserved).build();
        assert_eq!(Statistics::of(&reserved).cost(price), Cost::Reserved { dpu_hours: 4.0 });
        let words = Statistics::of(&execution(QueryExecutionState::Succeeded, StatementType::Dml, 12_300_000).build()).in_words(price);
        assert_eq!(words, "scanned 12.3 MB in 1.4 s (queued 0.1 s), about $0.000065; query id id");
    }
}
