//! `etl schedule`: a process that runs pipelines, is looked at over HTTP, and stops when it is told to.

use crate::etl::Etl;
use crate::lake::APPEND;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command};
use std::time::{Duration, Instant};

/// The process, and what it tells.
struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Process {
    fn start(etl: &Etl, arguments: &str) -> Process {
        let mut child = etl.command(["schedule"].into_iter().chain(arguments.split_whitespace())).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Process { child, lines }
    }

    /// The next event of this name; others before it are passed over.
    fn event(&mut self, name: &str) -> Value {
        let mut seen = String::new();
        loop {
            let start = seen.len();
            if self.lines.read_line(&mut seen).unwrap() == 0 {
                let mut said = String::new();
                self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("no event {name} in {seen} ({said})");
            }
            let event: Value = serde_json::from_str(&seen[start..]).unwrap();
            if event["event"] == name {
                return event;
            }
        }
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap().success());
    }

    fn ends(mut self) -> Option<i32> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().unwrap();
        panic!("it doesn't end");
    }
}

/// The status and the body of what is answered at `path`.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_string())
}

/// A pipeline in the folder `pipelines` that last ran long ago.
fn long_ago(catch_up: &str) -> Etl {
    let etl = Etl::new();
    etl.write(
        "pipelines/weblogs.yaml",
        format!("{APPEND}\nschedule: {{cron: '0 3 1 1 *', timezone: Europe/Berlin, catch_up: {catch_up}}}\n"),
    );
    etl.log("pipelines/logs/a.log", 1000);
    etl.write("state.json", r#"{"version":1,"pipelines":{"weblogs":"2020-06-01T00:00:00Z"}}"#);
    etl
}

#[test]
fn a_run_that_was_missed_is_caught_up_and_a_signal_ends_the_process() {
    let etl = long_ago("once");
    let mut process = Process::start(&etl, "pipelines --json --state state.json --listen 127.0.0.1:0");
    let address = process.event("listening")["address"].as_str().unwrap().to_string();
    assert!(process.event("loaded")["next"].as_str().unwrap().ends_with("-01-01T02:00:00Z"));
    assert_eq!(process.event("missed")["caught_up"], true);
    let finished = process.event("finished");
    assert_eq!((&finished["status"], &finished["rows"]), (&"published".into(), &1000.into()), "{finished}");

    assert_eq!(get(&address, "/healthz"), (200, "ok\n".to_string()));
    let (status, page) = get(&address, "/metrics");
    assert_eq!(status, 200);
    for line in [
        "etl_up 1",
        "etl_schedule_pipelines 1",
        "etl_schedule_invalid_files 0",
        r#"etl_schedule_runs_total{pipeline="weblogs",status="published"} 1"#,
        r#"etl_schedule_rows_total{pipeline="weblogs"} 1000"#,
        r#"etl_schedule_running{pipeline="weblogs"} 0"#,
        r#"etl_schedule_skipped_overlaps_total{pipeline="weblogs"} 0"#,
        "# TYPE etl_schedule_next_run_timestamp_seconds gauge",
        "# TYPE etl_schedule_last_success_timestamp_seconds gauge",
        "# TYPE etl_schedule_last_run_duration_seconds gauge",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in {page}");
    }
    assert_eq!(get(&address, "/").0, 404);

    process.signal("TERM");
    process.event("stopping");
    process.event("stopped");
    assert_eq!(process.ends(), Some(0));
    // The next process has nothing to catch up.
    let mut process = Process::start(&etl, "pipelines --json --state state.json");
    process.event("loaded");
    process.signal("INT");
    assert_eq!(process.event("stopping")["running"], 0);
    assert_eq!(process.ends(), Some(0));
    let report = etl.run_pipeline("pipelines/weblogs.yaml", 0);
    assert_eq!(report["status"], "up_to_date");
}

#[test]
fn a_run_at_work_ends_before_the_process_does_unless_it_is_told_twice() {
    let etl = long_ago("once");
    etl.log("pipelines/logs/b.log", 150_000);
    let kept = etl.read("state.json");
    let mut process = Process::start(&etl, "pipelines --json --state state.json --threads 1");
    process.event("started");
    process.signal("TERM");
    // Signals that come at once may be one.
    process.event("stopping");
    process.signal("TERM");
    assert_eq!(process.event("finished")["status"], "interrupted");
    assert_eq!(process.ends(), Some(130));
    // Nothing of it is seen, and it is still to be done.
    assert_eq!(etl.read("state.json"), kept);
    let mut process = Process::start(&etl, "pipelines --json --state state.json");
    process.event("started");
    process.signal("TERM");
    assert_eq!(process.event("stopping")["running"], 1);
    assert_eq!(process.event("finished")["rows"], 151_000);
    process.event("stopped");
    assert_eq!(process.ends(), Some(0));
}

#[test]
fn files_are_read_again_and_a_mistake_keeps_what_was() {
    let etl = long_ago("skip");
    let mut process = Process::start(&etl, "pipelines --json --listen 127.0.0.1:0");
    let address = process.event("listening")["address"].as_str().unwrap().to_string();
    process.event("loaded");
    etl.write("pipelines/weblogs.yaml", "name: weblogs\nsources: 7\n");
    let invalid = process.event("invalid");
    assert_eq!(invalid["last_good_version_kept"], true);
    assert!(invalid["error"].as_str().unwrap().contains("weblogs.yaml:2:"), "{invalid}");
    let (_, page) = get(&address, "/metrics");
    assert!(page.contains("etl_schedule_invalid_files 1\n") && page.contains("etl_schedule_pipelines 1\n"), "{page}");
    etl.write("pipelines/weblogs.yaml", format!("{APPEND}\nschedule: '30 4 * * *'\n"));
    assert_eq!(process.event("loaded")["cron"], "30 4 * * *");
    std::fs::remove_file(etl.path("pipelines/weblogs.yaml")).unwrap();
    assert_eq!(process.event("removed")["pipeline"], "weblogs");
    process.signal("TERM");
    assert_eq!(process.ends(), Some(0));
}

#[test]
fn next_times_are_listed() {
    let etl = long_ago("once");
    etl.write("pipelines/other.yaml", APPEND.replace("name: weblogs", "name: other"));
    let listed: Value = serde_json::from_slice(&etl.etl("schedule pipelines --list --json").ok().stdout).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["pipeline"], &listed[0]["catch_up"]), (1, &"weblogs".into(), &"once".into()));
    assert_eq!(listed[0]["next"].as_array().unwrap().len(), 3);
    let shown = String::from_utf8(etl.etl("schedule pipelines --list").ok().stdout).unwrap();
    assert!(shown.contains("0 3 1 1 *") && shown.contains("-01-01 03:00 +0100"), "{shown}");

    etl.write("pipelines/wrong.yaml", "name: [\n");
    let outcome = etl.etl("schedule pipelines --list").fails(2).says("wrong.yaml");
    assert!(String::from_utf8(outcome.stdout).unwrap().contains("weblogs"));
    etl.etl("schedule nowhere").fails(3).says("nowhere");
    etl.etl("schedule pipelines --parallel 0").fails(2);
    etl.etl("schedule pipelines --listen 203.0.113.1:1").fails(2).says("can't listen at 203.0.113.1:1");
}

