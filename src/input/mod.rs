//! Where bytes come from: files, folders, globs, objects of buckets and standard input, plain or compressed, cut into blocks of whole lines.

mod ahead;
mod arguments;
mod blocks;
mod bucket;
mod compression;
mod files;
mod framing;
mod local;
mod many;
mod object;
mod parquet;
mod random_access;
mod source;
mod stream;
mod table;

pub use crate::tabular::CsvDialect;
pub use ahead::Ahead;
pub use arguments::{Inputs, Resolver, resolve, resolve_with};
pub use blocks::{Block, BlockReader, Content, MAX_LINE};
pub use bucket::objects;
pub use compression::Compression;
pub use framing::Framing;
pub use local::{LocalAccess, LocalFile, LocalRead};
pub use many::each;
pub use object::{ObjectFile, ObjectReader};
pub use parquet::{RowGroup, column_ranges};
pub(crate) use random_access::ObjectEnd;
pub use random_access::{ObjectAccess, RandomAccess, RandomRead};
pub use source::{Place, Source, growth, partitions_in};
pub use stream::Stream;
pub use table::{FormatChoice, LogChoice, Table, TableFormat, TableOptions};
