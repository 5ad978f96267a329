//! A table as a principal sees it.

use super::guard::GuardExec;
use super::restriction::{Restriction, Sightings};
use super::rows::predicate;
use crate::error::{Error, ErrorKind};
use crate::governance::Rows;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, when};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use std::collections::BTreeSet;
use std::sync::Arc;

/// `table`, which is `database.name`, as `restriction` lets it be seen; nothing where its name isn't.
pub(in crate::query) fn restricted(
    restriction: &Restriction,
    database: &str,
    name: &str,
    table: Arc<dyn TableProvider>,
) -> Option<Arc<dyn TableProvider>> {
    let sightings = restriction.of_table(database, name)?;
    let schema = table.schema();
    let seen = |field: &&Arc<arrow::datatypes::Field>, with_values: bool| {
        sightings.rows(field.name()).is_some_and(|rows| !with_values || *rows != Rows::None)
    };
    let readable: Vec<_> = schema.fields().iter().filter(|field| seen(field, true)).cloned().collect();
    if readable.len() == schema.fields().len() && readable.iter().all(|field| sightings.rows(field.name()) == Some(&Rows::All)) {
        return Some(table);
    }
    // Of a table of which only names are seen they are seen, and no more.
    let is_readable = !readable.is_empty();
    let fields = if is_readable { readable } else { schema.fields().iter().filter(|field| seen(field, false)).cloned().collect() };
    let has_all_rows = fields.iter().all(|field| sightings.rows(field.name()) == Some(&Rows::All));
    Some(Arc::new(RestrictedTable { table, schema: Arc::new(Schema::new(fields)), sightings, is_readable, has_all_rows }))
}

/// Some columns of a table, of some rows.
#[derive(Debug)]
struct RestrictedTable {
    table: Arc<dyn TableProvider>,
    /// The columns that are seen.
    schema: SchemaRef,
    sightings: Sightings,
    is_readable: bool,
    /// No row of it is hidden.
    has_all_rows: bool,
}

impl RestrictedTable {
    /// The columns at `projection` as the whole table counts them.
    fn columns(&self, projection: Option<&Vec<usize>>) -> Result<Vec<usize>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let whole = self.table.schema();
        projection.unwrap_or(&all).iter().map(|at| Ok(whole.index_of(self.schema.field(*at).name())?)).collect()
    }

    fn rows(&self, column: &str) -> &Rows {
        self.sightings.rows(column).unwrap_or(&Rows::None)
    }

    /// Reads what the filters ask for and what is wanted, keeps the rows that are seen, and of each row the values that are.
    async fn guarded(&self, session: &dyn Session, projection: Option<&Vec<usize>>) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = self.columns(projection)?;
        let whole = self.table.schema();
        let kinds: Vec<&Rows> = self.schema.fields().iter().map(|field| self.rows(field.name())).collect::<Different>().0;
        // A row is seen where any of its values is.
        let row = kinds.iter().map(|rows| predicate(rows, &self.sightings)).reduce(Expr::or);
        let Some(row) = row else { return Err(insufficient(&self.sightings)) };
        let mut read: BTreeSet<usize> = wanted.iter().copied().collect();
        for asked in row.column_refs() {
            read.insert(whole.index_of(asked.name())?);
        }
        let read: Vec<usize> = read.into_iter().collect();
        let scan = self.table.scan(session, Some(&read), &[], None).await?;
        let schema = DFSchema::try_from(scan.schema().as_ref().clone())?;
        let filter = session.create_physical_expr(row, &schema)?;
        let kept: Arc<dyn ExecutionPlan> = Arc::new(FilterExec::try_new(filter, scan.clone())?);
        let mut values: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::with_capacity(wanted.len());
        for at in &wanted {
            let name = whole.field(*at).name();
            let column = scan.schema().index_of(name)?;
            let rows = self.rows(name);
            let value: Arc<dyn PhysicalExpr> = match kinds.len() {
                1 => Arc::new(Column::new(name, column)),
                _ => {
                    let cell = Expr::Column(datafusion::common::Column::new_unqualified(name));
                    session.create_physical_expr(when(predicate(rows, &self.sightings), cell).end()?, &schema)?
                }
            };
            values.push((value, name.clone()));
        }
        let shown: Arc<dyn ExecutionPlan> = Arc::new(ProjectionExec::try_new(values, kept)?);
        // The policy's own filter may be asked of the files; no optimizer comes below the guard later.
        let shown = FilterPushdown::new().optimize(shown, session.config_options())?;
        Ok(Arc::new(GuardExec::new(self.sightings.table.clone(), shown)))
    }
}

/// The different ones among rows, in the order in which they come.
struct Different<'r>(Vec<&'r Rows>);

impl<'r> FromIterator<&'r Rows> for Different<'r> {
    fn from_iter<I: IntoIterator<Item = &'r Rows>>(all: I) -> Self {
        let mut different: Vec<&Rows> = Vec::new();
        for rows in all {
            if !different.contains(&rows) {
                different.push(rows);
            }
        }
        Different(different)
    }
}

/// What Athena says where names are seen and no value.
fn insufficient(sightings: &Sightings) -> DataFusionError {
    let Sightings { principal, table, .. } = sightings;
    let message =
        format!("Insufficient permissions to execute the query. Insufficient Lake Formation permission(s): Required Select on {table}");
    let error = Error::new(ErrorKind::Query, message).with_context("principal", principal);
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl TableProvider for RestrictedTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        self.table.table_type()
    }

    /// Where rows are hidden no predicate of a query is asked of them: it could fail on what it must not see.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        match self.is_readable && self.has_all_rows {
            true => self.table.supports_filters_pushdown(filters),
            false => Ok(vec![TableProviderFilterPushDown::Unsupported; filters.len()]),
        }
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !self.is_readable {
            return Err(insufficient(&self.sightings));
        }
        match self.has_all_rows {
            true => self.table.scan(session, Some(&self.columns(projection)?), filters, limit).await,
            false => self.guarded(session, projection).await,
        }
    }
}
