//! Lake Formation's shapes of what a [`State`](super::State) has.

use super::state::{GrantKey, Held, Target};
use crate::catalog::TableName;
use crate::error::{Error, ErrorKind, Result};
use crate::governance::permission::Permission;
use crate::governance::policy::{ColumnChoice, GrantOn, TagExpression, TagsOf};
use aws_sdk_lakeformation::error::BuildError;
use aws_sdk_lakeformation::types::{
    self, ColumnWildcard, DataCellsFilterResource, DataLakePrincipal, DataLocationResource, DatabaseResource, LfTag, LfTagPair,
    LfTagPolicyResource, Resource, ResourceType, TableResource, TableWildcard, TableWithColumnsResource,
};
use std::collections::{BTreeMap, BTreeSet};

/// How Lake Formation calls all tables of a database, where a name is asked for.
const ALL_TABLES: &str = "ALL_TABLES";

/// The error of a shape that lacks something, which is a fault of ours.
pub(super) fn incomplete(error: BuildError) -> Error {
    Error::new(ErrorKind::Internal, "a request to Lake Formation lacks something").with_source(error)
}

/// The resource that `on` is, in the catalog of account `catalog`, where that is not the keys' own.
pub(super) fn resource(on: &GrantOn, catalog: Option<&String>) -> Result<Resource> {
    let catalog = catalog.cloned();
    let resource = Resource::builder();
    Ok(match on {
        GrantOn::Tags { of, expression } => resource.lf_tag_policy(
            LfTagPolicyResource::builder()
                .set_catalog_id(catalog)
                .resource_type(resource_type(*of))
                .set_expression(Some(lf_tags(expression)?))
                .build()
                .map_err(incomplete)?,
        ),
        GrantOn::Expression { of, name } => resource.lf_tag_policy(
            LfTagPolicyResource::builder()
                .set_catalog_id(catalog)
                .resource_type(resource_type(*of))
                .expression_name(name)
                .build()
                .map_err(incomplete)?,
        ),
        GrantOn::Database(name) => {
            resource.database(DatabaseResource::builder().set_catalog_id(catalog).name(name).build().map_err(incomplete)?)
        }
        GrantOn::AllTables(name) => resource.table(
            TableResource::builder()
                .set_catalog_id(catalog)
                .database_name(name)
                .table_wildcard(TableWildcard::builder().build())
                .build()
                .map_err(incomplete)?,
        ),
        GrantOn::Table(name) => resource.table(
            TableResource::builder().set_catalog_id(catalog).database_name(&name.database).name(&name.table).build().map_err(incomplete)?,
        ),
        GrantOn::Columns(name, choice) => resource.table_with_columns(columns(name, choice, catalog)?),
        GrantOn::Filter(name, filter) => resource.data_cells_filter(
            DataCellsFilterResource::builder()
                .set_table_catalog_id(catalog)
                .database_name(&name.database)
                .table_name(&name.table)
                .name(filter)
                .build(),
        ),
        GrantOn::Location(arn) => {
            resource.data_location(DataLocationResource::builder().set_catalog_id(catalog).resource_arn(arn).build().map_err(incomplete)?)
        }
    }
    .build())
}

fn columns(name: &TableName, choice: &ColumnChoice, catalog: Option<String>) -> Result<TableWithColumnsResource> {
    let table = TableWithColumnsResource::builder().set_catalog_id(catalog).database_name(&name.database).name(&name.table);
    let wildcard = |but: &BTreeSet<String>| {
        let but = if but.is_empty() { None } else { Some(but.iter().cloned().collect()) };
        ColumnWildcard::builder().set_excluded_column_names(but).build()
    };
    let table = match choice {
        ColumnChoice::All => table.column_wildcard(wildcard(&BTreeSet::new())),
        ColumnChoice::Only(names) => table.set_column_names(Some(names.iter().cloned().collect())),
        ColumnChoice::AllBut(names) => table.column_wildcard(wildcard(names)),
    };
    table.build().map_err(incomplete)
}

/// The resource that has tags.
pub(super) fn tagged(target: &Target, catalog: Option<&String>) -> Result<Resource> {
    match target {
        Target::Database(name) => resource(&GrantOn::Database(name.clone()), catalog),
        Target::Table(name) => resource(&GrantOn::Table(name.clone()), catalog),
        Target::Column(name, column) => {
            resource(&GrantOn::Columns(name.clone(), ColumnChoice::Only(BTreeSet::from([column.clone()]))), catalog)
        }
    }
}

fn resource_type(of: TagsOf) -> ResourceType {
    match of {
        TagsOf::Databases => ResourceType::Database,
        TagsOf::Tables => ResourceType::Table,
    }
}

pub(super) fn lf_tags(expression: &TagExpression) -> Result<Vec<LfTag>> {
    let tag = |(key, values): (&String, &BTreeSet<String>)| {
        LfTag::builder().tag_key(key).set_tag_values(Some(values.iter().cloned().collect())).build().map_err(incomplete)
    };
    expression.iter().map(tag).collect()
}

pub(super) fn expression(tags: &[LfTag]) -> TagExpression {
    tags.iter().map(|tag| (tag.tag_key().to_string(), tag.tag_values().iter().cloned().collect())).collect()
}

pub(super) fn pairs(tags: &BTreeMap<String, String>, catalog: Option<&String>) -> Result<Vec<LfTagPair>> {
    let pair = |(key, value): (&String, &String)| {
        LfTagPair::builder().set_catalog_id(catalog.cloned()).tag_key(key).tag_values(value).build().map_err(incomplete)
    };
    tags.iter().map(pair).collect()
}

