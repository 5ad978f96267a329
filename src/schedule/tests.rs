//! Pipelines that are due, wait, run, are missed, change and stop: with a clock that is moved by hand.

use super::{Board, Clock, Ended, Event, Folder, Memory, Message, Runner, Scheduler};
use crate::error::ErrorKind;
use crate::pipeline::{AthenaSettings, CatalogKind, CatchUp, Lake, Pipeline, Schedule};
use crate::storage::StoreSettings;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A pipeline that does nothing, at the times of `cron` in UTC.
pub(super) fn pipeline(name: &str, cron: &str) -> Pipeline {
    let schedule = Schedule { cron: cron.into(), timezone: "UTC".into(), catch_up: CatchUp::Skip };
    Pipeline {
        path: format!("{name}.yaml"),
        name: name.into(),
        description: None,
        lake: Lake { location: "/no/such/lake".into(), catalog: CatalogKind::Local, store: StoreSettings::default() },
        vars: BTreeMap::new(),
        sources: Vec::new(),
        transforms: Vec::new(),
        outputs: Vec::new(),
        removed_tables: crate::pipeline::Removal::Keep,
        policy: Default::default(),
        governance: None,
        verify: Vec::new(),
        athena: AthenaSettings::default(),
        hooks: Default::default(),
        schedule: Some(schedule),
        text: "".into(),
    }
}

fn catching_up(name: &str, cron: &str) -> Pipeline {
    let mut pipeline = pipeline(name, cron);
    pipeline.schedule.as_mut().unwrap().catch_up = CatchUp::Once;
    pipeline
}

fn at(time: &str) -> DateTime<Utc> {
    format!("2024-01-01T{time}Z").parse().unwrap()
}

fn board(parallel: usize, pipelines: Vec<Pipeline>, now: &str) -> Board {
    let mut board = Board::new(parallel);
    load(&mut board, pipelines, now, None);
    board
}

fn load(board: &mut Board, pipelines: Vec<Pipeline>, now: &str, last: Option<&str>) -> Vec<Event> {
    let pipelines: Vec<_> = pipelines.into_iter().map(Arc::new).collect();
    board.load(&pipelines, at(now), |_| last.map(at)).unwrap()
}

/// The names of what is started at `now`.
fn started(board: &mut Board, now: &str) -> Vec<String> {
    board.tick(at(now));
    std::iter::from_fn(|| board.start()).map(|job| job.pipeline.name.clone()).collect()
}

fn ended(status: &str) -> Ended {
    let (success, run) = (status == "published", "20240101T000000Z-1".to_string());
    Ended { status: status.into(), success, run, seconds: 1.5, rows: 10, rejects: 1, error: (!success).then(|| "no".to_string()) }
}

#[test]
fn pipelines_start_at_their_times_and_no_more_than_may() {
    let mut board = board(2, vec![pipeline("a", "0 3 * * *"), pipeline("b", "0 3 * * *"), pipeline("c", "0,1 3 * * *")], "02:59:30");
    assert_eq!(board.wake(), Some(at("03:00:00")));
    assert!(started(&mut board, "02:59:59").is_empty());
    assert_eq!(started(&mut board, "03:00:00"), ["a", "b"]);
    assert_eq!(board.running(), 2);
    assert!(started(&mut board, "03:00:30").is_empty());
    board.finished("b", &ended("published"), at("03:00:40"));
    assert_eq!(started(&mut board, "03:00:40"), ["c"]);
    // Each at its own pace from there.
    board.finished("c", &ended("failed"), at("03:00:50"));
    assert_eq!(started(&mut board, "03:01:00"), ["c"]);
    let figures: Vec<_> = board.standings().map(|s| (s.name.to_string(), s.running, s.figures.runs.clone())).collect();
    let runs = |status: &str| BTreeMap::from([(status.to_string(), 1)]);
    let expected = [("a".to_string(), true, BTreeMap::new()), ("b".into(), false, runs("published")), ("c".into(), true, runs("failed"))];
    assert_eq!(figures, expected);
}

#[test]
fn a_pipeline_never_overlaps_itself() {
    let mut board = board(8, vec![pipeline("a", "*/5 * * * *")], "00:00:00");
    assert_eq!(started(&mut board, "00:05:00"), ["a"]);
    let events = board.tick(at("00:10:00"));
    assert_eq!(events, [Event::Skipped { pipeline: "a".into(), scheduled: at("00:10:00"), times: 1 }]);
    // The loop slept over two more.
    assert!(matches!(&board.tick(at("00:20:02"))[..], [Event::Skipped { times: 2, .. }]));
    assert!(board.start().is_none());
    board.finished("a", &ended("published"), at("00:21:00"));
    assert!(started(&mut board, "00:22:00").is_empty());
    assert_eq!(started(&mut board, "00:25:00"), ["a"]);
    let standing = board.standings().next().unwrap();
    assert_eq!((standing.figures.overlaps, standing.figures.last_success), (3, Some(at("00:21:00"))));
}

