//! What AWS charges.

use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Prices in USD. A file of them is YAML with these keys; what it leaves out is as here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// Which list, of which region and date.
    pub list: String,
    /// Athena, a TB (10^12 bytes) scanned; a query is charged for 10 MB at least.
    pub athena_per_tb: f64,
    /// S3, a GB (10^9 bytes) a month.
    pub s3_per_gb_month: f64,
    /// S3, 1,000 GET requests.
    pub s3_per_1000_get: f64,
    /// S3, 1,000 PUT or LIST requests.
    pub s3_per_1000_put: f64,
}

impl Default for Prices {
    /// [Athena](https://aws.amazon.com/athena/pricing/) and [S3 Standard](https://aws.amazon.com/s3/pricing/), us-east-1.
    fn default() -> Self {
        Prices {
            list: "AWS's public prices of us-east-1 (Athena SQL, S3 Standard), as of 2026-09".to_string(),
            athena_per_tb: 5.0,
            s3_per_gb_month: 0.023,
            s3_per_1000_get: 0.0004,
            s3_per_1000_put: 0.005,
        }
    }
}

impl Prices {
    /// Reads a file of prices.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read, [`ErrorKind::Format`] where it is none.
    pub fn load(path: &Path) -> Result<Prices> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::input(path.display(), e))?;
        let wrong = |e: String| {
            let error = Error::of_lines(ErrorKind::Format, format!("{}: {e}", path.display()));
            error.with_context("expected", "list, athena_per_tb, s3_per_gb_month, s3_per_1000_get, s3_per_1000_put; prices in USD")
        };
        let prices: Prices = serde_saphyr::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let all = [prices.athena_per_tb, prices.s3_per_gb_month, prices.s3_per_1000_get, prices.s3_per_1000_put];
        match all.iter().all(|price| price.is_finite() && *price >= 0.0) {
            true => Ok(prices),
            false => Err(wrong("a price is a number of 0 or more".to_string())),
        }
    }
}