/// The tags of `pairs`: of each key the one value that a resource has.
pub(super) fn assigned(pairs: &[LfTagPair]) -> BTreeMap<String, String> {
    pairs.iter().filter_map(|pair| Some((pair.tag_key().to_string(), pair.tag_values().first()?.clone()))).collect()
}

pub(super) fn principal(name: &str) -> DataLakePrincipal {
    DataLakePrincipal::builder().data_lake_principal_identifier(name).build()
}

pub(super) fn condition(expression: Option<&String>) -> Option<types::Condition> {
    expression.map(|text| types::Condition::builder().expression(text).build())
}

/// What a resource is; nothing for those that policies have not, such as catalogs and tags.
pub(super) fn grant_on(resource: &Resource) -> Option<GrantOn> {
    let name = |database: &str, table: &str| TableName { database: database.to_string(), table: table.to_string() };
    if let Some(policy) = resource.lf_tag_policy() {
        let of = match policy.resource_type() {
            ResourceType::Database => TagsOf::Databases,
            _ => TagsOf::Tables,
        };
        return Some(match policy.expression_name() {
            Some(name) => GrantOn::Expression { of, name: name.to_string() },
            None => GrantOn::Tags { of, expression: expression(policy.expression()) },
        });
    }
    if let Some(filter) = resource.data_cells_filter() {
        return Some(GrantOn::Filter(name(filter.database_name()?, filter.table_name()?), filter.name()?.to_string()));
    }
    if let Some(table) = resource.table_with_columns() {
        if table.name() == ALL_TABLES {
            return Some(GrantOn::AllTables(table.database_name().to_string()));
        }
        let full = name(table.database_name(), table.name());
        let columns: BTreeSet<String> = table.column_names().iter().cloned().collect();
        if !columns.is_empty() {
            return Some(GrantOn::Columns(full, ColumnChoice::Only(columns)));
        }
        let but: BTreeSet<String> =
            table.column_wildcard().map(|wildcard| wildcard.excluded_column_names().iter().cloned().collect()).unwrap_or_default();
        // SELECT of a whole table is shown as one of all columns.
        return Some(if but.is_empty() { GrantOn::Table(full) } else { GrantOn::Columns(full, ColumnChoice::AllBut(but)) });
    }
    if let Some(table) = resource.table() {
        return Some(match table.name() {
            Some(ALL_TABLES) | None => GrantOn::AllTables(table.database_name().to_string()),
            Some(own) => GrantOn::Table(name(table.database_name(), own)),
        });
    }
    if let Some(database) = resource.database() {
        return Some(GrantOn::Database(database.name().to_string()));
    }
    resource.data_location().map(|location| GrantOn::Location(location.resource_arn().to_string()))
}

/// A grant as Lake Formation lists it; nothing for what policies have not.
pub(super) fn granted(entry: &types::PrincipalResourcePermissions) -> Option<(GrantKey, Held)> {
    let key = GrantKey {
        principal: entry.principal()?.data_lake_principal_identifier()?.to_string(),
        on: grant_on(entry.resource()?)?,
        condition: entry.condition().and_then(|condition| condition.expression()).map(str::to_string),
    };
    let known = |all: &[types::Permission]| all.iter().filter_map(permission).collect();
    Some((key, Held { permissions: known(entry.permissions()), option: known(entry.permissions_with_grant_option()) }))
}

fn permission(permission: &types::Permission) -> Option<Permission> {
    Some(match permission {
        types::Permission::Select => Permission::Select,
        types::Permission::Describe => Permission::Describe,
        types::Permission::Insert => Permission::Insert,
        types::Permission::Delete => Permission::Delete,
        types::Permission::Alter => Permission::Alter,
        types::Permission::Drop => Permission::Drop,
        types::Permission::CreateTable => Permission::CreateTable,
        types::Permission::DataLocationAccess => Permission::DataLocationAccess,
        types::Permission::All => Permission::All,
        _ => return None,
    })
}

pub(super) fn api_permissions(permissions: &BTreeSet<Permission>) -> Option<Vec<types::Permission>> {
    let all: Vec<types::Permission> = permissions.iter().map(|permission| types::Permission::from(permission.api_name())).collect();
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_read_back_as_they_were_sent() {
        let name = TableName { database: "shops".into(), table: "sales".into() };
        let names = BTreeSet::from(["day".to_string()]);
        let expression = TagExpression::from([("role".to_string(), BTreeSet::from(["x".to_string(), "y".to_string()]))]);
        for on in [
            GrantOn::Tags { of: TagsOf::Databases, expression: expression.clone() },
            GrantOn::Tags { of: TagsOf::Tables, expression },
            GrantOn::Expression { of: TagsOf::Tables, name: "saved".into() },
            GrantOn::Database("shops".into()),
            GrantOn::AllTables("shops".into()),
            GrantOn::Table(name.clone()),
            GrantOn::Columns(name.clone(), ColumnChoice::Only(names.clone())),
            GrantOn::Columns(name.clone(), ColumnChoice::AllBut(names)),
            GrantOn::Filter(name.clone(), "f".into()),
            GrantOn::Location("arn:aws:s3:::b".into()),
        ] {
            assert_eq!(grant_on(&resource(&on, None).unwrap()), Some(on));
        }
        // SELECT of all columns is that of the table.
        assert_eq!(grant_on(&resource(&GrantOn::Columns(name.clone(), ColumnChoice::All), None).unwrap()), Some(GrantOn::Table(name)));
    }
}
