//! Asks whether tables are as a pipeline expects them to be.
//!
//! What NULL means: it is no value, so it never equals what `value` expects, is no number for `between`, and needs no match for
//! `matches`. To `unique` and `equals_query` all NULLs are the same, as they are to SQL's GROUP BY.

#[cfg(test)]
mod tests;

use super::answers::{self, Answer, counts, only_value, sample};
use super::difference;
use super::finding::{Finding, SHOWN, rows_in_words};
use super::statements::{column, literal, table, within};
use crate::error::Result;
use crate::pipeline::model::{Bounds, Check, CheckEngine, Expectation, TableName};
use crate::pipeline::run_report::CheckRun;
use crate::query::SqlEngine;
use crate::units::count;
use std::time::Instant;

/// Makes the checks, one after the other; `engine` knows the tables as `database.table`.
pub(crate) async fn run_checks(checks: &[Check], engine: &impl SqlEngine) -> Vec<CheckRun> {
    let mut runs = Vec::with_capacity(checks.len());
    for check in checks {
        runs.push(run_check(check, engine).await);
    }
    runs
}

/// Makes a check. A query that fails is a check that fails.
pub(super) async fn run_check(check: &Check, engine: &impl SqlEngine) -> CheckRun {
    let started = Instant::now();
    let asked = match &check.expect {
        Expectation::Rows { sql, bounds } => rows(engine, sql, *bounds).await,
        Expectation::Value { sql, equals } => value(engine, sql, equals).await,
        Expectation::Between { sql, bounds } => between(engine, sql, *bounds).await,
        Expectation::Unique { table, columns } => unique(engine, table, columns).await,
        Expectation::NotNull { table, columns } => not_null(engine, table, columns).await,
        Expectation::Matches { table, column, pattern } => matches(engine, table, column, pattern).await,
        Expectation::EqualsQuery { sql, other } => difference::none(engine, sql, other).await,
    };
    let finding = asked.unwrap_or_else(|error| Finding { passed: false, found: in_a_line(&error), sample: None });
    CheckRun {
        name: check.name.clone(),
        kind: kind(&check.expect).to_string(),
        severity: check.severity,
        when: check.when,
        engine: CheckEngine::Local,
        passed: finding.passed,
        expected: expected(&check.expect),
        found: finding.found,
        sql: queries(&check.expect),
        sample: finding.sample,
        seconds: started.elapsed().as_secs_f64(),
    }
}

/// An error as a report says it: its lines, without carets, which point to nothing there.
pub(super) fn in_a_line(error: &crate::error::Error) -> String {
    let told = error.to_string();
    let lines = told.lines().map(str::trim).filter(|line| !line.trim_start_matches('^').trim_start().is_empty() && !line.starts_with('^'));
    lines.collect::<Vec<_>>().join("; ")
}

fn kind(expect: &Expectation) -> &'static str {
    match expect {
        Expectation::Rows { .. } => "rows",
        Expectation::Value { .. } => "value",
        Expectation::Between { .. } => "between",
        Expectation::Unique { .. } => "unique",
        Expectation::NotNull { .. } => "not_null",
        Expectation::Matches { .. } => "matches",
        Expectation::EqualsQuery { .. } => "equals_query",
    }
}

/// The queries as they are written.
fn queries(expect: &Expectation) -> Vec<String> {
    let written = match expect {
        Expectation::Rows { sql, .. } | Expectation::Value { sql, .. } | Expectation::Between { sql, .. } => vec![sql],
        Expectation::EqualsQuery { sql, other } => vec![sql, other],
        Expectation::Unique { .. } | Expectation::NotNull { .. } | Expectation::Matches { .. } => Vec::new(),
    };
    written.into_iter().map(|sql| sql.trim().to_string()).collect()
}

/// What is expected, in words.
fn expected(expect: &Expectation) -> String {
    match expect {
        Expectation::Rows { bounds, .. } => match (bounds.min, bounds.max) {
            (Some(min), Some(max)) if min == max => number_of_rows(min),
            _ => format!("{} rows", range(*bounds)),
        },
        Expectation::Value { equals, .. } => format!("`{equals}`"),
        Expectation::Between { bounds, .. } => range(*bounds),
        Expectation::Unique { table, columns } => format!("no two rows of {table} with the same {}", columns.join(", ")),
        Expectation::NotNull { table, columns } => format!("no NULL in {} of {table}", columns.join(", ")),
        Expectation::Matches { table, column, pattern } => format!("every {column} of {table} matches {pattern}"),
        Expectation::EqualsQuery { .. } => "the same rows from both queries".to_string(),
    }
}

/// `at least 1`, `1 to 5`.
fn range(bounds: Bounds) -> String {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any number".to_string(),
    }
}

fn number_of_rows(rows: f64) -> String {
    format!("{rows} {}", if rows == 1.0 { "row" } else { "rows" })
}

fn fits(number: f64, bounds: Bounds) -> bool {
    bounds.min.is_none_or(|min| number >= min) && bounds.max.is_none_or(|max| number <= max)
}

