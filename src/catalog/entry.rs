//! A table as a catalog of readers knows it: what Glue keeps of one.

use super::table::{Column, StorageDescriptor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A table, or a view, that a catalog of readers has or is told of. Locations are addresses, `s3://bucket/…/`, and no keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub database: String,
    pub name: String,
    pub description: Option<String>,
    /// `EXTERNAL_TABLE` or `VIRTUAL_VIEW`.
    pub table_type: String,
    pub storage: StorageDescriptor,
    pub partition_keys: Vec<Column>,
    pub parameters: BTreeMap<String, String>,
    /// What a view is made of, as Presto and Trino write it: a comment that holds JSON in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
}

/// A partition of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// One for each partition key, as text; a NULL is `__HIVE_DEFAULT_PARTITION__`.
    pub values: Vec<String>,
    /// All of it, as Athena wants it: also what is the same as in the table.
    pub storage: StorageDescriptor,
    pub parameters: BTreeMap<String, String>,
}

/// What a partition's value is called where it is NULL.
pub const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The type of tables over files.
pub const EXTERNAL_TABLE: &str = "EXTERNAL_TABLE";
/// The type of views.
pub const VIRTUAL_VIEW: &str = "VIRTUAL_VIEW";

impl Entry {
    /// `database.table`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }

    /// Whether partitions are computed of the table's parameters, and none that is registered is looked at.
    pub fn is_projected(&self) -> bool {
        self.parameters.get("projection.enabled").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether rows lie in files that a list names.
    pub fn is_listed(&self) -> bool {
        self.storage.input_format == super::lists::SYMLINK_INPUT
    }
}
