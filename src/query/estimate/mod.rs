//! What Athena would scan for a query, told without running it.
//!
//! The query is planned over the tables of Glue; of each scan it is known which partitions its filter lets pass, which files these have, and
//! of Parquet which columns of which row groups are read. Text is read whole, as it is stored.
//!
//! Of Parquet it is counted what Trino, which is what Athena runs, counts as read: the chunks of the columns in the row groups that minima
//! and maxima don't rule out, with the gaps between those that are less than 1 MiB apart and fetched together, and 48 KiB for the footer; a
//! file of at most 3 MiB whole, if any of its row groups is read (`parquet.small-file-threshold`). AWS doesn't publish how much of that
//! Athena bills, so this may be more, hardly less.

mod chunks;
mod model;
mod scans;
mod statistics;

pub use model::{Estimate, TableEstimate};
pub(super) use scans::{of_plan, of_tables};
