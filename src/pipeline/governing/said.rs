//! What a pipeline says of who may see what, held against its lake.

use crate::catalog::{LocalCatalog, Snapshot};
use crate::error::Result;
use crate::governance::{Draft, Policy, Resources};
use crate::pipeline::model::Pipeline;
use std::collections::BTreeMap;

/// The policies that `pipeline` gives its lake, by owner: its own, and the file that it names.
pub(crate) fn said(pipeline: &Pipeline) -> BTreeMap<String, Policy> {
    let shared = pipeline.governance.iter().map(|file| (file.owner.clone(), file.policy.clone()));
    shared.chain([(pipeline.name.clone(), pipeline.policy.clone())]).collect()
}

/// What follows from that, with tables as they will be; nothing where neither the pipeline nor the lake says anything.
///
/// # Errors
/// As [`Draft::of`].
pub(crate) fn draft(pipeline: &Pipeline, catalog: &LocalCatalog, snapshot: &Snapshot, planned: Resources) -> Result<Option<Draft>> {
    let said = said(pipeline);
    if snapshot.head.policies.is_empty() && said.values().all(Policy::is_empty) {
        return Ok(None);
    }
    Draft::of(catalog, snapshot, said, planned).map(Some)
}

/// As [`draft`], of a lake that is not there yet.
///
/// # Errors
/// As [`Draft::new`].
pub(crate) fn draft_of_none(pipeline: &Pipeline, planned: Resources) -> Result<Option<Draft>> {
    let said = said(pipeline);
    if said.values().all(Policy::is_empty) {
        return Ok(None);
    }
    Draft::new(&BTreeMap::new(), &Resources::new(), said, planned).map(Some)
}
