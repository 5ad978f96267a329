//! Workgroups: what limits queries and keeps their results.

use super::client::Client;
use super::workgroup_settings::{Keeping, LEAST_LIMIT, Wanted, Workgroup};
use crate::error::{Error, ErrorKind, Result};
use serde::Serialize;

/// What was done to have a workgroup as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ensured {
    pub name: String,
    /// It was not there.
    pub created: bool,
    /// What was changed, in words; nothing where it was as it should be already.
    pub changes: Vec<String>,
    /// It takes no queries: somebody has switched it off, which is left as it is.
    pub disabled: bool,
}

/// Makes the workgroup `name`, or changes it: a query scans `max_scan` bytes at most, its result is kept as `results` says, and queries
/// can't have it otherwise. All else stays as it is; where nothing differs, nothing is written.
///
/// # Errors
/// [`ErrorKind::Usage`] for a limit that Athena doesn't have, [`ErrorKind::Output`] where Athena doesn't take it.
pub async fn ensure_workgroup(client: &Client, name: &str, max_scan: u64, results: &Keeping) -> Result<Ensured> {
    if max_scan < LEAST_LIMIT {
        let message = format!("a limit of {max_scan} bytes is too low for Athena; the minimum is 10MB, {LEAST_LIMIT} bytes");
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let wanted = Wanted { max_scan, results };
    let Some(live) = client.workgroup(name).await? else {
        client.create_workgroup(name, wanted.configuration()).await?;
        return Ok(Ensured { name: name.to_string(), created: true, changes: Vec::new(), disabled: false });
    };
    let live = Workgroup::of(&live);
    if live.is_spark() {
        let engine = live.engine.unwrap_or_default();
        let message = format!("workgroup {name} uses {engine}, which doesn't run SQL");
        return Err(Error::new(ErrorKind::Output, message).with_context("what to do", "name another"));
    }
    let disabled = !live.enabled;
    let Some((updates, changes)) = wanted.updates(&live) else {
        return Ok(Ensured { name: name.to_string(), created: false, changes: Vec::new(), disabled });
    };
    client.update_workgroup(name, updates).await?;
    Ok(Ensured { name: name.to_string(), created: false, changes, disabled })
}

/// The names of all workgroups, and what is said of each: its state, engine and description.
///
/// # Errors
/// [`ErrorKind::Input`] where Athena doesn't tell.
pub async fn list_workgroups(client: &Client) -> Result<Vec<WorkgroupLine>> {
    let found = client.workgroups().await?;
    let line = |summary: aws_sdk_athena::types::WorkGroupSummary| WorkgroupLine {
        name: summary.name.unwrap_or_default(),
        enabled: summary.state.is_none_or(|state| state.as_str() == "ENABLED"),
        engine: summary.engine_version.and_then(|engine| engine.effective_engine_version),
        description: summary.description.filter(|text| !text.is_empty()),
    };
    Ok(found.into_iter().map(line).collect())
}

/// A workgroup in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkgroupLine {
    pub name: String,
    /// Whether queries run in it.
    pub enabled: bool,
    /// The version of the engine.
    pub engine: Option<String>,
    pub description: Option<String>,
}

/// One workgroup.
///
/// # Errors
/// [`ErrorKind::Input`] where there is none, or Athena doesn't tell.
pub async fn show_workgroup(client: &Client, name: &str) -> Result<Workgroup> {
    match client.workgroup(name).await? {
        Some(live) => Ok(Workgroup::of(&live)),
        None => Err(Error::new(ErrorKind::Input, format!("there is no workgroup {name}")).with_context(
            "what to do",
            format!("`etl athena workgroup list` shows those there are; etl athena workgroup ensure {name} --max-scan 10GB makes it"),
        )),
    }
}
