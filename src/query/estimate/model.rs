//! An estimate, and what is said of it.

use crate::error::{Error, ErrorKind, Result};
use crate::units::{ByteSize, count};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Athena counts in these.
const MB: u64 = 1_000_000;
/// A query costs as if it scanned so much, at least.
const LEAST: u64 = 10 * MB;

/// What a query would scan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// One for each scan: a table that is joined with itself is scanned twice.
    pub tables: Vec<TableEstimate>,
    /// Of all of them.
    pub bytes: u64,
    /// Whether no less can be scanned.
    pub exact: bool,
    /// Why that is not so for the query as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What a query would scan of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableEstimate {
    /// `database.table`.
    pub name: String,
    /// How many partitions are read, of how many; nothing where the table has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u64>,
    /// Not told where the partitions of all values can't be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_partitions: Option<u64>,
    /// In the partitions that are read.
    pub files: u64,
    pub bytes: u64,
    /// Of all its files, where it is known which these are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_bytes: Option<u64>,
    /// Whether no less can be scanned.
    pub exact: bool,
    /// Why less may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Estimate {
    /// The sum of `tables`; `why` it may be less as a whole.
    pub(super) fn of(tables: Vec<TableEstimate>, why: Option<String>) -> Estimate {
        let bytes = tables.iter().map(|table| table.bytes).sum();
        let exact = why.is_none() && tables.iter().all(|table| table.exact);
        Estimate { tables, bytes, exact, why }
    }

    /// What the query costs in USD where a TB, of 10^12 bytes, costs `price`: megabytes are rounded up, and 10 are paid at least.
    pub fn cost(&self, price: f64) -> f64 {
        if self.tables.is_empty() {
            return 0.0;
        }
        self.bytes.div_ceil(MB).saturating_mul(MB).max(LEAST) as f64 / 1e12 * price
    }

    /// Refuses a query that would scan more than `most`.
    ///
    /// # Errors
    /// [`ErrorKind::Query`], with the tables and what to do.
    pub fn refuse_above(&self, most: ByteSize) -> Result<()> {
        if self.bytes <= most.0 {
            return Ok(());
        }
        let about = if self.exact { "" } else { "up to " };
        let message = format!("the query would scan {about}about {}, more than --max-scan {}", ByteSize(self.bytes), most.as_given());
        let mut error = Error::new(ErrorKind::Query, message);
        for table in &self.tables {
            error = error.with_context("table", table.to_string());
        }
        let unfiltered = self.tables.iter().find(|table| table.partitions.is_some() && table.partitions == table.of_partitions);
        let to_do = match unfiltered {
            Some(table) => format!("filter on the partition columns of {}, read fewer columns, or raise --max-scan", table.name),
            None => "read fewer columns or partitions, or raise --max-scan".to_string(),
        };
        Err(error.with_context("what to do", to_do))
    }
}

impl fmt::Display for TableEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, ByteSize(self.bytes))?;
        if let Some(all) = self.of_bytes {
            write!(f, " of {}", ByteSize(all))?;
        }
        write!(f, " in {} {}", count(self.files), if self.files == 1 { "file" } else { "files" })?;
        match (self.partitions, self.of_partitions) {
            (Some(read), Some(all)) => write!(f, ", {} of {} partitions", count(read), count(all))?,
            (Some(1), None) => write!(f, ", 1 partition")?,
            (Some(read), None) => write!(f, ", {} partitions", count(read))?,
            _ => {}
        }
        match &self.why {
            Some(why) => write!(f, "; may be less: {why}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = if self.exact { "" } else { "at most " };
        write!(f, "Athena would scan {about}about {}", ByteSize(self.bytes))?;
        if let Some(why) = &self.why {
            write!(f, " ({why})")?;
        }
        self.tables.iter().try_for_each(|table| write!(f, "\n  {table}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_said_paid_and_refused() {
        let table = |bytes, why: Option<&str>| TableEstimate {
            name: "web.access".into(),
            partitions: Some(3),
            of_partitions: Some(3),
            files: 4,
            bytes,
            of_bytes: Some(90 << 20),
            exact: why.is_none(),
            why: why.map(str::to_string),
        };
        let estimate = Estimate::of(vec![table(30 << 20, None)], None);
        assert!(estimate.exact && estimate.refuse_above(ByteSize(30 << 20)).is_ok());
        assert!((estimate.cost(5.0) - 0.00016).abs() < 1e-9);
        assert!((Estimate::of(vec![table(5, None)], None).cost(5.0) - 0.00005).abs() < 1e-9);
        assert_eq!(Estimate::default().cost(5.0), 0.0);
        let error = estimate.refuse_above(ByteSize(1 << 20)).unwrap_err();
        let said = format!("{error:?} {error}");
        assert!(said.contains("web.access") && said.contains("partition columns"), "{said}");
        let loose = Estimate::of(vec![table(5, Some("LIMIT"))], None);
        assert!(!loose.exact && loose.to_string().contains("may be less: LIMIT"), "{loose}");
        assert!(serde_json::to_value(&loose).unwrap()["tables"][0]["of_partitions"] == 3);
    }
}
