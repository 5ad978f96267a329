//! From a block of whole lines to a record batch: the contract that access logs, CSV, TSV and JSON lines share.

use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use std::sync::Arc;

/// Turns bytes into rows. It does no I/O and keeps nothing between blocks that would change a result, so blocks can be
/// decoded by any worker in any order; each to its end, before the next.
pub trait Decoder: Send {
    /// The schema of the batches, after projection.
    fn schema(&self) -> SchemaRef;

    /// How the records of the next blocks lie, where that isn't as in the table; each file says it before its blocks.
    fn arrange(&mut self, _layout: Option<&Arc<Layout>>) {}

    /// What the line says, of those before the next block, that tells which fields the lines behind it have; nothing at a file's start.
    fn head(&mut self, _heading: Option<&Bytes>) {}

    /// Decodes the first records of `block`, which ends with a record's end or the input's: all of them, where a batch of them
    /// is not many times as large as their bytes. Text columns may share the block's memory.
    ///
    /// # Errors
    /// Only for faults of the program; what can't be read is a [`Reject`].
    fn decode(&mut self, block: &Bytes) -> Result<Decoded>;
}

/// How the records of a file lie whose columns are not all of its table's, or stand in another order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// How many fields a record has.
    pub width: usize,
    /// Of each column of the table the field that it is; nothing for one that the file hasn't, which is NULL.
    pub fields: Vec<Option<usize>>,
}

/// The values that a batch may have where the bytes of its rows don't bound them: a short line may be a row of many NULLs.
pub const MOST_VALUES: usize = 1 << 18;
/// The rejects that are given at once, so that short lines that are none don't become many times as large.
pub const MOST_REJECTS: usize = 1 << 14;

/// What came of the records at the start of a block. `lines == batch rows + rejects + blank`, always.
#[derive(Debug)]
pub struct Decoded {
    /// The rows, in the order of the input.
    pub batch: RecordBatch,
    /// How many bytes these records have; the next one, if there is any, starts behind them.
    pub taken: usize,
    /// Lines; records, where a record spans lines.
    pub lines: u64,
    /// Lines of text: more than `lines` where records span lines.
    pub text_lines: u64,
    /// Lines with nothing in them.
    pub blank: u64,
    /// Rows whose line stands behind bytes that are none of it, as [`lead`] has them.
    pub repaired: u64,
    /// The lines that are not rows.
    pub rejects: Vec<Reject>,
    /// How many values of which columns, by their places in the file's schema, were none of the column's type, whether that rejected
    /// their lines or made them NULL.
    pub mismatches: Vec<(usize, u64)>,
}

/// Decodes all of `block`, part after part as they are asked for. Places of rejects count from the start of the block.
pub fn parts<'a>(decoder: &'a mut dyn Decoder, block: &Bytes) -> impl Iterator<Item = Result<Decoded>> + use<'a> {
    let (mut rest, mut lines, mut offset) = (block.clone(), 0, 0);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let decoded = decoder.decode(&rest).and_then(|mut decoded| {
            if decoded.taken == 0 {
                return Err(Error::new(ErrorKind::Internal, "a block of which nothing was decoded"));
            }
            for reject in &mut decoded.rejects {
                reject.line += lines;
                reject.offset += offset;
            }
            Ok(decoded)
        });
        match &decoded {
            Ok(decoded) => {
                rest = rest.slice(decoded.taken..);
                lines += decoded.text_lines;
                offset += decoded.taken as u64;
            }
            Err(_) => rest.clear(),
        }
        Some(decoded)
    })
}

/// How many bytes at the start of `line` are none of it. NUL bytes are what is left of a log that was cut to nothing while its server went
/// on where it was; a byte order mark comes of files that were put together.
#[inline(always)]
pub fn lead(line: &[u8]) -> usize {
    match line.first() {
        Some(0 | 0xef) => lead_of(line),
        _ => 0,
    }
}

#[cold]
fn lead_of(line: &[u8]) -> usize {
    let mut rest = line;
    while let [0, behind @ ..] | [0xef, 0xbb, 0xbf, behind @ ..] = rest {
        rest = behind;
    }
    line.len() - rest.len()
}

/// How many of the lines with the numbers `behind`, which stand behind bytes that are none of them, are rows.
pub fn repaired(behind: &[u64], rejects: &[Reject]) -> u64 {
    behind.iter().filter(|line| rejects.binary_search_by_key(*line, |reject| reject.line).is_err()).count() as u64
}

/// A line that could not be read, with all that is needed to find and repair it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reject {
    /// Its number among the lines of text; counted from 0 in its block, until whoever knows the blocks before makes it count from 1
    /// in the file.
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
