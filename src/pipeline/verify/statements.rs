//! Pieces of SQL.

use crate::pipeline::model::TableName;
use crate::sql_text::{quoted, without_end};

/// A column's name in quotes: whatever is in it is part of the name.
pub(super) fn column(name: &str) -> String {
    quoted(name)
}

/// A table's name in quotes.
pub(super) fn table(name: &TableName) -> String {
    format!("{}.{}", column(&name.database), column(&name.table))
}

/// A text as SQL writes it.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A query as it can stand in brackets: without what ends it, and with a line end behind a comment that may be last.
pub(super) fn within(sql: &str) -> String {
    format!("{}\n", without_end(sql))
}

/// The byte of `text` at which line `line`, column `column` is, both counted from 1, columns in characters.
pub(super) fn place(text: &str, line: u64, column: u64) -> Option<usize> {
    let (line, column) = (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?.checked_sub(1)?);
    let start = match line {
        0 => 0,
        _ => text.match_indices('\n').nth(line - 1)?.0 + 1,
    };
    let within = text[start..].char_indices().map(|(at, _)| at).chain([text.len() - start]).nth(column)?;
    Some(start + within)
}
