//! What there is to be seen: the names that a policy is held against.

use std::collections::BTreeMap;

/// The databases of a catalog, with their tables.
pub type Resources = BTreeMap<String, BTreeMap<String, TableShape>>;

/// What a policy has to know of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableShape {
    /// All columns in the table's order, the partition keys last.
    pub columns: Vec<ColumnShape>,
    /// A view: it is read with its reader's own rights.
    pub is_view: bool,
}

/// What a policy has to know of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnShape {
    pub name: String,
    /// As Athena calls it, such as `bigint`.
    pub data_type: String,
    /// It can't be hidden from who sees another column of the table.
    pub is_partition_key: bool,
}
