//! What AWS charges.

use crate::error::Result;
use crate::yaml::{Node, Problems, Read, Text, Value, Word, read_text, section};
use serde::Serialize;
use std::path::Path;

/// Prices in USD. A file of them is YAML with these keys; what it leaves out is as here.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

section! {
    /// The file as it is written.
    struct PricesText {
        /// Which list, of which region and date.
        list: Option<Text>,
        /// Athena, a TB scanned.
        athena_per_tb: Option<Value<Usd>>,
        /// S3, a GB a month.
        s3_per_gb_month: Option<Value<Usd>>,
        /// S3, 1,000 GET requests.
        s3_per_1000_get: Option<Value<Usd>>,
        /// S3, 1,000 PUT or LIST requests.
        s3_per_1000_put: Option<Value<Usd>>,
    }
}

/// An amount of USD, of 0 or more.
#[derive(Debug, Clone, Copy)]
struct Usd(f64);

impl Word for Usd {
    const KIND: &'static str = "number";

    fn parse(text: &str) -> Result<Self, String> {
        let parsed = text.trim().trim_start_matches('$').parse().ok().filter(|usd: &f64| usd.is_finite() && *usd >= 0.0);
        parsed.map(Usd).ok_or_else(|| format!("`{text}` is not a price in USD: expected a number of at least 0"))
    }
}

impl Prices {
    /// Reads a file of prices.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where it can't be read, [`crate::ErrorKind::Format`] where it is none, with file, line and column and a caret.
    pub fn load(path: &Path) -> Result<Prices> {
        let (name, text) = (path.display().to_string(), read_text(path)?);
        let mut problems = Problems::new(&name, &text);
        let written = Node::parse(&mut problems).and_then(|root| PricesText::read(&root, &mut problems));
        if let Some(error) = problems.into_error() {
            return Err(error);
        }
        let mut prices = Prices::default();
        if let Some(written) = written {
            let put = |price: &mut f64, written: &Option<Value<Usd>>| {
                if let Some(written) = written {
                    *price = written.value.0;
                }
            };
            put(&mut prices.athena_per_tb, &written.athena_per_tb);
            put(&mut prices.s3_per_gb_month, &written.s3_per_gb_month);
            put(&mut prices.s3_per_1000_get, &written.s3_per_1000_get);
            put(&mut prices.s3_per_1000_put, &written.s3_per_1000_put);
            // A list that was changed is no longer AWS's.
            prices.list = written.list.map_or_else(|| format!("prices of {name}"), |list| list.text);
        }
        Ok(prices)
    }
}
