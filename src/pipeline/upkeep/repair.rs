//! Brings back what readers need of a lake and somebody or something destroyed.
//!
//! A description that is lost or was edited is written again from its copy, which lies beside the manifest of its run. Where files are
//! gone, too, the table becomes what its last whole version was. A head that is gone is made of the newest whole version of each table
//! that readers saw. What is whole is left alone.

use crate::catalog::{Condemned, Head, LocalCatalog, PastVersion, Snapshot, Table, TableRef, is_unchanged, is_whole};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::run_report::{OutputRun, RunReport, RunStatus};
use crate::pipeline::state::published::{Named, Traces, named};
use crate::publish::keys;
use crate::publish::{Claim, Lease, RunId};
use crate::storage::Storage;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What was found and done.
#[derive(Debug, Clone, Serialize)]
pub struct RepairReport {
    pub lake: String,
    /// Nothing was changed yet.
    pub dry_run: bool,
    /// What was wrong with the object that says which versions are read; nothing where it is as it should be.
    pub head: Option<String>,
    pub tables: Vec<TableRepair>,
}

/// What was found and done of a table.
#[derive(Debug, Clone, Serialize)]
pub struct TableRepair {
    /// `database.table`
    pub table: String,
    pub action: RepairAction,
    /// What was wrong; empty where nothing was.
    pub wrong: String,
    /// The version whose rows readers see then, and the run that made it; of one that is lost, those that can't be read.
    pub version: u64,
    pub run: String,
    /// The rows that are there then.
    pub rows: u64,
    /// The rows that readers no longer see, as far as that is known, and the runs that made them.
    pub lost_rows: Option<u64>,
    pub lost_runs: Vec<String>,
}

/// What is done about a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairAction {
    /// Nothing: it is whole.
    Whole,
    /// Its description is written again, as it was.
    Restored,
    /// It is found again, as it was: only the object that says so was gone.
    Found,
    /// It becomes again what it was before.
    WentBack,
    /// No version of it is whole.
    Lost,
}

/// The folder of the signs of repairs: the name of no pipeline.
const REPAIR: &str = ".repair";

/// Repairs the lake in `storage`. Files are known by their sizes, or with `checksums` by their bytes, all of which are read then.
///
/// # Errors
/// [`ErrorKind::Input`] where it can't be read or there is nothing that tells of a table, [`ErrorKind::Output`] where it can't be written,
/// [`ErrorKind::Conflict`] where others publish meanwhile. That a table is lost is told by the report.
pub fn repair(storage: &Storage, checksums: bool, dry_run: bool) -> Result<RepairReport> {
    let catalog = LocalCatalog::new(storage.clone());
    let (snapshot, wrong) = catalog.damaged_snapshot()?;
    let mut report = RepairReport { lake: storage.location().to_string(), dry_run, head: wrong, tables: Vec::new() };
    let repairing = Repairing { storage, catalog: &catalog, traces: Traces::of(storage)?, started: Utc::now(), checksums, dry_run };
    if report.head.is_some() {
        report.tables = repairing.head(&snapshot)?;
    } else {
        report.tables = repairing.tables(&snapshot)?;
    }
    Ok(report)
}

struct Repairing<'a> {
    storage: &'a Storage,
    catalog: &'a LocalCatalog,
    traces: Traces,
    started: DateTime<Utc>,
    checksums: bool,
    dry_run: bool,
}

