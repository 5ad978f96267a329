//! What a query costs.

use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// Scanned bytes are counted in these. AWS's price list doesn't say which megabyte it means; Athena's API counts 10 MB as 10,000,000
/// bytes, and with that a cost is never told too low.
const MB: u64 = 1_000_000;
/// A query is charged for as many at least.
const LEAST_MB: u64 = 10;

/// USD for a TB (10^12 bytes) scanned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PricePerTb(pub f64);

impl Default for PricePerTb {
    fn default() -> Self {
        PricePerTb(5.0)
    }
}

impl FromStr for PricePerTb {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().trim_start_matches('$').parse() {
            Ok(usd) if (0.0..=1e6).contains(&usd) => Ok(PricePerTb(usd)),
            _ => Err(format!("`{text}` is not a price in USD; examples: 5, 6.25")),
        }
    }
}

impl fmt::Display for PricePerTb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PricePerTb {
    /// The cost of scanning `bytes`: up to the next MB, and 10 MB at least.
    pub fn of(self, bytes: u64) -> Cost {
        let billed = bytes.div_ceil(MB).max(LEAST_MB) * MB;
        Cost::Scanned { billed, usd: billed as f64 * self.0 / 1e12 }
    }

    /// The most bytes that cost no more than `usd`; nothing where not even the least of a query does, or where all is free.
    pub fn bytes_for(self, usd: f64) -> Option<u64> {
        let mbs = (usd / self.0 * 1e12 / MB as f64 + 1e-6).floor();
        (mbs.is_finite() && mbs >= LEAST_MB as f64).then(|| (mbs as u64).saturating_mul(MB))
    }
}

/// What a query costs. Requests to S3 and to Glue come on top, on their own bills.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Nothing: it failed, only described or defined something, or its result was there already.
    Free,
    /// By the bytes that it scanned.
    Scanned {
        /// The bytes that are charged for.
        billed: u64,
        usd: f64,
    },
    /// By the hour of reserved capacity.
    Reserved { dpu_hours: f64 },
}

impl Cost {
    /// In USD, where it is known.
    pub fn usd(self) -> Option<f64> {
        match self {
            Cost::Free => Some(0.0),
            Cost::Scanned { usd, .. } => Some(usd),
            Cost::Reserved { .. } => None,
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cost::Free => f.write_str("free"),
            Cost::Scanned { usd, .. } if *usd >= 0.01 || *usd == 0.0 => write!(f, "about ${usd:.2}"),
            // A thousandth of a cent is worth a digit: a query a second is 2.6 million a month.
            Cost::Scanned { usd, .. } => write!(f, "about ${}", format!("{usd:.6}").trim_end_matches('0')),
            Cost::Reserved { dpu_hours } => write!(f, "{dpu_hours:.3} DPU-hours of reserved capacity"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn megabytes_are_begun_and_ten_at_least() {
        let price = PricePerTb::default();
        for (bytes, billed) in [(0, 10), (1, 10), (10_000_000, 10), (10_000_001, 11), (12_300_000, 13), (1_000_000_000_000, 1_000_000)] {
            assert_eq!(price.of(bytes), Cost::Scanned { billed: billed * MB, usd: billed as f64 * 5.0 / 1e6 });
        }
        assert_eq!(price.of(0).to_string(), "about $0.00005");
        assert_eq!(price.of(12_300_000).to_string(), "about $0.000065");
        assert_eq!(price.of(3_000_000_000_000).to_string(), "about $15.00");
    }

    #[test]
    fn a_cost_is_a_number_of_bytes() {
        let price: PricePerTb = "$5".parse().unwrap();
        assert_eq!(price.bytes_for(1.0), Some(200_000_000_000));
        assert_eq!(price.bytes_for(0.00005), Some(10_000_000));
        assert_eq!(price.bytes_for(0.000_04), None);
        assert_eq!(PricePerTb(0.0).bytes_for(1.0), None);
        for bytes in [10_000_000, 11_000_000, 999_000_000] {
            let usd = price.of(bytes).usd().unwrap();
            assert_eq!(price.bytes_for(usd), Some(bytes));
        }
        for bad in ["", "-1", "free", "NaN", "inf"] {
            assert!(bad.parse::<PricePerTb>().is_err(), "{bad}");
        }
    }
}
