//! Which bytes of a Parquet file are read.

use super::statistics::RowGroups;
use crate::query::glue::Footer;
use arrow::datatypes::SchemaRef;
use datafusion::physical_optimizer::pruning::PruningPredicate;

/// A file of at most so many bytes is read whole.
const SMALL: u64 = 3 << 20;
/// What is fetched of a larger file to find its footer.
const END: u64 = 48 << 10;
/// Chunks with so many bytes between them, at most, are fetched together, and what is between them, too,
const GAP: u64 = 1 << 20;
/// if all that has no more bytes than this.
const TOGETHER: u64 = 8 << 20;

/// The bytes that are read of a file of `size` bytes: of the columns that `footer` has names of, which are `columns`, in the row groups that
/// none of `predicates` rules out.
pub(super) fn bytes_read(footer: &Footer, size: u64, columns: &SchemaRef, predicates: &[PruningPredicate]) -> u64 {
    let metadata = &footer.metadata;
    let mut kept = vec![true; metadata.num_row_groups()];
    let groups = RowGroups { footer, columns };
    for predicate in predicates {
        // What can't be told is read.
        if let Ok(passes) = predicate.prune(&groups) {
            kept.iter_mut().zip(passes).for_each(|(kept, passes)| *kept &= passes);
        }
    }
    if !kept.contains(&true) {
        return 0;
    }
    if size <= SMALL {
        return size;
    }
    let wanted = |name: &str| footer.names.iter().flatten().any(|known| known == name);
    let mut ranges = Vec::new();
    for (group, _) in metadata.row_groups().iter().zip(&kept).filter(|(_, kept)| **kept) {
        let chunks = group.columns().iter().filter(|chunk| chunk.column_path().parts().first().is_some_and(|root| wanted(root)));
        ranges.extend(chunks.map(|chunk| chunk.byte_range()));
    }
    END.saturating_add(merged(ranges)).min(size)
}

/// How many bytes `ranges`, each a start and a length, have with the gaps between those that are fetched together.
fn merged(mut ranges: Vec<(u64, u64)>) -> u64 {
    ranges.sort_unstable();
    let (mut bytes, mut last) = (0, None);
    for (start, length) in ranges {
        let end = start.saturating_add(length);
        last = match last {
            Some((first, before)) if start <= before + GAP && end - first <= TOGETHER => Some((first, end.max(before))),
            Some((first, before)) => {
                bytes += before - first;
                Some((start, end))
            }
            None => Some((start, end)),
        };
    }
    bytes + last.map_or(0, |(first, before)| before - first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_near_is_fetched_together() {
        const MIB: u64 = 1 << 20;
        assert_eq!(merged(Vec::new()), 0);
        assert_eq!(merged(vec![(2 * MIB, 10), (0, MIB)]), 2 * MIB + 10);
        assert_eq!(merged(vec![(0, MIB), (2 * MIB + 1, 10)]), MIB + 10);
        assert_eq!(merged(vec![(0, 5 * MIB), (5 * MIB + 1, 4 * MIB)]), 9 * MIB);
        assert_eq!(merged(vec![(0, 9 * MIB)]), 9 * MIB);
    }
}
