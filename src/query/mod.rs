//! SQL over any of the files that this program reads or writes, raw logs too.
//!
//! A [`QueryEngine`] plans with DataFusion. A path in `FROM` is a table: Parquet is read by DataFusion, which skips the row
//! groups and pages that a filter rules out; all else by the decoders that `convert` uses, for the columns asked only.
//! [`athena`] is the other engine: the same rows of the same traits, from tables that Athena reads.

mod answer;
pub mod athena;
mod checked_files;
mod columns;
mod concatenation;
mod derived;
mod elsewhere;
mod engine;
mod environment;
mod estimate;
mod failure;
mod friendly;
mod functions;
mod glue;
mod growth;
mod held;
mod lake;
mod limits;
mod local_parquet;
mod memory;
mod names;
mod options;
mod parquet;
mod partitions;
mod pieces;
mod pinned;
mod plain_words;
mod plan_tree;
mod registered;
mod rejects;
mod restricted;
mod runtime;
mod scan;
mod short_times;
mod sql_engine;
mod statements;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod utc_times;
mod versions;
mod words;
mod wrapped;

pub use answer::{Answer, lines as answer_of_lines};
pub use engine::{QueryEngine, QueryResult};
pub use estimate::{Estimate, TableEstimate};
pub use glue::GlueTables;
pub use lake::LakeTables;
pub use limits::{Excess, PARSER_CALLS, TOO_DEEP, check as check_limits};
pub use memory::{default_memory, share_of};
pub use options::QueryOptions;
pub use rejects::RejectLog;
pub use runtime::{Runtime, deep, unless_cancelled};
pub use sql_engine::{ResultRows, SqlEngine};
pub use statements::{is_ended, split as split_statements};
