//! Parquet files as DataFusion reads them, with footers and pages looked at before they are believed.

use super::local_parquet::LocalParquet;
use crate::error::{Error, ErrorKind};
use crate::input::{FOOTER_TAIL, PageCheck, Place, Reading, Table, footer_place, parse_footer};
use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::{CachedParquetFileReaderFactory, CachedParquetMetaData};
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How much of a file's end is read at first: most footers have less.
const LOOK: u64 = 64 << 10;

/// Makes the readers of a scan's files.
pub(super) struct CheckedFiles {
    objects: CachedParquetFileReaderFactory,
    known: Arc<FileMetadataCache>,
    table: Arc<Table>,
    /// The index of the source that is at a path.
    sources: HashMap<Path, usize>,
}

impl fmt::Debug for CheckedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedFiles").field("objects", &self.objects).finish_non_exhaustive()
    }
}

impl CheckedFiles {
    /// Those of `table` that are at the paths of `sources`; objects are in `store`. Files in `known` were looked at already.
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        known: Arc<FileMetadataCache>,
        table: Arc<Table>,
        sources: HashMap<Path, usize>,
    ) -> CheckedFiles {
        CheckedFiles { objects: CachedParquetFileReaderFactory::new(store, known.clone()), known, table, sources }
    }
}

impl ParquetFileReaderFactory for CheckedFiles {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let meta = file.object_meta.clone();
        let source = self.sources.get(&meta.location).map(|index| &self.table.sources[*index]);
        let name: Arc<str> = source.map_or(meta.location.as_ref(), |source| &source.path).into();
        let file = match source {
            Some(source) if matches!(source.place, Place::File(_)) => Stored::File(LocalParquet::new(source.clone())),
            _ => Stored::Object(self.objects.create_reader(partition_index, file, metadata_size_hint, metrics)?),
        };
        let reading = Reading::begin(name.clone());
        Ok(Box::new(CheckedFile { file, meta, name, known: self.known.clone(), chunks: None, end: None, _reading: reading }))
    }
}

/// Where the bytes of a file are.
enum Stored {
    File(LocalParquet),
    Object(Box<dyn AsyncFileReader + Send>),
}

impl Stored {
    async fn get_bytes(&mut self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        match self {
            Stored::File(file) => file.get_byte_ranges(&[range]).await.map(|mut bytes| bytes.pop().unwrap_or_default()),
            Stored::Object(object) => object.get_bytes(range).await,
        }
    }

