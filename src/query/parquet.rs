//! Parquet files as a scan: DataFusion reads them, and leaves out the row groups and pages that a filter rules out.

use super::partitions::Partitions;
use crate::error::Error;
use crate::input::{Place, Table};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as StorePath;
use datafusion::physical_plan::ExecutionPlan;
use std::path::Path;
use std::sync::Arc;

/// A scan of the files at `sources`, with the values of their partition columns.
pub(super) async fn scan(
    session: &dyn Session,
    table: &Table,
    columns: &SchemaRef,
    partitions: &Partitions,
    sources: &[usize],
    projection: Option<&Vec<usize>>,
    limit: Option<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut files = Vec::with_capacity(sources.len());
    for &index in sources {
        let source = &table.sources[index];
        let Place::File(path) = &source.place else { continue };
        let values = (0..partitions.fields().len()).map(|column| partitions.value(column, index).clone()).collect();
        let meta = object(path).map_err(|e| DataFusionError::External(Box::new(Error::input(&source.path, e))))?;
        files.push(PartitionedFile::new_from_meta(meta).with_partition_values(values));
    }
    let size = files.len().div_ceil(session.config().target_partitions().max(1)).max(1);
    let groups = files.chunks(size).map(|files| FileGroup::new(files.to_vec())).collect();
    let format = ParquetFormat::new().with_options(session.default_table_options().parquet);
    let schema = TableSchema::builder(columns.clone()).with_table_partition_cols(partitions.fields().to_vec()).build();
    let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), format.file_source(schema))
        .with_file_groups(groups)
        .with_projection_indices(projection.cloned())?
        .with_limit(limit)
        .build();
    format.create_physical_plan(session, config).await
}

/// The file at `path` as the object store of local files knows it.
fn object(path: &Path) -> std::io::Result<ObjectMeta> {
    let metadata = std::fs::metadata(path)?;
    let location = StorePath::from_absolute_path(std::fs::canonicalize(path)?).map_err(std::io::Error::other)?;
    Ok(ObjectMeta { location, last_modified: metadata.modified()?.into(), size: metadata.len(), e_tag: None, version: None })
}
