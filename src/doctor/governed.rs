//! Whether what a lake says of who may see what fits its tables.

use super::finding::Finding;
use crate::catalog::{LocalCatalog, Snapshot};
use crate::governance::{evaluator, findings};
use crate::storage::Storage;

/// What is wrong with the policies of the lake in `storage`, or hardly meant.
pub(super) fn lake(storage: &Storage, snapshot: &Snapshot) -> Vec<Finding> {
    let what = "policies";
    if snapshot.head.policies.is_empty() {
        return vec![Finding::well(what, "the lake has no access policies")];
    }
    match evaluator(&LocalCatalog::new(storage.clone()), snapshot) {
        Err(error) => vec![Finding::ill(what, error.to_string(), Some("`etl tags apply FILE` publishes one that fits".to_string()))],
        Ok(evaluator) => {
            let found = findings(&evaluator);
            if found.is_empty() {
                let owners: Vec<&str> = snapshot.head.policies.keys().map(String::as_str).collect();
                return vec![Finding::well(what, format!("those of {} fit the tables", owners.join(", ")))];
            }
            let mend = |place: &str| format!("correct it in the file or pipeline `{place}`, then `etl tags apply` or run it");
            found
                .iter()
                .map(|one| match one.is_error {
                    true => Finding::ill(what, &one.message, Some(mend(&one.place))),
                    false => Finding::warning(what, &one.message, mend(&one.place)),
                })
                .collect()
        }
    }
}
