//! Checks: what is expected, and whether it can be asked.

use super::athena::is_told;
use super::document::{CheckText, ColumnsText, MatchesText, PipelineText, RowsText};
use super::names::{self, near};
use super::sql;
use crate::pipeline::model::{Bounds, Check, CheckEngine, Expectation, TableName, When};
use crate::yaml::{Place, Problems, Text, Value};
use arrow::array::StringArray;
use arrow::compute::regexp_is_match_scalar;
use std::collections::{HashMap, HashSet};

/// The keys that say what is expected.
const EXPECTATIONS: &str = "rows, value, between, unique, not_null, matches, equals_query";

pub(super) fn resolve(text: &PipelineText, problems: &mut Problems<'_>) -> Vec<Check> {
    let made: Vec<&str> =
        text.outputs.iter().flat_map(|outputs| outputs.iter()).filter_map(|(_, o)| Some(o.table.as_ref()?.text.as_str())).collect();
    let known = made.iter().copied().collect();
    let mut checks: Vec<Check> = Vec::new();
    let mut taken: HashSet<String> = HashSet::new();
    // How many names were made of each default.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for written in text.verify.iter().flatten() {
        let mut reader = Reader { made: &made, known: &known, problems };
        let Some((default_name, expect)) = reader.expectation(written) else { continue };
        let engine = written.engine.as_ref().map(|engine| engine.value).unwrap_or_default();
        let on_failure = written.on_failure.as_ref().map(|on_failure| on_failure.value).unwrap_or_default();
        if let Some(place) = written.engine.as_ref().map(|engine| &engine.place).filter(|_| engine != CheckEngine::Local)
            && !is_told(text)
        {
            reader.problems.error(place, "Athena finds tables in Glue: set `catalog: glue` for the lake");
        }
        if let (CheckEngine::Athena, Some(before)) = (engine, &written.before) {
            reader.problems.error(
                &before.place,
                "Athena only sees published data: use `after: publish`, and `on_failure: rollback` to undo a run that fails",
            );
        }
        let when = match (&written.before, &written.after) {
            (Some(_), Some(after)) => {
                problems.error(&after.place, "a check runs either before or after publishing; give one of them");
                continue;
            }
            (None, Some(_)) => When::AfterPublish,
            (None, None) if engine == CheckEngine::Athena => When::AfterPublish,
            _ => When::BeforePublish,
        };
        if let Some(written) = written.on_failure.as_ref().filter(|_| when == When::BeforePublish && engine == CheckEngine::Local) {
            problems.error(&written.place, "`on_failure` is for checks after publishing; if this one fails, nothing is published");
        }
        let name = match &written.name {
            Some(name) if name.text.trim().is_empty() => {
                problems.error(&name.place, "expected a name, not an empty string");
                continue;
            }
            Some(name) => {
                if taken.contains(&name.text) {
                    problems.error(&name.place, name.explain(format!("another check is already called `{}`", name.text.escape_debug())));
                }
                name.text.clone()
            }
            None => loop {
                let number = numbers.entry(default_name.clone()).or_default();
                *number += 1;
                let name = if *number == 1 { default_name.clone() } else { format!("{default_name} ({number})") };
                if !taken.contains(&name) {
                    break name;
                }
            },
        };
        taken.insert(name.clone());
        let severity = written.severity.as_ref().map(|severity| severity.value).unwrap_or_default();
        checks.push(Check { name, place: problems.place(&written.place), expect, severity, when, engine, on_failure });
    }
    checks
}

struct Reader<'r, 'p> {
    /// The tables that outputs make.
    made: &'r [&'r str],
    /// The same, to look them up.
    known: &'r HashSet<&'r str>,
    problems: &'r mut Problems<'p>,
}

impl Reader<'_, '_> {
    /// What is expected, and what reports call that where it has no name.
    fn expectation(&mut self, check: &CheckText) -> Option<(String, Expectation)> {
        let given = [
            check.rows.is_some(),
            check.value.is_some(),
            check.between.is_some(),
            check.unique.is_some(),
            check.not_null.is_some(),
            check.matches.is_some(),
            check.equals_query.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            if check.wrong {
                return None;
            }
            self.problems.error(&check.place, format!("expected exactly one of {EXPECTATIONS}"));
            return None;
        }
        if let Some(rows) = &check.rows {
            return self.rows(rows);
        }
        if let Some(value) = &check.value {
            let sql = value.sql.as_ref().and_then(|sql| self.sql(sql));
            return Some(("value".to_string(), Expectation::Value { sql: sql?, equals: value.equals.as_ref()?.text.clone() }));
        }
        if let Some(between) = &check.between {
            let sql = between.sql.as_ref().and_then(|sql| self.sql(sql));
            let bounds =
                self.bounds((!between.wrong).then_some(&between.place), None, between.min.as_ref(), between.max.as_ref(), "min or max");
            return Some(("between".to_string(), Expectation::Between { sql: sql?, bounds: bounds? }));
        }
        if let Some(unique) = &check.unique {
            let (table, columns) = self.columns(unique)?;
            return Some((format!("unique {table}({})", columns.join(", ")), Expectation::Unique { table, columns }));
        }
        if let Some(not_null) = &check.not_null {
            let (table, columns) = self.columns(not_null)?;
            return Some((format!("not_null {table}({})", columns.join(", ")), Expectation::NotNull { table, columns }));
        }
        if let Some(matches) = &check.matches {
            return self.matches(matches);
        }
        let equals = check.equals_query.as_ref()?;
        let sql = equals.sql.as_ref().and_then(|sql| self.sql(sql));
        let other = equals.other.as_ref().and_then(|other| self.sql(other));
        Some(("equals_query".to_string(), Expectation::EqualsQuery { sql: sql?, other: other? }))
    }

