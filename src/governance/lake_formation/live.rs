//! What Lake Formation has.

use super::client::LakeFormation;
use super::shapes::{self, granted};
use super::state::{AttachmentKey, FilterKey, GrantKey, Held, RowRule, State, Target};
use crate::aws::code;
use crate::catalog::TableName;
use crate::error::Result;
use crate::governance::policy::{ColumnChoice, GrantOn};
use crate::governance::resources::Resources;
use crate::storage::wait;
use aws_sdk_lakeformation::types::{DataCellsFilter, TableResource};
use std::collections::{BTreeMap, BTreeSet};

impl LakeFormation {
    /// What is live of what `wanted` and `told` are about: all tags and grants, and of `resources`, whose databases are called as Glue calls them, the
    /// tags and filters. What neither of them has is not asked for.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where it can't be read.
    pub fn live(&self, wanted: &State, told: &State, resources: &Resources) -> Result<State> {
        let (this, both, resources) = (self.clone(), wanted.clone().and(told), resources.clone());
        wait(async move { this.read(&both, &resources).await })
    }

    async fn read(&self, both: &State, resources: &Resources) -> Result<State> {
        let mut state = State { tags: self.tags().await?, grants: self.grants().await?, ..State::default() };
        if !both.expressions.is_empty() {
            state.expressions = self.expressions().await?;
        }
        let tagged: BTreeSet<&String> = both
            .assigned
            .keys()
            .map(|target| match target {
                Target::Database(name) => name,
                Target::Table(name) | Target::Column(name, _) => &name.database,
            })
            .collect();
        for database in resources.keys().filter(|name| tagged.contains(name)) {
            self.database_tags(database, &mut state).await?;
            for table in resources[database].keys() {
                let name = TableName { database: database.clone(), table: table.clone() };
                let is_tagged =
                    both.assigned.keys().any(|target| matches!(target, Target::Table(own) | Target::Column(own, _) if *own == name));
                if is_tagged {
                    self.table_tags(&name, &mut state).await?;
                }
            }
        }
        let filtered: BTreeSet<&TableName> = both.filters.keys().map(|key| &key.table).collect();
        for table in filtered {
            self.filters(table, &mut state).await?;
        }
        if !both.row_policies.is_empty() {
            self.row_policies(both, &mut state).await?;
        }
        if !both.locations.is_empty() {
            self.locations(&mut state).await?;
        }
        if !both.opt_ins.is_empty() {
            self.opt_ins(&mut state).await?;
        }
        if !both.administrators.is_empty() {
            let asked = self.client.get_data_lake_settings().set_catalog_id(self.catalog().cloned()).send().await;
            let told = asked.map_err(|error| self.failed("can't read the settings", &error))?;
            let administrators = told.data_lake_settings().map(|settings| settings.data_lake_admins().to_vec()).unwrap_or_default();
            state.administrators =
                administrators.iter().filter_map(|one| one.data_lake_principal_identifier().map(str::to_string)).collect();
        }
        Ok(state)
    }

