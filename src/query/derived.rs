//! Names for the queries in FROM that have none.
//!
//! The optimizer of DataFusion 55 takes one of two projections away that follow each other and read the same. In
//! `SELECT x + 1 AS x FROM (SELECT x + 1 AS x FROM t)` they do, and mean other columns all the same: the sum would be made once. Where the
//! query in FROM has a name, they read otherwise, and all is well.

use super::friendly;
use super::tables::Tables;
use super::versions;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Ident, TableAlias, TableFactor, VisitMut, VisitorMut};
use std::ops::ControlFlow;

/// The plan of `sql`, in which no projection can be taken for another.
///
/// # Errors
/// Where `sql` can't be planned.
pub(super) async fn plan(state: &SessionState, tables: &Tables, sql: &str) -> Result<LogicalPlan> {
    let sql = &versions::rewritten(sql);
    let statement = match friendly::with_select(sql) {
        Some(statement) => statement?,
        None => state.sql_to_statement(sql, &state.config().options().sql_parser.dialect)?,
    };
    let statement = friendly::meant(state, tables, statement);
    let plan = state.statement_to_plan(statement.clone()).await?;
    if !is_at_risk(&plan)? {
        return Ok(plan);
    }
    let mut named = statement;
    if let Statement::Statement(statement) = &mut named {
        // It breaks off nowhere.
        let _ = statement.visit(&mut Naming(0));
    }
    state.statement_to_plan(named).await
}

/// Whether two projections make of columns others of their names.
fn is_at_risk(plan: &LogicalPlan) -> Result<bool> {
    let mut found = 0;
    plan.apply_with_subqueries(|node| {
        found += usize::from(matches!(node, LogicalPlan::Projection(projection) if redefines(projection)));
        Ok(if found < 2 { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(found > 1)
}

/// Whether a column is made of one that has its name.
fn redefines(projection: &Projection) -> bool {
    projection.expr.iter().any(|expr| match expr {
        Expr::Alias(alias) => {
            !matches!(*alias.expr, Expr::Column(_)) && alias.expr.column_refs().iter().any(|column| column.name == alias.name)
        }
        _ => false,
    })
}

/// Counts the names that it gives.
struct Naming(usize);

impl VisitorMut for Naming {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { alias: alias @ None, .. } = factor {
            self.0 += 1;
            let name = Ident::new(format!("__query_{}", self.0));
            *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
        }
        ControlFlow::Continue(())
    }
}