#[test]
fn times_that_passed_are_skipped_or_caught_up_once() {
    let mut skipping = Board::new(1);
    let events = load(&mut skipping, vec![pipeline("a", "0 * * * *")], "05:30:00", Some("02:00:00"));
    let missed = |caught_up| Event::Missed { pipeline: "a".into(), times: 3, since: at("02:00:00"), caught_up };
    assert_eq!(events[1..], [missed(false)]);
    assert!(started(&mut skipping, "05:30:00").is_empty());
    assert_eq!(skipping.wake(), Some(at("06:00:00")));

    let mut once = Board::new(1);
    let events = load(&mut once, vec![catching_up("a", "0 * * * *")], "05:30:00", Some("02:00:00"));
    assert_eq!(events[1..], [missed(true)]);
    assert_eq!(started(&mut once, "05:30:00"), ["a"]);
    once.finished("a", &ended("published"), at("05:40:00"));
    assert!(started(&mut once, "05:59:00").is_empty());
    assert_eq!(started(&mut once, "06:00:00"), ["a"]);

    // Nothing passed, or it never ran.
    for last in [Some("05:00:00"), None] {
        let mut board = Board::new(1);
        assert_eq!(load(&mut board, vec![catching_up("a", "0 * * * *")], "05:30:00", last).len(), 1);
        assert!(started(&mut board, "05:30:00").is_empty());
    }
}

#[test]
fn a_machine_that_slept_missed_what_passed() {
    let mut board = board(2, vec![pipeline("a", "0 * * * *"), catching_up("b", "0 * * * *")], "00:30:00");
    let events = board.tick(at("03:30:00"));
    let caught: Vec<_> = events.iter().map(|event| matches!(event, Event::Missed { times: 3, caught_up: true, .. })).collect();
    assert_eq!(caught, [false, true], "{events:?}");
    assert_eq!(started(&mut board, "03:30:01"), ["b"]);
    // A few seconds are none.
    board.finished("b", &ended("published"), at("03:31:00"));
    assert_eq!(started(&mut board, "04:00:09"), ["a", "b"]);
}

#[test]
fn pipelines_come_change_and_go() {
    let mut board = board(1, vec![pipeline("a", "0 3 * * *"), pipeline("b", "0 3 * * *")], "00:00:00");
    // The same again is no news.
    assert_eq!(load(&mut board, vec![pipeline("a", "0 3 * * *"), pipeline("b", "0 3 * * *")], "01:00:00", None), []);
    let events = load(&mut board, vec![pipeline("a", "0 2 * * *"), pipeline("c", "0 4 * * *")], "01:00:00", None);
    assert!(matches!(&events[..], [Event::Removed { .. }, Event::Loaded { .. }, Event::Loaded { .. }]), "{events:?}");
    assert_eq!(started(&mut board, "02:00:00"), ["a"]);
    // What runs while it is removed ends as it would.
    load(&mut board, vec![pipeline("c", "0 4 * * *")], "02:00:01", None);
    assert_eq!((board.running(), board.standings().count()), (1, 1));
    assert!(board.finished("a", &ended("published"), at("02:00:02")).is_some());
    assert_eq!(board.running(), 0);
    let mut unscheduled = pipeline("c", "");
    unscheduled.schedule = None;
    load(&mut board, vec![unscheduled], "02:00:03", None);
    assert_eq!((board.wake(), board.standings().count()), (None, 0));
    // A mistake changes nothing.
    load(&mut board, vec![pipeline("a", "0 3 * * *")], "02:00:04", None);
    let wrong = [Arc::new(pipeline("x", "0 99 * * *"))];
    assert_eq!(board.load(&wrong, at("02:00:05"), |_| None).unwrap_err().kind(), ErrorKind::Format);
    assert_eq!(board.wake(), Some(at("03:00:00")));
}

#[test]
fn nothing_starts_while_it_stops() {
    let mut board = board(1, vec![pipeline("a", "0 * * * *"), pipeline("b", "0 * * * *")], "00:30:00");
    assert_eq!(started(&mut board, "01:00:00"), ["a"]);
    board.stop();
    board.finished("a", &ended("published"), at("01:00:01"));
    assert!(started(&mut board, "02:00:00").is_empty() && board.running() == 0 && board.is_stopping());
}

