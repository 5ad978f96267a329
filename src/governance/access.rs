//! What a principal may see, and why.

use super::permission::Permission;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// All that one principal may see of a catalog.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Access {
    pub databases: BTreeMap<String, DatabaseAccess>,
}

/// What a principal may do with a database, and see of it. Every table that there is stands here, also those that are hidden.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatabaseAccess {
    /// Whether its name is seen.
    pub is_visible: bool,
    pub permissions: BTreeSet<Permission>,
    pub tables: BTreeMap<String, TableAccess>,
}

/// What a principal may do with a table, and see of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableAccess {
    /// Whether its name is seen, and so its columns' as far as they are.
    pub is_visible: bool,
    /// On the table as a whole.
    pub permissions: BTreeSet<Permission>,
    /// All columns, in the table's order.
    pub columns: Vec<ColumnAccess>,
}

/// What a principal may see of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnAccess {
    pub name: String,
    /// Whether its name and type are seen.
    pub is_visible: bool,
    /// Of which rows the value is read; of none where it may not be read at all.
    pub rows: Rows,
}

/// Some rows of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Rows {
    #[default]
    None,
    All,
    /// Those for which of each of these lists one expression is true, in the language of [`super::RowExpression`]; of an empty list none is.
    Where(Vec<Vec<String>>),
}

/// What is seen of a column, in one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    #[default]
    Nothing,
    /// Its name and type, and no value.
    Name,
    /// The values of some rows.
    Some,
    /// All values.
    All,
}

impl TableAccess {
    /// Whether any value of it may be read.
    pub fn is_readable(&self) -> bool {
        self.columns.iter().any(|column| column.rows != Rows::None)
    }
}
