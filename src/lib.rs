//! `etl` turns web logs and other raw files into tables that people can query.
//!
//! The way of the data is the way through the modules: bytes are read and cut into blocks by [`input`], become record
//! batches in [`accesslog`], files in [`output`], and are put together by [`convert`]; [`query`] reads any of them.

#![deny(unsafe_code)]

pub mod accesslog;
pub mod cli;
pub mod decode;
pub mod diagnostic;
pub mod error;
pub mod escape;
pub mod input;
pub mod progress;
pub mod query;
pub mod tabular;
pub mod text_column;
pub mod units;

pub use error::{Error, ErrorKind, Result};