/// The process that runs a pipeline for `parent`.
fn run_of(parent: u32) -> u32 {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        for task in std::fs::read_dir(format!("/proc/{parent}/task")).unwrap().flatten() {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            if let Some(child) = children.split_whitespace().next() {
                return child.parse().unwrap();
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no run was started");
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success());
}

#[test]
fn a_run_that_is_killed_ends_alone_and_is_told() {
    let etl = long_ago("once");
    etl.log("pipelines/logs/b.log", 400_000);
    etl.write(
        "pipelines/other.yaml",
        format!(
            "{}\nschedule: {{cron: '0 3 1 1 *', catch_up: once}}\n",
            APPEND.replace("name: weblogs", "name: other").replace("weblogs.access", "other.access")
        ),
    );
    etl.write("state.json", r#"{"version":1,"pipelines":{"weblogs":"2020-06-01T00:00:00Z","other":"2020-06-01T00:00:00Z"}}"#);
    let mut process = Process::start(&etl, "pipelines --json --state state.json --threads 1 --listen 127.0.0.1:0");
    let address = process.event("listening")["address"].as_str().unwrap().to_string();
    let started = process.event("started")["pipeline"].clone();
    let run = run_of(process.child.id());
    // It has begun when it has a folder to work in.
    let start = Instant::now();
    while !etl.path("pipelines/lake/_etl/work").exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "it does nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(run);
    let finished = process.event("finished");
    assert_eq!((&finished["status"], &finished["pipeline"]), (&"killed".into(), &started), "{finished}");
    assert!(finished["error"].as_str().unwrap().contains("signal 9 (SIGKILL"), "{finished}");
    // The other one is run all the same.
    assert_ne!(process.event("started")["pipeline"], started);
    assert_eq!(process.event("finished")["status"], "published");
    let page = get(&address, "/metrics").1;
    assert!(page.contains(&format!("etl_schedule_runs_total{{pipeline={started},status=\"killed\"}} 1")), "{page}");
    process.signal("TERM");
    assert_eq!(process.ends(), Some(0));
    let report = etl.run_pipeline(&format!("pipelines/{}.yaml", started.as_str().unwrap()), 0);
    assert_eq!(report["status"], "published");
    assert!(report["notes"].to_string().contains("cleaned up after run"), "{report}");
}

#[test]
fn runs_end_with_the_process_that_started_them() {
    let etl = long_ago("once");
    etl.log("pipelines/logs/b.log", 400_000);
    let mut process = Process::start(&etl, "pipelines --json --state state.json --threads 1");
    process.event("started");
    let run = run_of(process.child.id());
    kill(process.child.id());
    process.child.wait().unwrap();
    let start = Instant::now();
    // What has ended and was not waited for yet has no memory any more.
    while std::fs::read_to_string(format!("/proc/{run}/status")).is_ok_and(|status| status.contains("VmRSS")) {
        assert!(start.elapsed() < Duration::from_secs(10), "it goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_file_with_a_mistake_is_run_as_it_was() {
    let etl = long_ago("once");
    let long = APPEND.replace("name: weblogs", "name: aaa").replace("weblogs.access", "aaa.access").replace("logs/*", "long/*");
    etl.write("pipelines/aaa.yaml", format!("{long}\nschedule: {{cron: '0 3 1 1 *', catch_up: once}}\n"));
    etl.log("pipelines/long/a.log", 600_000);
    etl.write("state.json", r#"{"version":1,"pipelines":{"weblogs":"2020-06-01T00:00:00Z","aaa":"2020-06-01T00:00:00Z"}}"#);
    let mut process = Process::start(&etl, "pipelines --json --state state.json --threads 1");
    // While one runs, the file of the other that waits for its turn becomes a wrong one.
    assert_eq!(process.event("started")["pipeline"], "aaa");
    etl.write("pipelines/weblogs.yaml", "name: weblogs\nsources: 7\n");
    process.event("started");
    let finished = process.event("finished");
    assert_eq!((&finished["pipeline"], &finished["status"], &finished["rows"]), (&"weblogs".into(), &"published".into(), &1000.into()));
    process.signal("TERM");
    assert_eq!(process.ends(), Some(0));
}

#[test]
fn half_a_request_keeps_nobody_from_the_files_it_needs() {
    let etl = long_ago("once");
    let mut command = Command::new("sh");
    let program = super::etl::program().display().to_string();
    command.args(["-c", &format!("ulimit -n 256; exec {program} schedule pipelines --json --state state.json --listen 127.0.0.1:0")]);
    command.current_dir(etl.path("")).stdin(std::process::Stdio::null());
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    let mut process = Process { child, lines };
    let address = process.event("listening")["address"].as_str().unwrap().to_string();
    // More than the process may have files open, and more than fit into the queue.
    let target: std::net::SocketAddr = address.parse().unwrap();
    let half: Vec<TcpStream> = (0..400)
        .map_while(|_| {
            let mut stream = TcpStream::connect_timeout(&target, Duration::from_millis(300)).ok()?;
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n").ok()?;
            Some(stream)
        })
        .collect();
    assert!(half.len() > 100, "{}", half.len());
    let finished = process.event("finished");
    assert_eq!(finished["status"], "published", "{finished}");
    drop(half);
    // When the time of the half ones is over, others are served.
    assert_eq!(get(&address, "/healthz").0, 200);
    process.signal("TERM");
    assert_eq!(process.ends(), Some(0));
}
