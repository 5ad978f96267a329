//! Our verdict beside Lake Formation's own.

use crate::aws::AwsSettings;
use crate::catalog::{Authorized, GlueCatalog, GlueSettings, LocalCatalog, Registration, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::governance::lake_formation::LakeFormation;
use crate::governance::{Evaluator, GrantOn, Policy, Rows, TagExpression, TagsOf, in_words, policies, resources_of};
use crate::storage::Storage;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// What was compared, and where both don't say the same.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Comparison {
    pub principals: usize,
    pub tables: usize,
    pub columns: usize,
    pub disagreements: Vec<Disagreement>,
    /// What could not be compared, and why.
    pub notes: BTreeSet<String>,
}

/// Something that AWS says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disagreement {
    /// Whether a principal may select a column.
    Column { principal: String, table: TableName, column: String, ours: bool, aws: bool },
    /// Whether Glue gives whose keys are used a column, as an engine that enforces permissions is told.
    Metadata { principal: String, table: TableName, column: String, ours: bool, aws: bool },
    /// Whether the tags of a table match an expression.
    Tags { expression: String, table: TableName, ours: bool, aws: bool },
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let may = |may: &bool| if *may { "may" } else { "may not" };
        match self {
            Disagreement::Column { principal, table, column, ours, aws } => {
                write!(
                    f,
                    "{principal} {} select {table}.{column} according to the lake's policies, and {} according to AWS",
                    may(ours),
                    may(aws)
                )
            }
            Disagreement::Metadata { principal, table, column, ours, aws } => {
                write!(
                    f,
                    "{principal} {} select {table}.{column} according to the lake's policies, and {} according to what Glue tells engines",
                    may(ours),
                    may(aws)
                )
            }
            Disagreement::Tags { expression, table, ours, aws } => {
                let does = |does: &bool| if *does { "matches" } else { "doesn't match" };
                write!(f, "{table} {} {expression} according to the lake's policies, and {} according to AWS", does(ours), does(aws))
            }
        }
    }
}

/// Compares, for each catalog that knows tables of the lake in `storage`, what `wanted` principals may select, or all that policies name.
///
/// # Errors
/// [`ErrorKind::Usage`] where Glue knows none of its tables, [`ErrorKind::Input`] where AWS doesn't tell.
pub fn compare_with_aws(storage: &Storage, aws: &AwsSettings, wanted: &[String]) -> Result<Comparison> {
    let catalog = LocalCatalog::new(storage.clone());
    let snapshot = catalog.snapshot()?;
    let registrations = Registration::all(storage)?;
    if registrations.is_empty() {
        let message = format!("Glue has no tables of {}, so there is nothing to compare with AWS", storage.location());
        return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "run a pipeline with `catalog: glue`"));
    }
    let policy = Policy::merged(policies(&catalog, &snapshot)?.values());
    let tables = catalog.tables(&snapshot)?;
    let mut comparison = Comparison::default();
    let mut seen: Vec<GlueSettings> = Vec::new();
    for glue in registrations.iter().map(|one| &one.glue) {
        if seen.contains(glue) {
            continue;
        }
        seen.push(glue.clone());
        let known: BTreeSet<(&str, &str)> =
            registrations.iter().filter(|one| one.glue == *glue).map(|one| (one.database.as_str(), one.table.as_str())).collect();
        let own = tables.iter().filter(|table| known.contains(&(table.database.as_str(), table.name.as_str())));
        let evaluator = Evaluator::new(policy.clone(), &resources_of(own));
        let formation = LakeFormation::connect(glue, aws)?;
        compare(&evaluator, &formation, glue, wanted, &mut comparison)?;
        let settings = GlueSettings { catalog_id: glue.catalog_id.clone().or(Some(formation.account().id.clone())), ..glue.clone() };
        compare_own(&evaluator, &formation, &GlueCatalog::connect(&settings, aws)?, &mut comparison)?;
    }
    Ok(comparison)
}

