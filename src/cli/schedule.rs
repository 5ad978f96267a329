//! `etl schedule`: the pipelines of a folder, at their times.

use super::child::ChildRunner;
use super::pipeline::ThreadArgs;
use super::single_run::{run_once, settings};
use super::terminal::{print, print_json_text, say};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{CatchUp, Pipeline, Scope};
use crate::query::{default_memory, share_of};
use crate::schedule::{Event, Folder, Memory, Message, Scheduler, SystemClock, Times, serve};
use crate::units::ByteSize;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

const EXAMPLES: &str = "Examples:
  etl schedule pipelines/ --list
  etl schedule pipelines/ --run-now weblogs
  etl schedule pipelines/ --parallel 2 --listen 127.0.0.1:9090
  etl schedule pipelines/ --json --state /var/lib/etl/schedule.json

A pipeline is scheduled if its file says so:
  schedule: {cron: '0 3 * * *', timezone: Europe/Berlin, catch_up: once}

A local time skipped by a clock change runs at the next valid time; one that occurs twice runs once. \
A pipeline never overlaps itself: a time that comes while it is running is skipped. Times that pass while \
the scheduler is not running are skipped, or made up for by one run (catch_up). Changed files are reloaded; \
if one has a mistake, its last good version stays in use. Each run is a process of its own: if it is killed, \
for example when memory runs out, that does not affect other runs. Ctrl-C or SIGTERM lets runs finish, a second one \
stops them, a third ends the process. /healthz returns 200, or 503 while stopping or stuck; /metrics is for \
Prometheus.

As a systemd service, in /etc/systemd/system/etl.service:
  [Unit]
  Description=Pipelines of the data lake
  After=network-online.target
  [Service]
  ExecStart=/usr/local/bin/etl schedule /srv/pipelines --listen 127.0.0.1:9090
  Restart=on-failure
  TimeoutStopSec=1h
  [Install]
  WantedBy=multi-user.target

Without this process, run a pipeline with cron, or with a systemd timer for a service of the same name:
  0 3 * * *  etl run /srv/pipelines/weblogs.yaml

  [Timer]
  OnCalendar=*-*-* 03:00:00 Europe/Berlin
  Persistent=true
  [Install]
  WantedBy=timers.target";

/// How many times of each pipeline are listed.
const LISTED: usize = 3;

