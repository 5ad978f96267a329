//! Counts rejected lines by reason, and keeps some of them as examples.

use super::model::{Example, ReasonInspection};
use crate::printable::printable;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// Examples kept for a reason.
const EXAMPLES: usize = 5;
/// Reasons shown.
const TOP: usize = 10;
/// Reasons told apart; some hold a text of the line, so there may be as many as lines.
const TOLD_APART: usize = 1000;
/// Characters of a line that an example keeps.
const SHOWN: usize = 160;

/// The rejects of an inspection.
#[derive(Debug, Default)]
pub(super) struct RejectCount {
    reasons: HashMap<Arc<str>, (u64, Vec<Example>)>,
    /// Rejects for yet other reasons.
    others: u64,
}

impl RejectCount {
    /// Takes a line into account; `line` counts from 0.
    pub(super) fn add(&mut self, path: &str, line: u64, offset: u64, reason: &Arc<str>, raw: &[u8]) {
        if self.reasons.len() >= TOLD_APART && !self.reasons.contains_key(reason) {
            self.others += 1;
            return;
        }
        let (count, examples) = self.reasons.entry(reason.clone()).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(Example { path: path.to_string(), line: line + 1, offset, raw: shortened(raw) });
        }
    }

    /// The reasons, the most frequent first; those beyond the top ones in one.
    pub(super) fn top(self) -> Vec<ReasonInspection> {
        let named = self.reasons.into_iter();
        let mut reasons: Vec<ReasonInspection> =
            named.map(|(reason, (count, examples))| ReasonInspection { reason: reason.to_string(), count, examples }).collect();
        reasons.sort_by(|a, b| (Reverse(a.count), &a.reason).cmp(&(Reverse(b.count), &b.reason)));
        let rest = reasons.split_off(TOP.min(reasons.len()));
        let others = self.others + rest.iter().map(|r| r.count).sum::<u64>();
        if others > 0 {
            reasons.push(ReasonInspection { reason: "other reasons".to_string(), count: others, examples: Vec::new() });
        }
        reasons
    }
}

/// The start of a line, as one line of text that is safe on a terminal.
fn shortened(raw: &[u8]) -> String {
    // No character has more than four bytes.
    let start = &raw[..raw.len().min(SHOWN * 4)];
    let text = String::from_utf8_lossy(start);
    let mut shown = printable(&text.chars().take(SHOWN).collect::<String>()).into_owned();
    if start.len() < raw.len() || text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_with_few_examples() {
        let mut rejects = RejectCount::default();
        for index in 0..20u64 {
            rejects.add("a.log", index, index * 10, &"frequent".into(), b"\x1b[31m\xff");
            rejects.add("a.log", index, 0, &format!("reason {index}").into(), &[b'x'; 1000]);
        }
        let top = rejects.top();
        assert_eq!((top.len(), top[0].count, top[0].examples.len()), (11, 20, 5));
        assert_eq!(top[0].examples[1], Example { path: "a.log".into(), line: 2, offset: 10, raw: "\\u{1b}[31m\u{fffd}".into() });
        assert_eq!(top[1].examples[0].raw.chars().count(), 161);
        assert_eq!((top[10].reason.as_str(), top[10].count), ("other reasons", 11));
    }
}
