//! The names that queries can use: those of views, which are given, and of tables and functions, which are told.

use super::derived;
use super::engine::QueryEngine;
use crate::error::{Error, ErrorKind, Result};
use datafusion::common::TableReference;
use datafusion::datasource::ViewTable;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use std::sync::Arc;

impl QueryEngine {
    /// Gives the rows of the query `sql` the table name `name`, for the queries behind it.
    ///
    /// # Errors
    /// As [`QueryEngine::query`], and where the name is taken, unless it may `replace` another view.
    pub(super) async fn name_view(&self, name: &str, replace: bool, sql: &str) -> Result<()> {
        let plan = self.guarded(sql, self.checked(sql)).await?;
        let taken = |known: &String| known == name;
        if self.tables.names().iter().any(taken) && !(replace && self.tables.is_view(name)) {
            return Err(Error::new(ErrorKind::Query, format!("there is already a table `{name}`; give the view another name")));
        }
        let view = Arc::new(ViewTable::new(plan, Some(sql.trim().to_string())));
        let named = |e| Error::new(ErrorKind::Query, format!("no view can be named `{name}`")).with_source(e);
        self.context.deregister_table(TableReference::bare(name)).map_err(named)?;
        self.context.register_table(TableReference::bare(name), view).map_err(named)?;
        self.tables.remember_view(name);
        Ok(())
    }

    /// The plan of what only reads.
    async fn checked(&self, sql: &str) -> datafusion::common::Result<LogicalPlan> {
        let logical = derived::plan(&self.context.state(), &self.tables, sql).await?;
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false).verify_plan(&logical)?;
        Ok(logical)
    }

    /// The names that tables have, those of a lake as `database.table`, sorted.
    pub fn table_names(&self) -> Vec<String> {
        let mut names = self.tables.names();
        names.sort();
        names
    }

    /// The names of the functions that can be called, sorted.
    pub fn function_names(&self) -> Vec<String> {
        let state = self.context.state();
        let mut names: Vec<String> = state
            .scalar_functions()
            .keys()
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys())
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }
}
