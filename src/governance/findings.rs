//! What a policy says that can't be as it is meant, held against the tables that there are.

use super::effective::matches;
use super::evaluator::Evaluator;
use super::policy::{AttachedTo, ColumnChoice, GrantOn, Tagged};
use super::resources::TableShape;
use super::row_expression::RowExpression;
use crate::catalog::TableName;
use crate::diagnostic::{caret, nearest};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// Something that is hardly meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// It must not be applied.
    pub is_error: bool,
    /// Where it is written, as `file:line:column`; or who says it.
    pub place: String,
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "{}: {}", self.place, self.message),
        }
    }
}

impl Finding {
    /// As people are shown it: with a caret under what is meant, where the text that says it can be read.
    pub fn pointed(&self) -> String {
        match self.line() {
            Some((line, at)) => {
                let end = line[at..].find([' ', ',', ':', '}', ']']).map_or(line.len(), |length| at + length.max(1));
                format!("{}:\n{}", self.place, caret(&line, at..end, &self.message))
            }
            None => self.to_string(),
        }
    }

    /// The line of the file that `place` names, and the byte in it.
    fn line(&self) -> Option<(String, usize)> {
        let mut parts = self.place.rsplitn(3, ':');
        let (column, line, path) = (parts.next()?.parse::<usize>().ok()?, parts.next()?.parse::<usize>().ok()?, parts.next()?);
        let text = std::fs::read_to_string(path).ok()?;
        let line = text.lines().nth(line.checked_sub(1)?)?;
        let (at, _) = line.char_indices().nth(column.checked_sub(1)?)?;
        Some((line.to_string(), at))
    }
}

/// All findings of the evaluator's policy, errors first.
pub fn findings(evaluator: &Evaluator) -> Vec<Finding> {
    let mut found = Findings { evaluator, found: Vec::new() };
    found.assignments();
    found.grants();
    found.filters();
    found.row_policies();
    let mut found = found.found;
    found.sort_by_key(|finding| !finding.is_error);
    found.dedup();
    found
}

