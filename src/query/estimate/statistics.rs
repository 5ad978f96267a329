//! The minima and maxima of row groups, as a filter is checked against them.

use crate::query::glue::Footer;
use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use std::collections::HashSet;
use std::sync::Arc;

/// The row groups of a file.
pub(super) struct RowGroups<'a> {
    pub(super) footer: &'a Footer,
    /// The table's columns of which the footer has names, in that order.
    pub(super) columns: &'a SchemaRef,
}

impl RowGroups<'_> {
    fn values(&self, column: &Column, of: impl Fn(&StatisticsConverter<'_>) -> parquet::errors::Result<ArrayRef>) -> Option<ArrayRef> {
        let (index, field) = self.columns.column_with_name(&column.name)?;
        let name = self.footer.names.get(index)?.as_deref()?;
        let metadata = &self.footer.metadata;
        let converter = StatisticsConverter::try_new(name, &self.footer.schema, metadata.file_metadata().schema_descr()).ok()?;
        cast(&of(&converter).ok()?, field.data_type()).ok()
    }
}

impl PruningStatistics for RowGroups<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |converter| converter.row_group_mins(self.footer.metadata.row_groups()))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |converter| converter.row_group_maxes(self.footer.metadata.row_groups()))
    }

    fn num_containers(&self) -> usize {
        self.footer.metadata.num_row_groups()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (index, _) = self.columns.column_with_name(&column.name)?;
        let name = self.footer.names.get(index)?.as_deref()?;
        let metadata = &self.footer.metadata;
        let converter = StatisticsConverter::try_new(name, &self.footer.schema, metadata.file_metadata().schema_descr()).ok()?;
        converter.row_group_null_counts(metadata.row_groups()).ok().map(|counts| Arc::new(counts) as ArrayRef)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
