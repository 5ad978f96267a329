//! Where bytes come from: files, folders, globs and standard input, plain or compressed, cut into blocks of whole lines.

mod blocks;
mod compression;
mod source;
mod table;

pub use blocks::{Block, BlockReader, Content, Framing, MAX_LINE};
pub use compression::Compression;
pub use source::{Place, Source, resolve};
pub use table::{FormatChoice, LogChoice, Table, TableFormat, TableOptions};
