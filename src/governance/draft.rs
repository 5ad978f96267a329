//! What owners would say anew, held against what a lake has: who gains and who loses what, and what is wrong with it.

use super::changes::{SightChange, changes};
use super::evaluator::Evaluator;
use super::findings::{Finding, findings};
use super::lake::{policies, resources};
use super::merged::agree;
use super::policy::Policy;
use super::resources::Resources;
use crate::catalog::{LocalCatalog, PolicyRef, Snapshot};
use crate::error::{Error, ErrorKind, Result};
use crate::publish::RunId;
use std::collections::BTreeMap;

/// Policies that are not in force yet.
#[derive(Debug)]
pub struct Draft {
    /// As it is now.
    pub before: Evaluator,
    /// As it would be.
    pub after: Evaluator,
    /// The policies that would be others, by owner.
    pub writes: Vec<(String, Policy)>,
    pub findings: Vec<Finding>,
    pub changes: Vec<SightChange>,
    /// What is said, by owner.
    said: BTreeMap<String, Policy>,
}

impl Draft {
    /// What follows where the owners of `said` say that, and all others what they say now. `planned` are tables as they would be.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the lake can't be read, [`ErrorKind::Conflict`] where owners contradict each other.
    pub fn of(catalog: &LocalCatalog, snapshot: &Snapshot, said: BTreeMap<String, Policy>, planned: Resources) -> Result<Draft> {
        Draft::new(&policies(catalog, snapshot)?, &resources(&catalog.tables(snapshot)?), said, planned)
    }

    /// As [`Draft::of`], of a lake whose owners say `before`, and that has the tables `there`.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where owners contradict each other.
    pub fn new(before: &BTreeMap<String, Policy>, there: &Resources, said: BTreeMap<String, Policy>, planned: Resources) -> Result<Draft> {
        let mut then = there.clone();
        for (database, tables) in planned {
            then.entry(database).or_default().extend(tables);
        }
        // Who says nothing and said nothing keeps nothing.
        let is_new = |owner: &String, policy: &Policy| match before.get(owner) {
            Some(old) => *old != policy.clone().said_by(owner),
            None => !policy.is_empty(),
        };
        let writes = said
            .iter()
            .filter(|(owner, policy)| is_new(owner, policy))
            .map(|(owner, policy)| (owner.clone(), policy.clone().said_by(owner)));
        let writes: Vec<(String, Policy)> = writes.collect();
        let mut all = before.clone();
        all.extend(said.iter().map(|(owner, policy)| (owner.clone(), policy.clone())));
        agree(&all, &then)?;
        let before_evaluator = Evaluator::new(Policy::merged(before.values()), there);
        let after = Evaluator::new(Policy::merged(all.values()), &then);
        let others: Vec<&String> = before.keys().filter(|owner| !said.contains_key(*owner)).collect();
        let mut findings = findings(&after);
        // What others say is not refused here: it only becomes known.
        findings.retain_mut(|finding| {
            let is_others = others.contains(&&finding.place);
            let kept = !is_others || finding.is_error;
            finding.is_error &= !is_others;
            kept
        });
        let changes = changes(&before_evaluator, &after);
        Ok(Draft { before: before_evaluator, after, writes, findings, changes, said })
    }

    /// Whether the owners say anything at all.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.said.values().all(Policy::is_empty)
    }

    /// Refuses what must not be applied.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] that tells all of it.
    pub fn refuse(&self) -> Result<()> {
        let errors: Vec<String> = self.findings.iter().filter(|finding| finding.is_error).map(Finding::pointed).collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(Error::of_lines(ErrorKind::Format, errors.join("\n"))),
        }
    }

    /// Writes the policies that would be others; nobody reads them before a commit names them.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where they can't be written.
    pub fn write(&self, catalog: &LocalCatalog, run: &RunId) -> Result<Vec<(String, PolicyRef)>> {
        self.writes.iter().map(|(owner, policy)| Ok((owner.clone(), catalog.write_policy(owner, run, policy)?))).collect()
    }
}
