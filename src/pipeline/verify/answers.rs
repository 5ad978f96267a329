//! What queries answer.

use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::run_report::Sample;
use crate::query::{ResultRows, SqlEngine};
use crate::schema::times::time_pattern;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// The most characters of a value in a sample.
const LONGEST: usize = 300;

/// What a query that should give one value gave.
pub(super) enum Answer {
    Null,
    /// Its text, and its number where it is of a numeric type.
    Value {
        text: String,
        number: Option<f64>,
        /// It is a time.
        time: bool,
    },
    /// Not one value; in words.
    Other(String),
}

/// The one value that `sql` gives.
///
/// # Errors
/// Where the query fails.
pub(super) async fn only_value(engine: &impl SqlEngine, sql: &str) -> Result<Answer> {
    let mut result = engine.query(sql).await?;
    let width = result.schema().fields().len();
    if width != 1 {
        return Ok(Answer::Other(format!("{width} columns, where one value is expected")));
    }
    let mut found: Option<ArrayRef> = None;
    while let Some(batch) = result.next().await? {
        if batch.num_rows() == 0 {
            continue;
        }
        if found.is_some() || batch.num_rows() > 1 {
            return Ok(Answer::Other("more than one row, where one value is expected".to_string()));
        }
        found = Some(batch.column(0).clone());
    }
    let Some(array) = found else { return Ok(Answer::Other("no row, where one value is expected".to_string())) };
    if is_null(&array, 0) {
        return Ok(Answer::Null);
    }
    let text = ArrayFormatter::try_new(array.as_ref(), &options(&array))?.value(0).to_string();
    let time = matches!(array.data_type(), DataType::Timestamp(..));
    let number = match array.data_type().is_numeric() {
        true => cast(&array, &DataType::Float64)?.as_primitive_opt::<Float64Type>().map(|numbers| numbers.value(0)),
        false => None,
    };
    Ok(Answer::Value { text, number, time })
}

/// The numbers in the one row that `sql` gives; NULL is 0.
///
/// # Errors
/// Where the query fails.
pub(super) async fn counts(engine: &impl SqlEngine, sql: &str) -> Result<Vec<u64>> {
    let mut result = engine.query(sql).await?;
    while let Some(batch) = result.next().await? {
        if batch.num_rows() == 1 {
            let number = |column: &ArrayRef| {
                let numbers = cast(column, &DataType::UInt64)?;
                let numbers = numbers.as_primitive::<UInt64Type>();
                Ok(if numbers.is_null(0) { 0 } else { numbers.value(0) })
            };
            return batch.columns().iter().map(number).collect();
        }
    }
    Err(Error::new(ErrorKind::Internal, "a count gave no row"))
}

/// How many rows `sql` gives.
///
/// # Errors
/// Where the query fails.
pub(super) async fn count_rows(engine: &impl SqlEngine, sql: &str) -> Result<u64> {
    let mut result = engine.query(sql).await?;
    let mut rows = 0;
    while let Some(batch) = result.next().await? {
        rows += batch.num_rows() as u64;
    }
    Ok(rows)
}

/// The first `most` rows that `sql` gives.
///
/// # Errors
/// Where the query fails.
pub(super) async fn sample(engine: &impl SqlEngine, sql: &str, most: usize) -> Result<Sample> {
    let mut result = engine.query(sql).await?;
    let columns = result.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::with_capacity(most);
    while rows.len() < most
        && let Some(batch) = result.next().await?
    {
        add_rows(&batch, most, &mut rows)?;
    }
    Ok(Sample { columns, rows })
}

fn add_rows(batch: &RecordBatch, most: usize, rows: &mut Vec<Vec<Option<String>>>) -> Result<()> {
    let options: Vec<FormatOptions<'_>> = batch.columns().iter().map(options).collect();
    let columns = batch.columns().iter().zip(&options).map(|(array, options)| ArrayFormatter::try_new(array.as_ref(), options));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows().min(most - rows.len()) {
        let cell = |(column, array): (&ArrayFormatter<'_>, &ArrayRef)| match is_null(array, row) {
            true => None,
            false => Some(shortened(column.value(row).to_string())),
        };
        rows.push(columns.iter().zip(batch.columns()).map(cell).collect());
    }
    Ok(())
}

/// Also where all values are NULL, and the column is of no other type.
fn is_null(array: &ArrayRef, row: usize) -> bool {
    array.logical_nulls().is_some_and(|nulls| nulls.is_null(row))
}

/// A value that a person can look at.
fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Times as everywhere else.
fn options(array: &ArrayRef) -> FormatOptions<'static> {
    let time = Some(time_pattern(array.data_type()));
    FormatOptions::new().with_timestamp_format(time).with_timestamp_tz_format(time)
}
