//! A query's result as people read it: a line a row. What is wider than the terminal has fewer columns, or long texts cut, and it is said.

use crate::error::Result;
use crate::printable::printable;
use crate::schema::times::time_pattern;
use crate::units::{count, counted};
use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use std::fmt;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Texts are not cut to fewer columns of the terminal than this: so long are ids, addresses and times.
const LEAST: usize = 40;
/// What a column takes beside its values.
const BORDER: usize = 3;

/// Rows to be shown with borders, numbers to the right. It keeps what it shows, so there is a limit to it.
#[derive(Debug)]
pub(super) struct ResultTable {
    names: Vec<String>,
    numeric: Vec<bool>,
    shown: Vec<Vec<String>>,
    /// The most rows shown.
    limit: u64,
    rows: u64,
    /// The columns of the terminal; nothing in a pipe, where a row is a line however long.
    width: Option<usize>,
}

/// How wide the terminal is that results are shown on.
pub(super) fn terminal_width() -> Option<usize> {
    // Some terminals say that they have none.
    Table::new().width().map(usize::from).filter(|width| *width >= 20)
}

impl ResultTable {
    /// A table of the columns of `schema` that shows `limit` rows, or all where that is 0, on a terminal of so many columns.
    pub(super) fn new(schema: SchemaRef, limit: usize, width: Option<usize>) -> Self {
        ResultTable {
            names: schema.fields().iter().map(|field| printable(field.name()).into_owned()).collect(),
            numeric: schema.fields().iter().map(|f| f.data_type().is_numeric()).collect(),
            shown: Vec::new(),
            limit: if limit == 0 { u64::MAX } else { limit as u64 },
            rows: 0,
            width,
        }
    }

    /// Adds the rows of `batch`.
    ///
    /// # Errors
    /// Where a type can't be shown.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let wanted = self.limit.saturating_sub(self.rows).min(batch.num_rows() as u64) as usize;
        self.rows += batch.num_rows() as u64;
        self.shown.extend(texts(batch, wanted)?);
        Ok(())
    }

    /// How many rows there are, and how much of them is not shown.
    pub(super) fn summary(&self) -> String {
        let mut said = counted(self.rows, "row");
        let more = self.rows - self.shown.len() as u64;
        if more > 0 {
            said += &format!(
                ", {} of them not shown (--max-rows 0 shows all; --format csv, tsv, json or parquet is for programs)",
                count(more)
            );
        }
        let fit = self.fit();
        let hidden = fit.columns.iter().filter(|column| column.is_none()).count();
        match (hidden, fit.cut) {
            (0, false) => {}
            (0, true) => said += "; long texts are cut at … (--format line shows all of them)",
            (_, _) => said += &format!("; {} of {} columns fit (--format line shows all of them)", fit.kept, self.names.len()),
        }
        said
    }

    /// Which columns are shown, and how wide.
    fn fit(&self) -> Fit {
        let widths: Vec<usize> = (0..self.names.len())
            .map(|at| self.shown.iter().map(|row| row[at].width()).chain([self.names[at].width()]).max().unwrap_or_default())
            .collect();
        let Some(terminal) = self.width else { return Fit::all(widths) };
        let total = |widths: &[usize]| widths.iter().map(|width| width + BORDER).sum::<usize>() + 1;
        if total(&widths) <= terminal {
            return Fit::all(widths);
        }
        // The longest texts are cut first, all to the same length.
        let names: Vec<usize> = self.names.iter().map(|name| name.width()).collect();
        let cut_to = |most: usize| -> Vec<usize> { widths.iter().zip(&names).map(|(width, name)| (*width).min(most.max(*name))).collect() };
        let longest = widths.iter().copied().max().unwrap_or_default();
        if let Some(most) = (LEAST..longest).rev().find(|most| total(&cut_to(*most)) <= terminal) {
            return Fit { cut: true, ..Fit::all(cut_to(most)) };
        }
        // Then columns are left out from the middle, as the first and the last say most.
        let cut = cut_to(LEAST);
        let mut kept: Vec<bool> = vec![false; cut.len()];
        let mut used = 1 + 1 + BORDER;
        let last = cut.len() - 1;
        for step in 0..cut.len() {
            let at = if step % 2 == 0 { step / 2 } else { last - step / 2 };
            if used + cut[at] + BORDER > terminal && step > 0 {
                break;
            }
            used += cut[at] + BORDER;
            kept[at] = true;
        }
        let is_cut = widths.iter().zip(&cut).zip(&kept).any(|((full, cut), kept)| *kept && cut < full);
        let mut columns: Vec<Option<(usize, usize)>> = Vec::new();
        for (at, width) in cut.iter().enumerate() {
            match (kept[at], columns.last()) {
                (true, _) => columns.push(Some((at, *width))),
                (false, Some(None)) => {}
                (false, _) => columns.push(None),
            }
        }
        Fit { kept: kept.iter().filter(|kept| **kept).count(), columns, cut: is_cut }
    }
}

