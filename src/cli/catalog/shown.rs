//! Tables for people.

use crate::catalog::Column;
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind};
use crate::printable::printable;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table as Shown};
use std::io::IsTerminal;

/// The columns of a table, and its partition keys.
pub(super) fn columns(columns: &[Column], keys: &[Column]) -> Shown {
    let mut shown = empty_table(&["column", "type", "comment"]);
    for (column, key) in columns.iter().map(|c| (c, "")).chain(keys.iter().map(|c| (c, " (partition)"))) {
        let comment = printable(column.comment.as_deref().unwrap_or_default());
        shown.add_row(vec![Cell::new(printable(&format!("{}{key}", column.name))), Cell::new(&column.data_type), Cell::new(comment)]);
    }
    shown
}

/// The error of there being no database called `wanted` in `place`.
pub(super) fn no_database(wanted: &str, place: &str, known: &[&str]) -> Error {
    let hint = nearest(wanted, known.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let error = Error::new(ErrorKind::Usage, format!("there is no database `{wanted}` in {place}{hint}"));
    error.with_context("databases", if known.is_empty() { "none".to_string() } else { known.join(", ") })
}

/// A table without rows.
pub(super) fn empty_table(header: &[&str]) -> Shown {
    let mut table = Shown::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header.to_vec());
    let fit = std::io::stdout().is_terminal();
    table.set_content_arrangement(if fit { ContentArrangement::Dynamic } else { ContentArrangement::Disabled });
    table
}

/// A cell with a number in it.
pub(super) fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
