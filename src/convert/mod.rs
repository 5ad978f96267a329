//! From inputs to output files: in parallel, in order, in bounded memory, with every line accounted for.

mod accounting;
mod allowance;
mod append;
mod assembly;
mod count;
mod cuts;
mod engine;
mod gate;
mod metadata;
mod options;
mod part_sink;
mod partition;
mod pass;
mod reasons;
mod rejects;
mod rejects_file;
mod report;
mod unit;
mod unit_rejects;
mod unit_streams;
mod writing;

pub use engine::convert;
pub use options::{ConvertOptions, Counted, Layout, OnError, REJECTS_LIMIT};
pub use partition::unfit;
pub use rejects_file::RejectsFile;
pub use report::{ConvertReport, FileReport, RejectExample, SourceReport};
