//! A column of a row group, encoded.

use super::chunk::ColumnChunk;
use super::fault::failed;
use crate::error::Result;
use parquet::file::writer::SerializedRowGroupWriter;
use std::io::Write;

/// The leaves of a column of a row group, ready to be put into a file.
#[derive(Debug)]
pub struct EncodedColumn(pub(super) Vec<ColumnChunk>);

/// What is said of a column of a row group, in bytes of memory.
const METADATA: usize = 3 << 10;

impl EncodedColumn {
    /// About how many bytes it takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.0.iter().map(|chunk| chunk.bytes.len() + METADATA).sum()
    }

    /// Puts it behind the columns that the row group has.
    pub(crate) fn append_to<W: Write + Send>(self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        self.0.into_iter().try_for_each(|chunk| group.append_column(&chunk.bytes, chunk.close)).map_err(failed)
    }
}
