//! From record batches to the bytes of CSV, TSV, JSON lines and Parquet files.
//!
//! A file is made of segments: a run of rows that one worker encodes (and compresses) on its own, so that many can work on
//! one file. A segment of text is bytes, one of Parquet a row group; a [`PartFile`] puts them one behind the other.

mod columns;
mod csv;
mod deflate;
mod encoder;
mod fields;
mod format;
mod json;
mod losses;
mod map_keys;
mod parquet;
mod part_file;
mod scan;
mod segment;
mod stream;
mod timestamp;
mod tsv;
mod written;

pub use crate::tabular::CsvDialect;
pub use columns::instants;
pub use encoder::{check, encoder};
pub use format::{Codec, FileFormat, Kind, Timestamps};
pub use losses::{Loss, Losses};
pub use part_file::PartFile;
pub use segment::{Payload, Segment, SegmentEncoder};
pub use stream::{BatchWriter, stream_writer};
pub use timestamp::time_text;
pub use written::Written;