/// How a table fits.
struct Fit {
    /// Columns with their widths; nothing where some are left out.
    columns: Vec<Option<(usize, usize)>>,
    kept: usize,
    /// Whether texts are cut.
    cut: bool,
}

impl Fit {
    fn all(widths: Vec<usize>) -> Fit {
        Fit { kept: widths.len(), columns: widths.into_iter().enumerate().map(Some).collect(), cut: false }
    }
}

impl fmt::Display for ResultTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fit = self.fit();
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED);
        // It fits as it is.
        table.set_content_arrangement(ContentArrangement::Disabled);
        let row = |values: &[String]| -> Vec<Cell> {
            let cell = |column: &Option<(usize, usize)>| match column {
                Some((at, width)) => {
                    let align = if self.numeric[*at] { CellAlignment::Right } else { CellAlignment::Left };
                    Cell::new(cut(&values[*at], *width)).set_alignment(align)
                }
                None => Cell::new("…"),
            };
            fit.columns.iter().map(cell).collect()
        };
        table.set_header(row(&self.names));
        for values in &self.shown {
            table.add_row(row(values));
        }
        table.fmt(f)
    }
}

/// The first `rows` rows of `batch` as texts of one line. What a log's clients sent must not reach a terminal as control characters.
///
/// # Errors
/// Where a type can't be shown.
pub(super) fn texts(batch: &RecordBatch, rows: usize) -> Result<Vec<Vec<String>>> {
    let options = |array: &ArrayRef| {
        let time = Some(time_pattern(array.data_type()));
        FormatOptions::new().with_null("NULL").with_timestamp_format(time).with_timestamp_tz_format(time)
    };
    let options: Vec<FormatOptions<'_>> = batch.columns().iter().map(options).collect();
    let columns = batch.columns().iter().zip(&options).map(|(array, options)| ArrayFormatter::try_new(array.as_ref(), options));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    let row = |row: usize| columns.iter().map(|column| printable(&column.value(row).to_string()).into_owned()).collect();
    Ok((0..rows).map(row).collect())
}

/// `text` in at most `width` columns of a terminal.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let (mut cut, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or_default();
        if used > width {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, StringViewArray, StructArray, TimestampMicrosecondArray, TimestampNanosecondArray};
    use arrow::datatypes::Field;
    use std::sync::Arc;

    fn text(values: &[&str]) -> ArrayRef {
        Arc::new(StringViewArray::from(values.to_vec()))
    }

    #[test]
    fn a_table_shows_nulls_and_says_what_it_leaves_out() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a\u{1b}[31m\n"), None, Some("")]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(100), None]));
        let batch = RecordBatch::try_from_iter([("text", texts), ("number", numbers)]).unwrap();
        let mut table = ResultTable::new(batch.schema(), 2, None);
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
        let mut table = ResultTable::new(batch.schema(), 0, None);
        table.write(&batch).unwrap();
        assert!(table.to_string().contains("│ 1969-12-31 23:59:59.999999 ┆ {at: 1969-12-31 23:59:59.999999999} │"), "{table}");
    }

    #[test]
    fn a_table_fits_the_terminal_without_broken_words() {
        let id = "20200301T030000000Z-7f3a9c01";
        let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.122 Safari/537.36";
        let batch = RecordBatch::try_from_iter([("run", text(&[id])), ("agent", text(&[agent])), ("status", text(&["200"]))]).unwrap();
        let shown = |width: usize| {
            let mut table = ResultTable::new(batch.schema(), 0, Some(width));
            table.write(&batch).unwrap();
            assert!(table.to_string().lines().all(|line| line.width() <= width), "{width}\n{table}");
            (table.to_string(), table.summary())
        };
        let (all, summary) = shown(200);
        assert!(all.contains(agent) && summary == "1 row", "{summary}");
        let (some, summary) = shown(100);
        assert!(some.contains(id) && some.contains("AppleWebKit") && some.contains("… ┆ 200"), "{some}");
        assert_eq!(summary, "1 row; long texts are cut at … (--format line shows all of them)");
        let (few, summary) = shown(60);
        assert!(few.contains(id) && few.contains("┆ … ┆ 200"), "{few}");
        assert_eq!(summary, "1 row; 2 of 3 columns fit (--format line shows all of them)");
    }
}
