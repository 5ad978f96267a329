//! How queries are run.

use super::memory::default_memory;
use crate::input::TableOptions;
use crate::units::ByteSize;
use std::path::PathBuf;

/// How an engine works.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// How many threads decode and compute.
    pub threads: usize,
    /// How the files in `FROM` are read.
    pub read: TableOptions,
    /// Only tables of a lake can be named, as somebody sees them: no files.
    pub restricted: bool,
    /// Whether standard input is there to be a table.
    pub stdin: bool,
    /// What sorts, groups and joins of a query may hold; what is more goes to disk, or ends the query.
    pub memory: ByteSize,
    /// The folder of what goes to disk; one of the system's where not given. It is empty again at the end.
    pub spill: Option<PathBuf>,
}

impl Default for QueryOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        QueryOptions { threads, read: TableOptions::default(), restricted: false, stdin: true, memory: default_memory(), spill: None }
    }
}
