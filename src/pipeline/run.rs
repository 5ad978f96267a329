//! Runs a pipeline: reads what has changed, writes, checks, and moves the one pointer that readers follow.

use super::checking::{accounting, verify};
use super::listing::Listing;
use super::model::{Pipeline, Severity, When};
use super::plan::drift;
use super::producing::{Producing, Product, folders, unchanged};
use super::run_report::{RunReport, RunStatus, SourceRun};
use super::state::{Scope, State};
use super::sweep::{discard, sweep};
use super::transforming::Transforming;
use super::workspace::{WORK, Workspace};
use super::writing::Engine;
use crate::catalog::LocalCatalog;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;
use crate::publish::{Claim, Lease, RunId};
use crate::query::{QueryOptions, Runtime};
use crate::secrets;
use crate::storage::{Location, Storage};
use crate::units::ByteSize;
use chrono::Utc;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The folder of what runs say of themselves, in a lake.
pub(super) const RUNS: &str = "_etl/runs";

/// How a pipeline is run.
#[derive(Debug, Clone)]
pub struct RunSettings {
    pub scope: Scope,
    /// How many threads read, compute and write.
    pub threads: usize,
    /// What its queries may hold; what is more goes to disk.
    pub memory: ByteSize,
    /// Set from outside to stop the run; nothing is published then.
    pub cancel: Arc<AtomicBool>,
    /// Makes the page that is kept beside the report.
    pub page: Option<fn(&RunReport) -> String>,
}

/// How a run ended: the report of it, and the error where it failed.
#[derive(Debug)]
pub struct Outcome {
    pub report: RunReport,
    pub error: Option<Error>,
}

/// Runs `pipeline`.
///
/// The error has the kind [`ErrorKind::Checks`] for a failed check, [`ErrorKind::Conflict`] where another run was faster,
/// [`ErrorKind::Interrupted`] when cancelled, and else that of what failed. Unless a check behind the publication failed, readers see
/// nothing of a run with an error.
pub fn run(pipeline: &Pipeline, settings: &RunSettings, progress: &dyn Progress) -> Outcome {
    let started = Utc::now();
    let run = RunId::new(started);
    let mut report =
        RunReport { vars: pipeline.vars.clone(), ..RunReport::begun(run.as_str(), &pipeline.name, &pipeline.lake.location, started) };
    let error = Running { pipeline, settings, progress, run, committing: Cell::new(false) }.go(&mut report).err();
    report.finished = Utc::now();
    // What failed is told without the values that the environment gave.
    let error = error.map(|error| error.rewritten(secrets::redact));
    report.error = error.as_ref().map(ToString::to_string);
    report.redact();
    Outcome { report, error }
}

struct Running<'a> {
    pipeline: &'a Pipeline,
    settings: &'a RunSettings,
    progress: &'a dyn Progress,
    run: RunId,
    /// Whether the head was asked to be replaced.
    committing: Cell<bool>,
}