impl Repairing<'_> {
    /// Makes a head of the newest whole version of each table that readers saw.
    fn head(&self, snapshot: &Snapshot) -> Result<Vec<TableRepair>> {
        if self.traces.published.is_empty() {
            let message = format!("there is no trace of a table in {}: no description and no report of a run", self.storage.location());
            return Err(Error::new(ErrorKind::Input, message).with_context("what to do", "`etl run PIPELINE` creates the tables"));
        }
        let lists: Vec<String> = self.catalog.lists()?.into_iter().collect();
        let mut head = Head { condemned: lists, policies: self.catalog.newest_policies()?, ..Head::default() };
        let sentences = self.catalog.condemned(&head)?;
        let condemned: Vec<&Condemned> = sentences.iter().map(|sentence| &sentence.what).collect();
        let mut repairs = Vec::new();
        let mut seen: BTreeMap<(&str, &str), Vec<&Named>> = BTreeMap::new();
        for version in &self.traces.published {
            seen.entry((&version.0, &version.1)).or_default().push(version);
        }
        for ((database, name), versions) in seen {
            let newest = versions[versions.len() - 1]; // No entry is made without a version in it.
            let wrong = "the catalog no longer listed it".to_string();
            let mut repair = self.told(newest, RepairAction::Lost, wrong);
            // What readers saw last can't have been condemned; older ones may have been.
            let whole = |version: &&Named| {
                let table = self.traces.tables.get(*version)?;
                let condemned = if *version == newest { &[][..] } else { &condemned };
                self.is_whole(table, condemned).ok().map(|()| table)
            };
            if let Some(table) = versions.iter().rev().find_map(whole) {
                repair.action = if named(table) == *newest { RepairAction::Found } else { RepairAction::WentBack };
                self.compare(&mut repair, self.traces.tables.get(newest), table);
                let reference = self.catalog.reference(table);
                if snapshot.head.table(database, name) == Some(&reference) {
                    (repair.action, repair.wrong) = (RepairAction::Whole, String::new());
                }
                if !self.dry_run && self.storage.get(&reference.object)?.is_none() {
                    self.catalog.restore(table)?;
                }
                head.sequence = head.sequence.max(table.version);
                head.databases.entry(database.to_string()).or_default().tables.insert(name.to_string(), reference);
            }
            repairs.push(repair);
        }
        let used: Vec<&Table> =
            head.tables().filter_map(|(database, name, table)| self.traces.tables.get(&of(database, name, table))).collect();
        // A list that names what readers saw was written by one who never got to the head with it.
        head.condemned =
            sentences.iter().filter(|list| !used.iter().any(|table| list.refers_to(table))).map(|l| l.key().to_string()).collect();
        if !self.dry_run && !self.catalog.replace_damaged(snapshot, head)? {
            let message = format!("the catalog of {} was replaced by another one meanwhile", self.storage.location());
            return Err(Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again"));
        }
        Ok(repairs)
    }

    /// Repairs the tables that the head names.
    fn tables(&self, snapshot: &Snapshot) -> Result<Vec<TableRepair>> {
        let sentences = self.catalog.condemned(&snapshot.head)?;
        let condemned: Vec<&Condemned> = sentences.iter().map(|sentence| &sentence.what).collect();
        let run = RunId::new(self.started);
        let (mut repairs, mut back, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        for (database, name, reference) in snapshot.head.tables() {
            let version = of(database, name, reference);
            let (described, wrong) = match self.description(&version, reference)? {
                Ok(table) => (Some(table), String::new()),
                Err(wrong) => (self.traces.tables.get(&version).cloned(), wrong),
            };
            let broken = match &described {
                Some(table) => self.is_whole(table, &[]).err().map(|error| error.message().to_string()),
                None => Some("nothing says what it was".to_string()),
            };
            let Some(broken) = broken else {
                let Some(table) = &described else { continue };
                let action = if wrong.is_empty() { RepairAction::Whole } else { RepairAction::Restored };
                if action == RepairAction::Restored && !self.dry_run {
                    self.catalog.restore(table)?;
                }
                repairs.push(TableRepair { rows: table.rows, lost_rows: Some(0), ..self.told(&version, action, wrong) });
                continue;
            };
            let wrong = if wrong.is_empty() { broken } else { format!("{wrong}; {broken}") };
            let mut repair = self.told(&version, RepairAction::Lost, wrong);
            let past = self.earlier(&version, described.as_ref());
            let whole = |past: &&PastVersion| {
                let table = self.traces.tables.get(&(database.to_string(), name.to_string(), past.version, past.run.clone()))?;
                self.is_whole(table, &condemned).ok().map(|()| table)
            };
            if let Some(table) = past.iter().rev().find_map(|past| whole(&past)) {
                repair.action = RepairAction::WentBack;
                self.compare(&mut repair, described.as_ref(), table);
                versions.push(self.catalog.reference(table).object);
                back.push(self.again(table, reference, past, described.as_ref(), &run));
            }
            repairs.push(repair);
        }
        if !self.dry_run && !back.is_empty() {
            let tables = back.iter().map(|table| (table.database.clone(), table.name.clone())).collect();
            let claim = Claim { run: run.clone(), pipeline: REPAIR.to_string(), folders: Vec::new(), tables, versions };
            let lease = Lease::take(self.storage, &claim)?;
            let published = self.catalog.commit_anew(snapshot, back, &lease)?;
            self.report(&published, &run)?;
        }
        Ok(repairs)
    }

    fn is_whole(&self, table: &Table, condemned: &[&Condemned]) -> Result<()> {
        is_whole(self.storage, table, condemned)?;
        if self.checksums { is_unchanged(self.storage, table) } else { Ok(()) }
    }

    /// The description that `reference` names, or what is wrong with it.
    fn description(&self, version: &Named, reference: &TableRef) -> Result<std::result::Result<Table, String>> {
        let shown = self.storage.location().join(&reference.object);
        let Some(object) = self.storage.get(&reference.object)? else { return Ok(Err(format!("{shown} is gone"))) };
        let Ok(table) = serde_json::from_slice::<Table>(&object.bytes) else { return Ok(Err(format!("{shown} can't be read"))) };
        let is_own = table.digest == table.expected_digest() && named(&table) == *version;
        Ok(if is_own { Ok(table) } else { Err(format!("{shown} was edited")) })
    }

    /// The versions before one, the oldest first: as its description has them, or where that is lost as others tell.
    fn earlier(&self, version: &Named, described: Option<&Table>) -> Vec<PastVersion> {
        if let Some(table) = described {
            return table.history.clone();
        }
        let of_table = |other: &&Named| other.0 == version.0 && other.1 == version.1 && other.2 < version.2;
        let known = self.traces.published.iter().filter(of_table).filter_map(|other| self.traces.tables.get(other));
        known.map(|table| PastVersion::of(&self.catalog.reference(table), table.rows)).collect()
    }

    /// `table` as the version behind the one that `broken` names.
    fn again(&self, table: &Table, broken: &TableRef, earlier: Vec<PastVersion>, described: Option<&Table>, run: &RunId) -> Table {
        let mut again = table.clone();
        again.version = broken.version + 1;
        again.history = earlier.into_iter().chain([PastVersion::of(broken, described.map_or(0, |table| table.rows))]).collect();
        again.origin.rolled_back_to = Some(std::mem::replace(&mut again.origin.run, run.to_string()));
        again.updated = self.started;
        again
    }

    fn told(&self, version: &Named, action: RepairAction, wrong: String) -> TableRepair {
        TableRepair {
            table: format!("{}.{}", version.0, version.1),
            action,
            wrong,
            version: version.2,
            run: version.3.clone(),
            rows: 0,
            lost_rows: None,
            lost_runs: Vec::new(),
        }
    }

    /// Says what readers see of `table`, and what they don't see any more of `before`.
    fn compare(&self, repair: &mut TableRepair, before: Option<&Table>, table: &Table) {
        (repair.version, repair.rows) = (table.version, table.rows);
        let run = std::mem::replace(&mut repair.run, table.origin.run.clone());
        let kept: BTreeSet<&str> = table.segments.iter().map(|segment| segment.run.as_str()).collect();
        match before {
            Some(before) => {
                repair.lost_rows = Some(before.rows.saturating_sub(table.rows));
                let runs = before.segments.iter().map(|segment| segment.run.clone());
                repair.lost_runs = runs.filter(|run| !kept.contains(run.as_str())).collect();
            }
            None => repair.lost_runs = vec![run],
        }
    }

    /// Keeps a report for each pipeline whose tables were changed: they are part of its history.
    fn report(&self, published: &[Table], run: &RunId) -> Result<()> {
        let pipelines: BTreeSet<&str> = published.iter().map(|table| table.origin.pipeline.as_str()).collect();
        for pipeline in pipelines {
            let own = published.iter().filter(|table| table.origin.pipeline == pipeline);
            let report = RunReport {
                status: RunStatus::Published,
                finished: Utc::now(),
                outputs: own.map(OutputRun::of_table).collect(),
                notes: vec!["went back to the last intact version; the next run will read later files again".to_string()],
                ..RunReport::begun(run.as_str(), pipeline, &self.storage.location().to_string(), self.started)
            };
            report.keep(self.storage, &keys::report(pipeline, run.as_str()))?;
        }
        Ok(())
    }
}

/// The version that the head names.
fn of(database: &str, name: &str, reference: &TableRef) -> Named {
    (database.to_string(), name.to_string(), reference.version, reference.run.clone())
}
