//! Names of databases and tables, as they are written.

use crate::catalog::TableName;
use crate::diagnostic::nearest;
use crate::yaml::{Problems, Text};

/// The longest name that Glue keeps, in bytes.
const LONGEST: usize = 255;

/// Among so many names the one that is meant is looked for: each is compared, for each mistake.
const COMPARED: usize = 1_000;
/// So many names are listed.
const LISTED: usize = 20;

/// The name of `known` that is near enough to be meant; a long list isn't searched for it.
pub(crate) fn near<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    if known.len() > COMPARED { None } else { nearest(name, known.iter().copied()) }
}

/// `a, b, c`: the first of a long list.
pub(crate) fn listed(known: &[&str]) -> String {
    match known.len().checked_sub(LISTED) {
        None | Some(0) => known.join(", "),
        Some(more) => format!("{} and {more} more", known[..LISTED].join(", ")),
    }
}

/// Whether SQL and Glue take `name` as it is.
pub(crate) fn is_plain(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// `database.table`.
pub(crate) fn table(text: &Text, problems: &mut Problems<'_>) -> Option<TableName> {
    match text.text.split_once('.') {
        Some((database, table)) if is_plain(database) && is_plain(table) => {
            Some(TableName { database: database.to_string(), table: table.to_string() })
        }
        Some(_) => {
            problems.error(&text.place, "expected database.table, each in lower-case letters, digits and `_`, not starting with a digit");
            None
        }
        None => {
            problems.error(&text.place, text.explain(format!("expected database.table, such as web.{}", text.text.escape_debug())));
            None
        }
    }
}

/// A database's name.
pub(crate) fn database(text: &Text, problems: &mut Problems<'_>) -> Option<String> {
    if !is_plain(&text.text) {
        problems.error(&text.place, "a database name has lower-case letters, digits and `_`, and doesn't start with a digit");
        return None;
    }
    Some(text.text.clone())
}
