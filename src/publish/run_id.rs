//! The names of runs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `20200301T030000Z-7f3a9c01`: when it began, and chance. Names sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The name of a run that begins at `now`.
    pub fn new(now: DateTime<Utc>) -> RunId {
        // Without the system's chance, the process and the time are unlikely enough.
        let chance = getrandom::u32().unwrap_or_else(|_| std::process::id() ^ now.timestamp_subsec_nanos());
        RunId(format!("{}-{chance:08x}", now.format("%Y%m%dT%H%M%SZ")))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
