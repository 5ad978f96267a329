//! Parquet files as a scan: DataFusion reads them, and leaves out the row groups and pages that a filter rules out.

use super::checked_files::CheckedFiles;
use super::partitions::Partitions;
use super::pinned::Pinned;
use crate::error::{Error, ErrorKind};
use crate::input::{LocalFile, Place, Table};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::physical_plan::ExecutionPlan;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Objects of about this size are small: fetching them takes longer than reading them.
const SMALL: u64 = 1 << 20;
/// How many small objects are read at a time.
const MANY: usize = 32;

/// A scan of the files at `sources`, with the values of their partition columns.
pub(super) async fn scan(
    session: &dyn Session,
    table: &Arc<Table>,
    columns: &SchemaRef,
    partitions: &Partitions,
    sources: &[usize],
    projection: Option<&Vec<usize>>,
    limit: Option<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut files = Vec::with_capacity(sources.len());
    let mut read = HashMap::with_capacity(sources.len());
    for &index in sources {
        let source = &table.sources[index];
        let mut meta = match &source.place {
            Place::File(file) => file
                .unchanged()
                .map(|()| object(file, &source.path))
                .map_err(|e| DataFusionError::External(Box::new(Error::input(&source.path, e))))?,
            Place::Object(object) => object.meta().clone(),
            Place::Stream(_) => continue,
        };
        if read.contains_key(&meta.location) {
            // What names have in them that can't be shown may make two of them alike.
            meta.location = StorePath::from(format!("{}/{index}", meta.location));
        }
        read.insert(meta.location.clone(), index);
        let values = (0..partitions.fields().len()).map(|column| partitions.value(column, index).clone()).collect();
        files.push(PartitionedFile::new_from_meta(meta).with_partition_values(values));
    }
    let url = store_url(session, table, &read)?;
    let mut partitions_wanted = session.config().target_partitions().max(1);
    let bytes: u64 = files.iter().map(|file| file.object_meta.size).sum();
    if partitions_wanted > 1
        && sources.iter().any(|index| matches!(table.sources[*index].place, Place::Object(_)))
        && bytes <= SMALL * files.len() as u64
    {
        // Of small objects most of the time is spent waiting for answers, so many are asked for at a time.
        partitions_wanted = partitions_wanted.max(MANY);
    }
    let size = files.len().div_ceil(partitions_wanted).max(1);
    let groups = files.chunks(size).map(|files| FileGroup::new(files.to_vec())).collect();
    let schema = TableSchema::builder(columns.clone()).with_table_partition_cols(partitions.fields().to_vec()).build();
    let environment = session.runtime_env();
    let files =
        CheckedFiles::new(environment.object_store(&url)?, environment.cache_manager.get_file_metadata_cache(), table.clone(), read);
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

/// The URL by which the session knows the store of the sources that it reads, which all are in one; each is there at its path.
fn store_url(session: &dyn Session, table: &Table, read: &HashMap<StorePath, usize>) -> Result<ObjectStoreUrl> {
    static SCANS: AtomicU64 = AtomicU64::new(0);
    let places = || read.values().map(|index| &table.sources[*index].place);
    let first = places().next();
    let together = |place: &Place| match (first, place) {
        (Some(Place::Object(first)), Place::Object(object)) => Arc::ptr_eq(object.store(), first.store()),
        (Some(Place::File(_)), Place::File(_)) => true,
        _ => false,
    };
    if !places().all(together) {
        let message = "the files of one table are all in one bucket, or all on this machine";
        return Err(DataFusionError::External(Box::new(Error::new(ErrorKind::Query, message))));
    }
    let store: Arc<dyn ObjectStore> = match first {
        Some(Place::Object(first)) => first.store().clone(),
        _ => Arc::new(LocalFileSystem::new()),
    };
    // Each scan has its own: the versions of what is read are those of its table.
    let url = ObjectStoreUrl::parse(format!("scan-{}://pinned", SCANS.fetch_add(1, Ordering::Relaxed)))?;
    let pinned = Pinned::new(store, read.iter().map(|(path, index)| (path, &table.sources[*index])));
    session.runtime_env().register_object_store(url.as_ref(), Arc::new(pinned));
    Ok(url)
}

/// The file as an object, as it was found; its name is that by which users know it, as it is read by what is known of it.
fn object(file: &LocalFile, name: &str) -> ObjectMeta {
    let last_modified = file.modified().unwrap_or(std::time::UNIX_EPOCH).into();
    ObjectMeta { location: StorePath::from(name), last_modified, size: file.size(), e_tag: None, version: None }
}
