//! The process that runs pipelines at their times.

use super::board::{Board, Job};
use super::event::{Ended, Event};
use super::folder::Folder;
use super::memory::Memory;
use super::metrics::metrics;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{CatchUp, Pipeline, RunReport};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often files are looked at.
const LOOK: TimeDelta = TimeDelta::seconds(2);
/// A loop that did nothing for so long is stuck.
const STUCK: i64 = 60;

/// What time it is, and waiting.
pub trait Clock {
    fn now(&self) -> DateTime<Utc>;

    /// Waits for a message, until `until` at most.
    fn wait(&self, inbox: &Receiver<Message>, until: DateTime<Utc>) -> Option<Message>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn wait(&self, inbox: &Receiver<Message>, until: DateTime<Utc>) -> Option<Message> {
        let rest = (until - self.now()).to_std().unwrap_or_default();
        // Nobody is left to say something only where the process ends.
        inbox.recv_timeout(rest).ok()
    }
}

/// Runs a pipeline to its end, on a thread of its own. `cancel` is set from outside to stop it.
pub trait Runner: Send + Sync {
    fn run(&self, pipeline: &Pipeline, cancel: &Arc<AtomicBool>) -> Ended;
}

/// What a scheduler is told.
#[derive(Debug)]
pub enum Message {
    /// Start nothing more, and end with the runs at work; the second time, stop them.
    Stop,
    /// A run has ended, and why it could not be noted that it has.
    Finished(Job, Ended, Option<Error>),
    /// Files have been read again.
    Looked(Box<Looked>),
}

/// What reading files again came to.
#[derive(Debug)]
pub struct Looked {
    folder: Folder,
    /// What happened; nothing where nothing has changed.
    events: Option<Vec<Event>>,
    /// Up to when pipelines that are new here have been run.
    last: BTreeMap<String, DateTime<Utc>>,
}

/// What others may see of a scheduler while it works.
#[derive(Debug)]
pub struct Shared {
    board: Mutex<Board>,
    broken: AtomicUsize,
    /// When the loop last came by, in seconds.
    pulse: AtomicI64,
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing is started at its time; nothing where all is well.
    pub fn trouble(&self) -> Option<String> {
        if self.board().is_stopping() {
            return Some("stopping".to_string());
        }
        let silent = Utc::now().timestamp() - self.pulse.load(Ordering::Relaxed);
        (silent > STUCK).then(|| format!("stuck: no pipeline was checked for {silent} s"))
    }

    /// The figures, in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        let up = self.trouble().is_none();
        metrics(&self.board(), self.broken.load(Ordering::Relaxed), up)
    }
}

/// Told what happens, and when.
type Teller = Box<dyn FnMut(DateTime<Utc>, &Event)>;

/// Runs the pipelines of a folder at their times.
pub struct Scheduler<C, R> {
    clock: C,
    runner: Arc<R>,
    /// Not here while its files are read.
    folder: Option<Folder>,
    memory: Memory,
    shared: Arc<Shared>,
    say: Teller,
    outbox: Sender<Message>,
    inbox: Receiver<Message>,
    cancel: Arc<AtomicBool>,
}

