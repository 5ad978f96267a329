//! What a pipeline may say of how readers' catalogs are told of a table.

use super::projection::Projection;
use serde::{Deserialize, Serialize};

/// How readers' catalogs are told of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderOptions {
    /// Partitions are computed by the reader; registered one by one where this is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<Projection>,
    /// Of CSV.
    #[serde(default)]
    pub csv_types: CsvTypes,
    /// The name of a view beside a table of CSV, which gives its columns their types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cast_view: Option<String>,
}

/// The types that columns of CSV get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CsvTypes {
    /// All are text, as every reader understands it.
    #[default]
    String,
    /// Whole numbers, doubles and booleans are what they are; Athena alone reads these, and makes NULL of what is none.
    Native,
}
