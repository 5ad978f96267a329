//! Which names there can be.

pub(super) use crate::governance::names::{is_plain, listed, near, table};

use crate::yaml::{Place, Problems, Text};
use std::path::Path;

/// Tells of the name of a source, transform or output that can't be one.
pub(super) fn check(name: &Text, problems: &mut Problems<'_>) {
    if !is_plain(&name.text) {
        problems.error(&name.place, "a name has lower-case letters, digits and `_`, and doesn't start with a digit");
    }
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
                "a pipeline's name has at most 128 lower-case letters, digits, `_` and `-`, starting with a letter or digit",
            );
            None
        }
        None => {
            let stem = Path::new(problems.path()).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if fits(&stem) {
                return Some(stem);
            }
            let message = "`name` is missing, and the file name can't be used: a name has only lower-case letters, digits, `_` and `-`";
            problems.error(&Place::in_line(problems.text(), 1, 0..0), message);
            None
        }
    }
}
