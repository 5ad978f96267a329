//! Removes what no reader sees any more.
//!
//! Ages and signs say what is worth removing. That it is safe to goes by the head of the catalog: see `catalog::condemned`.

use super::sweep::{tell, versions};
use crate::catalog::{Condemned, LISTS, LocalCatalog, Snapshot, Table, copy_key, folder_of, live_files};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::registering::pointers::Pointers;
use crate::pipeline::state::published::head_of;
use crate::publish::keys::{self, COPY, MANIFEST, POLICIES, RUNS, TABLES, WORK};
use crate::publish::{Claim, Lease, RunId, Sign};
use crate::storage::{Entry, StaleUpload, Storage};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What was removed, or would be.
#[derive(Debug, Clone, Serialize)]
pub struct VacuumReport {
    pub lake: String,
    /// Nothing was removed yet.
    pub dry_run: bool,
    pub removed: Vec<Removed>,
    /// Of all that was removed.
    pub bytes: u64,
    /// What nobody reads any more and is not old enough yet; told where nothing was removed yet.
    #[serde(skip_serializing_if = "Later::is_empty")]
    pub later: Later,
}

/// What a later vacuum removes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Later {
    pub files: u64,
    pub bytes: u64,
}

impl Later {
    fn is_empty(&self) -> bool {
        self.files == 0
    }
}

/// An object that nobody reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    pub key: String,
    pub bytes: u64,
    pub why: &'static str,
}

/// The folder of the signs of vacuums: the name of no pipeline.
const VACUUM: &str = ".vacuum";
/// How often a plan is made again because a commit was faster.
const MOST_TRIES: usize = 100;

