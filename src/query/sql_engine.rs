//! What all engines have in common.

use super::engine::{QueryEngine, QueryResult};
use crate::error::Result;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use std::future::Future;

/// Answers SQL: in this process, or in Athena.
pub trait SqlEngine {
    /// What it gives.
    type Rows: ResultRows;

    /// Starts the query.
    ///
    /// # Errors
    /// Of [`crate::ErrorKind::Query`] where the query is wrong or fails, and what the engine gives.
    fn query(&self, sql: &str) -> impl Future<Output = Result<Self::Rows>>;

    /// The columns that the query gives, without its rows; nothing is scanned for them.
    ///
    /// # Errors
    /// As [`SqlEngine::query`].
    fn columns(&self, sql: &str) -> impl Future<Output = Result<SchemaRef>>;
}

/// The rows that a query gives, batch by batch.
pub trait ResultRows {
    /// The columns of the batches.
    fn schema(&self) -> SchemaRef;

    /// The next rows, or nothing at the end.
    ///
    /// # Errors
    /// Where the query fails on a value, or can't be read on.
    fn next(&mut self) -> impl Future<Output = Result<Option<RecordBatch>>>;
}

impl SqlEngine for QueryEngine {
    type Rows = QueryResult;

    async fn query(&self, sql: &str) -> Result<QueryResult> {
        self.query(sql).await
    }

    async fn columns(&self, sql: &str) -> Result<SchemaRef> {
        self.columns(sql).await
    }
}

impl ResultRows for QueryResult {
    fn schema(&self) -> SchemaRef {
        self.schema()
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.next().await
    }
}
