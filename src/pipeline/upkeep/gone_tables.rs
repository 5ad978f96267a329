//! Tables that were dropped, as far as a vacuum has left of them what they were.

use crate::catalog::{DroppedTable, LocalCatalog, PastVersion, Snapshot, Table};
use crate::error::Result;
use chrono::{DateTime, Utc};

/// A table that was dropped.
pub(crate) struct Gone {
    pub(crate) dropped: DroppedTable,
    /// What it was; nothing where that is gone, too.
    pub(crate) table: Option<Table>,
}

/// The dropped tables that `pipeline` made, and those of which nothing tells any more who made them.
///
/// # Errors
/// Where the lake can't be read.
pub(crate) fn gone_tables(catalog: &LocalCatalog, snapshot: &Snapshot, pipeline: &str) -> Result<Vec<Gone>> {
    let mut gone = Vec::new();
    for dropped in snapshot.head.dropped.values() {
        let table = catalog.whole(&dropped.table)?;
        if table.as_ref().is_none_or(|table| table.origin.pipeline == pipeline && table.registered().is_none()) {
            gone.push(Gone { dropped: dropped.clone(), table });
        }
    }
    Ok(gone)
}

impl Gone {
    /// `database.table`
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.dropped.database, self.dropped.name)
    }

    /// When it was dropped, for people.
    pub(crate) fn when(&self) -> String {
        self.dropped.at.format("on %Y-%m-%d at %H:%M:%S UTC").to_string()
    }

    /// Its versions, as far as they are known, the oldest first.
    pub(crate) fn versions(&self) -> Vec<PastVersion> {
        let history = self.table.iter().flat_map(|table| table.history.clone());
        history.chain([PastVersion::of(&self.dropped.table, self.table.as_ref().map_or(0, |table| table.rows))]).collect()
    }

    /// The version that readers saw at `moment`.
    pub(crate) fn version_at(&self, moment: DateTime<Utc>) -> Option<PastVersion> {
        self.versions().into_iter().rev().find(|past| past.updated <= moment)
    }
}
