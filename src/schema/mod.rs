//! Tables as they are described in `schemas/*.yaml`: what a table is called, which columns it has, of which types.
//!
//! Types have the names that Athena and Glue use; [`types`] is the one place that knows which Arrow type each of them is.

mod field_names;
pub mod fit;
mod table;
pub mod times;
pub mod types;

pub use field_names::{field_names, with_field_names};
pub use table::{ColumnSchema, TableSchema};

#[cfg(test)]
mod tests;