    fn rows(&mut self, rows: &RowsText) -> Option<(String, Expectation)> {
        let bounds = self.bounds(
            (!rows.wrong).then_some(&rows.place),
            rows.equals.as_ref(),
            rows.min.as_ref(),
            rows.max.as_ref(),
            "equals, min or max",
        );
        let whole = |value: &Option<Value<f64>>| {
            value.as_ref().filter(|value| value.value.fract() != 0.0 || value.value < 0.0).map(|v| v.place.clone())
        };
        for place in [&rows.equals, &rows.min, &rows.max].into_iter().filter_map(whole) {
            self.problems.error(&place, "expected a number of rows: whole, and not below 0");
        }
        let (name, sql) = match (&rows.sql, &rows.table) {
            (Some(sql), None) => ("rows".to_string(), self.sql(sql)?),
            (None, Some(table)) => {
                let table = self.table(table)?;
                (format!("rows {table}"), format!("SELECT * FROM \"{}\".\"{}\"", table.database, table.table))
            }
            _ if rows.wrong => return None,
            _ => {
                self.problems.error(&rows.place, "expected exactly one of sql, table");
                return None;
            }
        };
        Some((name, Expectation::Rows { sql, bounds: bounds? }))
    }

    /// `place` is where it is told that none is given; nothing where what is given has been told to be wrong.
    fn bounds(
        &mut self,
        place: Option<&Place>,
        equals: Option<&Value<f64>>,
        min: Option<&Value<f64>>,
        max: Option<&Value<f64>>,
        expected: &str,
    ) -> Option<Bounds> {
        match (equals, min, max) {
            (Some(equals), None, None) => Some(Bounds { min: Some(equals.value), max: Some(equals.value) }),
            (Some(equals), _, _) => {
                self.problems.error(&equals.place, "`equals` can't be combined with `min` or `max`");
                None
            }
            (None, None, None) => {
                if let Some(place) = place {
                    self.problems.error(place, format!("expected {expected}"));
                }
                None
            }
            (None, Some(min), Some(max)) if min.value > max.value => {
                let later = if min.place > max.place { min } else { max };
                self.problems.error(&later.place, "`min` is greater than `max`");
                None
            }
            (None, min, max) => Some(Bounds { min: min.map(|min| min.value), max: max.map(|max| max.value) }),
        }
    }

    fn columns(&mut self, text: &ColumnsText) -> Option<(TableName, Vec<String>)> {
        let table = text.table.as_ref().and_then(|table| self.table(table));
        let columns = text.columns.as_ref()?;
        if columns.0.is_empty() {
            self.problems.error(&text.place, "`columns` is empty; list at least one");
        }
        let mut seen = HashSet::new();
        for column in &columns.0 {
            if !seen.insert(column.text.as_str()) {
                self.problems.error(&column.place, column.explain(format!("duplicate `{}`", column.text.escape_debug())));
            }
        }
        Some((table?, columns.0.iter().map(|column| column.text.clone()).collect()))
    }

    fn matches(&mut self, text: &MatchesText) -> Option<(String, Expectation)> {
        let table = text.table.as_ref().and_then(|table| self.table(table));
        if let Some(pattern) = text.pattern.as_ref()
            // What runs the check compiles it in the same way.
            && let Err(error) = regexp_is_match_scalar(&StringArray::from(vec![""]), &pattern.text, None)
        {
            let said = error.to_string();
            let said = said.lines().find_map(|line| line.trim().strip_prefix("error: ")).unwrap_or("it can't be read");
            self.problems.error(&pattern.place, pattern.explain(format!("not a regular expression: {said}")));
        }
        let (table, column) = (table?, text.column.as_ref()?.text.clone());
        Some((format!("matches {table}({column})"), Expectation::Matches { table, column, pattern: text.pattern.as_ref()?.text.clone() }))
    }

    fn table(&mut self, text: &Text) -> Option<TableName> {
        let table = names::table(text, self.problems)?;
        self.hint(&table.to_string(), |_| text.place.clone());
        Some(table)
    }

    /// The query, if it can be read and names tables of the lake only.
    fn sql(&mut self, text: &Text) -> Option<String> {
        for table in sql::tables(text, self.problems)? {
            if table.parts == 2 {
                self.hint(&table.name, |problems| table.place(text, problems));
                continue;
            }
            let place = if self.problems.is_full() { text.place.clone() } else { table.place(text, self.problems) };
            self.problems.error_with(&place, || {
                let near = self.made.iter().find(|made| made.split_once('.').is_some_and(|(_, bare)| bare == table.name));
                let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                text.explain(format!("`{}` is not a table name: checks name tables as database.table{hint}", table.name.escape_debug()))
            });
        }
        Some(text.text.clone())
    }

    /// A table that no output makes may be in the catalog all the same, unless its name is nearly that of one that is made.
    fn hint(&mut self, table: &str, place: impl FnOnce(&Problems<'_>) -> Place) {
        if self.known.contains(table) || self.problems.is_full_of_warnings() {
            return;
        }
        if let Some(near) = near(table, self.made) {
            let place = place(self.problems);
            self.problems.warning(&place, format!("no output writes {table}; did you mean {near}?"));
        }
    }
}
