//! The AWS Glue Data Catalog: where Athena, Trino, Spark and Glue jobs look tables up.
//!
//! Source: the API reference of AWS Glue (catalog, databases, tables, partitions) and its limits for batches.

mod authorized;
mod batches;
mod catalog;
mod client;
mod limits;
mod register;
mod settings;
mod shapes;

pub use authorized::Authorized;
pub use client::GlueCatalog;
pub use limits::check_limits;
pub use settings::GlueSettings;
