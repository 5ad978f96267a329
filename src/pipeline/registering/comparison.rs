//! What a catalog of readers would be told of a pipeline's tables.

use super::of_pipeline::ReaderCatalog;
use crate::catalog::{Catalog, Column, Difference, Entry, KnownLists, LAKE, TABLE, Table, There, Told, reader_columns, tell};
use crate::error::Result;
use crate::pipeline::model::Output;
use crate::storage::Storage;
use serde::Serialize;

/// What Glue would be told of a table.
#[derive(Debug, Clone, Serialize)]
pub struct ReaderPlan {
    /// How the catalog is called.
    pub catalog: String,
    /// `database.table`, as it knows the table.
    pub table: String,
    /// The version of the lake's table that it has; nothing where it knows no such table.
    pub version: Option<u64>,
    /// The lake's version.
    pub lake_version: Option<u64>,
    /// It has an earlier version than the lake.
    pub behind: bool,
    /// The table is somebody else's, and would be refused: whose.
    pub refused: Option<String>,
    /// The table is somebody else's, and would be taken over, as `adopt` says: whose.
    pub taken: Option<String>,
    /// What it has differs from what was registered, a line each: `there -> wanted`.
    pub drift: Vec<String>,
    /// Columns that a run would change there: `+ name type`, `~ name type -> type`, `- name type`.
    pub columns: Vec<String>,
}

impl ReaderPlan {
    /// Whether a run would tell it something.
    pub fn changes(&self) -> bool {
        self.behind || !self.drift.is_empty() || !self.columns.is_empty() || self.refused.is_some() || self.taken.is_some()
    }
}

impl ReaderCatalog {
    /// Compares what Glue has of `output` with the lake's `table`, and with the columns, then partition keys, that a run would give it.
    ///
    /// # Errors
    /// Where the catalog or the lake can't be read.
    pub(crate) fn compare(
        &self,
        output: &Output,
        lake: Option<(&Storage, &Table)>,
        new: Option<&(Vec<Column>, Vec<Column>)>,
    ) -> Result<ReaderPlan> {
        let registration = self.registration(output);
        let database = registration.reader_database();
        let there = self.glue.look(&database, &registration.table)?;
        let mut plan = ReaderPlan {
            catalog: self.glue.name(),
            table: format!("{database}.{}", registration.table),
            version: None,
            lake_version: lake.map(|(_, table)| table.version),
            behind: false,
            refused: None,
            taken: None,
            drift: Vec::new(),
            columns: new.map(|new| self.columns(output, new, &there)).unwrap_or_default(),
        };
        match lake {
            Some((storage, table)) => {
                let told = tell(storage, table, &database, &registration.options, &KnownLists::of(&there))?;
                let difference = Difference::of(&told, &there);
                plan.version = difference.version.filter(|_| difference.owner.is_none());
                plan.behind = difference.is_behind();
                match self.adopts() {
                    true => plan.taken = difference.owner,
                    false => plan.refused = difference.owner,
                }
                // What it was not told yet is no drift.
                if !plan.behind && plan.refused.is_none() {
                    plan.drift = difference.lines;
                }
                if let Some(view) = &told.view {
                    let name = view.full_name();
                    let there = self.glue.look(&view.database, &view.name)?;
                    let told = Told { entry: view.clone(), partitions: Vec::new(), lists: Vec::new(), view: None, columns: Vec::new() };
                    let difference = Difference::of(&told, &there);
                    match there.entry {
                        None if !plan.behind => plan.drift.push(format!("the view {name} is not there")),
                        Some(_) if !plan.behind => plan.drift.extend(difference.lines.iter().map(|line| format!("view {name}: {line}"))),
                        _ => {}
                    }
                }
            }
            None => {
                let owner = there.entry.as_ref().map(whose);
                match self.adopts() {
                    true => plan.taken = owner,
                    false => plan.refused = owner,
                }
            }
        }
        Ok(plan)
    }

    fn columns(&self, output: &Output, new: &(Vec<Column>, Vec<Column>), there: &There) -> Vec<String> {
        let wanted = reader_columns(&new.0, output.format.kind, &output.readers);
        let keys: Vec<&str> = new.1.iter().map(|key| key.name.as_str()).collect();
        let known: Vec<&Column> = there.entry.iter().flat_map(|entry| entry.storage.columns.iter().chain(&entry.partition_keys)).collect();
        let mut lines = Vec::new();
        for column in wanted.iter().chain(&new.1) {
            let key = if keys.contains(&column.name.as_str()) { " (partition)" } else { "" };
            match known.iter().find(|known| known.name == column.name) {
                None => lines.push(format!("+ {} {}{key}", column.name, column.data_type)),
                Some(known) if known.data_type != column.data_type => {
                    lines.push(format!("~ {} {} -> {}{key}", column.name, known.data_type, column.data_type));
                }
                Some(_) => {}
            }
        }
        let gone = known.iter().filter(|known| !wanted.iter().chain(&new.1).any(|column| column.name == known.name));
        lines.extend(gone.map(|column| format!("- {} {}", column.name, column.data_type)));
        lines
    }
}

/// Whose a table is that the lake doesn't have.
fn whose(entry: &Entry) -> String {
    match (entry.parameters.get(LAKE), entry.parameters.get(TABLE)) {
        (Some(lake), Some(table)) => format!("the table {table} of the lake {lake}"),
        _ => format!("made by somebody else, with files at {}", entry.storage.location),
    }
}
