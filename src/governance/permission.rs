//! What may be done.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A permission of Lake Formation.
/// Source: <https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    Select,
    Describe,
    Insert,
    Delete,
    Alter,
    Drop,
    CreateTable,
    /// To make tables over files at a location, which needs no permission to read them.
    DataLocationAccess,
    /// Everything that there is for the resource.
    All,
}

impl Permission {
    /// As Lake Formation's API spells it.
    pub fn api_name(self) -> &'static str {
        match self {
            Permission::Select => "SELECT",
            Permission::Describe => "DESCRIBE",
            Permission::Insert => "INSERT",
            Permission::Delete => "DELETE",
            Permission::Alter => "ALTER",
            Permission::Drop => "DROP",
            Permission::CreateTable => "CREATE_TABLE",
            Permission::DataLocationAccess => "DATA_LOCATION_ACCESS",
            Permission::All => "ALL",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.api_name())
    }
}
