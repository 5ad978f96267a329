//! The random numbers of the generator: small, fast, and the same for ever on every machine.
//!
//! SplitMix64 (Steele, Lea, Flood 2014; the constants are those of Java's `SplittableRandom`): a counter that goes up by
//! the golden ratio, and a mixing of its bits. Only integers are used, as floating-point logarithms differ between
//! platforms.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// A stream of its own for the `index`th thing of a kind.
    pub(super) fn of(seed: u64, index: u64) -> Self {
        Random(Random(seed ^ index.wrapping_mul(GOLDEN)).next())
    }

    /// The next number.
    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, all about equally likely; 0 where `limit` is 0.
    #[inline]
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        (((self.next() >> 32) * u64::from(limit)) >> 32) as u32
    }

    /// A number below `limit`, where small ones come much more often: a few come back daily, many come once.
    pub(super) fn skewed(&mut self, limit: u32) -> u32 {
        let once = u64::from(self.below(u32::MAX));
        let twice = u64::from(self.below(u32::MAX));
        ((((once * twice) >> 32) * u64::from(limit)) >> 32) as u32
    }

    /// True in `per_mille` of a thousand calls.
    #[inline]
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `items`, which are not empty.
    #[inline]
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// A waiting time of an exponential distribution around `mean`, by the base-2 logarithm read off the leading zeros.
    pub(super) fn wait(&mut self, mean: u64) -> u64 {
        let bits = self.next() | 1;
        let zeros = bits.leading_zeros();
        let fraction = 0xffff - ((bits << zeros << 1) >> 48);
        let log2 = u64::from(zeros) << 16 | fraction;
        // ln(2) = 45426 / 65536.
        ((u128::from(mean) * u128::from(log2) * 45_426) >> 32) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn numbers_stay_in_their_range_and_near_their_mean() {
        let mut random = Random::new(7);
        assert!((0..10_000).all(|_| random.below(10) < 10 && random.skewed(10) < 10));
        assert_eq!(random.below(0), 0);
        let mean = (0..100_000).map(|_| random.wait(1_000)).sum::<u64>() / 100_000;
        assert!((900..1_100).contains(&mean), "{mean}");
    }
}
