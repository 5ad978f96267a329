//! Runs of `etl schedule`, each as a process of its own: what ends a process, as a memory that is full does, ends one run.

use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{Pipeline, RunReport};
use crate::schedule::{Ended, INTERRUPTED, Runner};
use crate::secrets::redact;
use crate::units::ByteSize;
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it is looked whether the process has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long a run that was told to stop may take for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a report that are read; a longer one counts as none.
const REPORT: u64 = 64 << 20;
/// Bytes that are kept of what a run said last.
const SAID: usize = 8 << 10;

/// Ends this process when the one that started it does, which has the number `parent`.
///
/// # Errors
/// [`ErrorKind::Interrupted`] where that has ended already.
pub(super) fn end_with(parent: i32) -> Result<()> {
    let set = set_parent_process_death_signal(Some(Signal::KILL));
    set.map_err(|e| Error::new(ErrorKind::Internal, "can't end with another process").with_source(e))?;
    // Who had ended before that was set will send no signal.
    match getppid().is_some_and(|found| found.as_raw_nonzero().get() == parent) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Interrupted, "the process that started this run has ended")),
    }
}

/// Runs pipelines as `etl run` does.
pub(super) struct ChildRunner {
    program: PathBuf,
    threads: usize,
    memory: ByteSize,
    /// How buckets are reached, as arguments.
    store: Vec<String>,
}

impl ChildRunner {
    /// A runner that gives each run `threads` and `memory`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where this program can't be found.
    pub(super) fn new(threads: usize, memory: ByteSize, store: Vec<String>) -> Result<ChildRunner> {
        let program = std::env::current_exe();
        let program = program.map_err(|e| Error::new(ErrorKind::Internal, "can't find the etl program").with_source(e))?;
        Ok(ChildRunner { program, threads, memory, store })
    }

    fn start(&self, pipeline: &Pipeline) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg("run").args(&self.store).arg("--json");
        command.arg(format!("--threads={}", self.threads)).arg(format!("--memory={}", self.memory.0));
        command.arg(format!("--child-of={}", std::process::id())).arg("--").arg(&pipeline.path);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the scheduler, which lets runs end.
        command.process_group(0);
        command.spawn()
    }
}

impl Runner for ChildRunner {
    fn run(&self, pipeline: &Pipeline, cancel: &Arc<AtomicBool>) -> Ended {
        let started = Instant::now();
        let done = self.start(pipeline).and_then(|child| follow(child, &pipeline.text, cancel, PATIENCE));
        match done {
            Ok(done) => done.ended(started.elapsed()),
            Err(error) => Ended::without_report("failed", &format!("no process could be started: {error}"), started.elapsed()),
        }
    }
}

/// What the scheduler did to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    No,
    /// It was told to stop.
    Told,
    /// It was told, didn't, and was ended.
    Ended,
}

/// A process that has ended.
struct Done {
    status: ExitStatus,
    stopped: Stopped,
    report: Option<RunReport>,
    said: String,
}

/// Gives `text` to a process, tells it to stop where `cancel` says so, for which it may take `patience`, and waits for its end.
fn follow(mut child: Child, text: &str, cancel: &AtomicBool, patience: Duration) -> std::io::Result<Done> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        // A process that ends before it has read all says why.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(text.as_bytes())));
        let report = scope.spawn(move || stdout.and_then(report));
        let said = scope.spawn(move || stderr.map(last).unwrap_or_default());
        let waited = wait(&mut child, cancel, patience);
        if waited.is_err() {
            // Nobody may be left who writes to what is read here.
            let _ = child.kill();
        }
        let (report, said) = (report.join().ok().flatten(), said.join().unwrap_or_default());
        waited.map(|(status, stopped)| Done { status, stopped, report, said })
    })
}

fn wait(child: &mut Child, cancel: &AtomicBool, patience: Duration) -> std::io::Result<(ExitStatus, Stopped)> {
    let mut told: Option<Instant> = None;
    let mut stopped = Stopped::No;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, stopped));
        }
        match told {
            None if cancel.load(Ordering::Relaxed) => {
                (told, stopped) = (Some(Instant::now()), Stopped::Told);
                let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                // One that has ended needs no signal.
                let _ = process.map(|process| kill_process(process, Signal::INT));
            }
            Some(since) if since.elapsed() > patience => {
                stopped = Stopped::Ended;
                child.kill()?;
            }
            _ => {}
        }
        std::thread::sleep(LOOK);
    }
}

