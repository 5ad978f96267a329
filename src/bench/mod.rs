//! Which format, how many files, compressed or not: measured on somebody's own data.
//!
//! Data sets are made of the same rows, each kind in each number of files; each question is asked of each of them several times, in an order that
//! a seed shuffles, and what is told is the mean without the fastest and the slowest. A cell that fails is a cell with a reason.

mod athena;
mod caches;
mod cell;
mod comparison;
mod counters;
mod data_set;
mod days;
mod encodings;
mod engine;
mod estimate;
mod local;
mod making;
mod prices;
mod question;
mod recommendation;
mod report;
mod settings;
mod shuffle;
mod source;
mod timing;

pub use athena::AthenaSettings;
pub use cell::Cell;
pub use comparison::compare;
pub use data_set::{DataSet, Form};
pub use encodings::{EncodedColumn, Encoding};
pub use estimate::Monthly;
pub use making::Made;
pub use prices::Prices;
pub use question::Question;
pub use report::{BenchReport, Rows};
pub use settings::{Caches, Settings, article, matrix};
pub use source::{GENERATED_LINES, SourceArguments};
pub use timing::Timing;
