//! A query's result as people read it.

use crate::error::Result;
use crate::printable::printable;
use crate::schema::times::time_pattern;
use crate::units::count;
use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use std::fmt;
use std::io::IsTerminal;

/// Rows to be shown with borders, numbers to the right. It keeps what it shows, so there is a limit to it.
#[derive(Debug)]
pub(super) struct ResultTable {
    table: Table,
    numeric: Vec<bool>,
    /// The most rows shown; 0 for all.
    limit: usize,
    rows: u64,
}

impl ResultTable {
    /// A table of the columns of `schema` that shows `limit` rows, or all where that is 0.
    pub(super) fn new(schema: SchemaRef, limit: usize) -> Self {
        let numeric: Vec<bool> = schema.fields().iter().map(|f| f.data_type().is_numeric()).collect();
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED);
        // Cells are wrapped to fit a terminal; in a pipe a row is a line.
        let fit = std::io::stdout().is_terminal();
        table.set_content_arrangement(if fit { ContentArrangement::Dynamic } else { ContentArrangement::Disabled });
        let header = schema.fields().iter().zip(&numeric).map(|(field, numeric)| cell(field.name(), *numeric));
        table.set_header(header.collect::<Vec<_>>());
        ResultTable { table, numeric, limit, rows: 0 }
    }

    /// Adds the rows of `batch`.
    ///
    /// # Errors
    /// Where a type can't be shown.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let shown = if self.limit == 0 { u64::MAX } else { self.limit as u64 };
        let wanted = shown.saturating_sub(self.rows).min(batch.num_rows() as u64) as usize;
        self.rows += batch.num_rows() as u64;
        let options = |array: &ArrayRef| {
            let time = Some(time_pattern(array.data_type()));
            FormatOptions::new().with_null("NULL").with_timestamp_format(time).with_timestamp_tz_format(time)
        };
        let options: Vec<FormatOptions<'_>> = batch.columns().iter().map(options).collect();
        let columns = batch.columns().iter().zip(&options).map(|(array, options)| ArrayFormatter::try_new(array.as_ref(), options));
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
        for row in 0..wanted {
            let cells = columns.iter().zip(&self.numeric).map(|(column, numeric)| cell(&column.value(row).to_string(), *numeric));
            self.table.add_row(cells.collect::<Vec<_>>());
        }
        Ok(())
    }

    /// How many rows there are, and how many of them are not shown.
    pub(super) fn summary(&self) -> String {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        let shown = self.table.row_count() as u64;
        match self.rows - shown {
            0 => format!("{} {rows}", count(self.rows)),
            more => format!(
                "{} {rows}, {} of them not shown (--max-rows 0 shows all; --format csv, tsv, json or parquet is for programs)",
                count(self.rows),
                count(more)
            ),
        }
    }
}

impl fmt::Display for ResultTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}

/// A cell of one line. What a log's clients sent must not reach a terminal as control characters.
fn cell(text: &str, numeric: bool) -> Cell {
    Cell::new(printable(text)).set_alignment(if numeric { CellAlignment::Right } else { CellAlignment::Left })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, StringViewArray, StructArray, TimestampMicrosecondArray, TimestampNanosecondArray};
    use arrow::datatypes::Field;
    use std::sync::Arc;

    #[test]
    fn a_table_shows_nulls_and_says_what_it_leaves_out() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a\u{1b}[31m\n"), None, Some("")]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(100), None]));
        let batch = RecordBatch::try_from_iter([("text", texts), ("number", numbers)]).unwrap();
        let mut table = ResultTable::new(batch.schema(), 2);
        table.write(&batch).unwrap();
        let shown = table.to_string();
        let expected = "\
┌───────────────┬────────┐
│ text          ┆ number │
╞═══════════════╪════════╡
│ a\\u{1b}[31m\\n ┆      1 │
│ NULL          ┆    100 │
└───────────────┴────────┘";
        assert_eq!(shown, expected);
        assert!(table.summary().starts_with("3 rows, 1 of them not shown"), "{}", table.summary());
    }

    #[test]
    fn times_have_the_digits_of_their_unit() {
        let micros: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![-1]).with_timezone("UTC"));
        let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![-1]));
        let field = Arc::new(Field::new("at", nanos.data_type().clone(), true));
        let inner: ArrayRef = Arc::new(StructArray::from(vec![(field, nanos)]));
        let batch = RecordBatch::try_from_iter([("micros", micros), ("inner", inner)]).unwrap();
        let mut table = ResultTable::new(batch.schema(), 0);
        table.write(&batch).unwrap();
        assert!(table.to_string().contains("│ 1969-12-31 23:59:59.999999 ┆ {at: 1969-12-31 23:59:59.999999999} │"), "{table}");
    }
}