/// A clock that goes to where it is waited for, unless somebody has something to say first.
struct FakeClock {
    now: Arc<Mutex<DateTime<Utc>>>,
    end: DateTime<Utc>,
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    fn wait(&self, inbox: &Receiver<Message>, until: DateTime<Utc>) -> Option<Message> {
        match inbox.recv_timeout(Duration::from_millis(1)) {
            Ok(message) => return Some(message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => panic!("the scheduler holds an end itself"),
        }
        let mut now = self.now.lock().unwrap();
        if *now >= self.end {
            return Some(Message::Stop);
        }
        *now = until.max(*now + TimeDelta::seconds(1));
        None
    }
}

/// Ends when the clock has gone on for `takes`, or when it is told to stop.
struct FakeRunner {
    now: Arc<Mutex<DateTime<Utc>>>,
    takes: TimeDelta,
    runs: Arc<Mutex<Vec<String>>>,
}

impl Runner for FakeRunner {
    fn run(&self, pipeline: &Pipeline, cancel: &Arc<AtomicBool>) -> Ended {
        let started = *self.now.lock().unwrap();
        self.runs.lock().unwrap().push(format!("{} {}", pipeline.name, started.format("%H:%M")));
        while *self.now.lock().unwrap() - started < self.takes {
            if cancel.load(Ordering::Relaxed) {
                return ended(super::scheduler::INTERRUPTED);
            }
            std::thread::yield_now();
        }
        if pipeline.name == "panics" {
            panic!("on purpose");
        }
        ended("published")
    }
}

/// Runs a scheduler of `pipelines` from midnight to `end`; gives what was run, what was told, and how it ended.
fn scheduled(pipelines: &[(&str, &str)], takes: TimeDelta, end: &str, state: &Path) -> (Vec<String>, Vec<Event>, crate::Result<()>) {
    let place = tempfile::tempdir().unwrap();
    for (name, cron) in pipelines {
        std::fs::write(place.path().join(format!("{name}.yaml")), cron).unwrap();
    }
    let load = |path: &Path| Ok(pipeline(&path.file_stem().unwrap().to_string_lossy(), &std::fs::read_to_string(path).unwrap()));
    let (now, runs, told) = (Arc::new(Mutex::new(at("00:00:00"))), Arc::default(), Arc::new(Mutex::new(Vec::new())));
    let clock = FakeClock { now: now.clone(), end: at(end) };
    let runner = FakeRunner { now, takes, runs: Arc::clone(&runs) };
    let say = told.clone();
    let scheduler =
        Scheduler::new(clock, runner, Folder::new(place.path(), load), Memory::File(state.to_path_buf()), 1, move |_, event| {
            say.lock().unwrap().push(event.clone());
        });
    let shared = scheduler.shared();
    let done = scheduler.run();
    assert_eq!(shared.trouble().as_deref(), Some("stopping"));
    let (runs, told) = (runs.lock().unwrap().clone(), told.lock().unwrap().clone());
    (runs, told, done)
}

#[test]
fn a_scheduler_runs_what_is_due_and_remembers_it() {
    let place = tempfile::tempdir().unwrap();
    let state = place.path().join("state.json");
    let (runs, told, done) = scheduled(&[("a", "*/20 * * * *"), ("b", "30 * * * *")], TimeDelta::zero(), "00:59:00", &state);
    assert_eq!(runs, ["a 00:20", "b 00:30", "a 00:40"]);
    done.unwrap();
    assert_eq!(told.last(), Some(&Event::Stopped));
    let memory = Memory::File(state);
    assert_eq!(memory.last(&pipeline("a", "")).unwrap(), Some(at("00:40:00")));
    assert_eq!(memory.last(&pipeline("b", "")).unwrap(), Some(at("00:30:00")));
}

#[test]
fn a_run_that_panics_has_failed_and_the_next_one_comes() {
    let place = tempfile::tempdir().unwrap();
    let (runs, told, _) = scheduled(&[("panics", "*/20 * * * *")], TimeDelta::zero(), "00:59:00", &place.path().join("s"));
    assert_eq!(runs.len(), 2);
    let failed = told.iter().filter(|event| matches!(event, Event::Finished { ended, .. } if ended.status == "failed")).count();
    assert_eq!(failed, 2);
}

#[test]
fn told_twice_it_stops_what_runs() {
    // The run would go on for a day; the clock stands still at its end, and says so again and again.
    let place = tempfile::tempdir().unwrap();
    let state = place.path().join("state.json");
    let (runs, told, done) = scheduled(&[("a", "30 * * * *")], TimeDelta::days(1), "00:40:00", &state);
    assert_eq!((runs.len(), done.unwrap_err().kind()), (1, ErrorKind::Interrupted));
    assert!(told.contains(&Event::Stopping { running: 1 }) && told.contains(&Event::Interrupting { running: 1 }));
    // It is still to be done: only the start was noted.
    assert_eq!(Memory::File(state).last(&pipeline("a", "")).unwrap(), Some(at("00:00:00")));
}