/// The report that is all of `stdout`.
fn report(mut stdout: impl Read) -> Option<RunReport> {
    let mut bytes = Vec::new();
    let read = stdout.by_ref().take(REPORT).read_to_end(&mut bytes);
    // Whoever writes more must not wait for ever.
    let _ = std::io::copy(&mut stdout, &mut std::io::sink());
    read.ok().and_then(|_| serde_json::from_slice(&bytes).ok())
}

/// The last of what is said.
fn last(mut stderr: impl Read) -> String {
    let (mut kept, mut buffer) = (VecDeque::new(), [0; 4096]);
    while let Ok(read @ 1..) = stderr.read(&mut buffer) {
        kept.extend(&buffer[..read]);
        kept.drain(..kept.len().saturating_sub(SAID));
    }
    String::from_utf8_lossy(&Vec::from(kept)).trim().to_string()
}

impl Done {
    fn ended(self, took: Duration) -> Ended {
        let said = redact(&self.said);
        let said = said.strip_prefix("error: ").unwrap_or(&said);
        if let Some(signal) = self.status.signal() {
            let status = if self.stopped == Stopped::No { "killed" } else { INTERRUPTED };
            let who = match self.stopped {
                Stopped::Ended if signal == Signal::KILL.as_raw() => {
                    let patience = PATIENCE.as_secs();
                    format!("the scheduler, which was told to stop at once: the run didn't stop by itself within {patience} s")
                }
                Stopped::Told | Stopped::Ended if signal == Signal::INT.as_raw() => {
                    "the scheduler, which was told to stop at once".to_string()
                }
                _ => name(signal),
            };
            let mut why = format!("the run's process was killed by {who}; the next run cleans up after it");
            if !said.is_empty() {
                why.push_str(&format!("; its last output: {said}"));
            }
            return Ended::without_report(status, &why, took);
        }
        let interrupted = self.status.code() == Some(i32::from(ErrorKind::Interrupted.exit_code()));
        match self.report {
            Some(report) => Ended::of(&report, interrupted),
            None if interrupted => Ended::without_report(INTERRUPTED, said, took),
            None if said.is_empty() => Ended::without_report("failed", &format!("the run's process ended: {}", self.status), took),
            None => Ended::without_report("failed", said, took),
        }
    }
}

/// A signal's name, and what it mostly means.
fn name(signal: i32) -> String {
    let known = match signal {
        6 => "SIGABRT, for example because of a stack overflow or lack of memory",
        7 => "SIGBUS",
        9 => "SIGKILL, for example because memory ran out",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => "",
    };
    if known.is_empty() { format!("signal {signal}") } else { format!("signal {signal} ({known})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(script: &str, cancel: bool) -> Ended {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        // Time to say what becomes of signals.
        std::thread::sleep(Duration::from_millis(300));
        follow(child, "", &AtomicBool::new(cancel), Duration::from_millis(200)).unwrap().ended(Duration::ZERO)
    }

    #[test]
    fn who_ended_a_run_is_told() {
        let told = |ended: &Ended| ended.error.clone().unwrap_or_default();
        let by_us = ended("trap '' INT; exec sleep 60", true);
        assert_eq!(by_us.status, INTERRUPTED);
        assert!(told(&by_us).contains("was killed by the scheduler, which was told to stop at once: the run didn't"), "{by_us:?}");
        assert!(!told(&by_us).contains("memory"), "{by_us:?}");
        let by_others = ended("kill -KILL $$", false);
        assert_eq!(by_others.status, "killed");
        assert!(told(&by_others).contains("signal 9 (SIGKILL, for example because memory"), "{by_others:?}");
        // One that was told to stop, and was then ended by somebody else.
        let done = |signal| Done { status: ExitStatus::from_raw(signal), stopped: Stopped::Told, report: None, said: String::new() };
        assert!(told(&done(9).ended(Duration::ZERO)).contains("signal 9"));
        assert!(told(&done(2).ended(Duration::ZERO)).contains("by the scheduler, which was told to stop at once;"));
    }
}
