//! Rows as records of fields, a line each: what CSV and TSV have in common.

use super::columns::{Column, plain, write_float};
use super::losses::{Loss, Losses};
use super::timestamp::TimestampText;
use crate::error::Result;
use arrow::array::ArrayRef;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use std::fmt::Debug;

/// How the fields of a record are written.
pub(super) trait Fields: Debug + Send {
    const DELIMITER: u8;

    /// The columns of `batch` in the types that are written; of bytes as their text.
    fn columns(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        plain(batch)
    }

    /// Appends a NULL, which is all of its record where it is alone; whether it is one for who reads it.
    fn write_null(&self, is_alone: bool, out: &mut Vec<u8>) -> bool;

    /// Appends a text, which is first in its record or not; whether it has line ends that are others in the file.
    fn write_text(&self, text: &[u8], is_first: bool, out: &mut Vec<u8>) -> bool;

    /// What an infinite number is called.
    fn infinity(&self) -> &'static str;
}

/// Writes rows as records.
#[derive(Debug)]
pub(super) struct FieldRows<F: Fields> {
    fields: F,
    time: TimestampText,
    losses: Losses,
}

impl<F: Fields> FieldRows<F> {
    pub(super) fn new(fields: F) -> FieldRows<F> {
        FieldRows { fields, time: TimestampText::default(), losses: Losses::default() }
    }

    /// What was lost of values since it was asked last.
    pub(super) fn losses(&mut self) -> Losses {
        std::mem::take(&mut self.losses)
    }

    /// The first record: the names of the columns.
    pub(super) fn header(&self, schema: &Schema, out: &mut Vec<u8>) {
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                out.push(F::DELIMITER);
            }
            self.fields.write_text(field.name().as_bytes(), index == 0, out);
        }
        out.push(b'\n');
    }

    /// Appends the rows of `batch`.
    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let arrays = self.fields.columns(batch)?;
        let columns = arrays.iter().map(Column::of).collect::<Result<Vec<_>>>()?;
        let mut digits = itoa::Buffer::new();
        let (mut line_ends, mut lost_nulls) = (vec![0; columns.len()], 0);
        for row in 0..batch.num_rows() {
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    out.push(F::DELIMITER);
                }
                if column.is_null(row) {
                    let stays = self.fields.write_null(columns.len() == 1, out);
                    lost_nulls += u64::from(!stays && matches!(column, Column::Text(_)));
                    continue;
                }
                match column {
                    Column::Text(array) => {
                        if self.fields.write_text(array.value(row).as_bytes(), index == 0, out) {
                            line_ends[index] += 1;
                        }
                    }
                    Column::Int(array) => out.extend_from_slice(digits.format(array.value(row)).as_bytes()),
                    Column::Long(array) => out.extend_from_slice(digits.format(array.value(row)).as_bytes()),
                    Column::Float(array) => self.write_number(array.value(row), out),
                    Column::Double(array) => self.write_number(array.value(row), out),
                    Column::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
                    Column::Time(array) => self.time.write(array.value(row), out),
                    Column::OtherTime { values, unit, .. } => self.time.write_in(*unit, values[row], out),
                    Column::Other { formatter, .. } => {
                        self.fields.write_text(formatter.value(row).to_string().as_bytes(), index == 0, out);
                    }
                }
            }
            out.push(b'\n');
        }
        for (field, line_ends) in batch.schema().fields().iter().zip(line_ends) {
            self.losses.add(Loss::LineEnds, field.name(), line_ends);
            self.losses.add(Loss::LoneNull, field.name(), std::mem::take(&mut lost_nulls));
        }
        self.time.check()
    }

    fn write_number<N: Into<f64> + Debug + Copy>(&self, value: N, out: &mut Vec<u8>) {
        let wide: f64 = value.into();
        if wide.is_infinite() {
            if wide < 0.0 {
                out.push(b'-');
            }
            out.extend_from_slice(self.fields.infinity().as_bytes());
        } else {
            write_float(value, out);
        }
    }
}
