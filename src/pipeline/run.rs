//! Runs a pipeline: reads what has changed, writes, checks, and moves the one pointer that readers follow.

use super::model::{OnFailure, Pipeline, Severity, When};
use super::run_report::{RunReport, RunStatus, StepRun};
use crate::aws::AwsSettings;
use crate::catalog::{Beside, LocalCatalog, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::governance::{Resources, resources_of};
use crate::pipeline::governing::remote::tell_lake_formation;
use crate::pipeline::governing::said::draft;
use crate::pipeline::make::producing::{Producing, Product, folders, unchanged};
use crate::pipeline::make::readings::Readings;
use crate::pipeline::make::transforming::Transforming;
use crate::pipeline::make::workspace::Workspace;
use crate::pipeline::make::writing::Engine;
use crate::pipeline::registering::of_pipeline::ReaderCatalog;
use crate::pipeline::state::before::{Scope, State};
use crate::pipeline::state::drift::drift;
use crate::pipeline::state::listing::Listing;
use crate::pipeline::upkeep::failed_run::{discarded, keep_failure};
use crate::pipeline::upkeep::pages::{Page, keep_page};
use crate::pipeline::upkeep::rollback::take_back;
use crate::pipeline::upkeep::sweep::{discard, sweep};
use crate::pipeline::upkeep::waiting::Waiting;
use crate::pipeline::verify::athena::verify_in_athena;
use crate::pipeline::verify::checking::{accounting, verify};
use crate::progress::Progress;
use crate::publish::keys::{self, WORK};
use crate::publish::{Claim, Lease, RunId};
use crate::query::{LakeTables, QueryOptions, Runtime};
use crate::secrets;
use crate::storage::{Location, Storage};
use crate::trace;
use crate::units::ByteSize;
use chrono::Utc;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How a pipeline is run.
#[derive(Debug, Clone)]
pub struct RunSettings {
    pub scope: Scope,
    /// How many threads read, compute and write.
    pub threads: usize,
    /// What its queries may hold; what is more goes to disk.
    pub memory: ByteSize,
    /// How long a run of the same pipeline that is at work is waited for; without it the two race.
    pub wait: Option<Duration>,
    /// Set from outside to stop the run; nothing is published then.
    pub cancel: Arc<AtomicBool>,
    /// Makes the page that is kept beside the report.
    pub page: Option<Page>,
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

/// A run that has given its sign, and what was there before it.
struct Begun {
    storage: Storage,
    catalog: LocalCatalog,
    state: State,
    claim: Claim,
    lease: Lease,
    /// The catalog of readers that is told.
    readers: Option<ReaderCatalog>,
    /// Tables that are taken out of the lake.
    dropped: Vec<TableName>,
    /// The key of the folder of what it says of itself.
    folder: String,
}

/// What the stages of a run work with.
struct Bench {
    workspace: Workspace,
    runtime: Runtime,
    queries: QueryOptions,
}

impl Running<'_> {
    fn go(&self, report: &mut RunReport) -> Result<()> {
        let begun = match self.step("read the current state", report, |report| self.begin(report)) {
            Ok(begun) => begun,
            Err(error) => {
                keep_failure(self.pipeline, &self.run, self.settings.page, &error, report);
                return Err(error);
            }
        };
        let said = draft(self.pipeline, &begun.catalog, &begun.state.snapshot, Resources::new())?;
        if begun.state.is_current() && begun.dropped.is_empty() && said.as_ref().is_none_or(|draft| draft.writes.is_empty()) {
            self.tell_nothing_to_do(&begun, report)?;
            // A run that was killed behind its publication may have left this to do.
            return self.register(&begun, report);
        }
        let done = self.stages(&begun, report);
        report.finished = Utc::now();
        let page = begun.storage.location().join(&format!("{}/report.html", begun.folder));
        let done = done.map_err(|error| match error.kind() {
            ErrorKind::Checks => error.with_context("report", page),
            _ => error,
        });
        if let Err(error) = &done {
            report.error = Some(error.to_string());
            if error.kind() == ErrorKind::Interrupted && report.status == RunStatus::Failed {
                report.status = RunStatus::Interrupted;
            }
            self.take_back(&begun, error, report);
            if !report.status.is_published() {
                discarded(&begun.state, report);
            }
        }
        // A run that failed is history, too. That it can't be written is no reason to call a run failed whose tables are read.
        if let Err(error) = self.keep_report(&begun.storage, &begun.folder, report) {
            report.notes.push(format!("the report could not be stored: {error}"));
        }
        done
    }

    /// Does a step, whose time goes to `report`.
    fn step<T>(&self, name: &str, report: &mut RunReport, work: impl FnOnce(&mut RunReport) -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let done = work(report);
        let seconds = begun.elapsed().as_secs_f64();
        trace::tell(|| format!("run {}: {name} took {seconds:.3} s", self.run));
        report.steps.push(StepRun { name: name.to_string(), seconds });
        done
    }

    fn stages(&self, begun: &Begun, report: &mut RunReport) -> Result<()> {
        if let Some(catalog) = &begun.readers {
            catalog.reach(self.pipeline).map_err(|error| error.with_context("then", "nothing was read or written"))?;
        }
        let bench = self.bench(begun)?;
        let products = self.step("make the tables", report, |report| self.make(begun, &bench, report))?;
        self.step("check before publishing", report, |report| self.check(begun, &bench, &products, report))?;
        if let Some(catalog) = &begun.readers {
            let staged: Vec<_> = products.iter().map(|product| product.table.clone()).collect();
            catalog.prepare(self.pipeline, &begun.storage, &staged)?;
        }
        self.step("publish", report, |report| self.publish(begun, products, report))?;
        let registered = match &begun.readers {
            Some(_) => self.step("tell Glue", report, |report| self.register(begun, report)),
            None => Ok(()),
        };
        // Checks of the lake are made whatever a catalog was told; those of what its readers see can't be.
        let checked =
            self.step("check what is published", report, |report| self.check_published(begun, &bench, registered.is_ok(), report));
        registered.and(checked)
    }

    /// Looks at what is there, gives the run's sign, and cleans up after runs that were killed.
    fn begin(&self, report: &mut RunReport) -> Result<Begun> {
        let location = Location::parse(&self.pipeline.lake.location)?;
        let readers = ReaderCatalog::of(self.pipeline)?;
        let store = &self.pipeline.lake.store;
        let there = location.path().is_none_or(|path| path.exists());
        let storage = there.then(|| Storage::open_with(location.clone(), store)).transpose()?;
        if let Some(storage) = &storage {
            let waiting = Waiting { pipeline: &self.pipeline.name, cancel: &self.settings.cancel, progress: self.progress };
            waiting.for_others(storage, self.settings.wait)?;
        }
        let state = State::read(self.pipeline, storage.as_ref(), &self.settings.scope)?;
        // A lake is made when there is something to put in it.
        let storage = storage.map_or_else(|| Storage::create_with(location, store), Ok)?;
        let catalog = LocalCatalog::new(storage.clone());
        let folder = keys::run_folder(&self.pipeline.name, self.run.as_str());
        let own = [folder.clone(), format!("{WORK}/{}", self.run)];
        let claim = Claim {
            run: self.run.clone(),
            pipeline: self.pipeline.name.clone(),
            folders: state.outputs.iter().flat_map(|output| folders(output, self.run.as_str())).chain(own).collect(),
            tables: state.outputs.iter().map(|o| (o.output.table.database.clone(), o.output.table.table.clone())).collect(),
            // Of tables that it reads no vacuum may remove what it reads.
            versions: state.read_versions(),
        };
        let lease = Lease::take(&storage, &claim)?;
        let swept = sweep(&storage, &catalog, &self.pipeline.name)?;
        report.notes.extend(state.listings.values().flat_map(Listing::notes));
        report.notes.extend(swept.iter().map(|run| format!("cleaned up after run {run}, which was killed")));
        let dropped = state.dropped(self.pipeline, &storage, &self.settings.scope);
        report.notes.extend(state.lost_by_dropping(self.pipeline, &storage, &dropped)?);
        Ok(Begun { storage, catalog, state, claim, lease, readers, dropped, folder })
    }

    fn tell_nothing_to_do(&self, begun: &Begun, report: &mut RunReport) -> Result<()> {
        let outputs = &begun.state.outputs;
        report.status = RunStatus::UpToDate;
        report.outputs = outputs.iter().filter_map(unchanged).collect();
        report.sources = Readings::default().sources(self.pipeline, &begun.state);
        report.notes.extend(outputs.iter().flat_map(|output| output.changes.notes.clone()));
        for output in outputs {
            if let Some(table) = &output.table {
                let drift = drift(&begun.storage, output, table)?;
                report.notes.extend(drift.into_iter().map(|drift| format!("{}: {drift}", output.output.table)));
            }
        }
        Ok(())
    }

    fn bench(&self, begun: &Begun) -> Result<Bench> {
        let workspace = Workspace::create(&begun.storage, self.run.as_str())?;
        let queries = QueryOptions {
            threads: self.settings.threads,
            stdin: false,
            memory: self.settings.memory,
            spill: Some(workspace.path("spill")),
            ..QueryOptions::default()
        };
        Ok(Bench { workspace, runtime: Runtime::new(self.settings.threads)?, queries })
    }

    /// Makes the new versions of tables, which nobody reads yet.
    fn make(&self, begun: &Begun, bench: &Bench, report: &mut RunReport) -> Result<Vec<Product>> {
        let (storage, state) = (&begun.storage, &begun.state);
        let engine = Engine { storage, threads: self.settings.threads, cancel: self.settings.cancel.clone(), progress: self.progress };
        let transforming = Transforming::new(
            self.pipeline,
            &engine,
            &bench.workspace,
            &bench.runtime,
            &bench.queries,
            LakeTables::of(storage.clone(), state.snapshot.clone()),
        );
        let mut producing = Producing {
            pipeline: self.pipeline,
            engine: &engine,
            run: self.run.as_str(),
            run_folder: &begun.folder,
            transforming,
            readings: Readings::limited(self.settings.scope.max_reject_rate),
        };
        let mut products = Vec::new();
        for output in &state.outputs {
            report.notes.extend(output.changes.notes.iter().map(|note| format!("{}: {note}", output.output.name)));
            match producing.produce(output) {
                Ok(Some(product)) => {
                    producing.transforming.staged.push(product.table.clone());
                    products.push(product);
                }
                Ok(None) => report.outputs.extend(unchanged(output)),
                Err(error) => {
                    producing.readings.take_failed();
                    // Which lines were rejected is wanted most where there were too many.
                    report.sources = producing.readings.sources(self.pipeline, state);
                    report.notes.extend(producing.readings.notes());
                    // That they can't be kept does not matter beside what went wrong.
                    let _ = producing.readings.keep_rejects(storage, &begun.folder, &mut report.sources);
                    let kept = report.sources.iter().filter_map(|source| source.rejects_file.as_ref());
                    return Err(kept.fold(error, |error, key| error.with_context("rejected lines", storage.location().join(key))));
                }
            }
        }
        report.notes.extend(producing.readings.notes());
        report.notes.extend(state.listings.values().filter_map(Listing::growth));
        report.transforms = std::mem::take(&mut producing.transforming.ran);
        report.sources = producing.readings.sources(self.pipeline, state);
        producing.readings.keep_rejects(storage, &begun.folder, &mut report.sources)?;
        report.outputs.extend(products.iter().map(|product| product.summary.clone()));
        let order = |name: &str| self.pipeline.outputs.iter().position(|output| output.name == name);
        report.outputs.sort_by_key(|output| order(&output.name));
        Ok(products)
    }

    /// Reads back what was made, and asks whether it is as the pipeline expects it.
    fn check(&self, begun: &Begun, bench: &Bench, products: &[Product], report: &mut RunReport) -> Result<()> {
        let staged: Vec<_> = products.iter().map(|product| product.table.clone()).collect();
        report.checks = accounting(&begun.storage, products, &bench.queries, &bench.runtime)?;
        report.checks.extend(verify(self.pipeline, &begun.storage, &staged, When::BeforePublish, &bench.queries, &bench.runtime)?);
        self.stop_if_cancelled()?;
        match report.failed_checks(When::BeforePublish) {
            Some(error) => {
                report.status = RunStatus::ChecksFailed;
                Err(error)
            }
            None => Ok(()),
        }
    }

    /// Moves the one pointer that readers follow: to the tables, and who may see what of them.
    fn publish(&self, begun: &Begun, products: Vec<Product>, report: &mut RunReport) -> Result<()> {
        let staged: Vec<_> = products.into_iter().map(|product| product.table).collect();
        let policies = match draft(self.pipeline, &begun.catalog, &begun.state.snapshot, resources_of(&staged))? {
            None => Vec::new(),
            Some(draft) => {
                draft.refuse().map_err(|error| error.with_context("then", "nothing was published"))?;
                report.notes.extend(draft.findings.iter().map(ToString::to_string));
                report.access.clone_from(&draft.changes);
                draft.write(&begun.catalog, &self.run)?
            }
        };
        self.committing.set(true);
        let beside = Beside { policies: &policies, dropped: &begun.dropped, renamed: None };
        let published = begun.catalog.commit_with(&begun.state.snapshot, staged, &beside, &begun.lease)?;
        report.status = RunStatus::Published;
        report.dropped = begun.dropped.iter().map(ToString::to_string).collect();
        report.notes.extend(
            report.dropped.iter().map(|name| format!("dropped {name}, which no output writes any more; its files stay until a vacuum")),
        );
        for table in &published {
            let name = format!("{}.{}", table.database, table.name);
            report.outputs.iter_mut().filter(|output| output.table == name).for_each(|output| output.table_version = table.version);
        }
        Ok(())
    }

    /// Tells the readers' catalog what is published, and Lake Formation who may see what of it.
    fn register(&self, begun: &Begun, report: &mut RunReport) -> Result<()> {
        let Some(catalog) = &begun.readers else { return Ok(()) };
        match catalog.register(self.pipeline, &begun.storage) {
            Ok(registered) => {
                report.notes.extend(registered.iter().flat_map(|one| one.notes.clone()));
                report.catalog = registered;
            }
            Err(error) => {
                report.status = RunStatus::PublishedNotRegistered;
                return Err(error);
            }
        }
        if self.settings.scope.only.is_empty() {
            match catalog.drop_left(self.pipeline, &begun.storage) {
                Ok(names) => report.notes.extend(names.iter().map(|name| format!("dropped {name} from Glue"))),
                Err(error) => {
                    report.status = RunStatus::PublishedNotRegistered;
                    return Err(error.with_context("then", "Glue still has a table that was dropped; the next run removes it"));
                }
            }
        }
        let aws = AwsSettings::beside(&self.pipeline.lake.store);
        match tell_lake_formation(&begun.storage, &aws, Some(catalog.glue.settings())) {
            Ok(done) => {
                report.lake_formation = done;
                Ok(())
            }
            Err(error) => {
                report.status = RunStatus::PublishedNotRegistered;
                Err(error)
            }
        }
    }

    fn check_published(&self, begun: &Begun, bench: &Bench, registered: bool, report: &mut RunReport) -> Result<()> {
        let storage = &begun.storage;
        report.checks.extend(verify(self.pipeline, storage, &[], When::AfterPublish, &bench.queries, &bench.runtime)?);
        if registered {
            let checked = verify_in_athena(self.pipeline, storage, &self.settings.cancel, &bench.queries, &bench.runtime);
            report.checks.extend(checked.map_err(|error| error.with_context("then", "the run is published, but not checked in Athena"))?);
        }
        let Some(error) = report.failed_checks(When::AfterPublish) else { return Ok(()) };
        report.status = RunStatus::PublishedChecksFailed;
        if !self.goes_back(report) {
            return Err(error.with_context("then", "the run is published anyway; roll it back if it must not be"));
        }
        let back = take_back(storage, self.pipeline, self.run.as_str());
        let back = back.map_err(|failed| error.copied().with_context("then", "the run is published anyway").with_source(failed))?;
        report.status = RunStatus::TakenBack;
        report.notes.extend(back.notes);
        report.catalog.extend(back.catalog);
        let told = back.error.map_or_else(|| "the previous state was restored".to_string(), |error| format!("Glue is behind: {error}"));
        Err(error.with_context("then", told))
    }

    /// Whether a check failed whose failure takes the run back.
    fn goes_back(&self, report: &RunReport) -> bool {
        let failed =
            report.checks.iter().filter(|check| check.when == When::AfterPublish && !check.passed && check.severity == Severity::Fail);
        let names: Vec<&str> = failed.map(|check| check.name.as_str()).collect();
        self.pipeline.verify.iter().any(|check| check.on_failure == OnFailure::Rollback && names.contains(&check.name.as_str()))
    }

    /// Removes what a run wrote that ended with `error`, unless readers see it. What can't be removed now is not read by anybody;
    /// `vacuum` tries again.
    fn take_back(&self, begun: &Begun, error: &Error, report: &RunReport) {
        if report.status.is_published() {
            return;
        }
        let Begun { storage, catalog, state, claim, lease, folder, .. } = begun;
        let of_data: Vec<String> = claim.folders.iter().filter(|claimed| *claimed != folder).cloned().collect();
        // Where the store went away during the last step, that step may have been done after all, or be done at any moment.
        if self.committing.get() && error.kind() != ErrorKind::Conflict {
            let _ = discard(storage, catalog, &Claim { folders: of_data, ..claim.clone() }, lease.key());
            return;
        }
        for folder in of_data {
            let _ = storage.remove_folder(&folder);
        }
        let manifests = state.outputs.iter().map(|output| keys::manifest(&claim.pipeline, claim.run.as_str(), &output.output.name));
        let _ = storage.delete(&manifests.collect::<Vec<_>>());
    }

    fn stop_if_cancelled(&self) -> Result<()> {
        match self.settings.cancel.load(Ordering::Relaxed) {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was published")),
            false => Ok(()),
        }
    }

    fn keep_report(&self, storage: &Storage, run_folder: &str, report: &mut RunReport) -> Result<()> {
        report.redact();
        report.keep(storage, &format!("{run_folder}/report.json"))?;
        self.settings.page.map_or(Ok(()), |page| keep_page(storage, self.pipeline, report, page))
    }
}