impl<C, R> fmt::Debug for Scheduler<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").field("folder", &self.folder).field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl<C: Clock, R: Runner + 'static> Scheduler<C, R> {
    /// A scheduler of the pipelines of `folder`, of which at most `parallel` run at once; `say` is told what happens.
    pub fn new(
        clock: C,
        runner: R,
        folder: Folder,
        memory: Memory,
        parallel: usize,
        say: impl FnMut(DateTime<Utc>, &Event) + 'static,
    ) -> Scheduler<C, R> {
        let (outbox, inbox) = channel();
        let pulse = AtomicI64::new(clock.now().timestamp());
        let shared = Arc::new(Shared { board: Mutex::new(Board::new(parallel)), broken: AtomicUsize::new(0), pulse });
        let (runner, cancel) = (Arc::new(runner), Arc::new(AtomicBool::new(false)));
        Scheduler { clock, runner, folder: Some(folder), memory, shared, say: Box::new(say), outbox, inbox, cancel }
    }

    /// What others may see of it.
    pub fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Where it is told to stop.
    pub fn outbox(&self) -> Sender<Message> {
        self.outbox.clone()
    }

    /// Runs pipelines until it is told to stop.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] for a folder that can't be read at the start, [`ErrorKind::Interrupted`] where runs were stopped.
    pub fn run(mut self) -> Result<()> {
        self.folder.as_ref().map_or(Ok(()), Folder::check)?;
        let mut looked: Option<DateTime<Utc>> = None;
        loop {
            let now = self.clock.now();
            self.shared.pulse.store(now.timestamp(), Ordering::Relaxed);
            // A clock that was set back is no reason to wait.
            if looked.is_none_or(|looked| now - looked >= LOOK || now < looked) {
                looked = Some(now);
                self.look(now);
            }
            let events = self.shared.board().tick(now);
            self.tell(&events);
            self.start();
            let (stopping, running, wake) = {
                let board = self.shared.board();
                (board.is_stopping(), board.running(), board.wake())
            };
            if stopping && running == 0 {
                self.tell(&[Event::Stopped]);
                return match self.cancel.load(Ordering::Relaxed) {
                    true => Err(Error::new(ErrorKind::Interrupted, "runs were stopped before their end")),
                    false => Ok(()),
                };
            }
            let until = wake.map_or(now + LOOK, |wake| wake.min(now + LOOK));
            match self.clock.wait(&self.inbox, until) {
                Some(Message::Stop) => self.stop(),
                Some(Message::Finished(job, ended, trouble)) => self.finish(&job, &ended, trouble),
                Some(Message::Looked(looked)) => self.take(*looked),
                None => {}
            }
        }
    }

    /// Reads files that have changed, on a thread of its own: neither a file nor a lake that takes long keeps others from their times.
    fn look(&mut self, now: DateTime<Utc>) {
        if self.shared.board().is_stopping() {
            return;
        }
        let Some(mut folder) = self.folder.take() else { return };
        let known: BTreeSet<String> = self.shared.board().standings().map(|standing| standing.name.to_string()).collect();
        let (memory, outbox) = (self.memory.clone(), self.outbox.clone());
        let work = move || {
            let read = catch_unwind(AssertUnwindSafe(|| folder.refresh()));
            let fault = || Event::Trouble { pipeline: None, error: "a fault of etl itself; please report it".to_string() };
            let mut events = read.unwrap_or_else(|_| Some(vec![fault()]));
            let last = events.as_mut().map(|events| last(&folder.pipelines(), &known, &memory, now, events)).unwrap_or_default();
            // Nobody hears it only where the process ends.
            let _ = outbox.send(Message::Looked(Box::new(Looked { folder, events, last })));
        };
        // The folder went with the thread; without one there is no going on.
        if let Err(error) = std::thread::Builder::new().name("etl-look".to_string()).spawn(work) {
            let error = format!("no thread could be started to read files, which are not read again: {error}");
            self.tell(&[Event::Trouble { pipeline: None, error }]);
        }
    }

    /// Takes over what was read.
    fn take(&mut self, looked: Looked) {
        let Looked { folder, events, last } = looked;
        self.shared.broken.store(folder.broken(), Ordering::Relaxed);
        let pipelines = folder.pipelines();
        self.folder = Some(folder);
        let Some(mut events) = events else { return };
        if self.shared.board().is_stopping() {
            return;
        }
        let loaded = self.shared.board().load(&pipelines, self.clock.now(), |pipeline| last.get(&pipeline.name).copied());
        match loaded {
            Ok(loaded) => events.extend(loaded),
            Err(error) => events.push(Event::Trouble { pipeline: None, error: error.to_string() }),
        }
        self.tell(&events);
    }

    /// Starts what has its turn.
    fn start(&mut self) {
        loop {
            let Some(job) = self.shared.board().start() else { return };
            self.tell(&[Event::Started { pipeline: job.pipeline.name.clone(), scheduled: job.scheduled }]);
            let (runner, cancel, outbox, started) = (self.runner.clone(), self.cancel.clone(), self.outbox.clone(), job.clone());
            let memory = self.memory.clone();
            let work = move || {
                let run = catch_unwind(AssertUnwindSafe(|| runner.run(&job.pipeline, &cancel)));
                let ended = run.unwrap_or_else(|_| failed("a fault of etl itself; please report it"));
                // A run that was stopped wasn't one: it is still to be done.
                let kept = if ended.status == INTERRUPTED { Ok(()) } else { memory.keep(&job.pipeline, job.scheduled) };
                // Nobody hears it only where the process ends.
                let _ = outbox.send(Message::Finished(job, ended, kept.err()));
            };
            if let Err(error) = std::thread::Builder::new().name("etl-run".to_string()).spawn(work) {
                self.finish(&started, &failed(&format!("no thread could be started: {error}")), None);
            }
        }
    }

    fn finish(&mut self, job: &Job, ended: &Ended, trouble: Option<Error>) {
        let event = self.shared.board().finished(&job.pipeline.name, ended, self.clock.now());
        self.tell(event.as_slice());
        if let Some(error) = trouble {
            self.tell(&[Event::Trouble { pipeline: Some(job.pipeline.name.clone()), error: error.to_string() }]);
        }
    }

    fn stop(&mut self) {
        let (again, running) = {
            let mut board = self.shared.board();
            let again = board.is_stopping();
            board.stop();
            (again, board.running())
        };
        if again {
            self.cancel.store(true, Ordering::Relaxed);
        }
        self.tell(&[if again { Event::Interrupting { running } } else { Event::Stopping { running } }]);
    }

    fn tell(&mut self, events: &[Event]) {
        let now = self.clock.now();
        events.iter().for_each(|event| (self.say)(now, event));
    }
}

