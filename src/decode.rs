//! From a block of whole lines to a record batch: the contract that access logs, CSV and JSON lines share.

use crate::error::Result;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use std::sync::Arc;

/// Turns bytes into rows. It does no I/O and keeps nothing between blocks that would change a result, so blocks can be
/// decoded by any worker in any order.
pub trait Decoder: Send {
    /// The schema of the batches, after projection.
    fn schema(&self) -> SchemaRef;

    /// Decodes `block`, which ends with a record's end or the input's. Text columns may share its memory.
    ///
    /// # Errors
    /// Only for faults of the program; what can't be read is a [`Reject`].
    fn decode(&mut self, block: &Bytes) -> Result<Decoded>;
}

/// What came of a block. `lines == batch rows + rejects + blank`, always.
#[derive(Debug)]
pub struct Decoded {
    /// The rows, in the order of the input.
    pub batch: RecordBatch,
    /// Lines (records, where a record spans lines) of the block.
    pub lines: u64,
    /// Lines with nothing in them.
    pub blank: u64,
    /// The lines that are not rows.
    pub rejects: Vec<Reject>,
}

/// A line that could not be read, with all that is needed to find and repair it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reject {
    /// Its number; counted from 0 in its block, until whoever knows the blocks before makes it count from 1 in the file.
    pub line: u64,
    /// Where it starts, in (decompressed) bytes from the start of its block, then of its file.
    pub offset: u64,
    /// What was wrong, the same text for the same fault, so that it can be counted.
    pub reason: Arc<str>,
    /// The line without its end. Only a line over the length limit is cut.
    pub raw: Bytes,
    /// The length of the whole line, in bytes.
    pub length: u64,
}
