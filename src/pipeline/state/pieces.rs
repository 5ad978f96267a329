//! Which lines of which files are read.

use std::collections::BTreeMap;

/// Lines of a file of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Piece {
    /// The file's place in the listing.
    pub(crate) place: usize,
    /// Where they start, in decompressed bytes.
    pub(crate) from: u64,
    /// Where they end; at the file's end where there is none.
    pub(crate) to: Option<u64>,
    /// How many lines are before them.
    pub(crate) lines: u64,
}

impl Piece {
    /// All lines of the file at `place`.
    pub(crate) fn whole(place: usize) -> Piece {
        Piece { place, from: 0, to: None, lines: 0 }
    }
}

/// What is read of each source.
pub(crate) type ReadSet = BTreeMap<String, Vec<Piece>>;

/// Adds pieces to pieces; each is there once, in order, and none within another.
pub(crate) fn merge(read: &mut ReadSet, more: ReadSet) {
    for (name, pieces) in more {
        let all = read.entry(name).or_default();
        all.extend(pieces);
        // The longest of those that start at one byte comes first.
        all.sort_unstable_by_key(|piece| (piece.place, piece.from, std::cmp::Reverse(piece.to.unwrap_or(u64::MAX))));
        let mut last: Option<Piece> = None;
        all.retain(|piece| {
            let end = |piece: &Piece| piece.to.unwrap_or(u64::MAX);
            let within = last.is_some_and(|last| last.place == piece.place && end(piece) <= end(&last));
            if !within {
                last = Some(*piece);
            }
            !within
        });
    }
}
