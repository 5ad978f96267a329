//! Where bytes come from: files, folders, globs and standard input, plain or compressed, cut into blocks of whole lines.

mod blocks;
mod compression;
mod framing;
mod parquet;
mod source;
mod stream;
mod table;

pub use blocks::{Block, BlockReader, Content, MAX_LINE};
pub use compression::Compression;
pub use framing::Framing;
pub use parquet::RowGroup;
pub use source::{Place, Source, partitions_in, resolve};
pub use stream::Stream;
pub use table::{FormatChoice, LogChoice, Table, TableFormat, TableOptions};