/// Removes data files, table versions and manifests of the lake in `storage` that readers have not seen for `older_than`, and what killed
/// runs left that is as old. What runs and rollbacks at work write or may refer to is left alone; so are reports, and what no run wrote.
///
/// # Errors
/// Where the lake can't be read or written.
pub fn vacuum(storage: &Storage, older_than: TimeDelta, dry_run: bool) -> Result<VacuumReport> {
    if storage.list(keys::OWN)?.is_empty() {
        let error = Error::new(ErrorKind::Input, format!("there is no lake at {}", storage.location()));
        return Err(error.with_context("what to do", "name the lake of a pipeline, a folder or s3://bucket/prefix that has `_etl` in it"));
    }
    let catalog = LocalCatalog::new(storage.clone());
    head_of(storage, &catalog)?;
    let run = RunId::new(Utc::now());
    let claim = Claim { run, pipeline: VACUUM.to_string(), folders: Vec::new(), tables: Vec::new(), versions: Vec::new() };
    let lease = if dry_run { None } else { Some(Lease::take(storage, &claim)?) };
    // Ages are told by the store's clock, not by the one of this machine.
    let given = lease.as_ref().map(|_| storage.list(&format!("{}/{VACUUM}", keys::ACTIVE))).transpose()?;
    let now = given.iter().flatten().map(|entry| entry.modified).max().unwrap_or_else(Utc::now);
    let found = Found::list(storage, &catalog, now - older_than)?;
    for _ in 0..MOST_TRIES {
        // The signs are read behind the listing, and the head behind the signs: what a run wrote that has ended meanwhile is in the head,
        // or it is nobody's.
        let signs = Lease::signs(storage, None, dry_run.then_some(now))?;
        let snapshot = catalog.snapshot()?;
        if !dry_run {
            let left = catalog.condemned(&snapshot.head)?;
            for sentence in &left {
                catalog.carry_out(sentence)?;
            }
            if !left.is_empty() {
                continue;
            }
        }
        // Behind the signs, too: who tells a catalog has given one.
        let pointers = Pointers::of(storage)?;
        let plan = Plan::of(storage, &catalog, &found, &signs, &snapshot, &pointers)?;
        if !dry_run && !plan.is_empty() {
            for claim in &plan.ended {
                tell(storage, &catalog, &versions(&catalog, &snapshot, claim)?, claim)?;
            }
            let Some(sentence) = catalog.condemn(&snapshot, plan.condemned)? else { continue };
            storage.abort_uploads(&plan.uploads)?;
            catalog.carry_out(&sentence)?;
            storage.remove_empty_folders(&plan.folders);
        }
        let sum = |removed: &[Removed]| (removed.len() as u64, removed.iter().map(|one| one.bytes).sum::<u64>());
        let (files, bytes) = sum(&plan.removed);
        let mut later = Later::default();
        if dry_run {
            let (all_files, all_bytes) =
                sum(&Plan::of(storage, &catalog, &Found::list(storage, &catalog, now)?, &signs, &snapshot, &pointers)?.removed);
            later = Later { files: all_files.saturating_sub(files), bytes: all_bytes.saturating_sub(bytes) };
        }
        return Ok(VacuumReport { lake: storage.location().to_string(), dry_run, removed: plan.removed, bytes, later });
    }
    let message = format!("others keep changing the catalog of {}; nothing was removed", storage.location());
    Err(Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again"))
}

/// What there is that is old enough.
struct Found {
    cutoff: DateTime<Utc>,
    /// The objects of runs, with the run whose they are.
    objects: Vec<(Entry, RunId, Kind)>,
    /// Lists of files for catalogs of readers, each with the name of its folder.
    file_lists: Vec<(Entry, String)>,
    uploads: Vec<(StaleUpload, RunId)>,
    /// The lists of what others condemned, or were about to.
    lists: BTreeSet<String>,
    /// The last runs of each pipeline that have a report, which says where their rejected lines are.
    reported: BTreeSet<RunId>,
}

/// So many runs of a pipeline keep their rejected lines, however old they are: those that a report's page shows.
const REPORTED: usize = 30;

/// The last runs of each pipeline that have a report.
fn reported(of_runs: &[Entry]) -> BTreeSet<RunId> {
    let mut runs: BTreeMap<String, BTreeSet<RunId>> = BTreeMap::new();
    for entry in of_runs {
        let mut parts = entry.key.strip_prefix(RUNS).unwrap_or_default().trim_start_matches('/').split('/');
        if let (Some(pipeline), Some(run), Some("report.json")) = (parts.next(), parts.next().and_then(RunId::of_folder), parts.next()) {
            runs.entry(pipeline.to_string()).or_default().insert(run);
        }
    }
    runs.into_values().flat_map(|runs| runs.into_iter().rev().take(REPORTED)).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Description,
    Policy,
    /// Manifests, copies of descriptions, and rejected lines.
    OfRun,
    Work,
    Data,
}

impl Found {
    fn list(storage: &Storage, catalog: &LocalCatalog, cutoff: DateTime<Utc>) -> Result<Found> {
        let mut objects = Vec::new();
        let mut add = |entries: Vec<Entry>, kind: Kind, run: &dyn Fn(&str) -> Option<RunId>| {
            for entry in entries.into_iter().filter(|entry| entry.modified < cutoff) {
                // What is not a run's is not ours.
                if let Some(run) = run(&entry.key) {
                    objects.push((entry, run, kind));
                }
            }
        };
        // `…/000007-RUN.json`
        let described = |key: &str| RunId::of_folder(key.rsplit('/').next()?.strip_suffix(".json")?.split_once('-')?.1);
        add(storage.list(TABLES)?, Kind::Description, &described);
        // `…/RUN.json`
        let policy = |key: &str| RunId::of_folder(key.rsplit('/').next()?.strip_suffix(".json")?);
        add(storage.list(POLICIES)?, Kind::Policy, &policy);
        // `_etl/runs/PIPELINE/RUN/OUTPUT.manifest.json`
        let is_data = |key: &str| key.ends_with(MANIFEST) || key.ends_with(COPY) || key.contains("/rejects-");
        let of_runs = storage.list(RUNS)?;
        let reported = reported(&of_runs);
        add(of_runs, Kind::OfRun, &|key| key.split('/').nth(3).filter(|_| is_data(key)).and_then(RunId::of_folder));
        add(storage.list(WORK)?, Kind::Work, &|key| key.strip_prefix(WORK)?.split('/').nth(1).and_then(RunId::of_folder));
        let mut listed = Vec::new();
        for database in storage.folders("")?.into_iter().filter(|name| name != keys::OWN) {
            for table in storage.folders(&database)? {
                for folder in storage.folders(&format!("{database}/{table}"))? {
                    if folder == LISTS {
                        listed.extend(storage.list(&format!("{database}/{table}/{folder}"))?);
                    }
                    if let Some(run) = of_part(&folder) {
                        add(storage.list(&format!("{database}/{table}/{folder}"))?, Kind::Data, &|_| Some(run.clone()));
                    }
                }
            }
        }
        let mut file_lists = Vec::new();
        for entry in listed.into_iter().filter(|entry| entry.modified < cutoff) {
            if let Some(name) = folder_of(&entry.key) {
                file_lists.push((entry.clone(), name.to_string()));
            }
        }
        let stale = storage.stale_uploads("", Utc::now() - cutoff)?;
        // As above: a run's folder, hidden or not, is somewhere in the key, or it isn't ours.
        let uploads = stale.into_iter().filter_map(|upload| upload.key.split('/').find_map(of_part).map(|run| (upload.clone(), run)));
        Ok(Found { cutoff, objects, file_lists, uploads: uploads.collect(), lists: catalog.lists()?, reported })
    }
}

/// The run whose folder `part` is; a hidden one is that of a run, being written.
fn of_part(part: &str) -> Option<RunId> {
    RunId::of_folder(part.strip_prefix('.').and_then(|name| name.split(".etl-").next()).unwrap_or(part))
}

/// What is to be removed, as of one head.
#[derive(Default)]
struct Plan {
    removed: Vec<Removed>,
    uploads: Vec<StaleUpload>,
    condemned: Condemned,
    /// What killed runs claimed whose signs go.
    ended: Vec<Claim>,
    /// Folders of runs that may be empty afterwards.
    folders: BTreeSet<String>,
}

impl Plan {
    fn of(
        storage: &Storage,
        catalog: &LocalCatalog,
        found: &Found,
        signs: &[Sign],
        snapshot: &Snapshot,
        pointers: &Pointers,
    ) -> Result<Plan> {
        let mut plan = Plan::default();
        plan.condemned.format = 1;
        let (dead, alive): (Vec<&Sign>, Vec<&Sign>) = signs.iter().partition(|sign| sign.is_dead && sign.entry.modified < found.cutoff);
        let kept = Kept::of(storage, catalog, snapshot, &alive, found.cutoff)?;
        for (entry, run, kind) in found.objects.iter().filter(|(_, run, _)| !kept.active.contains(run)) {
            let read = kept.runs.contains(run);
            // Readers of a catalog that is behind see what those of the lake don't.
            if !matches!(kind, Kind::Work | Kind::Policy) && pointers.runs.contains(run) {
                continue;
            }
            let why = match kind {
                _ if kept.keys.contains(&entry.key) => continue,
                Kind::Description => "table versions that are no longer used",
                Kind::Policy => "policies that were replaced",
                Kind::OfRun if entry.key.ends_with(COPY) => "table versions that are no longer used",
                Kind::OfRun if read => continue,
                Kind::OfRun if entry.key.contains("/rejects-") && found.reported.contains(run) => continue,
                Kind::OfRun => "runs that are no longer used",
                Kind::Work => "killed runs",
                Kind::Data if read => "partitions that were replaced",
                Kind::Data => "runs that are no longer used",
            };
            plan.take(entry, why);
            // Up to the run's own folder: those above are everybody's.
            let folders = entry.key.match_indices('/').map(|(at, _)| &entry.key[..at]);
            let own = folders.skip_while(|folder| folder.rsplit('/').next().and_then(of_part).is_none());
            plan.folders.extend(own.map(str::to_string));
        }
        let claimed: BTreeSet<&(String, String)> =
            alive.iter().filter_map(|sign| sign.claim.as_ref()).flat_map(|claim| &claim.tables).collect();
        for (entry, _) in found.file_lists.iter().filter(|(_, name)| !pointers.lists.contains(name)) {
            let mut parts = entry.key.split('/').map(str::to_string);
            let table = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if !claimed.contains(&table) {
                plan.take(entry, "file lists that no catalog points to");
            }
        }
        for sign in dead {
            plan.removed.push(Removed { key: sign.entry.key.clone(), bytes: sign.entry.size, why: "killed runs" });
            plan.condemned.signs.insert(sign.entry.key.clone());
            let Some(claim) = &sign.claim else { continue };
            if versions(catalog, snapshot, claim)?.is_empty() {
                plan.condemned.runs.insert(claim.run.to_string());
            } else {
                plan.ended.push(claim.clone());
            }
        }
        // No head will ever name these: who was about to have it done finds another one than it has seen.
        for list in found.lists.iter().filter(|list| !snapshot.head.condemned.contains(list)) {
            plan.condemned.keys.insert(list.clone());
        }
        let left = found.uploads.iter().filter(|(_, run)| !kept.active.contains(run)).map(|(upload, _)| upload.clone());
        plan.uploads = left.collect();
        // Not objects: one of the same key, whose upload succeeded at another try, may be there and read.
        let uploads = plan.uploads.iter();
        plan.removed.extend(uploads.map(|upload| Removed { key: upload.key.clone(), bytes: 0, why: "an upload that was never finished" }));
        Ok(plan)
    }

    fn take(&mut self, entry: &Entry, why: &'static str) {
        self.removed.push(Removed { key: entry.key.clone(), bytes: entry.size, why });
        self.condemned.keys.insert(entry.key.clone());
    }

    fn is_empty(&self) -> bool {
        self.condemned.is_empty() && self.uploads.is_empty()
    }
}

/// What is still read.
struct Kept {
    keys: BTreeSet<String>,
    runs: BTreeSet<RunId>,
    /// Runs at work, as far as their signs tell.
    active: BTreeSet<RunId>,
}

impl Kept {
    fn of(storage: &Storage, catalog: &LocalCatalog, snapshot: &Snapshot, alive: &[&Sign], cutoff: DateTime<Utc>) -> Result<Kept> {
        let active = alive.iter().filter_map(|sign| sign.run.clone()).collect();
        let policies = snapshot.head.policies.values().map(|policy| policy.object.clone());
        let mut kept = Kept { keys: policies.collect(), runs: BTreeSet::new(), active };
        for (_, _, reference) in snapshot.head.tables() {
            let table = catalog.table(reference)?;
            kept.add(storage, &reference.object, &table)?;
            kept.add_history(storage, catalog, &table, cutoff)?;
        }
        // One that was dropped was read until then.
        for dropped in snapshot.head.dropped.values().filter(|dropped| dropped.at >= cutoff) {
            if let Some(table) = catalog.whole(&dropped.table)? {
                kept.add_past(storage, &dropped.table.object, &table)?;
                kept.add_history(storage, catalog, &table, cutoff)?;
            }
        }
        // What a rollback at work goes back to. One that can't be read any more it can't go back to either.
        for object in alive.iter().filter_map(|sign| sign.claim.as_ref()).flat_map(|claim| &claim.versions) {
            if let Ok(old) = catalog.table_at(object) {
                kept.add_past(storage, object, &old)?;
            }
        }
        Ok(kept)
    }

    /// The earlier versions of `table` that were read after `cutoff`.
    fn add_history(&mut self, storage: &Storage, catalog: &LocalCatalog, table: &Table, cutoff: DateTime<Utc>) -> Result<()> {
        // A version was read until the next one came.
        let ends = table.history.iter().skip(1).map(|past| past.updated).chain([table.updated]);
        for (past, end) in table.history.iter().zip(ends) {
            if end >= cutoff
                && let Ok(old) = catalog.table_at(&past.object)
            {
                self.add_past(storage, &past.object, &old)?;
            }
        }
        Ok(())
    }

    /// As [`Kept::add`]; of a version whose manifests are gone nothing can be read any more.
    fn add_past(&mut self, storage: &Storage, object: &str, table: &Table) -> Result<()> {
        let Err(error) = self.add(storage, object, table) else { return Ok(()) };
        let manifests: Vec<String> = table.segments.iter().map(|segment| segment.manifest.clone()).collect();
        let is_gone = storage.get_all(&manifests)?.iter().any(Option::is_none);
        if is_gone { Ok(()) } else { Err(error) }
    }

    fn add(&mut self, storage: &Storage, object: &str, table: &Table) -> Result<()> {
        self.keys.insert(object.to_string());
        self.keys.insert(copy_key(table));
        self.keys.extend(live_files(storage, table)?.into_iter().map(|file| file.key));
        for segment in &table.segments {
            self.keys.insert(segment.manifest.clone());
            self.runs.extend(RunId::of_folder(&segment.run));
        }
        Ok(())
    }
}
