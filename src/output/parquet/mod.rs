//! Row groups of Parquet, with an encoding for each column that its values ask for.
//!
//! Text, integers and times, which is what logs are made of, are encoded here: values are hashed where they lie and all state is used
//! again from row group to row group, so that ten thousand small files cost little more than one. Other types are left to the
//! parquet crate, and so are files' headers and footers. All pages have checksums.

mod chunk;
mod crate_column;
mod delta;
mod dictionary;
mod encoded_column;
mod fault;
mod hybrid;
mod integer;
mod page_codec;
mod page_header;
mod properties;
mod row_groups;
mod text;

pub(super) use encoded_column::EncodedColumn;
pub(super) use fault::failed;
pub(super) use properties::{file_properties, parquet_schema};
pub(super) use row_groups::RowGroups;
