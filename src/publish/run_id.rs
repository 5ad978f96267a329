//! The names of runs.

use crate::error::{Error, ErrorKind, Result};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The one of `runs` that `wanted` names: by its id, by the first letters of it, or as the `last`; nothing where it names none.
///
/// # Errors
/// [`ErrorKind::Usage`] where it is the beginning of more than one.
pub fn run_named<'a>(wanted: &str, runs: impl IntoIterator<Item = &'a str>) -> Result<Option<&'a str>> {
    let runs: BTreeSet<&str> = runs.into_iter().collect();
    if wanted == "last" {
        return Ok(runs.last().copied());
    }
    let found: Vec<&str> = runs.iter().filter(|run| !wanted.is_empty() && run.starts_with(wanted)).copied().collect();
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ if runs.contains(wanted) => Ok(runs.get(wanted).copied()),
        more => {
            let shown = more.iter().rev().take(5).copied().collect::<Vec<_>>().join(", ");
            Err(Error::new(ErrorKind::Usage, format!("more than one run begins with `{wanted}`"))
                .with_context("runs", shown)
                .with_context("what to do", "write more of the run's id"))
        }
    }
}

/// `20200301T030000000Z-7f3a9c01`: when it began, and chance. Names sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The name of a run that begins at `now`.
    pub fn new(now: DateTime<Utc>) -> RunId {
        // Without the system's chance, the process and the time are unlikely enough.
        let chance = getrandom::u32().unwrap_or_else(|_| std::process::id() ^ now.timestamp_subsec_nanos());
        RunId(format!("{}-{chance:08x}", now.format("%Y%m%dT%H%M%S%3fZ")))
    }

    /// The run that the folder `name` is one of: `RUN`, or `RUN-2` of its second try.
    pub fn of_folder(name: &str) -> Option<RunId> {
        let run = name.strip_suffix("-2").unwrap_or(name);
        let (time, chance) = run.split_once('-')?;
        let is_time = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S%3fZ").is_ok();
        let is_chance = chance.len() == 8 && chance.bytes().all(|b| b.is_ascii_hexdigit());
        (is_time && is_chance).then(|| RunId(run.to_string()))
    }

    /// When the run began, by its name.
    pub fn began(&self) -> Option<DateTime<Utc>> {
        let (time, _) = self.0.split_once('-')?;
        Some(NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S%3fZ").ok()?.and_utc())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_runs_are_known_by_their_names() {
        let run = RunId::new(Utc::now());
        assert_eq!(RunId::of_folder(run.as_str()), Some(run.clone()));
        assert!((Utc::now() - run.began().unwrap()).num_seconds() < 60);
        assert_eq!(RunId::of_folder(&format!("{run}-2")), Some(run));
        for other in [
            "",
            "dt=2020-02-29",
            "20200301T030000000Z",
            "20200301T030000000Z-xyz",
            "20200301T030000000Z-7f3a9c01-3",
            "20200301X030000000Z-7f3a9c01",
        ] {
            assert_eq!(RunId::of_folder(other), None, "{other}");
        }
    }
}
