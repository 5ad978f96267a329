//! A table of Glue that a query can scan.

use super::files::{Files, folder};
use super::group::{Group, grouped};
use super::partition::{Part, registered};
use super::projected::Projected;
use super::reading::{Reading, is_listed, reading, refuse_lakes_of_others};
use super::symlinks;
use super::types::fields;
use crate::catalog::{Entry, LAKE, Partition};
use crate::error::Result;
use crate::query::partitions::Partitions;
use crate::query::rejects::RejectLog;
use crate::query::table::FileTable;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use std::sync::Arc;

/// A table of Glue.
#[derive(Debug)]
pub(in crate::query) struct GlueTable {
    entry: Entry,
    /// The columns of the files, then the partition keys.
    schema: SchemaRef,
    /// How many columns are of the files.
    columns: usize,
    keys: Partitions,
    reading: Arc<Reading>,
    rows: Rows,
    files: Arc<Files>,
    threads: usize,
    rejects: Arc<RejectLog>,
}

/// Where the rows of a table are.
#[derive(Debug)]
enum Rows {
    /// At one location.
    Here,
    Registered(Vec<Part>),
    Projected(Projected),
}

/// What a scan reads of a table.
#[derive(Debug)]
pub(in crate::query) struct Chosen {
    pub(in crate::query) groups: Vec<Group>,
    /// How many partitions the filter lets pass.
    pub(in crate::query) partitions: usize,
}

impl GlueTable {
    /// The table `entry`, with the partitions that are registered of it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Query`] for one that can't be read here, with the reason.
    pub(super) fn new(
        entry: Entry,
        partitions: &[Partition],
        files: Arc<Files>,
        threads: usize,
        rejects: Arc<RejectLog>,
    ) -> Result<GlueTable> {
        refuse_lakes_of_others(&entry)?;
        let name = entry.full_name();
        let columns = fields(&entry.storage.columns, &name)?;
        let keys = fields(&entry.partition_keys, &name)?;
        let file_schema: SchemaRef = Arc::new(Schema::new(columns.clone()));
        let reading = Arc::new(reading(&entry, &entry.storage, &file_schema)?);
        // Lakes of etl have keys in lower case.
        let is_json = entry.storage.serde.library.ends_with(".JsonSerDe");
        if is_json && !entry.parameters.contains_key(LAKE) && columns.iter().any(|column| column.data_type().is_nested()) {
            let remark =
                "within the objects of a line only keys are found that are written as the catalog has them, in lower case; others are NULL";
            rejects.remark(format!("{name}: {remark}"));
        }
        let rows = match keys.is_empty() {
            true => Rows::Here,
            false if entry.is_projected() => Rows::Projected(Projected::of(&entry, &keys)?),
            false => Rows::Registered(registered(&entry, partitions, &keys, &file_schema)?),
        };
        let all: Vec<FieldRef> = columns.iter().chain(&keys).cloned().collect();
        Ok(GlueTable {
            columns: columns.len(),
            schema: Arc::new(Schema::new(all)),
            keys: Partitions::of_values(keys, Vec::new()),
            entry,
            reading,
            rows,
            files,
            threads,
            rejects,
        })
    }

    /// `database.table`.
    pub(in crate::query) fn name(&self) -> String {
        self.entry.full_name()
    }

    /// How many of the columns are those of its files.
    pub(in crate::query) fn file_columns(&self) -> usize {
        self.columns
    }

    /// Whether `filter` is on partition keys alone.
    pub(in crate::query) fn decides(&self, filter: &Expr) -> bool {
        self.keys.decide(filter)
    }

    /// Whether it has partitions.
    pub(in crate::query) fn is_partitioned(&self) -> bool {
        !self.keys.fields().is_empty()
    }

