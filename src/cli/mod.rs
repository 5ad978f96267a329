//! The command line: one file a command, each turning arguments into a call of the library.

mod from_format;
pub mod inspect;
mod inspection_text;
pub mod log_format;
pub mod query;
mod result_table;
mod terminal;
