//! Values that their columns' types can't hold, of the rows of a batch.

use super::typed::{OnMismatch, Typing};
use super::values::type_name;
use crate::error::Result;
use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is wrong with rows, and what becomes of them.
#[derive(Debug)]
pub(super) struct Misfits<'a> {
    schema: &'a SchemaRef,
    typing: Typing,
    /// The reason by which a row is rejected: that of the first column that it does not fit.
    rejected: BTreeMap<usize, (usize, Arc<str>)>,
    /// How many values of a column are none of its type.
    counts: BTreeMap<usize, u64>,
}

/// Rows that are rejected, each with the reason; and how many misfits each column has.
type Done = (Vec<(usize, Arc<str>)>, Vec<(usize, u64)>);

impl<'a> Misfits<'a> {
    pub(super) fn new(schema: &'a SchemaRef, typing: Typing) -> Misfits<'a> {
        Misfits { schema, typing, rejected: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// Takes note of `rows` whose value in the column at `index` is none of its type.
    pub(super) fn add(&mut self, index: usize, rows: Vec<usize>) {
        if rows.is_empty() {
            return;
        }
        *self.counts.entry(index).or_default() += rows.len() as u64;
        if self.typing.on_mismatch == OnMismatch::Null {
            return;
        }
        let reason = mismatch(self.schema, index);
        for row in rows {
            let known = self.rejected.entry(row).or_insert_with(|| (index, reason.clone()));
            // The order in which columns are read is that of the query.
            if index < known.0 {
                *known = (index, reason.clone());
            }
        }
    }

    /// The rows of `batch` that are not rejected.
    pub(super) fn kept(&self, batch: RecordBatch) -> Result<RecordBatch> {
        if self.rejected.is_empty() {
            return Ok(batch);
        }
        let keep: BooleanArray = (0..batch.num_rows()).map(|row| Some(!self.rejected.contains_key(&row))).collect();
        Ok(filter_record_batch(&batch, &keep)?)
    }

    /// The rejected rows with their reasons, in order, and how many values of which column are none of its type.
    pub(super) fn done(self) -> Done {
        (self.rejected.into_iter().map(|(row, (_, reason))| (row, reason)).collect(), self.counts.into_iter().collect())
    }
}

/// Why a row is rejected whose value in the column at `index` is none of its type.
pub(super) fn mismatch(schema: &SchemaRef, index: usize) -> Arc<str> {
    let field = schema.field(index);
    format!("column {} is not of type {}", field.name(), type_name(field.data_type())).into()
}