/// Up to when each of `pipelines` that isn't `known` yet has been run.
fn last(
    pipelines: &[Arc<Pipeline>],
    known: &BTreeSet<String>,
    memory: &Memory,
    now: DateTime<Utc>,
    events: &mut Vec<Event>,
) -> BTreeMap<String, DateTime<Utc>> {
    let mut found = BTreeMap::new();
    for pipeline in pipelines.iter().filter(|pipeline| !known.contains(&pipeline.name)) {
        let Some(schedule) = &pipeline.schedule else { continue };
        let last = memory.last(pipeline).and_then(|last| {
            // Times that pass from now on are missed ones. Those before are, too, until they are made up for.
            if last.is_none() || schedule.catch_up == CatchUp::Skip {
                memory.keep(pipeline, now)?;
            }
            Ok(last)
        });
        match last {
            Ok(last) => found.extend(last.map(|last| (pipeline.name.clone(), last))),
            Err(error) => events.push(Event::Trouble { pipeline: Some(pipeline.name.clone()), error: error.to_string() }),
        }
    }
    found
}

/// The status of a run that was stopped.
pub const INTERRUPTED: &str = "interrupted";

fn failed(why: &str) -> Ended {
    Ended::without_report("failed", why, Duration::ZERO)
}

impl Ended {
    /// How a run ended, by its report.
    pub fn of(report: &RunReport, interrupted: bool) -> Ended {
        // The name that the report's JSON has.
        let status = serde_json::to_value(report.status).ok().and_then(|status| status.as_str().map(str::to_string));
        Ended {
            status: if interrupted { INTERRUPTED.to_string() } else { status.unwrap_or_default() },
            success: report.error.is_none(),
            run: report.run.clone(),
            seconds: Duration::try_from_secs_f64(report.seconds()).unwrap_or_default().as_secs_f64(),
            rows: report.outputs.iter().map(|output| output.rows).sum(),
            rejects: report.sources.iter().map(|source| source.rejects).sum(),
            error: report.error.clone(),
        }
    }

    /// How a run ended that gave no report.
    pub fn without_report(status: &str, why: &str, took: Duration) -> Ended {
        Ended {
            status: status.to_string(),
            success: false,
            run: String::new(),
            seconds: took.as_secs_f64(),
            rows: 0,
            rejects: 0,
            error: Some(why.to_string()),
        }
    }
}
