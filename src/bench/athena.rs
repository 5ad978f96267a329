//! Questions answered by Athena.

use super::cell::Run;
use super::data_set::DataSet;
use super::question::TABLE;
use crate::aws::AwsSettings;
use crate::catalog::{Column, GlueCatalog, GlueSettings, typed_expression};
use crate::error::{Error, ErrorKind, Result};
use crate::input::CsvDialect;
use crate::output::Kind;
use crate::pipeline::Registering;
use crate::query::Runtime;
use crate::query::athena::{AthenaEngine, AthenaResult, Limits, PricePerTb, Request};
use crate::sql_text::{quoted, without_end};
use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Int64Type, SchemaRef};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Where Athena finds the data sets, and what it may take.
#[derive(Debug, Clone)]
pub struct AthenaSettings {
    /// `s3://bucket/prefix`, where data sets are kept; no slash at its end.
    pub lake: String,
    /// The database of their tables in Glue; it is made where it is not there.
    pub database: String,
    pub workgroup: String,
    /// Where results are kept, where the workgroup doesn't say it.
    pub result_location: Option<String>,
    /// USD that all queries may cost together.
    pub max_cost: Option<f64>,
}

/// Athena as an engine. Results are not read but for the number of their rows, for which a query of its own asks: what is measured is what
/// Athena took.
pub(super) struct Athena<'a> {
    settings: &'a AthenaSettings,
    /// Differs where rows differ.
    fingerprint: &'a str,
    schema: SchemaRef,
    price: PricePerTb,
    catalog: GlueCatalog,
    engine: AthenaEngine,
    runtime: Runtime,
    spent: f64,
}

impl<'a> Athena<'a> {
    /// Asks once for nothing, so that what stands in the way is known before data sets are made.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the region isn't known, [`ErrorKind::Query`] where Athena runs no query as the settings say.
    pub(super) fn open(
        settings: &'a AthenaSettings,
        fingerprint: &'a str,
        schema: SchemaRef,
        price: PricePerTb,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Athena<'a>> {
        let aws = AwsSettings::of_command_line();
        let catalog = GlueCatalog::connect(&GlueSettings::default(), &aws)?;
        let place =
            Request { workgroup: settings.workgroup.clone(), result_location: settings.result_location.clone(), ..Request::default() };
        let limits = Limits { cancel: cancel.clone(), ..Limits::default() };
        let runtime = Runtime::new(1)?;
        let engine = runtime.block_on(|| AthenaEngine::open(&aws, place, limits))?;
        let mut athena = Athena { settings, fingerprint, schema, price, catalog, engine, runtime, spent: 0.0 };
        athena.run("SELECT 1")?;
        Ok(athena)
    }

    /// USD that the queries have cost so far.
    pub(super) fn spent(&self) -> f64 {
        self.spent
    }

    /// What the table of a data set is called.
    fn table(&self, set: &DataSet) -> String {
        format!("{}_{}", set.name(), self.fingerprint)
    }

    /// Makes the files at `place` a table.
    ///
    /// # Errors
    /// What Glue refuses, and files that Athena can't have as a table.
    pub(super) fn prepare(&self, set: &DataSet, place: &str) -> Result<()> {
        let options = set.reading(&self.schema, CsvDialect::Athena);
        let (database, name) = (self.settings.database.as_str(), self.table(set));
        let table = Registering { location: place, database, name: &name, options: &options, projected: false, adopt: false };
        table.register(&self.catalog).map(drop)
    }

    /// Why so many more queries of all of `bytes` are not asked, where they would cost too much together with what was asked.
    pub(super) fn refusal(&self, bytes: u64, queries: u32) -> Option<String> {
        let most = self.settings.max_cost?;
        let more = self.price.of(bytes).usd().unwrap_or_default() * f64::from(queries);
        let spent = self.spent;
        (spent + more > most).then(|| format!("not run: queries have cost ${spent:.5} so far, and the limit is ${most} (--max-cost)"))
    }

    /// Asks `sql` of the table of `set`; `rows` where it is known how many the question gives.
    ///
    /// # Errors
    /// What Athena gives; [`ErrorKind::Query`] where it didn't run the query.
    pub(super) fn ask(&mut self, set: &DataSet, sql: &str, rows: Option<u64>) -> Result<Run> {
        let sql = without_end(sql);
        let table = self.rows_of(set)?;
        let rows = match rows {
            Some(rows) => rows,
            None => self.counted(&format!("WITH {table}\nSELECT count(*) AS found FROM (\n{sql}\n)"))?,
        };
        let result = self.run(&with_table(&table, sql))?;
        let told = result.statistics();
        if told.reused {
            let message = "Athena reused the result of an earlier query although that was turned off: nothing was measured";
            return Err(Error::new(ErrorKind::Query, message).with_context("query id", &told.id));
        }
        let seconds = |millis: u64| millis as f64 / 1e3;
        Ok(Run {
            seconds: seconds(told.engine_ms),
            rows,
            bytes_read: Some(told.scanned),
            queued: Some(seconds(told.queued_ms)),
            usd: told.cost(self.price).usd(),
            ..Run::default()
        })
    }