impl Running<'_> {
    fn go(&self, report: &mut RunReport) -> Result<()> {
        let location = Location::parse(&self.pipeline.lake.location)?;
        let store = &self.pipeline.lake.store;
        let there = location.path().is_none_or(|path| path.exists());
        let storage = there.then(|| Storage::open_with(location.clone(), store)).transpose()?;
        let mut state = State::read(self.pipeline, storage.as_ref(), &self.settings.scope)?;
        // A lake is made when there is something to put in it.
        let storage = storage.map_or_else(|| Storage::create_with(location, store), Ok)?;
        let catalog = LocalCatalog::new(storage.clone());
        let run_folder = format!("{RUNS}/{}/{}", self.pipeline.name, self.run);
        let mut claimed: Vec<String> = state.outputs.iter().flat_map(|output| folders(output, self.run.as_str())).collect();
        claimed.extend([run_folder.clone(), format!("{WORK}/{}", self.run)]);
        let tables = state.outputs.iter().map(|o| (o.output.table.database.clone(), o.output.table.table.clone())).collect();
        let claim =
            Claim { run: self.run.clone(), pipeline: self.pipeline.name.clone(), folders: claimed.clone(), tables, versions: Vec::new() };
        let lease = Lease::take(&storage, &claim)?;
        let swept = sweep(&storage, &catalog, &self.pipeline.name)?;
        report.notes.extend(state.listings.values().flat_map(Listing::notes));
        report.notes.extend(swept.iter().map(|run| format!("cleaned up after run {run}, which was killed")));
        if state.is_current() {
            report.status = RunStatus::UpToDate;
            report.outputs = state.outputs.iter().filter_map(unchanged).collect();
            report.sources = self.sources(&state, &BTreeMap::new());
            report.notes.extend(state.outputs.iter().flat_map(|output| output.changes.notes.clone()));
            for output in &state.outputs {
                if let Some(table) = &output.table {
                    let drift = drift(&storage, output, table)?;
                    report.notes.extend(drift.into_iter().map(|drift| format!("{}: {drift}", output.output.table)));
                }
            }
            return Ok(());
        }
        let done = self.work(&storage, &catalog, &lease, &mut state, &run_folder, report);
        report.finished = Utc::now();
        if let Err(error) = &done {
            report.error = Some(error.to_string());
            // What can't be removed now is not read by anybody; `vacuum` tries again.
            if matches!(report.status, RunStatus::Failed | RunStatus::ChecksFailed) {
                // Where the store went away during the last step, that step may have been done after all, or be done at any moment.
                if self.committing.get() && error.kind() != ErrorKind::Conflict {
                    let of_data = claimed.iter().filter(|folder| **folder != run_folder).cloned().collect();
                    let _ = discard(&storage, &catalog, &Claim { folders: of_data, ..claim }, lease.key());
                } else {
                    for folder in claimed.iter().filter(|folder| **folder != run_folder) {
                        let _ = storage.remove_folder(folder);
                    }
                    let manifests = state.outputs.iter().map(|output| format!("{run_folder}/{}.manifest.json", output.output.name));
                    let _ = storage.delete(&manifests.collect::<Vec<_>>());
                }
            }
        }
        // A run that failed is history, too. That it can't be written is no reason to call a run failed whose tables are read.
        if let Err(error) = self.keep_report(&storage, &run_folder, report) {
            report.notes.push(format!("the report could not be kept: {error}"));
        }
        done
    }

    fn work(
        &self,
        storage: &Storage,
        catalog: &LocalCatalog,
        lease: &Lease,
        state: &mut State,
        run_folder: &str,
        report: &mut RunReport,
    ) -> Result<()> {
        let workspace = Workspace::create(storage, self.run.as_str())?;
        let runtime = Runtime::new(self.settings.threads)?;
        let queries = QueryOptions {
            threads: self.settings.threads,
            stdin: false,
            memory: self.settings.memory,
            spill: Some(workspace.path("spill")),
            ..QueryOptions::default()
        };
        let engine = Engine { storage, threads: self.settings.threads, cancel: self.settings.cancel.clone(), progress: self.progress };
        let transforming = Transforming {
            pipeline: self.pipeline,
            listings: &state.listings,
            engine: &engine,
            workspace: &workspace,
            runtime: &runtime,
            queries: &queries,
            made: HashMap::new(),
            ran: Vec::new(),
        };
        let mut producing = Producing {
            pipeline: self.pipeline,
            state,
            engine: &engine,
            run: self.run.as_str(),
            run_folder,
            transforming,
            read: BTreeMap::new(),
            rejected: HashSet::new(),
            reject_files: Vec::new(),
            notes: Vec::new(),
        };
        let mut products: Vec<Product> = Vec::new();
        for output in &state.outputs {
            report.notes.extend(output.changes.notes.iter().map(|note| format!("{}: {note}", output.output.name)));
            match producing.produce(output) {
                Ok(Some(product)) => products.push(product),
                Ok(None) => report.outputs.extend(unchanged(output)),
                Err(error) => {
                    // Which lines were rejected is wanted most where there were too many.
                    report.sources = self.sources(state, &producing.read);
                    // That they can't be kept does not matter beside what went wrong.
                    let _ = self.keep_rejects(storage, run_folder, &producing.reject_files, &mut report.sources);
                    let kept = report.sources.iter().filter_map(|source| source.rejects_file.as_ref());
                    return Err(kept.fold(error, |error, key| error.with_context("rejected lines", storage.location().join(key))));
                }
            }
        }
        producing.notes.sort();
        producing.notes.dedup();
        report.notes.append(&mut producing.notes);
        report.notes.extend(state.listings.values().filter_map(Listing::growth));
        report.transforms = std::mem::take(&mut producing.transforming.ran);
        report.sources = self.sources(state, &producing.read);
        self.keep_rejects(storage, run_folder, &producing.reject_files, &mut report.sources)?;
        report.outputs.extend(products.iter().map(|product| product.summary.clone()));
        let order = |name: &str| self.pipeline.outputs.iter().position(|output| output.name == name);
        report.outputs.sort_by_key(|output| order(&output.name));

        let staged: Vec<_> = products.iter().map(|product| product.table.clone()).collect();
        report.checks = accounting(storage, &products, &queries, &runtime)?;
        report.checks.extend(verify(self.pipeline, storage, &staged, When::BeforePublish, &queries, &runtime)?);
        self.stop_if_cancelled()?;
        if let Some(error) = failed_checks(report, When::BeforePublish) {
            report.status = RunStatus::ChecksFailed;
            return Err(error);
        }
        self.committing.set(true);
        let published = catalog.commit(&state.snapshot, staged, lease)?;
        report.status = RunStatus::Published;
        for table in &published {
            let name = format!("{}.{}", table.database, table.name);
            report.outputs.iter_mut().filter(|output| output.table == name).for_each(|output| output.table_version = table.version);
        }
        report.checks.extend(verify(self.pipeline, storage, &[], When::AfterPublish, &queries, &runtime)?);
        if let Some(error) = failed_checks(report, When::AfterPublish) {
            report.status = RunStatus::PublishedChecksFailed;
            return Err(error);
        }
        Ok(())
    }

    fn stop_if_cancelled(&self) -> Result<()> {
        match self.settings.cancel.load(Ordering::Relaxed) {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was published")),
            false => Ok(()),
        }
    }

    /// What was found and read of each source.
    fn sources(&self, state: &State, read: &BTreeMap<String, Arc<crate::convert::ConvertReport>>) -> Vec<SourceRun> {
        let of = |name: &String| {
            let counts = state.outputs.iter().filter_map(|output| output.changes.counts.get(name)).max_by_key(|c| c.new + c.changed);
            let counts = counts.copied().unwrap_or_default();
            let mut source = SourceRun {
                name: name.clone(),
                files_new: counts.new,
                files_changed: counts.changed,
                files_unchanged: counts.unchanged,
                files_removed: counts.removed,
                ..SourceRun::default()
            };
            if let Some(report) = read.get(name) {
                source.format.clone_from(&report.format);
                source.files_read = report.sources.len() as u64;
                (source.lines, source.rows, source.rejects, source.blank) = (report.lines, report.rows, report.rejects, report.blank);
                (source.bytes_in, source.bytes_decoded) = (report.bytes_in, report.bytes_decoded);
                source.rejects_by_reason.clone_from(&report.rejects_by_reason);
                source.mismatches_by_column.clone_from(&report.mismatches_by_column);
                source.reject_examples.clone_from(&report.reject_examples);
            }
            source
        };
        self.pipeline.sources.iter().map(|source| &source.name).filter(|name| state.listings.contains_key(*name)).map(of).collect()
    }

    /// Keeps the rejected lines in the lake.
    fn keep_rejects(
        &self,
        storage: &Storage,
        run_folder: &str,
        files: &[(String, std::path::PathBuf)],
        sources: &mut [SourceRun],
    ) -> Result<()> {
        let mut kept: HashMap<&str, u32> = HashMap::new();
        for (name, path) in files {
            // A conversion that failed has none.
            if !std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
                continue;
            }
            let number = kept.entry(name).or_default();
            *number += 1;
            let suffix = if *number > 1 { format!("-{number}") } else { String::new() };
            let key = format!("{run_folder}/rejects-{name}{suffix}.jsonl");
            storage.upload(path, &key)?;
            if let Some(source) = sources.iter_mut().find(|source| source.name == *name && source.rejects_file.is_none()) {
                source.rejects_file = Some(key);
            }
        }
        Ok(())
    }

    fn keep_report(&self, storage: &Storage, run_folder: &str, report: &mut RunReport) -> Result<()> {
        report.redact();
        report.keep(storage, &format!("{run_folder}/report.json"))?;
        match self.settings.page {
            Some(page) => storage.put(&format!("{run_folder}/report.html"), page(report)),
            None => Ok(()),
        }
    }
}

/// The error of the checks that failed at `when`, if any that counts did.
fn failed_checks(report: &RunReport, when: When) -> Option<Error> {
    let failed: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.when == when && !check.passed && check.severity == Severity::Fail)
        .map(|check| check.name.as_str())
        .collect();
    if failed.is_empty() {
        return None;
    }
    let checks = if failed.len() == 1 { "check" } else { "checks" };
    let seen = if when == When::BeforePublish {
        "nothing was published"
    } else {
        "the run is published all the same; roll it back if it must not be"
    };
    Some(Error::new(ErrorKind::Checks, format!("{} {checks} failed: {}; {seen}", failed.len(), failed.join(", "))))
}
