//! What follows from a policy: who sees which database, table, column and row.

use super::access::Access;
use super::policy::Policy;
use super::resources::Resources;

/// Policies of all owners, held against what there is. Made once, and asked for each principal.
#[derive(Debug)]
pub struct Evaluator {}

impl Evaluator {
    /// Holds `policies` against `resources`.
    pub fn new(_policies: &[&Policy], _resources: &Resources) -> Evaluator {
        Evaluator {}
    }

    /// What `principal` sees: a name of a policy's `principals`, or one that stands for itself.
    pub fn access(&self, _principal: &str) -> Access {
        Access::default()
    }
}
