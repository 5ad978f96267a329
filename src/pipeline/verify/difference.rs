//! Compares what two queries give.

use super::answers::{counts, sample};
use super::finding::{Finding, SHOWN, rows_in_words};
use super::statements::{column, within};
use crate::error::Result;
use crate::query::SqlEngine;

/// Whether two queries give the same rows, each as often, in any order. Values of different types are compared as UNION makes them one.
///
/// # Errors
/// Where a query fails.
pub(super) async fn none(engine: &impl SqlEngine, sql: &str, other: &str) -> Result<Finding> {
    // Asked for their columns only, the queries don't run; and what is wrong with one is told of it as it is written.
    let names = columns(engine, sql).await?;
    let width = columns(engine, other).await?.len();
    if names.len() != width {
        return Ok(Finding::of(false, format!("{} columns of the first, {width} of the other", names.len())));
    }
    let keys: Vec<String> = (0..width).map(|index| format!("c{index}")).collect();
    let keys = keys.join(", ");
    // Each row counts for the first query and against the other: what is left is not in both.
    let left = format!(
        "SELECT {keys}, sum(side) AS more FROM (SELECT {keys}, 1 AS side FROM ({}) AS a({keys}) UNION ALL \
         SELECT {keys}, -1 AS side FROM ({}) AS b({keys})) AS both GROUP BY {keys} HAVING sum(side) <> 0",
        within(sql),
        within(other)
    );
    let totals = format!("SELECT sum(CASE WHEN more > 0 THEN more END), sum(CASE WHEN more < 0 THEN -more END) FROM ({left}) AS rest");
    let totals = counts(engine, &totals).await?;
    let [first, second] = totals[..] else { return Ok(Finding::of(false, "no count")) };
    if first == 0 && second == 0 {
        return Ok(Finding::of(true, "the same rows"));
    }
    let shown: Vec<String> = names.iter().enumerate().map(|(index, name)| format!("c{index} AS {}", column(name))).collect();
    let side = "CASE WHEN more > 0 THEN 'first' ELSE 'other' END AS \"only in\", abs(more) AS \"rows\"";
    let sql = format!("SELECT {side}, {} FROM ({left}) AS rest ORDER BY more DESC, {keys}", shown.join(", "));
    let found = format!("{} only in the first, {} only in the other", rows_in_words(first), rows_in_words(second));
    Ok(Finding { passed: false, found, sample: Some(sample(engine, &sql, SHOWN).await?) })
}

/// The names of a query's columns.
async fn columns(engine: &impl SqlEngine, sql: &str) -> Result<Vec<String>> {
    Ok(engine.columns(sql).await?.fields().iter().map(|field| field.name().clone()).collect())
}
