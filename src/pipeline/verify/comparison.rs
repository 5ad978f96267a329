//! Whether two engines give the same rows, whatever they call the types of them.

use super::finding::{Finding, SHOWN, rows_in_words};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::run_report::Sample;
use crate::query::{ResultRows, SqlEngine};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::collections::BTreeMap;

/// More rows are not compared: both results are held.
const MOST_ROWS: u64 = 1_000_000;
/// Digits of a fraction that are compared: sums of fractions depend on the order in which they are added.
const DIGITS: usize = 12;

type Row = Vec<Option<String>>;

/// Compares what `sql` gives here and, as `theirs`, in Athena: the same rows, each as often, in any order.
///
/// # Errors
/// Where a query fails, gives too many rows, or values that can't be compared.
pub(super) async fn compare(local: &impl SqlEngine, sql: &str, athena: &impl SqlEngine, theirs: &str) -> Result<Finding> {
    // How often more each row is here than there.
    let mut rows: BTreeMap<Row, i64> = BTreeMap::new();
    let (names, here) = collect(local, sql, 1, &mut rows).await?;
    let (others, there) = collect(athena, theirs, -1, &mut rows).await?;
    if names.len() != others.len() {
        return Ok(Finding::of(false, format!("{} columns here, {} in Athena", names.len(), others.len())));
    }
    rows.retain(|_, more| *more != 0);
    if rows.is_empty() {
        return Ok(Finding::of(true, format!("the same {} here and in Athena", rows_in_words(here))));
    }
    let sum = |sign: i64| rows.values().filter(|more| more.signum() == sign).map(|more| more.unsigned_abs()).sum::<u64>();
    let found = format!(
        "{} here and {} in Athena: {} only here, {} only there",
        rows_in_words(here),
        rows_in_words(there),
        rows_in_words(sum(1)),
        rows_in_words(sum(-1))
    );
    let columns = std::iter::once("only in".to_string()).chain(names).collect();
    let side = |more: i64| Some(if more > 0 { "here" } else { "Athena" }.to_string());
    let rows = rows.into_iter().take(SHOWN).map(|(row, more)| std::iter::once(side(more)).chain(row).collect()).collect();
    Ok(Finding { passed: false, found, sample: Some(Sample { columns, rows }) })
}

async fn collect(engine: &impl SqlEngine, sql: &str, sign: i64, rows: &mut BTreeMap<Row, i64>) -> Result<(Vec<String>, u64)> {
    let mut result = engine.query(sql).await?;
    let names = result.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut number = 0;
    while let Some(batch) = result.next().await? {
        number += batch.num_rows() as u64;
        if number > MOST_ROWS {
            let message = format!("the query returns more than {}", rows_in_words(MOST_ROWS));
            return Err(
                Error::new(ErrorKind::Query, message).with_context("what to do", "compare sums or counts by group, which take few rows")
            );
        }
        let columns = batch.columns().iter().map(texts).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            *rows.entry(columns.iter().map(|column| column[row].clone()).collect()).or_default() += sign;
        }
    }
    Ok((names, number))
}

/// The values as texts that are the same where the values are, in whatever type.
fn texts(array: &ArrayRef) -> Result<Vec<Option<String>>> {
    let nulls = array.logical_nulls();
    let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let each = |text: &dyn Fn(usize) -> String| (0..array.len()).map(|row| (!is_null(row)).then(|| text(row))).collect();
    Ok(match array.data_type() {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let numbers = cast(array, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>().clone();
            each(&|row| fraction(numbers.value(row)))
        }
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            let shown = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::new())?;
            each(&|row| decimal(&shown.value(row).to_string()))
        }
        DataType::Timestamp(..) => {
            let plain = cast(array, &DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None))?;
            let shown = ArrayFormatter::try_new(plain.as_ref(), &FormatOptions::new())?;
            each(&|row| shown.value(row).to_string())
        }
        other if other.is_nested() => {
            let message = format!("values of type {other} are written differently by each engine and are not compared");
            return Err(Error::new(ErrorKind::Query, message).with_context("what to do", "compare their elements, or leave the column out"));
        }
        _ => {
            let shown = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::new())?;
            each(&|row| shown.value(row).to_string())
        }
    })
}

/// A decimal as the fraction that it is; with more digits than fractions are compared by, exactly.
fn decimal(text: &str) -> String {
    let plain = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    match plain.bytes().filter(u8::is_ascii_digit).count() > DIGITS {
        true => plain.to_string(),
        false => plain.parse().map_or_else(|_| plain.to_string(), fraction),
    }
}

/// A number with so many digits as are compared; a whole one without a fraction.
fn fraction(number: f64) -> String {
    if !number.is_finite() {
        return number.to_string();
    }
    let rounded: f64 = format!("{number:.*e}", DIGITS - 1).parse().unwrap_or(number);
    // Zero has no sign.
    (rounded + 0.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Float64Array, Int64Array};
    use std::sync::Arc;

    #[test]
    fn the_same_number_is_the_same_text_in_every_type() {
        let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), Some(2.0), None, Some(0.1 + 0.2), Some(-0.0)]));
        let decimals: ArrayRef =
            Arc::new(Decimal128Array::from(vec![Some(150), Some(200), None, Some(30), Some(0)]).with_precision_and_scale(10, 2).unwrap());
        assert_eq!(texts(&doubles).unwrap(), texts(&decimals).unwrap());
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX]));
        assert_eq!(texts(&whole).unwrap(), [Some(i64::MAX.to_string())]);
    }
}
