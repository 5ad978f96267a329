//! Fields of CSV that the program tells itself.

use std::borrow::Cow;

/// `text` as a field: in quotes where it needs them (RFC 4180).
pub(super) fn csv_field(text: &str) -> Cow<'_, str> {
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
    }
}
