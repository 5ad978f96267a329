//! The distinct values of a column, numbered in the order of their first appearance.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// What hashes depend on besides the values. It is another one in each process, and nothing that is written shows it: who makes
/// an input can't know which values would meet in one slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key(u64, u64);

impl Key {
    /// The key of this process.
    fn of_process() -> Key {
        static KEY: LazyLock<Key> = LazyLock::new(|| {
            let random = RandomState::new();
            Key::new(random.hash_one(0), random.hash_one(1))
        });
        *KEY
    }

    fn new(first: u64, second: u64) -> Key {
        // Odd, so that the products of different values with it are different.
        Key(first, second | 1)
    }

    /// Mixes two words into one that depends on all bits of both.
    #[inline]
    fn mix(self, a: u64, b: u64) -> u64 {
        let product = u128::from(a ^ self.0) * u128::from(b ^ self.1);
        product as u64 ^ (product >> 64) as u64
    }

    /// A hash of `value`.
    #[inline]
    pub(super) fn hash_number(self, value: i64) -> u64 {
        spread(self.mix(value as u64, 0))
    }

    /// A hash of `bytes`, 16 at a time.
    #[inline]
    pub(super) fn hash(self, bytes: &[u8]) -> u64 {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default());
        let half = |at: usize| u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default()));
        let length = bytes.len();
        let mut state = length as u64;
        let mut at = 0;
        while at + 16 <= length {
            state = self.mix(word(at) ^ state, word(at + 8));
            at += 16;
        }
        // What is left, by words that may overlap.
        let rest = length - at;
        let (low, high) = if rest >= 8 {
            (word(at), word(length - 8))
        } else if rest >= 4 {
            (half(at) | half(length - 4) << 32, 0)
        } else if rest > 0 {
            (u64::from(bytes[at]) | u64::from(bytes[(at + length) / 2]) << 8 | u64::from(bytes[length - 1]) << 16, 0)
        } else {
            return spread(state);
        };
        spread(self.mix(low ^ state, high))
    }
}

/// Makes the lowest bits, which choose a slot, depend on all others. What [`Key::mix`] gives for values at the same distances may
/// have the same ones, by one key in a hundred.
#[inline]
fn spread(hash: u64) -> u64 {
    let hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 32
}

/// Numbers values by their hashes; where the values lie is the caller's.
#[derive(Debug)]
pub(super) struct Numbering {
    /// What the values are to be hashed with.
    pub(super) key: Key,
    /// Open addressing, at most half full: 0 is free, else a value's number + 1.
    slots: Vec<u32>,
    hashes: Vec<u64>,
    /// How many taken slots were looked at.
    #[cfg(test)]
    probes: usize,
}

impl Default for Numbering {
    fn default() -> Self {
        Numbering::with_key(Key::of_process())
    }
}

impl Numbering {
    fn with_key(key: Key) -> Numbering {
        Numbering {
            key,
            slots: Vec::new(),
            hashes: Vec::new(),
            #[cfg(test)]
            probes: 0,
        }
    }

    /// Forgets all values and keeps the memory; small dictionaries clear in no time.
    pub(super) fn clear(&mut self) {
        self.hashes.clear();
        self.slots.clear();
        self.slots.resize(256, 0);
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The number of the value with this hash for which `same` holds; a new one, and true, where there is none.
    #[inline]
    pub(super) fn number(&mut self, hash: u64, same: impl Fn(u32) -> bool) -> (u32, bool) {
        if self.hashes.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let limit = self.slots.len() - 1;
        let mut at = hash as usize & limit;
        loop {
            #[cfg(test)]
            {
                self.probes += 1;
            }
            match self.slots[at] {
                0 => {
                    self.hashes.push(hash);
                    self.slots[at] = self.hashes.len() as u32;
                    return (self.hashes.len() as u32 - 1, true);
                }
                taken if self.hashes[taken as usize - 1] == hash && same(taken - 1) => return (taken - 1, false),
                _ => at = (at + 1) & limit,
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.slots.len() * 4).max(256);
        self.slots.clear();
        self.slots.resize(size, 0);
        for (number, hash) in self.hashes.iter().enumerate() {
            let mut at = *hash as usize & (size - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = number as u32 + 1;
        }
    }
}

/// Whether two values are the same. Most are short: a call would cost more than the comparison.
#[inline]
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    let length = a.len();
    if length != b.len() {
        return false;
    }
    let word = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default());
    match length {
        0..8 => a.iter().zip(b).all(|(x, y)| x == y),
        8..=32 => (0..length / 8).all(|i| word(a, i * 8) == word(b, i * 8)) && word(a, length - 8) == word(b, length - 8),
        _ => a == b,
    }
}

#[cfg(test)]
impl Numbering {
    /// As another process might have it.
    pub(super) fn of_another_process(seed: u64) -> Numbering {
        // A builder without keys of its own: the same on every run.
        let fixed = std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default();
        Numbering::with_key(Key::new(fixed.hash_one((seed, 0)), fixed.hash_one((seed, 1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_numbers() {
        let texts: Vec<String> = (0..10_000).map(|i| format!("{}{}", "x".repeat(i % 40), i / 3)).collect();
        let mut numbering = Numbering::default();
        let key = numbering.key;
        let mut known: Vec<&str> = Vec::new();
        for text in texts.iter().chain(&texts) {
            let (number, new) = numbering.number(key.hash(text.as_bytes()), |n| known[n as usize] == text);
            if new {
                known.push(text);
            }
            assert_eq!(known[number as usize], text);
        }
        assert_eq!(known.len(), texts.iter().collect::<std::collections::HashSet<_>>().len());
        assert_eq!(numbering.len(), known.len());
    }

    /// A key that is the same everywhere, as a hash without one has it.
    const KNOWN: Key = Key(0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03);

    /// How many slots are looked at to number `hashes`, all of different values.
    fn probes(key: Key, hashes: impl Iterator<Item = u64>) -> usize {
        let mut numbering = Numbering::with_key(key);
        hashes.for_each(|hash| assert!(numbering.number(hash, |_| false).1));
        numbering.probes
    }

    #[test]
    fn values_chosen_for_one_key_are_spread_by_others() {
        const VALUES: usize = 2_000;
        // Numbers whose hashes end with the same bits, and texts whose first word makes the product nothing.
        let numbers: Vec<i64> = (0..).filter(|number| KNOWN.hash_number(*number) & 0xfff == 0).take(VALUES).collect();
        let text = |number: usize| [(KNOWN.0 ^ 16).to_le_bytes(), (number as u64).to_le_bytes()].concat();
        let texts: Vec<Vec<u8>> = (0..VALUES).map(text).collect();
        assert!(probes(KNOWN, numbers.iter().map(|number| KNOWN.hash_number(*number))) > VALUES * VALUES / 4);
        assert!(texts.iter().all(|text| KNOWN.hash(text) == 0));
        for seed in 1..200 {
            let key = Numbering::of_another_process(seed).key;
            for distance in [1, 1000, 4096, 1 << 32, 1 << 40] {
                assert!(probes(key, (0..VALUES as i64).map(|number| key.hash_number(number * distance))) < VALUES * 3, "{key:?}");
            }
            assert!(probes(key, numbers.iter().map(|number| key.hash_number(*number))) < VALUES * 3, "{key:?}");
            assert!(probes(key, texts.iter().map(|text| key.hash(text))) < VALUES * 3, "{key:?}");
        }
        let key = Numbering::default().key;
        assert!(probes(key, numbers.iter().map(|number| key.hash_number(*number))) < VALUES * 3, "{key:?}");
    }
}
