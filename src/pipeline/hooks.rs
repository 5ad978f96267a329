//! Tells others of a run when it has ended: by a command, or by a POST. That it can't is a note, and changes nothing of the run.

use super::model::{Hook, Pipeline};
use super::run_report::{RunReport, RunStatus};
use crate::error::{Error, ErrorKind, Result};
use crate::publish::keys;
use crate::query::Runtime;
use crate::secrets;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest that a command may take, and an answer.
const COMMAND: Duration = Duration::from_secs(300);
const ANSWER: Duration = Duration::from_secs(30);
/// How often it is looked whether a command has ended.
const BLINK: Duration = Duration::from_millis(20);

/// Tells who `pipeline` says of the run with this report, which ended with `error`; gives what could not be told. Of a run that somebody
/// interrupted, or that found nothing to do, nobody is told.
pub fn tell_hooks(pipeline: &Pipeline, report: &RunReport, error: Option<&Error>) -> Vec<String> {
    let (name, hooks) = match (error, report.status) {
        (Some(error), _) if error.kind() == ErrorKind::Interrupted => return Vec::new(),
        (Some(_), _) => ("on_failure", &pipeline.hooks.on_failure),
        (None, RunStatus::Published) => ("on_success", &pipeline.hooks.on_success),
        (None, _) => return Vec::new(),
    };
    if hooks.is_empty() {
        return Vec::new();
    }
    let told = |hook: &Hook| {
        let text =
            serde_json::to_string(report).map_err(|e| Error::new(ErrorKind::Internal, "a report can't be written as JSON").with_source(e));
        let text = secrets::redact_json(&text?);
        match hook {
            Hook::Command(command) => run(command, pipeline, report, text),
            Hook::Webhook(address) => post(address, text),
        }
    };
    let failed = hooks.iter().filter_map(|hook| told(hook).err());
    failed.map(|error| format!("{name}: {}", secrets::redact(&error.to_string()))).collect()
}

/// Runs `command` with the report on its standard input. What it writes goes to standard error.
fn run(command: &str, pipeline: &Pipeline, report: &RunReport, text: String) -> Result<()> {
    let folder = Path::new(&pipeline.path).parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let status = serde_json::to_value(report.status).unwrap_or_default();
    let page = format!("{}/{}/report.html", report.lake, keys::run_folder(&pipeline.name, &report.run));
    let failed = |what: &str| Error::new(ErrorKind::Internal, format!("the command {what}"));
    let mut child = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("ETL_PIPELINE", &pipeline.name)
        .env("ETL_RUN", &report.run)
        .env("ETL_STATUS", status.as_str().unwrap_or_default())
        .env("ETL_LAKE", &report.lake)
        .env("ETL_REPORT", page)
        .stdin(Stdio::piped())
        .stdout(std::io::stderr())
        .spawn()
        .map_err(|e| failed("can't be started").with_source(e))?;
    if let Some(mut input) = child.stdin.take() {
        // It needs not read all, or any, of it; and who waits for it here would wait for ever where it reads nothing and doesn't end.
        std::thread::spawn(move || drop(input.write_all(text.as_bytes())));
    }
    match ended(&mut child, COMMAND).map_err(|e| failed("can't be waited for").with_source(e))? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(failed(&format!("ended with {status}"))),
        None => Err(failed(&format!("ran for {} minutes, and was stopped", COMMAND.as_secs() / 60))),
    }
}

/// How `child` ends within `limit`; it is killed where it doesn't.
fn ended(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(BLINK);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// Sends the report to `address`, of which only the host is told to anybody: the rest often is a secret.
fn post(address: &str, text: String) -> Result<()> {
    let host = url::Url::parse(address).ok().and_then(|url| url.host_str().map(ToString::to_string)).unwrap_or_default();
    let failed = |what: String| Error::new(ErrorKind::Internal, format!("the webhook at {host} {what}"));
    Runtime::new(1)?.block_on(|| async {
        let unreached = |error: reqwest::Error| failed("can't be reached".to_string()).with_source(error.without_url());
        let agent = concat!("etl/", env!("CARGO_PKG_VERSION"));
        let client = reqwest::Client::builder().timeout(ANSWER).user_agent(agent).build().map_err(unreached)?;
        let answer = client.post(address).header("content-type", "application/json").body(text).send().await.map_err(unreached)?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(failed(format!("answered {status}"))),
        }
    })
}
