//! Catalogs of readers: what Athena, Trino, Spark and our own queries look tables up in.
//!
//! A lake's own head says what is read of it; these are told afterwards.

use super::entry::{Entry, Partition};
use super::told::Told;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A catalog that readers look tables up in. Names of databases and tables are in lower case.
pub trait Catalog {
    /// How messages call it.
    fn name(&self) -> String;

    /// The names of all databases, sorted.
    ///
    /// # Errors
    /// Where it can't be asked.
    fn databases(&self) -> Result<Vec<String>>;

    /// The tables and views of a database, sorted by name; none where there is no such database.
    ///
    /// # Errors
    /// As [`Catalog::databases`].
    fn tables(&self, database: &str) -> Result<Vec<Entry>>;

    /// A table or view.
    ///
    /// # Errors
    /// As [`Catalog::databases`].
    fn table(&self, database: &str, name: &str) -> Result<Option<Entry>>;

    /// The partitions that are registered of a table, sorted by their values.
    ///
    /// # Errors
    /// As [`Catalog::databases`].
    fn partitions(&self, database: &str, name: &str) -> Result<Vec<Partition>>;

    /// A table with all that is needed to tell the catalog of another version of it.
    ///
    /// # Errors
    /// As [`Catalog::databases`].
    fn look(&self, database: &str, name: &str) -> Result<There>;

    /// Makes the catalog know what was told, if it still has what is `there`: writes what differs, and nothing where nothing does. Parameters, comments
    /// and partitions of others are kept. A table of somebody else is refused, unless it is to be adopted.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] for one that others change meanwhile: look again then. [`crate::ErrorKind::Usage`] for a table of somebody else.
    fn register(&self, there: &There, told: &Told, adopt: bool) -> Result<Registered>;

    /// Forgets a table or view, with its partitions; its files stay. False where there is none.
    ///
    /// # Errors
    /// As [`Catalog::databases`].
    fn drop_table(&self, database: &str, name: &str) -> Result<bool>;
}

/// A table as a catalog has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct There {
    /// Nothing where there is none.
    pub entry: Option<Entry>,
    /// Sorted by their values.
    pub partitions: Vec<Partition>,
    /// What the catalog calls this state of it, so that it is replaced only if nobody else was faster.
    pub(super) version: Option<String>,
    /// What we say nothing of, and give back as it is.
    pub(super) foreign: Foreign,
}

/// What others may have written of a table, and a catalog forgets when it is not told again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) owner: Option<String>,
    /// In days.
    pub(super) retention: i32,
    /// Of the storage descriptor.
    pub(super) storage: BTreeMap<String, String>,
}

/// What became of a table that a catalog was told of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// `database.table`, as the catalog knows it.
    pub table: String,
    pub change: Change,
    /// How many partitions were registered, moved, and taken away.
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    /// What the user should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Created,
    Updated,
    /// Nothing: it was so already.
    #[default]
    Unchanged,
    /// Nothing: somebody told it of a later version meanwhile.
    Later,
}

impl Registered {
    /// Nothing was written of the table of that name.
    pub(super) fn nothing(table: String, change: Change) -> Registered {
        Registered { table, change, created: 0, updated: 0, deleted: 0, notes: Vec::new() }
    }

    /// The table that was there was written.
    pub(super) fn updates(&mut self) {
        if self.change == Change::Unchanged {
            self.change = Change::Updated;
        }
    }

    /// What was written by this, and then by `later`.
    #[must_use]
    pub fn and(self, later: Registered) -> Registered {
        Registered {
            table: later.table,
            change: if self.change == Change::Unchanged { later.change } else { self.change },
            created: self.created + later.created,
            updated: self.updated + later.updated,
            deleted: self.deleted + later.deleted,
            notes: self.notes.into_iter().chain(later.notes).collect(),
        }
    }

    /// Whether anything was written.
    pub fn wrote(&self) -> bool {
        matches!(self.change, Change::Created | Change::Updated) || self.created + self.updated + self.deleted > 0
    }
}