async fn rows(engine: &impl SqlEngine, sql: &str, bounds: Bounds) -> Result<Finding> {
    let counted = counts(engine, &format!("SELECT count(*) FROM ({}) AS asked", within(sql))).await;
    let found = match counted {
        Ok(numbers) => numbers.first().copied().unwrap_or_default(),
        // What can't stand within another query may stand alone; and what can't at all is told of the query as it is written.
        Err(_) => answers::count_rows(engine, sql).await?,
    };
    let passed = fits(found as f64, bounds);
    let too_many = bounds.max.is_some_and(|max| found as f64 > max);
    let sample = if too_many { Some(sample(engine, sql, SHOWN).await?) } else { None };
    Ok(Finding { passed, found: rows_in_words(found), sample })
}

async fn value(engine: &impl SqlEngine, sql: &str, equals: &str) -> Result<Finding> {
    Ok(match only_value(engine, sql).await? {
        Answer::Other(found) => Finding::of(false, found),
        Answer::Null => Finding::of(false, "NULL"),
        Answer::Value { text, number, time } => {
            // 1.50 is 1.5, where both are numbers; whole ones are compared as they are, as a double has 53 bits for them.
            let same_number = match (text.parse::<i128>(), equals.trim().parse::<i128>()) {
                (Ok(found), Ok(wanted)) => found == wanted,
                _ => number.is_some_and(|number| equals.trim().parse::<f64>().is_ok_and(|wanted| wanted == number)),
            };
            // A fraction of the second with fewer digits is the same one.
            let same_time = time && text.trim_end_matches('0') == equals.trim_end_matches('0');
            Finding::of(text == equals || same_number || same_time, format!("`{text}`"))
        }
    })
}

async fn between(engine: &impl SqlEngine, sql: &str, bounds: Bounds) -> Result<Finding> {
    Ok(match only_value(engine, sql).await? {
        Answer::Other(found) => Finding::of(false, found),
        Answer::Null => Finding::of(false, "NULL, which is no number"),
        Answer::Value { text, number: Some(number), .. } => Finding::of(fits(number, bounds), text),
        Answer::Value { text, number: None, .. } => Finding::of(false, format!("`{text}`, which is no number")),
    })
}

async fn unique(engine: &impl SqlEngine, name: &TableName, columns: &[String]) -> Result<Finding> {
    let keys: Vec<String> = columns.iter().map(|name| column(name)).collect();
    let (table, keys) = (table(name), keys.join(", "));
    let repeated = format!("SELECT {keys}, count(*) AS rows FROM {table} GROUP BY {keys} HAVING count(*) > 1");
    let numbers = counts(engine, &format!("SELECT count(*), sum(rows) FROM ({repeated}) AS repeated")).await?;
    let [groups, rows] = numbers[..] else { return Ok(Finding::of(false, "no count")) };
    if groups == 0 {
        return Ok(Finding::of(true, "no two rows are the same in them"));
    }
    let sample = sample(engine, &format!("{repeated} ORDER BY rows DESC, {keys}"), SHOWN).await?;
    let values = if groups == 1 { "value" } else { "values" };
    Ok(Finding { passed: false, found: format!("{} {values} in {}", count(groups), rows_in_words(rows)), sample: Some(sample) })
}

async fn not_null(engine: &impl SqlEngine, name: &TableName, columns: &[String]) -> Result<Finding> {
    let table = table(name);
    let nulls: Vec<String> = columns.iter().map(|name| format!("count(*) FILTER (WHERE {} IS NULL)", column(name))).collect();
    let numbers = counts(engine, &format!("SELECT {} FROM {table}", aliased(&nulls))).await?;
    if numbers.iter().all(|nulls| *nulls == 0) {
        return Ok(Finding::of(true, "no NULL"));
    }
    let found = columns.iter().zip(&numbers).filter(|(_, nulls)| **nulls > 0);
    let found: Vec<String> = found.map(|(name, nulls)| format!("{} NULL in {name}", count(*nulls))).collect();
    let any: Vec<String> = columns.iter().map(|name| format!("{} IS NULL", column(name))).collect();
    let sample = sample(engine, &format!("SELECT * FROM {table} WHERE {}", any.join(" OR ")), SHOWN).await?;
    Ok(Finding { passed: false, found: found.join(", "), sample: Some(sample) })
}

async fn matches(engine: &impl SqlEngine, name: &TableName, checked: &str, pattern: &str) -> Result<Finding> {
    let (table, value) = (table(name), column(checked));
    let misfits = format!("FROM {table} WHERE NOT regexp_like(CAST({value} AS VARCHAR), {})", literal(pattern));
    let numbers = counts(engine, &format!("SELECT count(*) {misfits}")).await?;
    let found = numbers.first().copied().unwrap_or_default();
    if found == 0 {
        return Ok(Finding::of(true, "all match"));
    }
    let values = format!("SELECT {value}, count(*) AS rows {misfits} GROUP BY {value} ORDER BY rows DESC, {value}");
    let sample = sample(engine, &values, SHOWN).await?;
    Ok(Finding {
        passed: false,
        found: format!("{} that {} not match", rows_in_words(found), if found == 1 { "does" } else { "do" }),
        sample: Some(sample),
    })
}

/// Expressions with a name each, so that no two columns have the same.
fn aliased(expressions: &[String]) -> String {
    expressions.iter().enumerate().map(|(index, expression)| format!("{expression} AS c{index}")).collect::<Vec<_>>().join(", ")
}