/// Run the pipelines of a folder on their schedules, until stopped
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ScheduleArgs {
    /// Folder with the pipelines, *.yaml and *.yml
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// Only show when each pipeline runs next
    #[arg(long, conflicts_with_all = ["parallel", "listen", "state", "threads", "memory"])]
    list: bool,

    /// Run this pipeline of the folder now, once, as if scheduled, and exit as `etl run` does
    #[arg(long, value_name = "NAME", conflicts_with_all = ["list", "parallel", "listen", "state"])]
    run_now: Option<String>,

    /// Maximum number of concurrent runs
    #[arg(long, value_name = "N", default_value = "1")]
    parallel: NonZeroUsize,

    /// Answer /healthz and /metrics over HTTP at this address
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// File that records each pipeline's last scheduled time [default: in its lake, in _etl/schedule/]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    #[command(flatten)]
    threads: ThreadArgs,

    /// Memory for the SQL of all concurrent runs, which spills to disk beyond it [default: half of the machine's memory]
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,

    /// Print events to standard output as JSON lines; with --list, print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs pipelines until it is told to stop, or lists their times.
///
/// # Errors
/// [`ErrorKind::Input`] for a folder that can't be read, [`ErrorKind::Usage`] for an address that can't be listened at,
/// [`ErrorKind::Interrupted`] where runs were stopped; with `--list` [`ErrorKind::Format`] for files that can't be read.
pub(super) fn run(args: &ScheduleArgs, store: Vec<String>) -> Result<()> {
    let mut folder = Folder::new(&args.folder, |path| Pipeline::load(path, &BTreeMap::new()));
    folder.check()?;
    if args.list {
        let events = folder.refresh().unwrap_or_default();
        return list(&folder, &events, Utc::now(), args.json);
    }
    if let Some(name) = &args.run_now {
        let pipeline = named(&mut folder, name)?;
        let memory = args.memory.unwrap_or_else(default_memory);
        let how = settings(Scope::default(), args.threads.count(), memory, None);
        let (_, error) = run_once(&pipeline, &how, args.json, !args.json);
        return error.map_or(Ok(()), Err);
    }
    let memory = args.state.clone().map_or(Memory::Lakes, Memory::File);
    let tell = teller(args.json);
    let memory_of_all = args.memory.unwrap_or_else(default_memory);
    let share = share_of(memory_of_all.0, args.parallel.get());
    let runner = ChildRunner::new(args.threads.count(), share, store)?;
    let scheduler = Scheduler::new(SystemClock, runner, folder, memory, args.parallel.get(), tell);
    stop_on_interrupt(scheduler.outbox())?;
    if let Some(address) = args.listen {
        let address = serve(address, scheduler.shared())?;
        teller(args.json)(Utc::now(), &Event::Listening { address: address.to_string() });
    }
    scheduler.run()
}

/// The pipeline of the folder that is called `name`.
fn named(folder: &mut Folder, name: &str) -> Result<Arc<Pipeline>> {
    let events = folder.refresh().unwrap_or_default();
    let pipelines = folder.pipelines();
    if let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.name == name) {
        return Ok(pipeline.clone());
    }
    let broken = events.iter().find_map(|event| match event {
        Event::Invalid { path, error, .. } if Path::new(path).file_stem().is_some_and(|stem| stem == name) => Some(error),
        _ => None,
    });
    if let Some(error) = broken {
        return Err(Error::of_lines(ErrorKind::Format, error));
    }
    let known: Vec<&str> = pipelines.iter().map(|pipeline| pipeline.name.as_str()).collect();
    let hint = nearest(name, known.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let error = Error::new(ErrorKind::Usage, format!("{} has no pipeline `{name}`{hint}", folder.path().display()));
    Err(error.with_context("pipelines", known.join(", ")))
}

/// Writes events where they are read.
fn teller(json: bool) -> impl FnMut(DateTime<Utc>, &Event) {
    move |time, event| match json {
        // That nobody reads them any more is no reason to run no pipelines.
        true => drop(print_json_text(&event.json(time))),
        false => say(&event.text(time)),
    }
}

/// Tells the scheduler to stop at Ctrl-C, SIGTERM or SIGHUP; at the third the process ends at once.
fn stop_on_interrupt(outbox: Sender<Message>) -> Result<()> {
    let times = AtomicUsize::new(0);
    let stop = move || {
        if times.fetch_add(1, Ordering::Relaxed) >= 2 || outbox.send(Message::Stop).is_err() {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(stop).map_err(|e| Error::new(ErrorKind::Internal, "can't handle signals").with_source(e))
}

/// Shows the next times of each pipeline.
fn list(folder: &Folder, events: &[Event], now: DateTime<Utc>, as_json: bool) -> Result<()> {
    let mut rows = Vec::new();
    for pipeline in folder.pipelines() {
        let Some(schedule) = &pipeline.schedule else { continue };
        let zone: chrono_tz::Tz = schedule.timezone.parse().unwrap_or(chrono_tz::UTC);
        let next = Times::of(schedule)?.upcoming(now, LISTED);
        rows.push((pipeline.clone(), schedule.clone(), zone, next));
    }
    rows.sort_by_key(|(pipeline, _, _, next)| (next.first().copied(), pipeline.name.clone()));
    let catch_up = |choice| if choice == CatchUp::Once { "once" } else { "skip" };
    if as_json {
        let utc = |time: &DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let document = rows.iter().map(|(pipeline, schedule, _, next)| {
            json!({
                "pipeline": pipeline.name,
                "file": pipeline.path,
                "cron": schedule.cron,
                "timezone": schedule.timezone,
                "catch_up": catch_up(schedule.catch_up),
                "next": next.iter().map(utc).collect::<Vec<_>>(),
            })
        });
        print_json_text(&serde_json::Value::from_iter(document).to_string())?;
    } else if rows.is_empty() {
        say(&format!("no pipeline in {} has a schedule", folder.path().display()));
    } else {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED);
        table.set_header(["pipeline", "cron", "time zone", "catch up", "next times, there"]);
        for (pipeline, schedule, zone, next) in &rows {
            let there = |time: &DateTime<Utc>| time.with_timezone(zone).format("%a %Y-%m-%d %H:%M %z").to_string();
            let times = next.iter().map(there).collect::<Vec<_>>().join("\n");
            table.add_row([&pipeline.name, &schedule.cron, &schedule.timezone, catch_up(schedule.catch_up), &times]);
        }
        print(&table.to_string(), false)?;
    }
    let errors: Vec<&str> =
        events.iter().filter_map(|event| if let Event::Invalid { error, .. } = event { Some(error.as_str()) } else { None }).collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::of_lines(ErrorKind::Format, errors.join("\n"))) }
}
