//! What the scans of a plan read.

use super::chunks::bytes_read;
use super::model::{Estimate, TableEstimate};
use crate::error::{Error, ErrorKind, Result};
use crate::query::glue::{Chosen, GlueTable};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::expr_rewriter::unnormalize_cols;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use std::sync::Arc;

/// A scan of a table.
struct Scan {
    table: Arc<dyn TableProvider>,
    /// The columns; all where not given.
    columns: Option<Vec<usize>>,
    filters: Vec<Expr>,
    /// Rows alone are wanted, and not all.
    limited: bool,
}

/// What `plan` scans, which is an optimised one.
///
/// # Errors
/// Where the files of a table can't be listed, or the footer of one not be read.
pub(in crate::query) fn of_plan(session: &SessionState, plan: &LogicalPlan) -> Result<Estimate> {
    let scans = scans(plan)?;
    let joined = scans.len() > 1;
    let limited = has_limit(plan);
    let mut tables = Vec::new();
    for scan in scans {
        let Some(table) = scan.table.downcast_ref::<GlueTable>() else { continue };
        let mut told = of_table(session, table, scan.columns.as_deref(), &scan.filters)?;
        let is_parquet = told.1;
        let file_filter = scan.filters.iter().any(|filter| !table.decides(filter));
        let why = match () {
            () if scan.limited || (limited && !joined) => Some("a LIMIT may end the reading early"),
            () if joined => Some("what is joined may rule out files, row groups and partitions of the other table"),
            () if is_parquet && file_filter => Some("pages and columns of rows that the filter rules out may not be read"),
            () => None,
        };
        told.0.exact = why.is_none();
        told.0.why = why.map(str::to_string);
        tables.push(told.0);
    }
    Ok(Estimate::of(tables, None))
}

/// What a query that can't be planned here scans of `tables`, at most, and `why` that is so.
///
/// # Errors
/// As [`of_plan`].
pub(in crate::query) fn of_tables(session: &SessionState, tables: Vec<Arc<dyn TableProvider>>, why: String) -> Result<Estimate> {
    let mut told = Vec::new();
    for provider in tables {
        let scanned = match provider.get_logical_plan() {
            Some(view) => scans(&view)?.into_iter().map(|scan| scan.table).collect(),
            None => vec![provider.clone()],
        };
        for table in scanned {
            if let Some(table) = table.downcast_ref::<GlueTable>() {
                told.push(of_table(session, table, None, &[])?.0);
            }
        }
    }
    Ok(Estimate::of(told, Some(why)))
}

fn scans(plan: &LogicalPlan) -> Result<Vec<Scan>> {
    let mut scans = Vec::new();
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            scans.push(Scan {
                table: source_as_provider(&scan.source)?,
                columns: scan.projection.clone(),
                filters: unnormalize_cols(scan.filters.clone()),
                limited: scan.fetch.is_some(),
            });
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(|e| Error::new(ErrorKind::Internal, "the scans of a plan can't be found").with_source(e))?;
    Ok(scans)
}

/// Whether rows are cut off that need no others: behind a sort or a group all are read.
fn has_limit(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Limit(limit) => !matches!(limit.input.as_ref(), LogicalPlan::Sort(_)) && streams(&limit.input),
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => plan.inputs().into_iter().any(has_limit),
        _ => false,
    }
}

fn streams(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => plan.inputs().into_iter().all(streams),
        LogicalPlan::TableScan(_) | LogicalPlan::Union(_) => true,
        _ => false,
    }
}

/// What is scanned of `table`, and whether of Parquet.
fn of_table(session: &SessionState, table: &GlueTable, columns: Option<&[usize]>, filters: &[Expr]) -> Result<(TableEstimate, bool)> {
    let chosen = table.choose(session, filters)?;
    let is_filtered = filters.iter().any(|filter| table.decides(filter));
    let all = if is_filtered { table.choose(session, &[]).ok() } else { None };
    let whole = if is_filtered { all.as_ref() } else { Some(&chosen) };
    let of_partitions = whole.filter(|_| table.is_partitioned()).map(|all| all.partitions as u64);
    let of_bytes = whole.map(stored);
    let all_columns: Vec<usize> = (0..table.file_columns()).collect();
    let wanted: Vec<usize> = columns.unwrap_or(&all_columns).iter().copied().filter(|index| *index < table.file_columns()).collect();
    let (mut bytes, mut files, mut is_parquet) = (0, 0, false);
    for group in &chosen.groups {
        files += group.sources.len() as u64;
        if !group.is_parquet() {
            bytes += group.sources.iter().filter_map(|source| source.size).sum::<u64>();
            continue;
        }
        is_parquet = true;
        let schema: SchemaRef = Arc::new(Schema::new(wanted.iter().map(|index| table.schema().field(*index).clone()).collect::<Vec<_>>()));
        let predicates = predicates(session, &schema, filters);
        for (footer, source) in group.footers(&wanted, &table.name())?.iter().zip(&group.sources) {
            bytes += bytes_read(footer, source.size.unwrap_or_default(), &schema, &predicates);
        }
    }
    let partitions = table.is_partitioned().then_some(chosen.partitions as u64);
    let told = TableEstimate { name: table.name(), partitions, of_partitions, files, bytes, of_bytes, exact: false, why: None };
    Ok((told, is_parquet))
}

fn stored(chosen: &Chosen) -> u64 {
    chosen.groups.iter().flat_map(|group| &group.sources).filter_map(|source| source.size).sum()
}

/// What rules row groups out. Trino looks at one column at a time, so filters that compare several do nothing there.
fn predicates(session: &SessionState, schema: &SchemaRef, filters: &[Expr]) -> Vec<PruningPredicate> {
    let Ok(known) = DFSchema::try_from(schema.as_ref().clone()) else { return Vec::new() };
    let of_one = |filter: &&Expr| {
        let columns = filter.column_refs();
        columns.len() == 1 && columns.iter().all(|column| schema.column_with_name(&column.name).is_some())
    };
    let predicate = |filter: &Expr| {
        let expression = session.create_physical_expr(filter.clone(), &known).ok()?;
        PruningPredicateBuilder::new().with_file_schema(schema.clone()).try_build(expression).ok()
    };
    filters.iter().filter(of_one).filter_map(predicate).collect()
}
