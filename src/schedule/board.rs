//! Which pipeline is due, waits, or runs: what is to be done at a time. It has no clock, and does nothing.

use super::event::{Ended, Event};
use super::times::Times;
use crate::error::Result;
use crate::pipeline::{CatchUp, Pipeline, Schedule};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A time that is noticed later than this was missed: the process, or the machine, slept.
const LATE: TimeDelta = TimeDelta::seconds(60);
/// Times that are counted where many were missed.
const COUNTED: usize = 10_000;

/// All scheduled pipelines, by name.
#[derive(Debug)]
pub struct Board {
    entries: BTreeMap<String, Entry>,
    /// Those that are due and wait for their turn.
    queue: VecDeque<String>,
    parallel: usize,
    stopping: bool,
}

#[derive(Debug)]
struct Entry {
    pipeline: Arc<Pipeline>,
    schedule: Schedule,
    times: Times,
    next: Option<DateTime<Utc>>,
    /// The time that it waits or runs for.
    busy: Option<Busy>,
    /// Its file is gone; it is, too, when its run has ended.
    removed: bool,
    figures: Figures,
}

#[derive(Debug, Clone, Copy)]
struct Busy {
    scheduled: DateTime<Utc>,
    running: bool,
}

/// What a pipeline's runs came to, since the process started.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// How many runs ended how.
    pub runs: BTreeMap<String, u64>,
    pub last_success: Option<DateTime<Utc>>,
    pub last_seconds: Option<f64>,
    /// Rows written, and lines rejected, by all runs.
    pub rows: u64,
    pub rejects: u64,
    /// Times that came while it was still waiting or running.
    pub overlaps: u64,
    /// Times that passed while nothing ran.
    pub missed: u64,
}

/// A run that is to be started.
#[derive(Debug, Clone)]
pub struct Job {
    pub pipeline: Arc<Pipeline>,
    pub scheduled: DateTime<Utc>,
}

/// Where a pipeline stands.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    pub name: &'a str,
    pub next: Option<DateTime<Utc>>,
    pub running: bool,
    pub figures: &'a Figures,
}

impl Board {
    /// A board without pipelines, of which at most `parallel` run at once.
    pub fn new(parallel: usize) -> Board {
        Board { entries: BTreeMap::new(), queue: VecDeque::new(), parallel: parallel.max(1), stopping: false }
    }

    /// Takes `pipelines` for those that are there now. `last` gives the time up to which a pipeline that is new here has been run; where
    /// times passed since, they are caught up or skipped as its schedule says. Pipelines without a schedule are left out.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Format`] for a schedule that names no times; nothing is changed then.
    pub fn load(
        &mut self,
        pipelines: &[Arc<Pipeline>],
        now: DateTime<Utc>,
        mut last: impl FnMut(&Pipeline) -> Option<DateTime<Utc>>,
    ) -> Result<Vec<Event>> {
        let scheduled = pipelines.iter().filter_map(|pipeline| Some((pipeline, pipeline.schedule.as_ref()?)));
        let scheduled = scheduled.map(|(pipeline, schedule)| Ok((pipeline, schedule, Times::of(schedule)?))).collect::<Result<Vec<_>>>()?;
        let mut events = Vec::new();
        for (name, entry) in &mut self.entries {
            if !entry.removed && !scheduled.iter().any(|(pipeline, _, _)| pipeline.name == *name) {
                (entry.removed, entry.next) = (true, None);
                events.push(Event::Removed { pipeline: name.clone() });
            }
        }
        let gone = |entry: &Entry| entry.removed && !entry.busy.is_some_and(|busy| busy.running);
        self.entries.retain(|_, entry| !gone(entry));
        let entries = &self.entries;
        self.queue.retain(|name| entries.get(name).is_some_and(|entry| !entry.removed));
        for (pipeline, schedule, times) in scheduled {
            match self.entries.get_mut(&pipeline.name) {
                Some(entry) => {
                    entry.pipeline = pipeline.clone();
                    if entry.removed || entry.schedule != *schedule {
                        (entry.removed, entry.next) = (false, times.after(now));
                        (entry.schedule, entry.times) = (schedule.clone(), times);
                        events.push(loaded(entry));
                    }
                }
                None => {
                    let entry = Entry {
                        pipeline: pipeline.clone(),
                        schedule: schedule.clone(),
                        next: times.after(now),
                        times,
                        busy: None,
                        removed: false,
                        figures: Figures::default(),
                    };
                    events.push(loaded(&entry));
                    let name = pipeline.name.clone();
                    self.entries.insert(name.clone(), entry);
                    if let Some(last) = last(pipeline) {
                        events.extend(self.catch_up(&name, last, now));
                    }
                }
            }
        }
        Ok(events)
    }

