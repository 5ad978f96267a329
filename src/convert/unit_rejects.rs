//! The rejects of a unit until it is their turn.

use super::reasons::Reasons;
use crate::decode::Reject;

/// What is kept of the rejected lines of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Nothing: they were counted in an earlier pass.
    Nothing,
    /// The first ones, as examples.
    Examples,
    /// All lines.
    Lines,
}

/// How many rejects a report shows.
pub(super) const EXAMPLES: usize = 5;
/// Bytes of a line that are enough for an example.
pub(super) const EXAMPLE_BYTES: usize = 1024;
/// So many bytes are held before they are handed on.
const HELD: usize = 4 << 20;

/// Rejects that have not been handed on.
#[derive(Debug, Default)]
pub(super) struct UnitRejects {
    /// Line numbers count from 0 in the unit, offsets from the start of the file.
    pub lines: Vec<Reject>,
    pub reasons: Reasons,
    held: usize,
    kept: usize,
}

impl UnitRejects {
    pub(super) fn add(&mut self, mut reject: Reject, keep: Keep) {
        if keep == Keep::Nothing {
            return;
        }
        self.reasons.add(&reject.reason, 1);
        self.kept += 1;
        let bytes = match keep {
            Keep::Lines => reject.raw.len(),
            _ if self.kept > EXAMPLES => return,
            _ => reject.raw.len().min(EXAMPLE_BYTES),
        };
        // Without a copy each reject would keep its whole block in memory.
        reject.raw = reject.raw[..bytes].to_vec().into();
        self.held += size_of::<Reject>() + bytes;
        self.lines.push(reject);
    }

    /// Whether they are so many bytes that they must be handed on.
    pub(super) fn is_full(&self) -> bool {
        self.held >= HELD
    }

    /// What was added since this was called before.
    pub(super) fn take(&mut self) -> UnitRejects {
        let kept = self.kept;
        let taken = std::mem::take(self);
        self.kept = kept;
        taken
    }
}
