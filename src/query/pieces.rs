//! Cuts a table's sources into pieces that can be decoded on their own.

use crate::error::Result;
use crate::input::{BlockReader, Compression, Framing, Source, Table, each};

/// The size of a piece: large enough that opening it costs nothing, small enough that all threads have one.
const PIECE: u64 = 8 << 20;

/// A part of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// The index of the source.
    pub source: usize,
    /// The bytes of it in which the piece's lines start; all of it where not given.
    pub range: Option<(u64, u64)>,
    /// What there is to read, in bytes as stored.
    pub size: u64,
}

/// The pieces of the sources at `indices`, in order. Only lines of an uncompressed file can be read from the middle.
pub(super) fn of(table: &Table, indices: &[usize]) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let sources: Vec<Source> = indices.iter().map(|index| table.sources[*index].clone()).collect();
    let cuttable = |source: &Source| {
        Ok(source.size.is_some_and(|size| size > PIECE)
            && table.format.framing() == Some(Framing::Lines)
            && BlockReader::peek(source, Framing::Lines)?.compression() == Compression::None)
    };
    for ((&index, source), cuttable) in indices.iter().zip(&sources).zip(each(&sources, cuttable)) {
        let size = source.size.unwrap_or_default();
        if !cuttable? {
            pieces.push(Piece { source: index, range: None, size });
            continue;
        }
        let mut start = 0;
        while start < size {
            let end = (start + PIECE).min(size);
            pieces.push(Piece { source: index, range: Some((start, end)), size: end - start });
            start = end;
        }
    }
    Ok(pieces)
}

/// Deals `pieces` into at most `hands` runs of about the same size, in order.
pub(super) fn deal(pieces: Vec<Piece>, hands: usize) -> Vec<Vec<Piece>> {
    // A byte more for each, so that pieces of unknown size are dealt evenly too.
    let total: u128 = pieces.iter().map(|p| u128::from(p.size) + 1).sum();
    let mut dealt: Vec<Vec<Piece>> = vec![Vec::new(); hands.max(1)];
    let mut before = 0;
    for piece in pieces {
        let hand = before * dealt.len() as u128 / total;
        before += u128::from(piece.size) + 1;
        dealt[hand as usize].push(piece);
    }
    dealt.retain(|hand| !hand.is_empty());
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_dealt_in_order_and_evenly() {
        let piece = |size| Piece { source: 0, range: None, size };
        let sizes = |hands| -> Vec<Vec<u64>> {
            let pieces = [10, 10, 10, 10, 30, 0].map(piece).to_vec();
            deal(pieces, hands).iter().map(|hand| hand.iter().map(|p| p.size).collect()).collect()
        };
        assert_eq!(sizes(1), [[10, 10, 10, 10, 30, 0]]);
        assert_eq!(sizes(2), [vec![10, 10, 10, 10], vec![30, 0]]);
        assert_eq!(sizes(0), sizes(1));
        assert_eq!(sizes(100).concat(), [10, 10, 10, 10, 30, 0]);
        assert!(deal(Vec::new(), 3).is_empty());
    }
}
