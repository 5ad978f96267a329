//! What one principal sees of a lake.

use crate::governance::{Access, Evaluator, RowExpression, Rows, TableShape};
use std::collections::BTreeMap;

/// What one principal sees of the tables of a lake.
#[derive(Debug)]
pub(in crate::query) struct Restriction {
    principal: String,
    access: Access,
    is_known: bool,
    shapes: BTreeMap<(String, String), TableShape>,
}

/// What it sees of a table.
#[derive(Debug, Clone)]
pub(super) struct Sightings {
    pub(super) principal: String,
    /// `database.table`.
    pub(super) table: String,
    /// The names that are seen, each with the rows of which the value is.
    pub(super) columns: Vec<(String, Rows)>,
    shape: TableShape,
}

impl Restriction {
    /// What `principal` sees by the policies of `evaluator`.
    pub(in crate::query) fn of(principal: &str, evaluator: &Evaluator) -> Restriction {
        let tables = evaluator
            .resources()
            .iter()
            .flat_map(|(database, tables)| tables.iter().map(move |(table, shape)| ((database.clone(), table.clone()), shape.clone())));
        let is_known = evaluator.names(principal);
        Restriction { principal: principal.to_string(), access: evaluator.access(principal), is_known, shapes: tables.collect() }
    }

    /// Whether a policy names the principal.
    pub(in crate::query) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Whether the table's name is seen.
    pub(in crate::query) fn sees(&self, database: &str, table: &str) -> bool {
        self.access.databases.get(database).is_some_and(|one| one.is_visible && one.tables.get(table).is_some_and(|one| one.is_visible))
    }

    /// The databases whose names are seen.
    pub(in crate::query) fn databases(&self) -> Vec<String> {
        self.access.databases.iter().filter(|(_, database)| database.is_visible).map(|(name, _)| name.clone()).collect()
    }

    /// What is seen of a table; nothing where its name isn't.
    pub(super) fn of_table(&self, database: &str, table: &str) -> Option<Sightings> {
        let access = self.access.databases.get(database).filter(|one| one.is_visible)?.tables.get(table).filter(|one| one.is_visible)?;
        let columns = access.columns.iter().filter(|column| column.is_visible).map(|column| (column.name.clone(), column.rows.clone()));
        Some(Sightings {
            principal: self.principal.clone(),
            table: format!("{database}.{table}"),
            columns: columns.collect(),
            shape: self.shapes.get(&(database.to_string(), table.to_string()))?.clone(),
        })
    }
}

impl Sightings {
    /// Of which rows the value of `column` is seen; of none where its name isn't seen.
    pub(super) fn rows(&self, column: &str) -> Option<&Rows> {
        self.columns.iter().find(|(name, _)| name == column).map(|(_, rows)| rows)
    }

    /// The expression that `text` is; nothing where it does not fit the table, and so lets no row be seen.
    pub(super) fn expression(&self, text: &str) -> Option<RowExpression> {
        RowExpression::parse(text).ok().filter(|expression| expression.misfits(&self.shape).is_empty())
    }
}
