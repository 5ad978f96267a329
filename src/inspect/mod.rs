//! Says what is in files: how they are stored, which columns they have and what those hold, and which lines are not rows.

mod distinct;
mod model;
mod parquet;
mod profile;
mod rejects;
mod text;

pub use model::{
    ColumnInspection, ColumnStorage, Distinct, Example, FileInspection, Inspection, LineInspection, LogInspection, ParquetInspection,
    ReasonInspection,
};

use crate::error::Result;
use crate::input::{Table, TableFormat};

/// Reads all of `table` and says what is in it. Of Parquet, only what its footers don't tell is read.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where a source can't be read to its end.
pub fn inspect(table: &Table) -> Result<Inspection> {
    match &table.format {
        TableFormat::Parquet { .. } => parquet::inspect(table),
        _ => text::inspect(table),
    }
}