    async fn tags(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut pages = self.client.list_lf_tags().set_catalog_id(self.catalog().cloned()).into_paginator().send();
        let mut tags = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("can't list the LF-Tags", &error))?;
            for tag in page.lf_tags() {
                let values: &mut BTreeSet<String> = tags.entry(tag.tag_key().to_string()).or_default();
                values.extend(tag.tag_values().iter().cloned());
            }
        }
        Ok(tags)
    }

    /// All grants. With a filter those of some resources are not told, or effective ones instead.
    async fn grants(&self) -> Result<BTreeMap<GrantKey, Held>> {
        let mut pages = self.client.list_permissions().set_catalog_id(self.catalog().cloned()).into_paginator().send();
        let mut grants: BTreeMap<GrantKey, Held> = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("can't list the permissions", &error))?;
            for (key, held) in page.principal_resource_permissions().iter().filter_map(granted) {
                let own = grants.entry(key).or_default();
                own.permissions.extend(held.permissions);
                own.option.extend(held.option);
            }
        }
        Ok(grants)
    }

    async fn expressions(&self) -> Result<BTreeMap<String, crate::governance::policy::TagExpression>> {
        let mut pages = self.client.list_lf_tag_expressions().set_catalog_id(self.catalog().cloned()).into_paginator().send();
        let mut expressions = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("can't list the tag expressions", &error))?;
            let named = page.lf_tag_expressions().iter();
            expressions.extend(named.filter_map(|one| Some((one.name()?.to_string(), shapes::expression(one.expression())))));
        }
        Ok(expressions)
    }

    async fn database_tags(&self, database: &str, state: &mut State) -> Result<()> {
        let target = Target::Database(database.to_string());
        let asked = self.client.get_resource_lf_tags().set_catalog_id(self.catalog().cloned());
        let asked = asked.resource(shapes::tagged(&target, self.catalog())?).show_assigned_lf_tags(true).send().await;
        match asked {
            Ok(told) => drop(state.assigned.insert(target, shapes::assigned(told.lf_tag_on_database()))),
            Err(error) if code(&error) == Some("EntityNotFoundException") => {}
            Err(error) => return Err(self.failed(&format!("can't read the tags of the database {database}"), &error)),
        }
        Ok(())
    }

    async fn table_tags(&self, name: &TableName, state: &mut State) -> Result<()> {
        let target = Target::Table(name.clone());
        let asked = self.client.get_resource_lf_tags().set_catalog_id(self.catalog().cloned());
        let asked = asked.resource(shapes::tagged(&target, self.catalog())?).show_assigned_lf_tags(true).send().await;
        match asked {
            Ok(told) => {
                state.assigned.insert(target, shapes::assigned(told.lf_tags_on_table()));
                for column in told.lf_tags_on_columns() {
                    let target = Target::Column(name.clone(), column.name().unwrap_or_default().to_string());
                    state.assigned.insert(target, shapes::assigned(column.lf_tags()));
                }
            }
            Err(error) if code(&error) == Some("EntityNotFoundException") => {}
            Err(error) => return Err(self.failed(&format!("can't read the tags of {name}"), &error)),
        }
        Ok(())
    }

    pub(super) async fn filters(&self, table: &TableName, state: &mut State) -> Result<()> {
        let of = TableResource::builder().set_catalog_id(self.catalog().cloned()).database_name(&table.database).name(&table.table);
        let mut pages = self.client.list_data_cells_filter().table(of.build().map_err(shapes::incomplete)?).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed(&format!("can't list the filters of {table}"), &error))?;
            state.filters.extend(
                page.data_cells_filters()
                    .iter()
                    .map(|filter| (FilterKey { table: table.clone(), name: filter.name().to_string() }, shape(filter))),
            );
        }
        Ok(())
    }

    async fn row_policies(&self, both: &State, state: &mut State) -> Result<()> {
        let mut token = None;
        loop {
            let asked = self.client.list_rls_policies().set_next_token(token).send().await;
            let page = asked.map_err(|error| self.failed("can't list the row policies", &error))?;
            for policy in page.rls_policies() {
                let (Some(name), Some(rows)) = (policy.name(), policy.filter_expression()) else { continue };
                let columns = policy.attachment_columns().iter();
                let columns = columns.map(|column| (column.name().to_string(), column.r#type().unwrap_or_default().to_string()));
                state.row_policies.insert(name.to_string(), RowRule { columns: columns.collect(), rows: rows.to_string() });
            }
            token = page.next_token().map(str::to_string);
            if token.is_none() {
                break;
            }
        }
        for name in both.row_policies.keys().filter(|name| state.row_policies.contains_key(*name)).cloned().collect::<Vec<_>>() {
            let mut token = None;
            loop {
                let asked = self.client.list_rls_policy_attachments().policy_name(&name).set_next_token(token).send().await;
                let page = asked.map_err(|error| self.failed(&format!("can't list where the row policy {name} is attached"), &error))?;
                for attachment in page.rls_policy_attachments() {
                    let Some(on) = attachment.resource().and_then(shapes::grant_on) else { continue };
                    let principal = attachment.principal().and_then(|one| one.data_lake_principal_identifier()).map(str::to_string);
                    let condition = attachment.condition().and_then(|one| one.expression()).map(str::to_string);
                    state.attachments.insert(AttachmentKey { policy: name.clone(), on, principal, condition });
                }
                token = page.next_token().map(str::to_string);
                if token.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn locations(&self, state: &mut State) -> Result<()> {
        let mut pages = self.client.list_resources().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("can't list the registered locations", &error))?;
            for one in page.resource_info_list() {
                if let Some(arn) = one.resource_arn() {
                    state
                        .locations
                        .insert(arn.to_string(), (one.role_arn().map(str::to_string), one.hybrid_access_enabled().unwrap_or(false)));
                }
            }
        }
        Ok(())
    }

    async fn opt_ins(&self, state: &mut State) -> Result<()> {
        let mut pages = self.client.list_lake_formation_opt_ins().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("can't list the opt-ins", &error))?;
            for one in page.lake_formation_opt_ins_info_list() {
                let principal = one.principal().and_then(|principal| principal.data_lake_principal_identifier());
                let target = match one.resource().and_then(shapes::grant_on) {
                    Some(GrantOn::Database(name)) => Target::Database(name),
                    Some(GrantOn::Table(name)) => Target::Table(name),
                    _ => continue,
                };
                state.opt_ins.extend(principal.map(|principal| (principal.to_string(), target)));
            }
        }
        Ok(())
    }
}

/// The columns and rows of a filter.
fn shape(filter: &DataCellsFilter) -> (ColumnChoice, Option<String>) {
    let names: BTreeSet<String> = filter.column_names().iter().cloned().collect();
    let but: BTreeSet<String> =
        filter.column_wildcard().map(|wildcard| wildcard.excluded_column_names().iter().cloned().collect()).unwrap_or_default();
    let columns = match (names.is_empty(), but.is_empty()) {
        (false, _) => ColumnChoice::Only(names),
        (true, false) => ColumnChoice::AllBut(but),
        (true, true) => ColumnChoice::All,
    };
    (columns, filter.row_filter().and_then(|rows| rows.filter_expression()).map(str::to_string))
}