fn compare(
    evaluator: &Evaluator,
    formation: &LakeFormation,
    glue: &GlueSettings,
    wanted: &[String],
    comparison: &mut Comparison,
) -> Result<()> {
    let principals: Vec<String> = if wanted.is_empty() { evaluator.principals().into_iter().collect() } else { wanted.to_vec() };
    comparison.principals = principals.len();
    let names: Vec<TableName> = evaluator.tags().tables.keys().cloned().collect();
    comparison.tables += names.len();
    let there = |name: &TableName| TableName { database: glue.database(&name.database), table: name.table.clone() };
    for principal in &principals {
        let access = evaluator.access(principal);
        let arn = formation.account().principal(principal, evaluator.policy());
        for name in &names {
            let Some(own) = access.databases.get(&name.database).and_then(|database| database.tables.get(&name.table)) else { continue };
            let columns: Vec<String> = own.columns.iter().map(|column| column.name.clone()).collect();
            let selectable = formation.selectable(&arn, &there(name), &columns)?;
            // That a database is hidden is no matter of the table's permissions.
            for column in &own.columns {
                comparison.columns += 1;
                let (ours, aws) = (column.rows != Rows::None, selectable.contains(&column.name));
                if ours != aws {
                    let (principal, column) = (principal.clone(), column.name.clone());
                    comparison.disagreements.push(Disagreement::Column { principal, table: there(name), column, ours, aws });
                }
            }
        }
    }
    let granted = evaluator.policy().grants.iter().filter_map(|grant| match &grant.on {
        GrantOn::Tags { of: TagsOf::Tables, expression } => Some(expression),
        _ => None,
    });
    let expressions: BTreeSet<&TagExpression> = granted.collect();
    for expression in expressions {
        let found = formation.tables_with(expression)?;
        for name in &names {
            let tags = &evaluator.tags().tables[name];
            let fits = |tags: &crate::governance::EffectiveTags| {
                expression.iter().all(|(key, values)| tags.get(key).is_some_and(|(value, _)| values.contains(value)))
            };
            // A table is found where its own tags match, or those of one of its columns.
            let (ours, aws) = (fits(&tags.own) || tags.columns.iter().any(fits), found.contains(&there(name)));
            if ours != aws {
                comparison.disagreements.push(Disagreement::Tags { expression: in_words(expression), table: there(name), ours, aws });
            }
        }
    }
    Ok(())
}

/// Compares what Glue tells engines: it tells it only of whose keys are used.
fn compare_own(evaluator: &Evaluator, formation: &LakeFormation, glue: &GlueCatalog, comparison: &mut Comparison) -> Result<()> {
    let caller = &formation.account().caller;
    let own = |name: &String| formation.account().principal(name, evaluator.policy()) == *caller;
    let Some(principal) = evaluator.principals().into_iter().find(own) else {
        let note = format!(
            "what Glue tells engines is told of one's own keys alone, and no policy names {caller}: run this with a principal's keys, too"
        );
        comparison.notes.insert(note);
        return Ok(());
    };
    for (database, tables) in &evaluator.access(&principal).databases {
        for (name, access) in &tables.tables {
            let table = TableName { database: glue.settings().database(database), table: name.clone() };
            let columns = match glue.authorized(&table.database, &table.table)? {
                Authorized::Columns(columns) => columns,
                Authorized::Unregistered => {
                    comparison.notes.insert(format!("Lake Formation doesn't control {table} for engines: its location is not registered"));
                    continue;
                }
                Authorized::Untold(why) => {
                    comparison.notes.insert(format!("Glue doesn't tell what engines may give {principal}: {why}"));
                    continue;
                }
            };
            for column in &access.columns {
                let (ours, aws) = (column.rows != Rows::None, columns.contains(&column.name.to_lowercase()));
                if ours != aws {
                    let (principal, table, column) = (principal.clone(), table.clone(), column.name.clone());
                    comparison.disagreements.push(Disagreement::Metadata { principal, table, column, ours, aws });
                }
            }
        }
    }
    Ok(())
}
