//! Grants, and the filters and row policies that say of which rows.

use super::known::Known;
use super::names;
use super::text::{AttachmentText, FilterText, GovernanceText, GrantOnText, GrantText};
use crate::governance::condition::{Condition, LONGEST_CONDITION};
use crate::governance::permission::Permission;
use crate::governance::policy::{AttachedFor, AttachedTo, Attachment, ColumnChoice, DataFilter, Grant, GrantOn, RowPolicy};
use crate::governance::row_expression::RowExpression;
use crate::yaml::{OneOrMany, Place, Problems, Text, Value};
use std::collections::BTreeSet;

/// The keys of which a grant has one.
const TARGETS: &str = "tags, expression, database, all_tables, table, location";

pub(super) fn grants(text: &GovernanceText, known: &Known, problems: &mut Problems<'_>) -> Vec<Grant> {
    text.grants.iter().flatten().flat_map(|grant| one(grant, known, problems)).collect()
}

/// A grant to each of those that it is for.
fn one(text: &GrantText, known: &Known, problems: &mut Problems<'_>) -> Vec<Grant> {
    let to: &[Text] = text.to.as_ref().map_or(&[], |to| &to.0);
    to.iter().for_each(|to| known.check_principal(to, problems));
    if text.to.as_ref().is_some_and(|to| to.0.is_empty()) {
        problems.error(&text.place, "`to` names nobody");
    }
    let permissions = permissions(text.permissions.as_deref(), problems);
    if text.permissions.as_ref().is_some_and(Vec::is_empty) {
        problems.error(&text.place, "`permissions` is empty; list for example select and describe");
    }
    let grant_option = self::permissions(text.grant_option.as_deref(), problems);
    if let Some(more) = grant_option.iter().find(|permission| !permissions.contains(permission)) {
        problems.error(&text.place, format!("{more} can't be granted to others: it isn't among `permissions`"));
    }
    let condition = text.condition.as_ref().map(|condition| {
        check_condition(condition, problems);
        condition.text.clone()
    });
    let on = text.on.as_ref().and_then(|on| target(on, known, problems));
    let Some(on) = on else { return Vec::new() };
    if let Some(written) = text.on.as_ref() {
        check_permissions(&on, &permissions, &written.place, problems);
    }
    let place = problems.place(&text.place);
    let grant = |to: &Text| Grant {
        place: place.clone(),
        to: to.text.clone(),
        on: on.clone(),
        permissions: permissions.clone(),
        grant_option: grant_option.clone(),
        condition: condition.clone(),
    };
    to.iter().map(grant).collect()
}

fn permissions(values: Option<&[Value<Permission>]>, problems: &mut Problems<'_>) -> BTreeSet<Permission> {
    let mut permissions = BTreeSet::new();
    for permission in values.into_iter().flatten() {
        if !permissions.insert(permission.value) {
            problems.error(&permission.place, "duplicate permission");
        }
    }
    permissions
}

/// Tells of what can't be allowed of `on`: <https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html>.
fn check_permissions(on: &GrantOn, permissions: &BTreeSet<Permission>, place: &Place, problems: &mut Problems<'_>) {
    use crate::governance::policy::TagsOf;
    use Permission::{All, Alter, CreateTable, DataLocationAccess, Delete, Describe, Drop, Insert, Select};
    let (what, known): (&str, &[Permission]) = match on {
        GrantOn::Database(_) | GrantOn::Tags { of: TagsOf::Databases, .. } | GrantOn::Expression { of: TagsOf::Databases, .. } => {
            ("a database", &[All, Alter, CreateTable, Describe, Drop])
        }
        GrantOn::AllTables(_) | GrantOn::Table(_) | GrantOn::Tags { .. } | GrantOn::Expression { .. } => {
            ("a table", &[All, Alter, Delete, Describe, Drop, Insert, Select])
        }
        GrantOn::Columns(..) => ("columns", &[Select]),
        GrantOn::Filter(..) => ("a filter", &[Select]),
        GrantOn::Location(_) => ("a location", &[DataLocationAccess]),
    };
    if let Some(other) = permissions.iter().find(|permission| !known.contains(permission)) {
        let known: Vec<String> = known.iter().map(|permission| permission.to_string().to_lowercase()).collect();
        problems.error(place, format!("{} can't be granted on {what}; expected {}", other.to_string().to_lowercase(), known.join(", ")));
    }
}

