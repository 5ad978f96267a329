//! Files as a table that DataFusion can scan.

use super::partitions::Partitions;
use super::rejects::RejectLog;
use super::scan::RawScan;
use super::{parquet, pieces};
use crate::input::{Table, TableFormat, growth};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// So many rows are decoded before a second thread would have begun.
const FEW: usize = 50_000;

/// The files of a [`Table`], with the columns of their partition folders.
#[derive(Debug)]
pub(super) struct FileTable {
    table: Arc<Table>,
    partitions: Arc<Partitions>,
    schema: SchemaRef,
    threads: usize,
    rejects: Arc<RejectLog>,
    /// Standard input was given to a scan.
    stdin_taken: AtomicBool,
}

impl FileTable {
    pub(super) fn new(table: Table, threads: usize, rejects: Arc<RejectLog>) -> Self {
        let partitions = Partitions::of(&table.sources, &table.format.schema());
        FileTable::with_partitions(table, partitions, threads, rejects)
    }

    /// The files of `table`, whose partition columns are known.
    pub(super) fn with_partitions(table: Table, partitions: Partitions, threads: usize, rejects: Arc<RejectLog>) -> Self {
        let columns = table.format.schema();
        let fields: Vec<_> = columns.fields().iter().chain(partitions.fields()).cloned().collect();
        FileTable {
            table: Arc::new(table),
            partitions: Arc::new(partitions),
            schema: Arc::new(Schema::new(fields)),
            threads,
            rejects,
            stdin_taken: AtomicBool::new(false),
        }
    }

    /// What is to be said of files that grew while they were read.
    pub(super) fn growth(&self) -> Option<String> {
        growth(&self.table.sources)
    }

    /// The error of a second scan of what can be read once.
    fn take_stdin(&self, sources: &[usize]) -> Result<()> {
        let reads = sources.iter().any(|s| self.table.sources[*s].is_stream());
        if reads && self.stdin_taken.swap(true, Ordering::Relaxed) {
            let message = "standard input can be read only once, and this query reads it twice; save it to a file first";
            return Err(DataFusionError::External(Box::new(crate::Error::new(crate::ErrorKind::Query, message))));
        }
        Ok(())
    }
}

#[async_trait]
impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// A filter on partition columns alone chooses files, so it need not be applied to rows.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let decided = |filter: &&Expr| match self.partitions.decide(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(decided).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let sources = self.partitions.keep(session, filters, self.table.sources.len())?;
        let projected = match projection {
            Some(indices) => Arc::new(self.schema.project(indices)?),
            None => self.schema.clone(),
        };
        if sources.is_empty() {
            return Ok(Arc::new(EmptyExec::new(projected)));
        }
        if let TableFormat::Parquet { schema } = &self.table.format {
            return parquet::scan(session, &self.table, schema, &self.partitions, &sources, projection, limit).await;
        }
        self.take_stdin(&sources)?;
        // With a limit, the first rows are wanted: one partition reads from the start and stops early.
        let partitions = if limit.is_some() { 1 } else { session.config().target_partitions() };
        let pieces = pieces::of(&self.table, &sources).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let ahead = if partitions == 1 && limit.is_none_or(|limit| limit > FEW) { self.threads } else { 1 };
        let indices = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let scan = RawScan::new(self.table.clone(), self.partitions.clone(), indices, projected.clone(), limit, self.rejects.clone());
        let scan = Arc::new(scan);
        let streams = pieces::deal(pieces, partitions).into_iter().map(|pieces| scan.partition(pieces, ahead) as Arc<dyn PartitionStream>);
        Ok(Arc::new(StreamingTableExec::try_new(projected, streams.collect(), None, [], false, limit)?))
    }
}
