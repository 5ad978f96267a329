//! Where bytes come from: files, folders, globs, objects of buckets and standard input, plain or compressed, cut into blocks of whole lines.

mod ahead;
mod blocks;
mod bucket;
mod compression;
mod faults;
mod framing;
mod many;
mod object;
mod parquet;
mod parquet_footer;
mod parquet_pages;
mod random_access;
mod row_group;
mod source;
mod stream;
mod table;
mod thrift;

pub use crate::tabular::CsvDialect;
pub use ahead::Ahead;
pub use blocks::{Block, BlockReader, Content, MAX_LINE};
pub use bucket::objects;
pub use compression::Compression;
pub use faults::{Reading, caught, caught_in_tasks};
pub use framing::Framing;
pub use many::each;
pub use object::{ObjectFile, ObjectReader};
pub use parquet::RowGroup;
pub use parquet_footer::{TAIL as FOOTER_TAIL, footer, footer_place, parse_footer};
pub use parquet_pages::PageCheck;
pub(crate) use random_access::ObjectEnd;
pub use random_access::{ObjectAccess, RandomAccess, RandomRead};
pub use row_group::{GroupRows, column_chunks};
pub use source::{Place, Source, partitions_in, resolve, resolve_with};
pub use stream::Stream;
pub use table::{FormatChoice, LogChoice, Table, TableFormat, TableOptions};
