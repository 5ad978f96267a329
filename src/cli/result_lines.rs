//! Rows upright, a value a line.

use super::result_table::texts;
use crate::error::Result;
use crate::printable::printable;
use crate::units::counted;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use std::fmt::{self, Write};
use unicode_width::UnicodeWidthStr;

/// Rows as they are shown with `--format line`.
#[derive(Debug)]
pub(super) struct ResultLines {
    names: Vec<String>,
    width: usize,
    limit: u64,
    rows: u64,
    text: String,
}

impl ResultLines {
    /// Shows `limit` rows, or all where that is 0.
    pub(super) fn new(schema: &SchemaRef, limit: usize) -> Self {
        let names: Vec<String> = schema.fields().iter().map(|field| printable(field.name()).into_owned()).collect();
        let width = names.iter().map(|name| name.width()).max().unwrap_or_default();
        ResultLines { names, width, limit: if limit == 0 { u64::MAX } else { limit as u64 }, rows: 0, text: String::new() }
    }

    /// Adds the rows of `batch`.
    ///
    /// # Errors
    /// Where a type can't be shown.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let wanted = self.limit.saturating_sub(self.rows).min(batch.num_rows() as u64) as usize;
        for (at, row) in texts(batch, wanted)?.into_iter().enumerate() {
            let _ = writeln!(self.text, "─ row {} ─", self.rows + at as u64 + 1);
            for (name, value) in self.names.iter().zip(row) {
                let _ = writeln!(self.text, "{}{name} = {value}", " ".repeat(self.width - name.width()));
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// How many rows there are, and how many of them are not shown.
    pub(super) fn summary(&self) -> String {
        match self.rows.saturating_sub(self.limit) {
            0 => counted(self.rows, "row"),
            more => format!("{}, {more} of them not shown (--max-rows 0 shows all)", counted(self.rows, "row")),
        }
    }
}

impl fmt::Display for ResultLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
