//! The tables of a Glue catalog, whoever made them, read as Athena reads them.
//!
//! What is to be read of a table is found out when a query scans it: the partitions that its filter lets pass, the files of these, and how
//! each is read. Source: the AWS pages on Athena's SerDes, on partitions and their projection, and what Trino does with the same tables.

mod databases;
mod dates;
mod files;
mod group;
mod injected;
mod parquet_names;
mod partition;
mod projected;
mod reading;
mod symlinks;
mod table;
mod types;
mod view;

pub use databases::GlueTables;
pub(super) use databases::{GlueDatabases, GlueSource};
pub(super) use parquet_names::Footer;
pub(super) use table::{Chosen, GlueTable};
