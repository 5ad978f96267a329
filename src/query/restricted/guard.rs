//! A step that gives rows, and lets nothing of a query through to where they come from.

use crate::error::{Error, ErrorKind};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;

/// The rows of a table that a principal sees. What is below it is no part of the plan: no optimizer moves a predicate there, which could fail on a
/// hidden value, no statistic or metric tells of hidden rows, and EXPLAIN ends here.
pub(super) struct GuardExec {
    table: String,
    inner: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl GuardExec {
    pub(super) fn new(table: String, inner: Arc<dyn ExecutionPlan>) -> GuardExec {
        // Nothing is said of orders and constants, which a filter would tell.
        let equivalence = EquivalenceProperties::new(inner.schema());
        let partitioning = Partitioning::UnknownPartitioning(inner.output_partitioning().partition_count());
        let properties = PlanProperties::new(equivalence, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        GuardExec { table, inner, properties: Arc::new(properties) }
    }
}

impl fmt::Debug for GuardExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardExec").field("table", &self.table).finish_non_exhaustive()
    }
}

impl DisplayAs for GuardExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardExec: what is seen of {}", self.table)
    }
}

impl ExecutionPlan for GuardExec {
    fn name(&self) -> &'static str {
        "GuardExec"
    }

    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let table = self.table.clone();
        let unread = move |_: DataFusionError| -> DataFusionError {
            // What failed may have a value in it that is hidden.
            let error = Error::new(ErrorKind::Input, format!("{table} can't be read to its end"));
            DataFusionError::External(Box::new(
                error.with_context("what to do", "ask its owner to query it without --as, which shows the reason"),
            ))
        };
        let stream = self.inner.execute(partition, context).map_err(&unread)?;
        let schema = stream.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream.map(move |batch| batch.map_err(&unread)))))
    }
}