fn target(on: &GrantOnText, known: &Known, problems: &mut Problems<'_>) -> Option<GrantOn> {
    let given = [
        on.tags.is_some(),
        on.expression.is_some(),
        on.database.is_some(),
        on.all_tables.is_some(),
        on.table.is_some(),
        on.location.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        if !on.wrong {
            problems.error(&on.place, format!("expected exactly one of {TARGETS}"));
        }
        return None;
    }
    let of = on.of.as_ref().map(|of| of.value);
    if let Some(of) = on.of.as_ref().filter(|_| on.tags.is_none() && on.expression.is_none()) {
        problems.error(&of.place, "`of` needs `tags` or `expression`");
    }
    let parts = [on.columns.is_some(), on.except.is_some(), on.filter.is_some()];
    let parts = parts.iter().filter(|given| **given).count();
    if parts > 0 && on.table.is_none() {
        problems.error(&on.place, "`columns`, `except` and `filter` need a `table`");
    }
    if parts > 1 {
        problems.error(&on.place, "expected at most one of columns, except, filter");
    }
    if let Some(tags) = &on.tags {
        return Some(GrantOn::Tags {
            of: of.unwrap_or(crate::governance::policy::TagsOf::Tables),
            expression: known.expression(tags, &on.place, problems),
        });
    }
    if let Some(name) = &on.expression {
        known.check_expression(name, problems);
        return Some(GrantOn::Expression { of: of.unwrap_or(crate::governance::policy::TagsOf::Tables), name: name.text.clone() });
    }
    if let Some(database) = &on.database {
        return names::database(database, problems).map(GrantOn::Database);
    }
    if let Some(database) = &on.all_tables {
        return names::database(database, problems).map(GrantOn::AllTables);
    }
    if let Some(location) = &on.location {
        check_location(location, problems);
        return Some(GrantOn::Location(location.text.trim_end_matches('/').to_string()));
    }
    let written = on.table.as_ref()?;
    let table = names::table(written, problems)?;
    if let Some(filter) = &on.filter {
        known.check_filter(written, filter, problems);
        return Some(GrantOn::Filter(table, filter.text.clone()));
    }
    Some(match choice(on.columns.as_ref(), on.except.as_ref(), &on.place, problems) {
        ColumnChoice::All => GrantOn::Table(table),
        choice => GrantOn::Columns(table, choice),
    })
}

/// Tells of what is no address of S3.
pub(super) fn check_location(location: &Text, problems: &mut Problems<'_>) {
    if !location.text.strip_prefix("s3://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) {
        problems.error(&location.place, location.explain("expected s3://bucket/prefix: Lake Formation only has locations in S3"));
    }
}

fn choice(columns: Option<&OneOrMany<Text>>, except: Option<&OneOrMany<Text>>, place: &Place, problems: &mut Problems<'_>) -> ColumnChoice {
    let mut names = |list: &OneOrMany<Text>| -> BTreeSet<String> {
        if list.0.is_empty() {
            problems.error(place, "this list has no columns");
        }
        if let Some(pattern) = list.0.iter().find(|name| name.text.contains('*')) {
            problems.error(&pattern.place, "AWS allows only column names here; patterns are for tags");
        }
        list.0.iter().map(|name| name.text.to_lowercase()).collect()
    };
    match (columns, except) {
        (Some(columns), None) => ColumnChoice::Only(names(columns)),
        (None, Some(except)) => ColumnChoice::AllBut(names(except)),
        (None, None) => ColumnChoice::All,
        (Some(_), Some(_)) => {
            problems.error(place, "expected at most one of columns, except");
            ColumnChoice::All
        }
    }
}