    /// Looks for times between `last` and `now` of a pipeline that ran for neither of them.
    fn catch_up(&mut self, name: &str, last: DateTime<Utc>, now: DateTime<Utc>) -> Option<Event> {
        let entry = self.entries.get_mut(name)?;
        let missed = entry.times.passed(last, now, COUNTED) as u64;
        if missed == 0 {
            return None;
        }
        entry.figures.missed += missed;
        entry.next = entry.times.after(now);
        let caught_up = entry.schedule.catch_up == CatchUp::Once && entry.busy.is_none();
        if caught_up {
            entry.busy = Some(Busy { scheduled: now, running: false });
            self.queue.push_back(name.to_string());
        }
        Some(Event::Missed { pipeline: name.to_string(), times: missed, since: last, caught_up })
    }

    /// Lets those that are due at `now` wait for their turn.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Vec<Event> {
        let mut events = Vec::new();
        let due = self.entries.iter().filter_map(|(name, entry)| Some((entry.next.filter(|next| *next <= now)?, name.clone())));
        let mut due: Vec<(DateTime<Utc>, String)> = due.collect();
        due.sort();
        for (scheduled, name) in due {
            let Some(entry) = self.entries.get_mut(&name) else { continue };
            if now - scheduled > LATE && entry.busy.is_none() {
                events.extend(self.catch_up(&name, scheduled - TimeDelta::seconds(1), now));
                continue;
            }
            entry.next = entry.times.after(now);
            if self.stopping {
                continue;
            }
            if entry.busy.is_some() {
                let times = entry.times.passed(scheduled - TimeDelta::seconds(1), now, COUNTED) as u64;
                entry.figures.overlaps += times;
                events.push(Event::Skipped { pipeline: name, scheduled, times });
            } else {
                entry.busy = Some(Busy { scheduled, running: false });
                self.queue.push_back(name);
            }
        }
        events
    }

    /// The next run to be started; it counts as running from now on.
    pub fn start(&mut self) -> Option<Job> {
        if self.stopping || self.running() >= self.parallel {
            return None;
        }
        let name = self.queue.pop_front()?;
        let entry = self.entries.get_mut(&name)?;
        let busy = entry.busy.as_mut()?;
        busy.running = true;
        Some(Job { pipeline: entry.pipeline.clone(), scheduled: busy.scheduled })
    }

    /// Takes note of the end of the run of `name` that [`Board::start`] gave.
    pub fn finished(&mut self, name: &str, ended: &Ended, now: DateTime<Utc>) -> Option<Event> {
        let entry = self.entries.get_mut(name)?;
        let scheduled = entry.busy.take()?.scheduled;
        let figures = &mut entry.figures;
        *figures.runs.entry(ended.status.clone()).or_default() += 1;
        figures.last_seconds = Some(ended.seconds);
        figures.rows += ended.rows;
        figures.rejects += ended.rejects;
        if ended.success {
            figures.last_success = Some(now);
        }
        if entry.removed {
            self.entries.remove(name);
        }
        Some(Event::Finished { pipeline: name.to_string(), scheduled, ended: ended.clone() })
    }

    /// Starts nothing from now on.
    pub fn stop(&mut self) {
        self.stopping = true;
        for name in self.queue.drain(..) {
            if let Some(entry) = self.entries.get_mut(&name) {
                entry.busy = None;
            }
        }
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// How many runs are at work.
    pub fn running(&self) -> usize {
        self.entries.values().filter(|entry| entry.busy.is_some_and(|busy| busy.running)).count()
    }

    /// When [`Board::tick`] has something to do next.
    pub fn wake(&self) -> Option<DateTime<Utc>> {
        self.entries.values().filter_map(|entry| entry.next).min()
    }

    /// Where each pipeline stands, by name.
    pub fn standings(&self) -> impl Iterator<Item = Standing<'_>> {
        self.entries.iter().filter(|(_, entry)| !entry.removed).map(|(name, entry)| Standing {
            name,
            next: entry.next,
            running: entry.busy.is_some_and(|busy| busy.running),
            figures: &entry.figures,
        })
    }
}

fn loaded(entry: &Entry) -> Event {
    Event::Loaded {
        pipeline: entry.pipeline.name.clone(),
        path: entry.pipeline.path.clone(),
        cron: entry.schedule.cron.clone(),
        timezone: entry.schedule.timezone.clone(),
        next: entry.next,
    }
}
