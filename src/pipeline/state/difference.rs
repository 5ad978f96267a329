//! How the files of a source differ from those that were read.

use super::pieces::Piece;
use crate::publish::Input;
use std::collections::{BTreeMap, BTreeSet};

/// The run whose files are segment `n` of a table was made of these files, by source.
pub(crate) type SegmentInputs = BTreeMap<String, Input>;

/// The files of a source, by what they are to an output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FileCounts {
    pub(crate) new: u64,
    /// Lines were added at their ends.
    pub(crate) grown: u64,
    pub(crate) changed: u64,
    pub(crate) unchanged: u64,
    pub(crate) removed: u64,
}

/// What there is of a source, beside what was read of it.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) counts: FileCounts,
    /// What is new, and files that were changed.
    pub(super) fresh: Vec<Piece>,
    /// Segments made of files that have changed since, and of files that are gone.
    pub(super) stale: BTreeSet<usize>,
    pub(super) stale_by_removal: BTreeSet<usize>,
    pub(super) removed: Vec<String>,
    /// Names that other lines have by now.
    pub(super) replaced: Vec<String>,
    /// Names of files that were longer.
    pub(super) shrunk: Vec<String>,
    /// Files that have the same lines as others of other names, which were read before.
    pub(super) alike: Vec<(String, String)>,
}
