//! Compresses pages, with state that is made once and used for all columns of a worker.

use super::super::format::Codec;
use crate::error::{Error, ErrorKind, Result};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use std::fmt;
use std::io::Write;

/// Compresses pages by one codec.
pub(super) struct PageCodec {
    codec: Codec,
    zstd: Option<zstd::bulk::Compressor<'static>>,
    snappy: Option<snap::raw::Encoder>,
}

impl fmt::Debug for PageCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageCodec").field("codec", &self.codec).finish_non_exhaustive()
    }
}

impl PageCodec {
    /// # Errors
    /// Where the codec can't be set up.
    pub(super) fn new(codec: Codec) -> Result<PageCodec> {
        let zstd = match codec {
            Codec::Zstd(level) => Some(zstd::bulk::Compressor::new(level).map_err(failed)?),
            _ => None,
        };
        let snappy = (codec == Codec::Snappy).then(snap::raw::Encoder::new);
        Ok(PageCodec { codec, zstd, snappy })
    }

    /// `page` as it is stored.
    ///
    /// # Errors
    /// Where the codec fails.
    pub(super) fn compress(&mut self, page: &[u8]) -> Result<Vec<u8>> {
        if let Some(zstd) = &mut self.zstd {
            return zstd.compress(page).map_err(failed);
        }
        if let Some(snappy) = &mut self.snappy {
            return snappy.compress_vec(page).map_err(failed);
        }
        let Codec::Gzip(level) = self.codec else { return Ok(page.to_vec()) };
        let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 2), Level::new(level));
        encoder.write_all(page).and_then(|()| encoder.finish()).map_err(failed)
    }
}

fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Internal, "can't compress a page of Parquet").with_source(source)
}
