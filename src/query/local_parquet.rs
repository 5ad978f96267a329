//! Parquet files of this machine, read where they are asked for: most reads take less time than handing them to another thread.

use crate::error::Error;
use crate::input::{RandomAccess, Source};
use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use std::io;
use std::ops::Range;

/// What is longer is read by a thread that may wait, in bytes.
const LONG: u64 = 256 << 10;

/// A file that is opened when it is first read.
#[derive(Debug)]
pub(super) struct LocalParquet {
    source: Source,
    access: Option<RandomAccess>,
}

impl LocalParquet {
    pub(super) fn new(source: Source) -> LocalParquet {
        LocalParquet { source, access: None }
    }

    /// The bytes of `ranges`, as the file was when it was found.
    pub(super) async fn get_byte_ranges(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ParquetError> {
        let access = self.open()?;
        let read = match ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum::<u64>() {
            ..=LONG => read(access, ranges),
            _ => {
                let (access, ranges) = (access.try_clone()?, ranges.to_vec());
                let reading = tokio::task::spawn_blocking(move || read(&access, &ranges));
                reading.await.map_err(|e| ParquetError::External(Box::new(e)))?
            }
        };
        read.map_err(|error| self.named(error))
    }

    fn open(&mut self) -> Result<&RandomAccess, ParquetError> {
        if self.access.is_none() {
            self.access = self.source.open_random().map_err(ours)?;
        }
        let is_none = || ParquetError::General(format!("{} can't be read at any place", self.source.path));
        self.access.as_ref().ok_or_else(is_none)
    }

    /// An error of reading, with the file's name.
    fn named(&self, error: ParquetError) -> ParquetError {
        match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => ours(Error::input(&self.source.path, *error)),
                Err(error) => ParquetError::External(error),
            },
            other => other,
        }
    }
}

fn ours(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

fn read(access: &RandomAccess, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ParquetError> {
    ranges.iter().map(|range| access.get_bytes(range.start, (range.end - range.start) as usize)).collect()
}
