//! What goes wrong in the parquet crate.

use crate::error::{Error, ErrorKind};
use parquet::errors::ParquetError;

pub(crate) fn failed(source: ParquetError) -> Error {
    Error::new(ErrorKind::Output, "can't write Parquet").with_source(source)
}