    /// What is read where `filters` must pass: those on the partition keys alone choose.
    ///
    /// # Errors
    /// Where files can't be listed, or partitions not be computed.
    pub(in crate::query) fn choose(&self, session: &dyn Session, filters: &[Expr]) -> Result<Chosen> {
        let parts = self.parts(session, filters)?;
        let (mut plain, mut listed) = (Vec::new(), Vec::new());
        for (index, part) in parts.iter().enumerate() {
            let place = folder(&part.location, &format!("the table {}", self.name()))?;
            if part.listed { listed.push((index, place)) } else { plain.push((index, place)) }
        }
        let mut files = vec![Vec::new(); parts.len()];
        let (indices, places): (Vec<usize>, Vec<_>) = plain.into_iter().unzip();
        indices.into_iter().zip(self.files.below(&places)?).for_each(|(index, sources)| files[index] = sources);
        let (indices, places): (Vec<usize>, Vec<_>) = listed.into_iter().unzip();
        indices.into_iter().zip(symlinks::named(&self.files, &places)?).for_each(|(index, sources)| files[index] = sources);
        Ok(Chosen { partitions: parts.len(), groups: grouped(&parts, files) })
    }

    fn parts(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<Part>> {
        let part = |values, location| Part { values, location, listed: is_listed(&self.entry.storage), reading: self.reading.clone() };
        match &self.rows {
            Rows::Here => Ok(vec![part(Vec::new(), self.entry.storage.location.clone())]),
            Rows::Projected(projected) => {
                let found = projected.partitions(&self.entry, session, filters)?;
                let parts: Vec<Part> = found.into_iter().map(|(values, location)| part(values, location)).collect();
                self.passing(session, filters, parts)
            }
            Rows::Registered(parts) => self.passing(session, filters, parts.clone()),
        }
    }

    /// Those of `parts` that `filters` let pass.
    fn passing(&self, session: &dyn Session, filters: &[Expr], parts: Vec<Part>) -> Result<Vec<Part>> {
        let keys = self.keys.fields();
        let values = (0..keys.len()).map(|key| parts.iter().map(|part| part.values[key].clone()).collect()).collect();
        let valued = Partitions::of_values(keys.to_vec(), values);
        let kept = valued.keep(session, filters, parts.len()).map_err(|e| {
            let message = format!("the partitions of {} can't be filtered", self.name());
            crate::Error::new(crate::ErrorKind::Query, message).with_source(e)
        })?;
        let mut parts: Vec<Option<Part>> = parts.into_iter().map(Some).collect();
        Ok(kept.into_iter().filter_map(|index| parts[index].take()).collect())
    }
}

#[async_trait]
impl TableProvider for GlueTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// A filter on partition keys alone chooses files; others may leave out row groups of Parquet.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let decided = |filter: &&Expr| match self.keys.decide(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(decided).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let external = |e: crate::Error| DataFusionError::External(Box::new(e));
        // A filter that is applied behind the scan must see all rows.
        let limit = limit.filter(|_| filters.iter().all(|filter| self.keys.decide(filter)));
        let indices: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let wanted: Vec<usize> = indices.iter().copied().filter(|index| *index < self.columns).collect();
        let schema = Arc::new(self.schema.project(&indices)?);
        let chosen = self.choose(session, filters).map_err(external)?;
        let mut scans: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        for group in chosen.groups {
            for (table, partitions) in group.tables(self.keys.fields(), &wanted, &self.name()).map_err(external)? {
                let table = FileTable::with_partitions(table, partitions, self.threads, self.rejects.clone());
                let scan = table.scan(session, Some(&indices), &[], limit).await?;
                scans.push(named(scan, &schema)?);
            }
        }
        match scans.len() {
            0 => Ok(Arc::new(EmptyExec::new(schema))),
            1 => Ok(scans.remove(0)),
            _ => UnionExec::try_new(scans),
        }
    }
}

/// `scan` with the names that `schema` has, if it has others.
fn named(scan: Arc<dyn ExecutionPlan>, schema: &SchemaRef) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
    let own = scan.schema();
    if own.fields().iter().zip(schema.fields()).all(|(own, field)| own.name() == field.name()) {
        return Ok(scan);
    }
    let columns = own.fields().iter().zip(schema.fields()).enumerate().map(|(index, (own, field))| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(own.name(), index));
        (column, field.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), scan)?))
}
