//! Requests that are begun before their turn comes: the time that an answer takes is spent on many at once.

use std::collections::VecDeque;

/// How many are begun at most.
const MOST: usize = 64;
/// How many bytes they may hold together before no more are begun.
const BYTES: u64 = 64 << 20;

/// Things that were begun, in the order in which they will be wanted.
#[derive(Debug)]
pub struct Ahead<T> {
    begun: VecDeque<(u64, T)>,
    bytes: u64,
}

impl<T> Default for Ahead<T> {
    fn default() -> Self {
        Ahead { begun: VecDeque::new(), bytes: 0 }
    }
}

impl<T> Ahead<T> {
    /// The next one. `begin` begins another, and says how many bytes it will hold; it gives nothing where there are no more.
    pub fn next(&mut self, mut begin: impl FnMut() -> Option<(u64, T)>) -> Option<T> {
        while self.begun.len() < MOST && self.bytes < BYTES {
            let Some((bytes, one)) = begin() else { break };
            self.bytes += bytes;
            self.begun.push_back((bytes, one));
        }
        let (bytes, one) = self.begun.pop_front()?;
        self.bytes -= bytes;
        Some(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_in_order_and_few_are_ahead() {
        for (bytes, most) in [(1, MOST), (BYTES / 4, 4), (BYTES * 2, 1)] {
            let (mut ahead, mut begun) = (Ahead::default(), 0);
            for turn in 0..200 {
                let next = ahead.next(|| {
                    begun += 1;
                    (begun <= 200).then_some((bytes, begun - 1))
                });
                assert_eq!(next, Some(turn));
                assert!(begun <= turn + most + 1, "{begun} begun at {turn}");
            }
            assert_eq!(ahead.next(|| None), None);
        }
    }
}