    fn counted(&mut self, sql: &str) -> Result<u64> {
        let mut result = self.run(sql)?;
        let batch = self.runtime.block_on(|| async { result.next().await })?;
        let found = batch.as_ref().and_then(|batch| batch.columns().first()?.as_primitive_opt::<Int64Type>());
        let found = found.filter(|found| found.len() == 1).and_then(|found| u64::try_from(found.value(0)).ok());
        found.ok_or_else(|| Error::new(ErrorKind::Query, "Athena's response lacks the number of rows"))
    }

    fn run(&mut self, sql: &str) -> Result<AthenaResult> {
        let engine = &self.engine;
        let result = self.runtime.block_on(|| async { engine.query(sql).await })?;
        self.spent += result.statistics().cost(self.price).usd().unwrap_or_default();
        Ok(result)
    }

    /// The table [`TABLE`] of a question, with the types of the rows: columns of CSV are text for Athena, and so are folders.
    fn rows_of(&self, set: &DataSet) -> Result<String> {
        let is_key = |name: &String| set.partition_by.contains(name);
        let mut columns = Vec::new();
        for field in self.schema.fields().iter().filter(|field| !is_key(field.name())) {
            let name = field.name().to_lowercase();
            columns.push(match set.form.format {
                Kind::Csv => typed_expression(&Column::of(&name, field.data_type(), None)?),
                _ => quoted(&name),
            });
        }
        columns.extend(set.partition_by.iter().map(|key| key_of(key, self.schema.field_with_name(key).ok())));
        let from = format!("{}.{}", quoted(&self.settings.database), quoted(&self.table(set)));
        Ok(format!("{TABLE} AS (SELECT {} FROM {from})", columns.join(", ")))
    }
}

/// The value of a folder: days are dates, all else is text.
fn key_of(key: &str, field: Option<&Field>) -> String {
    let name = quoted(&key.to_lowercase());
    match field.map(Field::data_type) {
        None if key == "dt" => format!("CAST({name} AS date) AS {name}"),
        Some(DataType::Date32) => format!("CAST({name} AS date) AS {name}"),
        _ => name,
    }
}

/// `sql` with `table` as its first named query.
fn with_table(table: &str, sql: &str) -> String {
    let begins = behind_comments(sql);
    let (word, rest) = begins.split_at(begins.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(begins.len()));
    if !word.eq_ignore_ascii_case("with") {
        return format!("WITH {table}\n{sql}");
    }
    let named = behind_comments(rest);
    let recursive = named.get(..9).filter(|word| word.eq_ignore_ascii_case("recursive"));
    match recursive.filter(|_| named[9..].starts_with(|c: char| !(c.is_alphanumeric() || c == '_'))) {
        Some(word) => format!("WITH {word} {table},\n{}", &named[9..]),
        None => format!("WITH {table},\n{named}"),
    }
}

/// `sql` without the comments and blanks that it begins with.
fn behind_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let behind = match (rest.strip_prefix("--"), rest.strip_prefix("/*")) {
            (Some(comment), _) => comment.split_once('\n').map_or("", |(_, behind)| behind),
            (_, Some(comment)) => comment.split_once("*/").map_or("", |(_, behind)| behind),
            _ => return rest,
        };
        rest = behind.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_first_named_query() {
        let table = "log AS (SELECT 1)";
        for (sql, expected) in [
            ("SELECT * FROM log", "WITH log AS (SELECT 1)\nSELECT * FROM log"),
            ("-- all\n/* of\nit */ SELECT 1", "WITH log AS (SELECT 1)\n-- all\n/* of\nit */ SELECT 1"),
            ("with x AS (SELECT 2) SELECT * FROM x", "WITH log AS (SELECT 1),\nx AS (SELECT 2) SELECT * FROM x"),
            ("-- why\nWITH/**/x AS (SELECT 2) SELECT 1", "WITH log AS (SELECT 1),\nx AS (SELECT 2) SELECT 1"),
            ("WITH RECURSIVE x AS (SELECT 2) SELECT 1", "WITH RECURSIVE log AS (SELECT 1),\n x AS (SELECT 2) SELECT 1"),
            ("WITH recursive_ AS (SELECT 2) SELECT 1", "WITH log AS (SELECT 1),\nrecursive_ AS (SELECT 2) SELECT 1"),
            ("WITH é AS (SELECT 2) SELECT 1", "WITH log AS (SELECT 1),\né AS (SELECT 2) SELECT 1"),
            ("withdrawn", "WITH log AS (SELECT 1)\nwithdrawn"),
        ] {
            assert_eq!(with_table(table, sql), expected);
        }
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(key_of("dt", None), "CAST(\"dt\" AS date) AS \"dt\"");
        assert_eq!(key_of("dt", Some(&Field::new("dt", DataType::Utf8, true))), "\"dt\"");
        assert_eq!(key_of("Day", Some(&Field::new("Day", DataType::Date32, true))), "CAST(\"day\" AS date) AS \"day\"");
    }
}
