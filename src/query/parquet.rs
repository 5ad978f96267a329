//! Parquet files as a scan: DataFusion reads them, and leaves out the row groups and pages that a filter rules out.

use super::checked_files::CheckedFiles;
use super::partitions::Partitions;
use super::pinned::Pinned;
use crate::error::{Error, ErrorKind};
use crate::input::{Place, Table};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as StorePath;
use datafusion::physical_plan::ExecutionPlan;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Objects of about this size are small: fetching them takes longer than reading them.
const SMALL: u64 = 1 << 20;
/// How many small objects are read at a time.
const MANY: usize = 32;

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
    let mut names = HashMap::with_capacity(sources.len());
    let url = store_url(session, table, sources)?;
    for &index in sources {
        let source = &table.sources[index];
        let meta = match &source.place {
            Place::File(path) => object(path).map_err(|e| DataFusionError::External(Box::new(Error::input(&source.path, e))))?,
            Place::Object(object) => object.meta().clone(),
            Place::Stream(_) => continue,
        };
        let values = (0..partitions.fields().len()).map(|column| partitions.value(column, index).clone()).collect();
        names.insert(meta.location.clone(), source.path.as_str().into());
        files.push(PartitionedFile::new_from_meta(meta).with_partition_values(values));
    }
    let mut partitions_wanted = session.config().target_partitions().max(1);
    let bytes: u64 = files.iter().map(|file| file.object_meta.size).sum();
    if partitions_wanted > 1 && url != ObjectStoreUrl::local_filesystem() && bytes <= SMALL * files.len() as u64 {
        // Of small objects most of the time is spent waiting for answers, so many are asked for at a time.
        partitions_wanted = partitions_wanted.max(MANY);
    }
    let size = files.len().div_ceil(partitions_wanted).max(1);
    let groups = files.chunks(size).map(|files| FileGroup::new(files.to_vec())).collect();
    let schema = TableSchema::builder(columns.clone()).with_table_partition_cols(partitions.fields().to_vec()).build();
    let environment = session.runtime_env();
    let files = CheckedFiles::new(environment.object_store(&url)?, environment.cache_manager.get_file_metadata_cache(), names);
    let source = ParquetSource::new(schema)
        .with_table_parquet_options(session.default_table_options().parquet)
        .with_parquet_file_reader_factory(Arc::new(files));
    let config = FileScanConfigBuilder::new(url, Arc::new(source))
        .with_file_groups(groups)
        .with_projection_indices(projection.cloned())?
        .with_limit(limit)
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// The URL by which the session knows the store of `sources`, which all are in one.
fn store_url(session: &dyn Session, table: &Table, sources: &[usize]) -> Result<ObjectStoreUrl> {
    static SCANS: AtomicU64 = AtomicU64::new(0);
    let objects = || {
        sources.iter().filter_map(|index| match &table.sources[*index].place {
            Place::Object(object) => Some(object),
            _ => None,
        })
    };
    let Some(first) = objects().next() else { return Ok(ObjectStoreUrl::local_filesystem()) };
    if objects().count() < sources.len() || objects().any(|object| !Arc::ptr_eq(object.store(), first.store())) {
        let message = "the files of one table are all in one bucket, or all on this machine";
        return Err(DataFusionError::External(Box::new(Error::new(ErrorKind::Query, message))));
    }
    // Each scan has its own: the versions of the objects are those of its table.
    let url = ObjectStoreUrl::parse(format!("s3-{}://bucket", SCANS.fetch_add(1, Ordering::Relaxed)))?;
    let pinned = Pinned::new(first.store().clone(), objects());
    session.runtime_env().register_object_store(url.as_ref(), Arc::new(pinned));
    Ok(url)
}

/// The file at `path` as the object store of local files knows it.
fn object(path: &Path) -> std::io::Result<ObjectMeta> {
    let metadata = std::fs::metadata(path)?;
    let location = StorePath::from_absolute_path(std::fs::canonicalize(path)?).map_err(std::io::Error::other)?;
    Ok(ObjectMeta { location, last_modified: metadata.modified()?.into(), size: metadata.len(), e_tag: None, version: None })
}
