//! The distinct values of a column, numbered in the order of their first appearance.

/// Numbers values by their hashes; where the values lie is the caller's.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// Open addressing: 0 is free, else a value's number + 1.
    slots: Vec<u32>,
    hashes: Vec<u64>,
}

impl Numbering {
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

/// Mixes two words into one that depends on all bits of both.
#[inline]
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd1b5_4a32_d192_ed03);
    product as u64 ^ (product >> 64) as u64
}

/// A hash of `bytes`, 16 at a time.
#[inline]
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default());
    let length = bytes.len();
    let mut state = length as u64;
    let mut at = 0;
    while at + 16 <= length {
        state = mix(word(at) ^ state, word(at + 8));
        at += 16;
    }
    let (mut low, mut high) = (0, 0);
    let rest = &bytes[at..];
    if rest.len() >= 8 {
        low = word(at);
        high = word(length - 8);
    } else {
        for byte in rest {
            low = low << 8 | u64::from(*byte);
        }
    }
    if !rest.is_empty() {
        state = mix(low ^ state, high);
    }
    state
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
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_numbers() {
        let texts: Vec<String> = (0..10_000).map(|i| format!("{}{}", "x".repeat(i % 40), i / 3)).collect();
        let mut numbering = Numbering::default();
        let mut known: Vec<&str> = Vec::new();
        for text in texts.iter().chain(&texts) {
            let (number, new) = numbering.number(hash(text.as_bytes()), |n| known[n as usize] == text);
            if new {
                known.push(text);
            }
            assert_eq!(known[number as usize], text);
        }
        assert_eq!(known.len(), texts.iter().collect::<std::collections::HashSet<_>>().len());
        assert_eq!(numbering.len(), known.len());
    }
}
