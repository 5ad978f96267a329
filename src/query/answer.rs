//! What one statement gives: rows of a query, or what is told of columns and tables.

use super::engine::{QueryEngine, QueryResult};
use super::plain_words::{plain_name, plain_types, type_name};
use super::sql_engine::ResultRows;
use super::statements::{Statement, classify};
use crate::error::Result;
use crate::sql_text::quoted;
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::sync::Arc;

/// What a statement gives.
#[derive(Debug)]
pub enum Answer {
    /// The rows of a query.
    Rows { schema: SchemaRef, rows: Box<QueryResult> },
    /// Rows that were made here.
    Told(Option<RecordBatch>, SchemaRef),
    /// A text for people; [`lines`] are its rows.
    Shown(String),
    /// Nothing but that it is done, in words.
    Done(String),
}

impl ResultRows for Answer {
    fn schema(&self) -> SchemaRef {
        match self {
            Answer::Rows { schema, .. } | Answer::Told(_, schema) => schema.clone(),
            Answer::Shown(_) | Answer::Done(_) => Arc::new(Schema::empty()),
        }
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self {
            Answer::Rows { schema, rows } => {
                let batch = rows.next().await?;
                let renamed = |batch: RecordBatch| {
                    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                    RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &options)
                };
                Ok(batch.map(renamed).transpose()?)
            }
            Answer::Told(batch, _) => Ok(batch.take()),
            Answer::Shown(_) | Answer::Done(_) => Ok(None),
        }
    }
}

impl QueryEngine {
    /// Answers one statement: a query, `DESCRIBE`, `SUMMARIZE`, `SHOW TABLES`, or `CREATE TEMPORARY VIEW`.
    ///
    /// # Errors
    /// As [`QueryEngine::query`].
    pub async fn ask(&self, sql: &str) -> Result<Answer> {
        match classify(sql) {
            Statement::Query(sql) => {
                let rows = self.query(&sql).await?;
                Ok(Answer::Rows { schema: plainly_named(&rows.schema()), rows: Box::new(rows) })
            }
            Statement::Describe(query) => self.describe(&query).await,
            Statement::Summarize(query) => self.summarize(&query).await,
            Statement::Explain(query) => Ok(Answer::Shown(plain_types(self.explain(&query).await?.trim_end()))),
            Statement::ShowTables => self.show_tables(),
            Statement::View { name, replace, query } => {
                self.name_view(&name, replace, &query).await?;
                Ok(Answer::Done(format!("created the view {name} for the statements that follow")))
            }
        }
    }

    async fn describe(&self, query: &str) -> Result<Answer> {
        let columns = self.columns(query).await?;
        let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
        let types: Vec<String> = columns.fields().iter().map(|field| type_name(field.data_type())).collect();
        told(vec![
            ("column_name", texts(names.into_iter().map(Some))),
            ("column_type", texts(types.iter().map(|name| Some(name.as_str())))),
        ])
    }

    fn show_tables(&self) -> Result<Answer> {
        let names = self.table_names();
        let parts: Vec<(Option<&str>, &str)> = names
            .iter()
            .map(|name| match name.split_once('.') {
                Some((database, table)) => (Some(database), table),
                None => (None, name.as_str()),
            })
            .collect();
        told(vec![
            ("database", texts(parts.iter().map(|(database, _)| *database))),
            ("table", texts(parts.iter().map(|(_, table)| Some(*table)))),
        ])
    }

    /// Figures of all columns, in one pass over the rows.
    async fn summarize(&self, query: &str) -> Result<Answer> {
        let columns = self.columns(query).await?;
        let measured: Vec<Vec<(usize, String)>> = columns.fields().iter().map(|field| measures(field)).collect();
        let wanted = measured.iter().flatten().map(|(_, expression)| expression.as_str());
        let wanted: Vec<&str> = std::iter::once("count(*)").chain(wanted).collect();
        let wanted: Vec<String> = wanted.iter().enumerate().map(|(at, expression)| format!("{expression} AS m{at}")).collect();
        let sql = format!("SELECT {} FROM ({query}\n) AS summarized", wanted.join(", "));
        let mut rows = self.query(&sql).await?;
        let mut values: Vec<Option<String>> = vec![None; wanted.len()];
        while let Some(batch) = rows.next().await? {
            if batch.num_rows() > 0 {
                values = first_row(&batch)?;
            }
        }
        let rows = values.first().cloned().flatten().and_then(|n| n.parse::<i64>().ok()).unwrap_or_default();
        let mut found = values.into_iter().skip(1);
        let mut table: Vec<[Option<String>; MEASURES]> = Vec::new();
        for column in &measured {
            let mut row: [Option<String>; MEASURES] = Default::default();
            column.iter().for_each(|(at, _)| row[*at] = found.next().flatten());
            table.push(row);
        }
        let text = |at: usize| texts(table.iter().map(|row| row[at].as_deref()));
        let number =
            |at: usize| -> ArrayRef { Arc::new(table.iter().map(|row| row[at].as_ref()?.parse::<f64>().ok()).collect::<Float64Array>()) };
        let whole = |at: usize| table.iter().map(move |row| row[at].as_ref()?.parse::<i64>().ok());
        let nulls = whole(COUNT).map(|count| Some(rows - count?));
        let types: Vec<String> = columns.fields().iter().map(|field| type_name(field.data_type())).collect();
        told(vec![
            ("column_name", texts(columns.fields().iter().map(|field| Some(field.name().as_str())))),
            ("column_type", texts(types.iter().map(|name| Some(name.as_str())))),
            ("min", text(MIN)),
            ("max", text(MAX)),
            ("approx_distinct", Arc::new(whole(DISTINCT).collect::<Int64Array>())),
            ("avg", number(AVERAGE)),
            ("std", number(DEVIATION)),
            ("q25", number(QUARTER)),
            ("q50", number(HALF)),
            ("q75", number(THREE_QUARTERS)),
            ("rows", Arc::new(columns.fields().iter().map(|_| Some(rows)).collect::<Int64Array>())),
            ("nulls", Arc::new(nulls.collect::<Int64Array>())),
        ])
    }
}

