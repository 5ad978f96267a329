//! Counts rejected lines by reason.

use crate::secrets::without_values;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reasons told apart; some hold a text of the line, so there may be as many as lines.
const TOLD_APART: usize = 1000;
/// What all reasons beyond those are called.
const OTHERS: &str = "other reasons";

/// How many lines were rejected for which reason.
#[derive(Debug, Default)]
pub(super) struct Reasons(BTreeMap<Arc<str>, u64>);

impl Reasons {
    pub(super) fn add(&mut self, reason: &Arc<str>, lines: u64) {
        if let Some(count) = self.0.get_mut(reason) {
            *count += lines;
        } else if self.0.len() < TOLD_APART {
            self.0.insert(reason.clone(), lines);
        } else {
            *self.0.entry(OTHERS.into()).or_default() += lines;
        }
    }

    /// Takes what `other` counted, and leaves it empty.
    pub(super) fn take(&mut self, other: &mut Reasons) {
        std::mem::take(&mut other.0).iter().for_each(|(reason, lines)| self.add(reason, *lines));
    }

    /// How many lines they are together.
    pub(super) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// As a report has them: reasons quote the LogFormat, in which there may be what the environment gave.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (reason, lines) in &self.0 {
            *counts.entry(without_values(reason).into_owned()).or_default() += lines;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_so_many_reasons_lines_are_still_counted() {
        let (mut all, mut unit) = (Reasons::default(), Reasons::default());
        for number in 0..3000 {
            unit.add(&format!("reason {number}").into(), 2);
            if number % 100 == 0 {
                all.take(&mut unit);
            }
        }
        all.take(&mut unit);
        let counts = all.counts();
        assert_eq!((counts.len(), counts["reason 7"], counts[OTHERS]), (TOLD_APART + 1, 2, 4000));
    }
}
