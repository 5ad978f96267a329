//! Which names there can be.

use crate::diagnostic::nearest;
use crate::pipeline::model::TableName;
use crate::yaml::{Place, Problems, Text};
use std::path::Path;

/// The longest name that Glue keeps, in bytes.
const LONGEST: usize = 255;

/// Among so many names the one that is meant is looked for: each is compared, for each mistake.
const COMPARED: usize = 1_000;
/// So many names are listed.
const LISTED: usize = 20;

/// The name of `known` that is near enough to be meant; a long list isn't searched for it.
pub(super) fn near<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    if known.len() > COMPARED { None } else { nearest(name, known.iter().copied()) }
}

/// `a, b, c`: the first of a long list.
pub(super) fn listed(known: &[&str]) -> String {
    match known.len().checked_sub(LISTED) {
        None | Some(0) => known.join(", "),
        Some(more) => format!("{} and {more} more", known[..LISTED].join(", ")),
    }
}

/// Whether SQL and Glue take `name` as it is.
pub(super) fn is_plain(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Tells of the name of a source, transform or output that can't be one.
pub(super) fn check(name: &Text, problems: &mut Problems<'_>) {
    if !is_plain(&name.text) {
        problems.error(&name.place, "a name has lower-case letters, digits and `_`, and no digit first");
    }
}

/// `database.table`.
pub(super) fn table(text: &Text, problems: &mut Problems<'_>) -> Option<TableName> {
    match text.text.split_once('.') {
        Some((database, table)) if is_plain(database) && is_plain(table) => {
            Some(TableName { database: database.to_string(), table: table.to_string() })
        }
        Some(_) => {
            problems.error(&text.place, "expected database.table, each of lower-case letters, digits and `_`, and no digit first");
            None
        }
        None => {
            problems.error(&text.place, text.explain(format!("expected database.table, as in web.{}", text.text.escape_debug())));
            None
        }
    }
}

/// A database's name.
pub(super) fn database(text: &Text, problems: &mut Problems<'_>) -> Option<String> {
    if !is_plain(&text.text) {
        problems.error(&text.place, "a database's name has lower-case letters, digits and `_`, and no digit first");
        return None;
    }
    Some(text.text.clone())
}

/// The pipeline's name: the one given, or its file's.
pub(super) fn pipeline(given: Option<&Text>, problems: &mut Problems<'_>) -> Option<String> {
    let fits = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && name.len() <= 128
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    };
    match given {
        Some(name) if fits(&name.text) => Some(name.text.clone()),
        Some(name) => {
            problems.error(
                &name.place,
                "a pipeline's name has at most 128 lower-case letters, digits, `_` and `-`, the first a letter or digit",
            );
            None
        }
        None => {
            let stem = Path::new(problems.path()).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if fits(&stem) {
                return Some(stem);
            }
            let message = "`name` is missing, and the file's own can't be one: it has more than lower-case letters, digits, `_` and `-`";
            problems.error(&Place::in_line(problems.text(), 1, 0..0), message);
            None
        }
    }
}