struct Findings<'e> {
    evaluator: &'e Evaluator,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn error(&mut self, place: &str, message: String) {
        self.found.push(Finding { is_error: true, place: place.to_string(), message });
    }

    fn warning(&mut self, place: &str, message: String) {
        self.found.push(Finding { is_error: false, place: place.to_string(), message });
    }

    fn table(&self, name: &TableName) -> Option<&TableShape> {
        self.evaluator.resources().get(&name.database)?.get(&name.table)
    }

    /// Tells of a table that is not there: another pipeline may make it yet.
    fn missing_table(&mut self, place: &str, name: &TableName) {
        let known: Vec<String> = self.evaluator.tags().tables.keys().map(ToString::to_string).collect();
        let hint = nearest(&name.to_string(), known.iter().map(String::as_str))
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        self.warning(place, format!("table {name} doesn't exist yet, so this has no effect yet{hint}"));
    }

    fn missing_database(&mut self, place: &str, name: &str) {
        if !self.evaluator.resources().contains_key(name) {
            self.warning(place, format!("database {name} doesn't exist yet, so this has no effect yet"));
        }
    }

    fn assignments(&mut self) {
        for assignment in self.evaluator.policy().assignments.clone() {
            let place = &assignment.place;
            match &assignment.to {
                Tagged::Database(name) => self.missing_database(place, name),
                Tagged::Table(name) if self.table(name).is_none() => self.missing_table(place, name),
                Tagged::Table(_) => {}
                Tagged::Columns(name, pattern) => {
                    let Some(table) = self.table(name).cloned() else {
                        self.missing_table(place, name);
                        continue;
                    };
                    self.column_tags(place, name, pattern, &table, &assignment.tags);
                }
            }
        }
    }

    fn column_tags(
        &mut self,
        place: &str,
        name: &TableName,
        pattern: &str,
        table: &TableShape,
        tags: &std::collections::BTreeMap<String, String>,
    ) {
        if !table.columns.iter().any(|column| matches(pattern, &column.name)) {
            let hint = nearest(pattern, table.columns.iter().map(|column| column.name.as_str()))
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            self.error(place, format!("{name} has no column `{pattern}`{hint}"));
            return;
        }
        if pattern.contains('*') {
            return;
        }
        let is_key = table.columns.iter().any(|column| column.name == pattern && column.is_partition_key);
        let own = self.evaluator.tags().tables.get(name).map(|tags| tags.own.clone()).unwrap_or_default();
        let other = tags.iter().find(|(key, value)| own.get(*key).is_none_or(|(inherited, _)| inherited != *value));
        if let Some((key, value)) = other.filter(|_| is_key) {
            self.error(place, format!("`{pattern}` is a partition key of {name}, visible if any other column is: {key}={value} would hide it from nobody; leave it out"));
        }
    }

    fn choice(&mut self, place: &str, name: &TableName, choice: &ColumnChoice, table: &TableShape) {
        let (ColumnChoice::Only(names) | ColumnChoice::AllBut(names)) = choice else { return };
        for column in names {
            match table.columns.iter().find(|known| known.name == *column) {
                None => {
                    let hint = nearest(column, table.columns.iter().map(|known| known.name.as_str()))
                        .map(|near| format!("; did you mean `{near}`?"))
                        .unwrap_or_default();
                    self.error(place, format!("{name} has no column `{column}`{hint}"));
                }
                Some(known) if known.is_partition_key && matches!(choice, ColumnChoice::AllBut(_)) => {
                    self.error(
                        place,
                        format!("`{column}` is a partition key of {name}, which can't be left out: it is visible if any other column is"),
                    );
                }
                Some(_) => {}
            }
        }
    }

    fn grants(&mut self) {
        let policy = self.evaluator.policy();
        for (number, grant) in policy.grants.iter().enumerate() {
            let place = &grant.place;
            let coverage = self.evaluator.coverage(number);
            let reaches = !coverage.databases.is_empty() || !coverage.tables.is_empty();
            match &grant.on {
                GrantOn::Database(name) | GrantOn::AllTables(name) => self.missing_database(place, name),
                GrantOn::Table(name) | GrantOn::Filter(name, _) if self.table(name).is_none() => self.missing_table(place, name),
                GrantOn::Columns(name, choice) => match self.table(name).cloned() {
                    Some(table) => self.choice(place, name, choice, &table),
                    None => self.missing_table(place, name),
                },
                GrantOn::Tags { .. } | GrantOn::Expression { .. } if !reaches => {
                    self.warning(place, format!("`{grant}` matches nothing yet: nothing has these tags"));
                }
                _ => {}
            }
        }
        self.moot_filters();
    }

    /// Filters whose rows a principal sees whole by another grant.
    fn moot_filters(&mut self) {
        let policy = self.evaluator.policy();
        for (number, grant) in policy.grants.iter().enumerate() {
            let GrantOn::Filter(name, filter) = &grant.on else { continue };
            let Some(shape) = policy.filters.iter().find(|one| one.table == *name && one.name == *filter).filter(|one| one.rows.is_some())
            else {
                continue;
            };
            let Some(at) = self.evaluator.index().table(name) else { continue };
            let identity = self.evaluator.identity(&grant.to);
            let table = &self.evaluator.index().tables[at];
            let moot = self.evaluator.reaching(&identity).into_iter().filter(|other| *other != number).find(|other| {
                let coverage = self.evaluator.coverage(*other);
                table.columns.clone().zip(&table.names).any(|(column, name)| shape.columns.has(name) && coverage.selected.has(column))
            });
            if let Some(moot) = moot {
                let by = &policy.grants[moot];
                self.warning(&grant.place, format!("the filter `{filter}` of {name} has no effect for {}: `{by}` shows its columns in all rows; use a row policy, which applies to all grants", grant.to));
            }
        }
    }

    fn filters(&mut self) {
        for filter in self.evaluator.policy().filters.clone() {
            let Some(table) = self.table(&filter.table).cloned() else {
                self.missing_table(&filter.place, &filter.table);
                continue;
            };
            if table.is_view {
                self.error(&filter.place, format!("{} is a view, and AWS has no filters on views", filter.table));
            }
            self.choice(&filter.place, &filter.table, &filter.columns, &table);
            if let Some(Ok(expression)) = filter.rows.as_deref().map(RowExpression::parse) {
                expression.misfits(&table).into_iter().for_each(|misfit| self.error(&filter.place, format!("{}: {misfit}", filter.table)));
            }
        }
    }

    fn row_policies(&mut self) {
        for policy in self.evaluator.policy().row_policies.clone() {
            let Ok(expression) = RowExpression::parse(&policy.rows) else { continue };
            let mut tables: BTreeSet<TableName> = BTreeSet::new();
            for attachment in &policy.attached {
                match &attachment.to {
                    AttachedTo::Table(name) if self.table(name).is_none() => self.missing_table(&policy.place, name),
                    AttachedTo::Table(name) => drop(tables.insert(name.clone())),
                    AttachedTo::Tags(expression) => {
                        let matching = self.evaluator.index().tables_with(expression);
                        let all = self.evaluator.index().tables.iter().enumerate();
                        tables.extend(all.filter(|(at, _)| matching.has(*at)).map(|(_, table)| table.name.clone()));
                    }
                }
            }
            for name in tables {
                let Some(table) = self.table(&name).cloned() else { continue };
                for misfit in expression.misfits(&table) {
                    self.warning(&policy.place, format!("{name}: {misfit}; the row policy `{}` shows no rows of it", policy.name));
                }
            }
        }
    }
}
