//! Counts different values in bounded memory: exactly while they are few, then by HyperLogLog.

use super::model::Distinct;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use std::collections::HashSet;

/// Up to so many values are counted exactly.
const EXACT: usize = 4096;
/// Bits of a hash that choose a register; 2^12 registers give an error of 1.6%.
const BITS: u32 = 12;

/// A count of different values.
#[derive(Debug, Clone, Default)]
pub(super) struct DistinctCount {
    few: HashSet<u64>,
    /// The longest run of zeros seen by each register; empty while the values are few.
    registers: Vec<u8>,
}

impl DistinctCount {
    /// Sees the values of `array`; gives whether its type is one that can be counted.
    pub(super) fn see(&mut self, array: &ArrayRef) -> bool {
        let rows = (0..array.len()).filter(|row| array.is_valid(*row));
        match array.data_type() {
            DataType::Utf8View => rows.for_each(|row| self.see_bytes(array.as_string_view().value(row).as_bytes())),
            DataType::Utf8 => rows.for_each(|row| self.see_bytes(array.as_string::<i32>().value(row).as_bytes())),
            DataType::LargeUtf8 => rows.for_each(|row| self.see_bytes(array.as_string::<i64>().value(row).as_bytes())),
            DataType::BinaryView => rows.for_each(|row| self.see_bytes(array.as_binary_view().value(row))),
            DataType::Binary => rows.for_each(|row| self.see_bytes(array.as_binary::<i32>().value(row))),
            DataType::Boolean => rows.for_each(|row| self.see_bytes(&[u8::from(array.as_boolean().value(row))])),
            fixed => {
                let Some(width) = fixed.primitive_width() else { return false };
                let data = array.to_data();
                let bytes = &data.buffers()[0].as_slice()[data.offset() * width..];
                rows.for_each(|row| self.see_bytes(&bytes[row * width..(row + 1) * width]));
            }
        }
        true
    }

    /// Sees one value.
    pub(super) fn see_bytes(&mut self, value: &[u8]) {
        let hash = hash(value);
        if !self.registers.is_empty() {
            return self.register(hash);
        }
        self.few.insert(hash);
        if self.few.len() > EXACT {
            self.registers = vec![0; 1 << BITS];
            for hash in std::mem::take(&mut self.few) {
                self.register(hash);
            }
        }
    }

    fn register(&mut self, hash: u64) {
        let register = &mut self.registers[(hash >> (64 - BITS)) as usize];
        // The set bit keeps the run within what is left of the hash.
        let run = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
        *register = (*register).max(run);
    }

    /// How many different values were seen.
    pub(super) fn count(&self) -> Distinct {
        if self.registers.is_empty() {
            return Distinct { count: self.few.len() as u64, estimated: false };
        }
        let m = self.registers.len() as f64;
        let sum: f64 = self.registers.iter().map(|run| 0.5f64.powi(i32::from(*run))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = self.registers.iter().filter(|run| **run == 0).count() as f64;
        // While many registers are empty, their number tells more than the runs.
        let estimate = if raw <= 2.5 * m && empty > 0.0 { m * (m / empty).ln() } else { raw };
        Distinct { count: estimate.round() as u64, estimated: true }
    }
}

/// A hash whose every bit depends on every byte of `value`.
fn hash(value: &[u8]) -> u64 {
    let mut hash = mixed(value.len() as u64);
    let mut chunks = value.chunks_exact(8);
    for chunk in chunks.by_ref() {
        hash = mixed(hash ^ u64::from_le_bytes(chunk.try_into().expect("chunks_exact gives chunks of 8 bytes")));
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mixed(hash ^ u64::from_le_bytes(last))
}

/// The finalizer of SplitMix64.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(values: u64) -> Distinct {
        let mut count = DistinctCount::default();
        for _ in 0..2 {
            (0..values).for_each(|v| count.see_bytes(format!("/path/number/{v}").as_bytes()));
        }
        count.count()
    }

    #[test]
    fn few_are_exact_and_many_are_near() {
        assert_eq!(count(0), Distinct { count: 0, estimated: false });
        assert_eq!(count(4096), Distinct { count: 4096, estimated: false });
        for values in [5_000, 20_000, 300_000] {
            let found = count(values);
            assert!(found.estimated && found.count.abs_diff(values) < values / 20, "{values}: {found:?}");
        }
    }
}
