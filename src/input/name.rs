//! Names of files, as messages and manifests have them.

use crate::printable::is_unseen;
use std::ffi::OsStr;

/// Objects that AWS writes beside the logs of load balancers, to see whether it may: they have no entries.
const TESTS: [&str; 2] = ["ELBAccessLogTestFile", "ELBConnectionLogTestFile"];

/// Whether files of this `name` are left out where they aren't named: readers of lakes don't see them, or there are no rows in them.
pub(super) fn is_left_out(name: &str) -> bool {
    name.starts_with(['.', '_']) || TESTS.contains(&name)
}

/// `name` as people see it: what is no UTF-8, or isn't seen, is escaped, so that no two names look the same.
pub(super) fn shown(name: &OsStr) -> String {
    let Some(text) = name.to_str() else { return name.as_encoded_bytes().escape_ascii().to_string() };
    if !text.contains(is_unseen) && !text.contains("\\u{") && !text.contains("\\x") {
        return text.to_string();
    }
    let escaped = |c: char| if c == '\\' || is_unseen(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
