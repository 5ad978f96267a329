//! What Lake Formation itself says that somebody may read: its verdict, beside ours.

use super::client::LakeFormation;
use super::shapes::{self, grant_on, resource};
use crate::catalog::TableName;
use crate::error::Result;
use crate::governance::policy::{ColumnChoice, GrantOn, TagExpression};
use crate::storage::wait;
use aws_sdk_lakeformation::types::Permission;
use std::collections::BTreeSet;

impl LakeFormation {
    /// The columns of `columns`, those of `table` in Glue, that the principal `arn` may select, by the effective permissions: asked for with both.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where they can't be read.
    pub fn selectable(&self, arn: &str, table: &TableName, columns: &[String]) -> Result<BTreeSet<String>> {
        let (this, arn, table, columns) = (self.clone(), arn.to_string(), table.clone(), columns.to_vec());
        wait(async move { this.effective(&arn, &table, &columns).await })
    }

    async fn effective(&self, arn: &str, table: &TableName, columns: &[String]) -> Result<BTreeSet<String>> {
        let asked = self.client.list_permissions().set_catalog_id(self.catalog().cloned()).principal(shapes::principal(arn));
        let asked = asked.resource(resource(&GrantOn::Table(table.clone()), self.catalog())?);
        let mut pages = asked.into_paginator().send();
        let mut selectable = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed(&format!("can't list the permissions of {arn} on {table}"), &error))?;
            for entry in page.principal_resource_permissions() {
                let reads = entry.permissions().iter().any(|one| matches!(one, Permission::Select | Permission::All | Permission::Insert));
                let Some(on) = entry.resource().and_then(grant_on).filter(|_| reads) else { continue };
                match on {
                    GrantOn::Table(name) if name == *table => selectable.extend(columns.iter().cloned()),
                    GrantOn::AllTables(database) if database == table.database => selectable.extend(columns.iter().cloned()),
                    GrantOn::Columns(name, choice) if name == *table => {
                        selectable.extend(columns.iter().filter(|column| choice.has(column)).cloned());
                    }
                    GrantOn::Filter(name, filter) if name == *table => {
                        let choice = self.filter_columns(table, &filter).await?;
                        selectable.extend(columns.iter().filter(|column| choice.has(column)).cloned());
                    }
                    _ => {}
                }
            }
        }
        Ok(selectable)
    }

    async fn filter_columns(&self, table: &TableName, name: &str) -> Result<ColumnChoice> {
        let mut state = super::state::State::default();
        self.filters(table, &mut state).await?;
        let found = state.filters.into_iter().find(|(key, _)| key.name == name);
        Ok(found.map_or(ColumnChoice::Only(BTreeSet::new()), |(_, (columns, _))| columns))
    }

    /// The tables whose own tags match `expression`, as Lake Formation finds them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where it can't search.
    pub fn tables_with(&self, expression: &TagExpression) -> Result<BTreeSet<TableName>> {
        let (this, expression) = (self.clone(), expression.clone());
        wait(async move {
            let asked = this.client.search_tables_by_lf_tags().set_catalog_id(this.catalog().cloned());
            let mut pages = asked.set_expression(Some(shapes::lf_tags(&expression)?)).into_paginator().send();
            let mut tables = BTreeSet::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| this.failed("can't search tables by their tags", &error))?;
                tables.extend(page.table_list().iter().filter_map(|one| {
                    let table = one.table()?;
                    Some(TableName { database: table.database_name().to_string(), table: table.name()?.to_string() })
                }));
            }
            Ok(tables)
        })
    }
}
