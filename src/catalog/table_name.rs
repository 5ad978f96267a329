//! What a table is called.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `database.table`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TableName {
    pub database: String,
    pub table: String,
}

impl From<TableName> for String {
    fn from(name: TableName) -> String {
        name.to_string()
    }
}

impl TryFrom<String> for TableName {
    type Error = String;

    fn try_from(text: String) -> Result<TableName, String> {
        match text.split_once('.') {
            Some((database, table)) => Ok(TableName { database: database.to_string(), table: table.to_string() }),
            None => Err(format!("expected database.table, not `{text}`")),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}
