//! The policies that a lake keeps, and the tables that they are about.

use super::evaluator::Evaluator;
use super::merged::agree;
use super::policy::Policy;
use super::resources::{ColumnShape, Resources, TableShape};
use crate::catalog::{LocalCatalog, Snapshot, Table};
use crate::error::Result;
use std::collections::BTreeMap;

/// The policies of a lake at one moment, by who says them.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where one can't be read.
pub fn policies(catalog: &LocalCatalog, snapshot: &Snapshot) -> Result<BTreeMap<String, Policy>> {
    let policies = &snapshot.head.policies;
    policies.iter().map(|(owner, reference)| Ok((owner.clone(), catalog.policy(reference)?))).collect()
}

/// What there is to be seen of `tables`.
pub fn resources<'t>(tables: impl IntoIterator<Item = &'t Table>) -> Resources {
    let mut resources = Resources::new();
    for table in tables {
        let column = |column: &crate::catalog::Column, is_partition_key| ColumnShape {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            is_partition_key,
        };
        let columns = table.storage.columns.iter().map(|one| column(one, false));
        let columns = columns.chain(table.partition_keys.iter().map(|one| column(one, true))).collect();
        resources.entry(table.database.clone()).or_default().insert(table.name.clone(), TableShape { columns, is_view: false });
    }
    resources
}

/// All policies of a lake, held against its tables.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where the lake can't be read, [`crate::ErrorKind::Conflict`] where policies contradict each other.
pub fn evaluator(catalog: &LocalCatalog, snapshot: &Snapshot) -> Result<Evaluator> {
    let policies = policies(catalog, snapshot)?;
    let resources = resources(&catalog.tables(snapshot)?);
    agree(&policies, &resources)?;
    Ok(Evaluator::new(Policy::merged(policies.values()), &resources))
}
