//! What a policy means in Lake Formation.

use super::account::Account;
use super::state::{AttachmentKey, FilterKey, GrantKey, RowRule, State, Target};
use crate::catalog::{GlueSettings, TableName};
use crate::governance::effective::{Level, TagsOfAll};
use crate::governance::policy::{AttachedFor, AttachedTo, ColumnChoice, GrantOn, OptInOn, Policy};
use crate::governance::resources::Resources;
use std::collections::{BTreeMap, BTreeSet};

/// What Lake Formation would have of `policy`: of `resources`, the tables that Glue has, and for the principals of `account`.
pub fn wanted(policy: &Policy, resources: &Resources, account: &Account, glue: &GlueSettings) -> State {
    let table = |name: &TableName| TableName { database: glue.database(&name.database), table: name.table.clone() };
    let mut state = State {
        tags: policy.tags.iter().map(|(key, values)| (key.clone(), values.iter().cloned().collect())).collect(),
        expressions: policy.expressions.clone(),
        ..State::default()
    };
    assigned(policy, resources, glue, &mut state);
    for grant in &policy.grants {
        let Some(on) = on(&grant.on, resources, account, glue) else { continue };
        for principal in account.recipients(&grant.to, policy) {
            let key = GrantKey { principal, on: on.clone(), condition: grant.condition.clone() };
            let held = state.grants.entry(key).or_default();
            held.permissions.extend(grant.permissions.iter().copied());
            held.option.extend(grant.grant_option.iter().copied());
        }
    }
    for filter in policy.filters.iter().filter(|filter| has(resources, &filter.table)) {
        let key = FilterKey { table: table(&filter.table), name: filter.name.clone() };
        state.filters.insert(key, (filter.columns.clone(), filter.rows.clone()));
    }
    for row_policy in &policy.row_policies {
        state
            .row_policies
            .insert(row_policy.name.clone(), RowRule { columns: types(&row_policy.columns, resources), rows: row_policy.rows.clone() });
        for attachment in &row_policy.attached {
            let to = match &attachment.to {
                AttachedTo::Table(name) if !has(resources, name) => continue,
                AttachedTo::Table(name) => GrantOn::Table(table(name)),
                AttachedTo::Tags(expression) => {
                    GrantOn::Tags { of: crate::governance::policy::TagsOf::Tables, expression: expression.clone() }
                }
            };
            let whom: Vec<(Option<String>, Option<String>)> = match &attachment.whom {
                AttachedFor::Principal(name) => {
                    account.recipients(name, policy).into_iter().map(|principal| (Some(principal), None)).collect()
                }
                AttachedFor::Condition(condition) => vec![(None, Some(condition.clone()))],
                AttachedFor::Default => vec![(None, None)],
            };
            for (principal, condition) in whom {
                state.attachments.insert(AttachmentKey { policy: row_policy.name.clone(), on: to.clone(), principal, condition });
            }
        }
    }
    for location in &policy.locations {
        state.locations.insert(account.location(&location.location), (location.role.clone(), location.hybrid));
    }
    for opt_in in &policy.opt_ins {
        let target = match &opt_in.on {
            OptInOn::Database(name) if resources.contains_key(name) => Target::Database(glue.database(name)),
            OptInOn::Table(name) if has(resources, name) => Target::Table(table(name)),
            _ => continue,
        };
        let opted = account.recipients(&opt_in.principal, policy).into_iter();
        state.opt_ins.extend(opted.map(|principal| (principal, target.clone())));
    }
    state.administrators = policy.administrators.iter().flat_map(|name| account.recipients(name, policy)).collect();
    state
}

/// The tags that each resource is given itself; patterns become the columns that they match.
fn assigned(policy: &Policy, resources: &Resources, glue: &GlueSettings, state: &mut State) {
    let tags = TagsOfAll::of(&policy.assignments, resources);
    let own = |tags: &crate::governance::EffectiveTags, level: Level| -> BTreeMap<String, String> {
        tags.iter().filter(|(_, (_, from))| *from == level).map(|(key, (value, _))| (key.clone(), value.clone())).collect()
    };
    for (database, effective) in &tags.databases {
        state.assigned.insert(Target::Database(glue.database(database)), own(effective, Level::Database));
    }
    for (name, effective) in &tags.tables {
        let table = TableName { database: glue.database(&name.database), table: name.table.clone() };
        state.assigned.insert(Target::Table(table.clone()), own(&effective.own, Level::Table));
        let columns = resources.get(&name.database).and_then(|tables| tables.get(&name.table)).map_or(&[][..], |shape| &shape.columns);
        for (column, effective) in columns.iter().zip(&effective.columns) {
            state.assigned.insert(Target::Column(table.clone(), column.name.clone()), own(effective, Level::Column));
        }
    }
    state.assigned.retain(|_, tags| !tags.is_empty());
}

fn has(resources: &Resources, name: &TableName) -> bool {
    resources.get(&name.database).is_some_and(|tables| tables.contains_key(&name.table))
}

/// The resource of a grant; nothing where Glue doesn't have it.
fn on(on: &GrantOn, resources: &Resources, account: &Account, glue: &GlueSettings) -> Option<GrantOn> {
    let table =
        |name: &TableName| has(resources, name).then(|| TableName { database: glue.database(&name.database), table: name.table.clone() });
    let database = |name: &String| resources.contains_key(name).then(|| glue.database(name));
    Some(match on {
        GrantOn::Tags { .. } | GrantOn::Expression { .. } => on.clone(),
        GrantOn::Database(name) => GrantOn::Database(database(name)?),
        GrantOn::AllTables(name) => GrantOn::AllTables(database(name)?),
        GrantOn::Table(name) => GrantOn::Table(table(name)?),
        GrantOn::Columns(name, ColumnChoice::All) => GrantOn::Table(table(name)?),
        GrantOn::Columns(name, choice) => GrantOn::Columns(table(name)?, choice.clone()),
        GrantOn::Filter(name, filter) => GrantOn::Filter(table(name)?, filter.clone()),
        GrantOn::Location(location) => GrantOn::Location(account.location(location)),
    })
}

/// The types of columns by their names, as the first table has them that has them all.
fn types(columns: &BTreeSet<String>, resources: &Resources) -> BTreeMap<String, String> {
    let shapes = resources.values().flat_map(BTreeMap::values);
    let of = |shape: &crate::governance::TableShape| -> Option<BTreeMap<String, String>> {
        columns
            .iter()
            .map(|name| shape.columns.iter().find(|column| column.name == *name).map(|column| (name.clone(), column.data_type.clone())))
            .collect()
    };
    shapes.into_iter().find_map(of).unwrap_or_else(|| columns.iter().map(|name| (name.clone(), "string".to_string())).collect())
}
