//! `etl` turns web logs and other raw files into tables that people can query.
//!
//! The way of the data is the way through the modules: bytes are read and cut into blocks by [`input`], become record
//! batches in [`accesslog`] and [`tabular`], files in [`output`]; [`convert`] puts that together, [`publish`] moves the files to their
//! place. [`query`] reads any of them with SQL, [`inspect`] says what is in them, and [`cli`] turns arguments into calls of all that.

#![deny(unsafe_code)]

pub mod accesslog;
pub mod aws;
pub mod bench;
pub mod catalog;
pub mod cli;
pub mod convert;
pub mod decode;
pub mod diagnostic;
pub mod doctor;
pub mod error;
pub mod escape;
pub mod generate;
pub mod governance;
pub mod input;
pub mod inspect;
pub mod nested;
pub mod output;
pub mod peak_memory;
pub mod pipeline;
pub mod printable;
pub mod progress;
pub mod publish;
pub mod query;
pub mod report;
pub mod schedule;
pub mod schema;
pub mod secrets;
pub mod sql_text;
pub mod storage;
pub mod tabular;
pub mod text_column;
pub mod trace;
pub mod units;
pub mod yaml;
pub mod zone;

pub use error::{Error, ErrorKind, Result};