fn check_condition(condition: &Text, problems: &mut Problems<'_>) {
    let length = condition.text.chars().count();
    if length > LONGEST_CONDITION {
        problems.error(&condition.place, format!("a condition has at most {LONGEST_CONDITION} characters, but this one has {length}"));
    } else if let Err((at, message)) = Condition::parse(&condition.text) {
        // AWS knows all of Cedar; here, what isn't understood is never taken for true.
        let place = condition.part(problems.text(), at..condition.text.len());
        problems.warning(
            &place,
            condition.explain(format!(
                "{message}; unsupported conditions let nobody see anything here; supported are `hasTag`, `getTag(…) ==`, `&&`, `||` and `!`"
            )),
        );
    }
}

/// An expression of rows, and the columns that it names.
fn rows(text: &Text, problems: &mut Problems<'_>) -> BTreeSet<String> {
    match RowExpression::parse(&text.text) {
        Ok(expression) => expression.columns().into_iter().map(str::to_string).collect(),
        Err(misread) => {
            let place = text.part(problems.text(), misread.at..text.text.len());
            problems.error(&place, text.explain(misread.message));
            BTreeSet::new()
        }
    }
}

pub(super) fn filters(text: &GovernanceText, problems: &mut Problems<'_>) -> Vec<DataFilter> {
    let mut seen = BTreeSet::new();
    let mut filters = Vec::new();
    for filter in text.filters.iter().flatten() {
        let Some(one) = self::filter(filter, problems) else { continue };
        if !seen.insert((one.table.clone(), one.name.clone())) {
            problems.error(&filter.place, format!("{} already has a filter `{}`", one.table, one.name.escape_debug()));
        }
        filters.push(one);
    }
    filters
}

fn filter(text: &FilterText, problems: &mut Problems<'_>) -> Option<DataFilter> {
    let columns = choice(text.columns.as_ref(), text.except.as_ref(), &text.place, problems);
    if let Some(expression) = &text.rows {
        rows(expression, problems);
    }
    let table = names::table(text.table.as_ref()?, problems)?;
    let name = text.name.as_ref()?;
    if name.text.trim().is_empty() || name.text.chars().count() > 120 || name.text.chars().any(char::is_control) {
        problems.error(&name.place, "expected a name of 1 to 120 characters");
    }
    Some(DataFilter {
        place: problems.place(&text.place),
        table,
        name: name.text.clone(),
        columns,
        rows: text.rows.as_ref().map(|rows| rows.text.clone()),
    })
}

pub(super) fn row_policies(text: &GovernanceText, known: &Known, problems: &mut Problems<'_>) -> Vec<RowPolicy> {
    let all = text.row_policies.iter().flat_map(|all| all.iter());
    all.filter_map(|(name, policy)| {
        let expression = policy.rows.as_ref()?;
        let columns = rows(expression, problems);
        let attached = policy.attached.iter().flatten().filter_map(|one| attachment(one, known, problems)).collect::<Vec<_>>();
        if attached.is_empty() && policy.attached.as_ref().is_some_and(Vec::is_empty) {
            problems.warning(&name.place, "this row policy is not attached to anything, so it has no effect");
        }
        Some(RowPolicy { place: problems.place(&name.place), name: name.text.clone(), columns, rows: expression.text.clone(), attached })
    })
    .collect()
}

fn attachment(text: &AttachmentText, known: &Known, problems: &mut Problems<'_>) -> Option<Attachment> {
    let to = match (&text.table, &text.tags) {
        (Some(table), None) => names::table(table, problems).map(AttachedTo::Table),
        (None, Some(tags)) => Some(AttachedTo::Tags(known.expression(tags, &text.place, problems))),
        _ => {
            problems.error(&text.place, "expected exactly one of table, tags");
            None
        }
    };
    let is_default = text.default.as_ref().is_some_and(|default| default.value);
    let whom = match (&text.to, &text.condition, is_default) {
        (Some(to), None, false) => {
            known.check_principal(to, problems);
            Some(AttachedFor::Principal(to.text.clone()))
        }
        (None, Some(condition), false) => {
            check_condition(condition, problems);
            Some(AttachedFor::Condition(condition.text.clone()))
        }
        (None, None, true) => Some(AttachedFor::Default),
        _ => {
            problems.error(&text.place, "expected exactly one of to, condition, and default: true");
            None
        }
    };
    Some(Attachment { to: to?, whom: whom? })
}
