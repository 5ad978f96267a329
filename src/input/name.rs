//! Names of files, as messages and manifests have them.

use crate::printable::is_unseen;
use std::ffi::OsStr;

/// `name` as people see it: what is no UTF-8, or isn't seen, is escaped, so that no two names look the same.
pub(super) fn shown(name: &OsStr) -> String {
    let Some(text) = name.to_str() else { return name.as_encoded_bytes().escape_ascii().to_string() };
    if !text.contains(is_unseen) && !text.contains("\\u{") && !text.contains("\\x") {
        return text.to_string();
    }
    let escaped = |c: char| if c == '\\' || is_unseen(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
