//! Publishes a policy without a run.

use crate::catalog::{Beside, LocalCatalog, Snapshot};
use crate::error::Result;
use crate::governance::{Draft, Policy, Resources};
use crate::publish::{Claim, Lease, RunId};
use crate::storage::Storage;
use chrono::Utc;
use std::collections::BTreeMap;

/// Makes `policy` what `owner` says of the lake in `storage`, as of `snapshot`. Nothing is written where that is so already.
///
/// # Errors
/// As [`Draft::of`]; [`crate::ErrorKind::Format`] where the policy must not be applied, [`crate::ErrorKind::Conflict`] where somebody else changed a
/// policy meanwhile. Nothing has changed then.
pub fn apply_policy(storage: &Storage, snapshot: &Snapshot, owner: String, policy: Policy) -> Result<Draft> {
    let catalog = LocalCatalog::new(storage.clone());
    let draft = Draft::of(&catalog, snapshot, BTreeMap::from([(owner.clone(), policy)]), Resources::new())?;
    draft.refuse()?;
    if draft.writes.is_empty() {
        return Ok(draft);
    }
    let run = RunId::new(Utc::now());
    let claim = Claim { run: run.clone(), pipeline: owner, folders: Vec::new(), tables: Vec::new(), versions: Vec::new() };
    let lease = Lease::take(storage, &claim)?;
    let policies = draft.write(&catalog, &run)?;
    catalog.commit_with(snapshot, Vec::new(), &Beside { policies: &policies, ..Beside::default() }, &lease)?;
    Ok(draft)
}