const COUNT: usize = 0;
const MIN: usize = 1;
const MAX: usize = 2;
const DISTINCT: usize = 3;
const AVERAGE: usize = 4;
const DEVIATION: usize = 5;
const QUARTER: usize = 6;
const HALF: usize = 7;
const THREE_QUARTERS: usize = 8;
const MEASURES: usize = 9;

/// What is asked of a column, with its place: what its type has.
fn measures(field: &Field) -> Vec<(usize, String)> {
    let name = quoted(field.name());
    let mut asked = vec![(COUNT, format!("count({name})"))];
    let data_type = field.data_type();
    let has_order = data_type.is_primitive() || data_type.is_string() || data_type.is_binary() || *data_type == DataType::Boolean;
    if has_order && *data_type != DataType::Boolean {
        let counted = if data_type.is_integer() || data_type.is_string() { name.clone() } else { format!("CAST({name} AS string)") };
        asked.extend([(MIN, format!("min({name})")), (MAX, format!("max({name})")), (DISTINCT, format!("approx_distinct({counted})"))]);
    }
    if *data_type == DataType::Boolean {
        asked.extend([
            (MIN, format!("bool_and({name})")),
            (MAX, format!("bool_or({name})")),
            (DISTINCT, format!("count(DISTINCT {name})")),
        ]);
    }
    if data_type.is_numeric() {
        let double = format!("CAST({name} AS double)");
        let quantile = |share: &str| format!("approx_percentile_cont({share}) WITHIN GROUP (ORDER BY {double})");
        asked.extend([(AVERAGE, format!("avg({double})")), (DEVIATION, format!("stddev({double})"))]);
        asked.extend([(QUARTER, quantile("0.25")), (HALF, quantile("0.5")), (THREE_QUARTERS, quantile("0.75"))]);
    }
    asked
}

/// The values of the first row, as texts.
fn first_row(batch: &RecordBatch) -> Result<Vec<Option<String>>> {
    let options: Vec<FormatOptions<'_>> = batch
        .columns()
        .iter()
        .map(|column| {
            let time = Some(crate::schema::times::time_pattern(column.data_type()));
            FormatOptions::new().with_timestamp_format(time).with_timestamp_tz_format(time)
        })
        .collect();
    let mut values = Vec::with_capacity(batch.num_columns());
    for (column, options) in batch.columns().iter().zip(&options) {
        values.push(match column.is_null(0) {
            true => None,
            false => Some(ArrayFormatter::try_new(column.as_ref(), options)?.value(0).to_string()),
        });
    }
    Ok(values)
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn told(columns: Vec<(&str, ArrayRef)>) -> Result<Answer> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, values)| (name, values, true)))?;
    let schema = batch.schema();
    Ok(Answer::Told(Some(batch), schema))
}

/// The lines of a text as rows of a column.
///
/// # Errors
/// None that is known: the rows are made here.
pub fn lines(name: &str, text: &str) -> Result<Answer> {
    told(vec![(name, texts(text.lines().map(Some)))])
}

/// `schema` with names as they were written, `sum(1)` and not `sum(Int64(1))`, where they stay different.
fn plainly_named(schema: &SchemaRef) -> SchemaRef {
    let plain: Vec<String> = schema.fields().iter().map(|field| plain_name(field.name())).collect();
    let fields = schema.fields().iter().zip(&plain).map(|(field, name)| match plain.iter().filter(|other| *other == name).count() {
        1 => Arc::new(Field::clone(field).with_name(name)),
        _ => field.clone(),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}
