//! What a policy would change, as people read it.

use crate::governance::{Draft, SightChange};
use crate::printable::{printable, printable_lines};
use serde_json::{Value, json};
use std::fmt::Write;

const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";

/// The draft as text, of a policy that `changes` or `is published`; with `colour` for a terminal.
pub(super) fn text(draft: &Draft, verb: &str, colour: bool) -> String {
    let painted = |text: &str, paint: &str| match colour {
        true => format!("\u{1b}[{paint}m{}\u{1b}[0m", printable(text)),
        false => printable(text).into_owned(),
    };
    let mut text = String::new();
    for finding in &draft.findings {
        let (what, paint) = if finding.is_error { ("error", RED) } else { ("warning", YELLOW) };
        let _ = writeln!(text, "{} {}", painted(&format!("{what}:"), paint), printable_lines(&finding.pointed()));
    }
    for change in &draft.changes {
        let (sign, paint) = if gains(change) { ("+", GREEN) } else { ("-", RED) };
        let _ = writeln!(text, "{}", painted(&format!("{sign} {change}"), paint));
    }
    let owners: Vec<&str> = draft.writes.iter().map(|(owner, _)| owner.as_str()).collect();
    let summary = match (owners.is_empty(), draft.changes.is_empty()) {
        (true, _) => "the lake already has this policy".to_string(),
        (false, true) => format!("the policy {} {verb}, but nobody gains or loses access", owners.join(", ")),
        (false, false) => format!("the policy {} {verb}", owners.join(", ")),
    };
    let _ = write!(text, "{}", printable(&summary));
    text
}

/// The same for programs.
pub(super) fn json(draft: &Draft) -> Value {
    let owners: Vec<&str> = draft.writes.iter().map(|(owner, _)| owner.as_str()).collect();
    json!({"policies": owners, "access": draft.changes, "findings": draft.findings})
}

fn gains(change: &SightChange) -> bool {
    change.after > change.before
}
