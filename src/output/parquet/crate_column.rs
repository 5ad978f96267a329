//! Columns that the parquet crate encodes: its pages get checksums, which it doesn't write itself.

use super::chunk::ColumnChunk;
use super::fault::failed;
use super::page_header::{is_dictionary, with_checksum};
use crate::error::Result;
use bytes::Bytes;
use parquet::arrow::arrow_writer::{
    ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory, PageKey, PageStore, PageStoreArgs, PageStoreFactory,
};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::OffsetIndexBuilder;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};

/// The pages of a column, header and bytes in turn, in the order in which the crate makes them.
type Pages = Arc<Mutex<Vec<Bytes>>>;

/// Makes the writers of the leaves of columns.
pub(super) struct CrateColumns {
    factory: ArrowRowGroupWriterFactory,
    begun: Arc<Begun>,
}

/// Keeps the pages of each writer that is made.
#[derive(Debug, Default)]
struct Begun {
    pages: Mutex<Vec<Pages>>,
}

/// The writer of a leaf in a row group.
pub(super) struct LeafWriter {
    writer: ArrowColumnWriter,
    pages: Pages,
}

impl CrateColumns {
    pub(super) fn new(factory: ArrowRowGroupWriterFactory) -> CrateColumns {
        let begun = Arc::new(Begun::default());
        CrateColumns { factory: factory.with_page_store_factory(begun.clone()), begun }
    }

    /// Writers of all leaves.
    pub(super) fn begin(&self) -> Result<Vec<LeafWriter>> {
        let writers = self.factory.create_column_writers(0).map_err(failed)?;
        let pages = take(&mut *self.begun.pages.lock().unwrap_or_else(PoisonError::into_inner));
        debug_assert_eq!(writers.len(), pages.len(), "each writer has a store");
        Ok(writers.into_iter().zip(pages).map(|(writer, pages)| LeafWriter { writer, pages }).collect())
    }
}

impl PageStoreFactory for Begun {
    fn create(&self, _: &PageStoreArgs<'_>) -> Result<Box<dyn PageStore>, ParquetError> {
        let pages = Pages::default();
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).push(pages.clone());
        Ok(Box::new(Store { pages, size: 0 }))
    }
}

/// Where the crate puts pages; it never takes them back.
struct Store {
    pages: Pages,
    size: usize,
}

impl PageStore for Store {
    fn put(&mut self, value: Bytes) -> Result<PageKey, ParquetError> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        self.size += value.len();
        pages.push(value);
        Ok(PageKey::new(pages.len() as u64 - 1))
    }

    fn take(&mut self, key: PageKey) -> Result<Bytes, ParquetError> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(key.get() as usize).cloned().ok_or_else(|| ParquetError::General("there is no such page".to_string()))
    }

    fn memory_size(&self) -> usize {
        self.size
    }
}

impl LeafWriter {
    pub(super) fn write(&mut self, leaf: &ArrowLeafColumn) -> Result<()> {
        self.writer.write(leaf).map_err(failed)
    }

    pub(super) fn size(&self) -> usize {
        self.writer.get_estimated_total_bytes()
    }

    /// The column chunk, its dictionary first.
    pub(super) fn finish(self) -> Result<ColumnChunk> {
        let close = self.writer.close().map_err(failed)?.close().clone();
        let blobs = take(&mut *self.pages.lock().unwrap_or_else(PoisonError::into_inner));
        let mut pages: Vec<&[Bytes]> = blobs.chunks_exact(2).collect();
        pages.sort_by_key(|page| !is_dictionary(&page[0]));
        let mut bytes = Vec::with_capacity(blobs.iter().map(Bytes::len).sum::<usize>() + pages.len() * 8);
        let (mut grown, mut places) = (0, Vec::with_capacity(pages.len()));
        let mut dictionary = None;
        for page in pages {
            let (header, data, at) = (with_checksum(&page[0], &page[1])?, &page[1], bytes.len() as i64);
            grown += (header.len() - page[0].len()) as i64;
            bytes.extend_from_slice(&header);
            bytes.extend_from_slice(data);
            match is_dictionary(&header) {
                true => dictionary = Some(at),
                false => places.push((at, (bytes.len() as i64 - at) as i32)),
            }
        }
        Ok(ColumnChunk { close: placed(close, grown, dictionary, &places)?, bytes: bytes.into() })
    }
}

/// What is said of a chunk that has `grown` by so many bytes, whose dictionary and data pages lie elsewhere now.
fn placed(close: ColumnCloseResult, grown: i64, dictionary: Option<i64>, places: &[(i64, i32)]) -> Result<ColumnCloseResult> {
    let (compressed, plain) = (close.metadata.compressed_size(), close.metadata.uncompressed_size());
    let metadata = close
        .metadata
        .into_builder()
        .set_total_compressed_size(compressed + grown)
        .set_total_uncompressed_size(plain + grown)
        .set_dictionary_page_offset(dictionary)
        .set_data_page_offset(places.first().map_or(0, |(at, _)| *at))
        .build()
        .map_err(failed)?;
    let offset_index = close.offset_index.map(|old| {
        let mut index = OffsetIndexBuilder::new();
        let locations = old.page_locations();
        let ends = locations.iter().skip(1).map(|next| next.first_row_index).chain([close.rows_written as i64]);
        for (page, (location, end)) in locations.iter().zip(ends).enumerate() {
            let (at, size) = places.get(page).copied().unwrap_or_default();
            index.append_row_count(end - location.first_row_index);
            index.append_offset_and_size(at, size);
            index.append_unencoded_byte_array_data_bytes(old.unencoded_byte_array_data_bytes().and_then(|bytes| bytes.get(page).copied()));
        }
        index.build()
    });
    Ok(ColumnCloseResult { bytes_written: close.bytes_written + grown as u64, metadata, offset_index, ..close })
}
