//! The one object that says which version of each table readers see.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All tables of a lake, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Of this format: 1, or 2 where there are policies, which an etl that doesn't know them would forget.
    pub format: u32,
    /// Counts the commits.
    pub sequence: u64,
    pub updated: Option<DateTime<Utc>>,
    pub databases: BTreeMap<String, Database>,
    /// The keys of lists of what is about to be removed: nothing in them may be referred to any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub condemned: Vec<String>,
    /// Who may see what of the lake, by who says it: pipelines, and files of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<String, PolicyRef>,
    /// Tables that were taken out, by `database.name`, as long as there is no other one of that name: until a vacuum removes what they were, it
    /// can be brought back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, DroppedTable>,
}

/// A table that was taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedTable {
    pub database: String,
    pub name: String,
    /// The version that was read until then.
    pub table: TableRef,
    pub at: DateTime<Utc>,
}

/// What one owner says of who may see what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRef {
    /// The key of the policy in the lake. It is written once.
    pub object: String,
    pub updated: DateTime<Utc>,
}

/// The tables of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    pub description: Option<String>,
    pub tables: BTreeMap<String, TableRef>,
}

/// The version of a table that is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRef {
    /// Counts from 1.
    pub version: u64,
    /// The key of its description in the lake.
    pub object: String,
    /// The run that made it.
    pub run: String,
    pub updated: DateTime<Utc>,
}

impl Head {
    /// The table `database.name`.
    pub fn table(&self, database: &str, name: &str) -> Option<&TableRef> {
        self.databases.get(database)?.tables.get(name)
    }

    /// The table `database.name`, where it was taken out.
    pub fn dropped(&self, database: &str, name: &str) -> Option<&DroppedTable> {
        self.dropped.get(&format!("{database}.{name}"))
    }

    /// Takes the table `database.name` out, and gives what it was.
    pub fn take(&mut self, database: &str, name: &str) -> Option<TableRef> {
        let tables = self.databases.get_mut(database)?;
        let table = tables.tables.remove(name);
        if tables.tables.is_empty() {
            self.databases.remove(database);
        }
        table
    }

    /// Takes the table `database.name` out, and keeps in mind what it was; false where there is none.
    pub fn drop_table(&mut self, database: &str, name: &str) -> bool {
        let Some(table) = self.take(database, name) else { return false };
        let dropped = DroppedTable { database: database.to_string(), name: name.to_string(), table, at: Utc::now() };
        self.dropped.insert(format!("{database}.{name}"), dropped);
        true
    }

    /// All tables, as `(database, name, reference)`.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &str, &TableRef)> {
        self.databases
            .iter()
            .flat_map(|(database, tables)| tables.tables.iter().map(move |(name, table)| (database.as_str(), name.as_str(), table)))
    }
}
