//! What Lake Formation is told of a lake: the policies, of the tables that Glue has.

use crate::aws::AwsSettings;
use crate::catalog::{GlueSettings, LocalCatalog, Registration};
use crate::error::{Error, ErrorKind, Result};
use crate::governance::lake_formation::{LakeFormation, State, Step, Told, steps, wanted};
use crate::governance::{Mode, Policy, Resources, policies, resources_of};
use crate::storage::Storage;
use std::collections::BTreeSet;

/// What one account's Lake Formation has to be told.
pub(crate) struct Remote {
    formation: LakeFormation,
    wanted: State,
    told: Told,
    pub(crate) steps: Vec<Step>,
}

impl Remote {
    /// What has to be done so that the Lake Formation beside `glue` has what `policy` says of `resources`, which are the lake's tables that Glue has.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where what is live can't be read, [`ErrorKind::Usage`] where no region is known.
    pub(crate) fn of(storage: &Storage, policy: &Policy, resources: &Resources, glue: &GlueSettings, aws: &AwsSettings) -> Result<Remote> {
        let formation = LakeFormation::connect(glue, aws)?;
        let wanted = wanted(policy, resources, formation.account(), glue);
        let told = Told::read(storage, glue, &formation.account().id)?;
        let there = resources.iter().map(|(database, tables)| (glue.database(database), tables.clone())).collect();
        let live = formation.live(&wanted, &told.state, &there)?;
        let authoritative = policy.mode == Mode::Authoritative;
        let steps = steps(&wanted, &told.state, &live, formation.account(), authoritative, policy.revoke_iam_allowed_principals);
        Ok(Remote { formation, wanted, told, steps })
    }

    /// Does it. What may be taken back one day is written down before it is given.
    ///
    /// # Errors
    /// What Lake Formation says; the next try goes on from where this one ended.
    fn carry_out(self, storage: &Storage) -> Result<Vec<String>> {
        let is_new = |state: &State| *state != self.told.state;
        let during = self.wanted.clone().and(&self.told.state);
        if is_new(&during) {
            Told { state: during, ..self.told.clone() }.keep(storage)?;
        }
        self.formation.carry_out(&self.steps)?;
        if is_new(&self.wanted) {
            Told { state: self.wanted, ..self.told }.keep(storage)?;
        }
        Ok(self.steps.iter().map(ToString::to_string).collect())
    }
}

/// Tells the Lake Formation beside each Glue catalog that knows tables of the lake in `storage`, or only beside `only`, what the lake's policies say;
/// what was done is given. Where the lake never had a policy, nobody is asked anything.
///
/// # Errors
/// [`ErrorKind::Output`] where Lake Formation refuses something.
pub fn tell_lake_formation(storage: &Storage, aws: &AwsSettings, only: Option<&GlueSettings>) -> Result<Vec<String>> {
    let catalog = LocalCatalog::new(storage.clone());
    let snapshot = catalog.snapshot()?;
    if snapshot.head.policies.is_empty() {
        return Ok(Vec::new());
    }
    let registrations = Registration::all(storage)?;
    let policy = Policy::merged(policies(&catalog, &snapshot)?.values());
    if policy.is_empty() && !Told::is_any(storage)? {
        return Ok(Vec::new());
    }
    let tables = catalog.tables(&snapshot)?;
    let mut seen: Vec<&GlueSettings> = Vec::new();
    let mut done = Vec::new();
    for registration in registrations.iter().filter(|one| only.is_none_or(|only| one.glue == *only)) {
        let glue = &registration.glue;
        if seen.contains(&glue) {
            continue;
        }
        seen.push(glue);
        let known: BTreeSet<(&str, &str)> =
            registrations.iter().filter(|one| one.glue == *glue).map(|one| (one.database.as_str(), one.table.as_str())).collect();
        let resources = resources_of(tables.iter().filter(|table| known.contains(&(table.database.as_str(), table.name.as_str()))));
        let told = Remote::of(storage, &policy, &resources, glue, aws).and_then(|remote| remote.carry_out(storage));
        done.extend(told.map_err(behind)?);
    }
    Ok(done)
}

/// The error of a Lake Formation that could not be told what the lake says.
fn behind(error: Error) -> Error {
    let kind = if error.kind() == ErrorKind::Conflict { ErrorKind::Conflict } else { ErrorKind::Output };
    Error::new(kind, "access policies are published in the lake, but Lake Formation could not be fully updated")
        .with_source(error)
        .with_context("then", "the next run, or `etl tags apply`, sends what is left")
}
