//! What data sets would cost in S3 and Athena, a month. It is an estimate: nothing of it was measured at AWS.

use super::cell::Cell;
use super::making::Made;
use super::prices::Prices;
use crate::query::athena::PricePerTb;
use serde::Serialize;

/// Days of a month.
const DAYS: f64 = 30.0;
/// A request gets so much of a file, about.
const A_REQUEST: u64 = 8 << 20;
/// A list has so many names.
const A_LIST: u64 = 1_000;

/// USD a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Monthly {
    pub data_set: String,
    /// Athena, for what is scanned: what was read here, no more than the files have, rounded up to MB, and 10 MB a query at least.
    pub scanned: f64,
    /// S3, for keeping the files.
    pub stored: f64,
    /// S3, for listing and getting the files in each query.
    pub requests: f64,
    /// S3, once, for writing the files.
    pub written_once: f64,
}

impl Monthly {
    /// All but what is paid once.
    pub fn total(&self) -> f64 {
        self.scanned + self.stored + self.requests
    }
}

/// The estimate of each data set that was asked, for so many queries a day, of each question equally many.
pub(super) fn monthly(made: &[Made], cells: &[Cell], prices: &Prices, queries_per_day: u32) -> Vec<Monthly> {
    let estimate = |made: &Made| {
        let record = made.record.as_ref()?;
        let read: Vec<u64> =
            cells.iter().filter(|cell| cell.data_set == made.name).filter_map(|cell| Some(cell.bytes_read?.min(record.bytes))).collect();
        if read.is_empty() {
            return None;
        }
        let queries = f64::from(queries_per_day) * DAYS;
        let mean = |of: &dyn Fn(u64) -> f64| read.iter().map(|bytes| of(*bytes)).sum::<f64>() / read.len() as f64;
        let athena = PricePerTb(prices.athena_per_tb);
        let requests = |bytes: u64| {
            let gets = record.files.max(bytes.div_ceil(A_REQUEST)) as f64;
            let lists = record.files.div_ceil(A_LIST) as f64;
            gets / 1e3 * prices.s3_per_1000_get + lists / 1e3 * prices.s3_per_1000_put
        };
        Some(Monthly {
            data_set: made.name.clone(),
            scanned: queries * mean(&|bytes| athena.of(bytes).usd().unwrap_or_default()),
            stored: record.bytes as f64 / 1e9 * prices.s3_per_gb_month,
            requests: queries * mean(&requests),
            written_once: record.files as f64 / 1e3 * prices.s3_per_1000_put,
        })
    };
    made.iter().filter_map(estimate).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cell::Run;
    use super::super::data_set::{DataSet, Form};
    use super::super::making::Record;
    use super::*;
    use crate::output::Kind;

    #[test]
    fn what_is_paid_follows_from_bytes_and_files() {
        let data_set = DataSet { form: Form { format: Kind::Csv, compression: "none".into() }, splits: 2_000, partition_by: Vec::new() };
        let record =
            Record { files: 2_000, rows: 1, rejects: 0, bytes: 1_000_000_000_000, conversion_seconds: 1.0, conversion_memory: None };
        let made = Made { name: data_set.name(), data_set, record: Some(record), reused: false, error: None };
        let run = |bytes| Run { seconds: 1.0, rows: 1, bytes_read: Some(bytes), ..Run::default() };
        let cells = [1, 1_000_000_000_000].map(|bytes| Cell::of(made.name.clone(), "q".into(), &[run(bytes)], None));
        let told = monthly(&[made], &cells, &Prices::default(), 10);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9 * b;
        // 300 queries, the half of them for 10 MB and the half for a TB.
        assert!(close(told[0].scanned, 150.0 * 5.0 + 150.0 * 0.00005), "{told:?}");
        assert!(close(told[0].stored, 23.0));
        assert!(close(told[0].written_once, 0.01));
        // Two lists; a get a file, or one for each 8 MiB.
        let large = 1_000_000_000_000_u64.div_ceil(8 << 20) as f64 / 1e3 * 0.0004;
        assert!(close(told[0].requests, 150.0 * (2.0 * 0.0004 + large) + 300.0 * 2.0 / 1e3 * 0.005));
    }
}
