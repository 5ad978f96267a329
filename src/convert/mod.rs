//! From inputs to output files: in parallel, in order, in bounded memory, with every line accounted for.

mod accounting;
mod count;
mod cuts;
mod engine;
mod metadata;
mod options;
mod partition;
mod rejects;
mod report;
mod unit;
mod unit_streams;

pub use engine::convert;
pub use options::{ConvertOptions, Layout, OnError};
pub use report::{ConvertReport, FileReport, RejectExample, SourceReport};
