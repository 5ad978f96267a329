//! A query from its start to its end, begun again where Athena was at fault.

use super::client::Client;
use super::failure;
use super::limits::Limits;
use super::request::Request;
use super::running::{Running, jittered};
use super::statistics::Statistics;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteSize;
use aws_sdk_athena::types::{QueryExecution, QueryExecutionState, StatementType};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// A query is run so often in all, where Athena says that it may go better the next time.
const TRIES: u32 = 3;
/// The pause before it is run again, which grows with each.
const PAUSE: Duration = Duration::from_secs(1);
/// The category of errors that are Athena's own.
const SYSTEM: i32 = 1;

/// A query that succeeded.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) statistics: Statistics,
    /// Whether a row of names stands before its rows.
    pub(super) has_head: bool,
    pub(super) notes: Vec<String>,
}

/// Runs a query to its end.
///
/// # Errors
/// [`ErrorKind::Query`] where it is wrong, fails or is stopped, [`ErrorKind::Interrupted`].
pub(super) async fn run(client: &Client, request: &Request, limits: &Limits) -> Result<Finished> {
    let chance = getrandom::u64().map_err(|e| Error::new(ErrorKind::Internal, "the system gives no random number").with_source(e))?;
    let begun = Instant::now();
    let mut notes = Vec::new();
    let mut number = 1;
    loop {
        // Athena gives the old query for an old token, also where it failed.
        let token = request.token(&format!("{chance:016x}-{number}"));
        let execution = Running::start(client, request, token, limits, begun).await?.finish(limits).await?;
        let statistics = Statistics::of(&execution);
        if execution.status().and_then(|status| status.state()) == Some(&QueryExecutionState::Succeeded) {
            notes.extend(excess(limits, statistics.scanned));
            return Ok(Finished { statistics, has_head: has_head(&execution), notes });
        }
        let error = failure::ended(request, &execution, &statistics);
        if number == TRIES || !may_go_better(&execution) {
            return Err(client.with_nearest_table(error, &execution).await);
        }
        notes.push(format!("Athena failed, and the query was run again: {}", error.message()));
        tokio::select! {
            () = sleep(jittered(PAUSE * number)) => {}
            // The next start tells why it can't be.
            _ = limits.passed(begun) => {}
        }
        number += 1;
    }
}

/// Whether a failed query may succeed if it is run again, and nothing is written twice by that.
fn may_go_better(execution: &QueryExecution) -> bool {
    let status = execution.status();
    let failed = status.and_then(|status| status.state()) == Some(&QueryExecutionState::Failed);
    let error = status.and_then(|status| status.athena_error());
    let theirs = error.is_some_and(|error| error.retryable() || error.error_category() == Some(SYSTEM));
    failed && theirs && only_reads(execution)
}

/// Whether a statement changes nothing: one that failed may have written a part already.
fn only_reads(execution: &QueryExecution) -> bool {
    match execution.statement_type() {
        Some(StatementType::Utility) => true,
        Some(StatementType::Dml) => {
            let writes = ["INSERT", "UPDATE", "DELETE", "MERGE", "UNLOAD", "CREATE_TABLE_AS_SELECT", "OPTIMIZE", "VACUUM"];
            let begins = |text: &str| writes.iter().any(|word| text.trim_start().to_uppercase().starts_with(word));
            !execution.substatement_type().is_some_and(begins) && !execution.query().is_some_and(begins)
        }
        _ => false,
    }
}

/// Queries and plans have a row of names before their rows; what describes tables has none.
fn has_head(execution: &QueryExecution) -> bool {
    let explains = execution.substatement_type().is_some_and(|kind| kind.starts_with("EXPLAIN"));
    explains || matches!(execution.statement_type(), None | Some(StatementType::Dml))
}

/// What is to be said of a query that was over before it could be stopped.
fn excess(limits: &Limits, scanned: u64) -> Option<String> {
    limits.scanned(scanned)?;
    Some(format!("the query scanned {}, more than it may: it was over before it could be stopped", ByteSize(scanned)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_athena::types::{AthenaError, QueryExecutionStatus};

    fn failed(kind: StatementType, query: &str, retryable: bool, category: i32) -> QueryExecution {
        let error = AthenaError::builder().retryable(retryable).error_category(category).build();
        let status = QueryExecutionStatus::builder().state(QueryExecutionState::Failed).athena_error(error).build();
        QueryExecution::builder().status(status).statement_type(kind).query(query).build()
    }

    #[test]
    fn only_what_reads_is_run_again_and_only_where_athena_was_at_fault() {
        assert!(may_go_better(&failed(StatementType::Dml, "SELECT 1", true, 2)));
        assert!(may_go_better(&failed(StatementType::Dml, "SELECT 1", false, 1)));
        assert!(!may_go_better(&failed(StatementType::Dml, "SELECT 1", false, 2)));
        assert!(!may_go_better(&failed(StatementType::Dml, "SELECT 1", false, 3)));
        for query in ["INSERT INTO t SELECT 1", " insert into t values 1", "UNLOAD (SELECT 1) TO 's3://b/'", "DELETE FROM t"] {
            assert!(!may_go_better(&failed(StatementType::Dml, query, true, 1)), "{query}");
        }
        assert!(!may_go_better(&failed(StatementType::Ddl, "CREATE TABLE t AS SELECT 1", true, 1)));
        assert!(may_go_better(&failed(StatementType::Utility, "SHOW TABLES", true, 1)));
    }
}