    async fn get_byte_ranges(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ParquetError> {
        match self {
            Stored::File(file) => file.get_byte_ranges(ranges).await,
            Stored::Object(object) => object.get_byte_ranges(ranges.to_vec()).await,
        }
    }
}

/// A file whose footer and pages are looked at.
struct CheckedFile {
    file: Stored,
    meta: ObjectMeta,
    name: Arc<str>,
    known: Arc<FileMetadataCache>,
    chunks: Option<Arc<Chunks>>,
    /// The end of the file, and where that starts, where the footer was read just now: of a small file it is all.
    end: Option<(u64, Bytes)>,
    _reading: Reading,
}

/// Where the column chunks of a file lie.
struct Chunks {
    metadata: Arc<ParquetMetaData>,
    /// Row group, column and end by the start.
    places: BTreeMap<u64, (usize, usize, u64)>,
}

fn ours(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl CheckedFile {
    /// What the footer says.
    async fn metadata(&mut self) -> Result<Arc<ParquetMetaData>, ParquetError> {
        let known = self.known.get(&self.meta.location).filter(|known| known.is_valid_for(&self.meta));
        let known =
            known.and_then(|known| Some(known.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>()?.parquet_metadata().clone()));
        if let Some(known) = known {
            return Ok(known);
        }
        let size = self.meta.size;
        let end = self.file.get_bytes(size.saturating_sub(LOOK)..size).await?;
        self.end = Some((size - end.len() as u64, end.clone()));
        let tail = end.slice(end.len().saturating_sub(FOOTER_TAIL as usize)..);
        let place = footer_place(&tail, size, &self.name).map_err(ours)?;
        let bytes = match place.start.checked_sub(size - end.len() as u64) {
            Some(start) => end.slice(start as usize..end.len() - tail.len()),
            None => self.file.get_bytes(place.clone()).await?,
        };
        let metadata = Arc::new(parse_footer(&bytes, place.start, &self.name).map_err(ours)?);
        let entry = CachedFileMetadataEntry::new(self.meta.clone(), Arc::new(CachedParquetMetaData::new(metadata.clone())));
        self.known.put(&self.meta.location, entry);
        Ok(metadata)
    }

    /// Where its columns are.
    async fn chunks(&mut self) -> Result<Arc<Chunks>, ParquetError> {
        if let Some(chunks) = &self.chunks {
            return Ok(chunks.clone());
        }
        let metadata = self.metadata().await?;
        let mut places = BTreeMap::new();
        for (index, group) in metadata.row_groups().iter().enumerate() {
            for (leaf, column) in group.columns().iter().enumerate() {
                let (start, length) = column.byte_range();
                places.insert(start, (index, leaf, start + length));
            }
        }
        let chunks = Arc::new(Chunks { metadata, places });
        self.chunks = Some(chunks.clone());
        Ok(chunks)
    }

    /// The bytes of `ranges`, where all of them lie in the end that was read.
    fn at_hand(&self, ranges: &[Range<u64>]) -> Option<Vec<Bytes>> {
        let (start, end) = self.end.as_ref()?;
        let part = |range: &Range<u64>| {
            let (from, to) = (range.start.checked_sub(*start)? as usize, (range.end - start) as usize);
            (from <= to && to <= end.len()).then(|| end.slice(from..to))
        };
        ranges.iter().map(part).collect()
    }

    /// Whether `range` lies in the file.
    fn fits(&self, range: &Range<u64>) -> Result<(), ParquetError> {
        if range.start <= range.end && range.end <= self.meta.size {
            return Ok(());
        }
        let (name, size) = (&self.name, self.meta.size);
        let message = format!("{name} is damaged: it claims something in bytes {} to {}, but has {size}", range.start, range.end);
        Err(ours(Error::new(ErrorKind::Input, message)))
    }
}

impl Chunks {
    /// Looks at the pages in `ranges`, whose bytes are `bytes`.
    fn check(&self, path: &str, ranges: &[Range<u64>], bytes: &[Bytes]) -> Result<(), ParquetError> {
        let mut groups: BTreeMap<usize, Vec<(usize, Range<u64>)>> = BTreeMap::new();
        let mut by_start = BTreeMap::new();
        for (range, bytes) in ranges.iter().zip(bytes).filter(|(range, _)| !range.is_empty()) {
            by_start.insert(range.start, bytes);
            // What belongs to no column is an index, or a filter.
            if let Some((_, (group, leaf, end))) = self.places.range(..=range.start).next_back()
                && range.end <= *end
            {
                groups.entry(*group).or_default().push((*leaf, range.clone()));
            }
        }
        let read = |wanted: Range<u64>| {
            let found = by_start.range(..=wanted.start).next_back().and_then(|(start, bytes)| {
                let (from, to) = ((wanted.start - start) as usize, (wanted.end - start) as usize);
                (to <= bytes.len()).then(|| bytes.slice(from..to))
            });
            found.ok_or_else(|| Error::new(ErrorKind::Input, format!("{path} was cut off while it was being read")))
        };
        for (group, ranges) in groups {
            PageCheck { path, metadata: &self.metadata, group, checksums: true }.look(ranges, read).map_err(ours)?;
        }
        Ok(())
    }
}

impl AsyncFileReader for CheckedFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        match self.fits(&range) {
            Ok(()) => self.file.get_bytes(range).boxed(),
            Err(error) => futures::future::ready(Err(error)).boxed(),
        }
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            ranges.iter().try_for_each(|range| self.fits(range))?;
            let chunks = self.chunks().await?;
            let bytes = match self.at_hand(&ranges) {
                Some(bytes) => bytes,
                None => self.file.get_byte_ranges(&ranges).await?,
            };
            chunks.check(&self.name, &ranges, &bytes)?;
            Ok(bytes)
        }
        .boxed()
    }

    fn get_metadata<'a>(&'a mut self, _: Option<&'a ArrowReaderOptions>) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        self.metadata().boxed()
    }
}
