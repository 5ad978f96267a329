//! How figures, times and states are put in words, and how text that others wrote is made safe to look at.

use crate::catalog::{Change, Registered};
use crate::pipeline::{Action, CheckEngine, CheckRun, OutputRun, RunReport, RunStatus, Severity, SourceRun, When};
use crate::printable::printable;
pub(super) use crate::units::counted;
use crate::units::{ByteSize, Throughput, count};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// What repaired lines are.
pub(super) const REPAIRED: &str = "NUL bytes or a byte order mark before the line are ignored";

/// As [`printable`], and the first `most` characters of it.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let mut rest = text.chars();
    let start: String = rest.by_ref().take(most).collect();
    match rest.count() {
        0 => printable(&start).into_owned(),
        more => format!("{}… ({} more)", printable(&start), counted(more as u64, "character")),
    }
}

/// `0.34 s`, `12.5 s`, `2 min 05 s`, `1 h 02 min`.
pub(super) fn duration(seconds: f64) -> String {
    // Clocks may be set back in a run.
    let seconds = seconds.max(0.0);
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 59.95 => format!("{s:.1} s"),
        _ if whole < 3_600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// To the second.
pub(super) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `18.0%`; nothing where there is no whole.
pub(super) fn share(part: u64, whole: u64) -> Option<String> {
    let percent = part as f64 / whole as f64 * 100.0;
    // What is there is not shown as nothing.
    let small = part > 0 && percent < 0.05;
    (whole > 0).then(|| if small { "<0.1%".to_string() } else { format!("{percent:.1}%") })
}

/// Bytes of input a second; nothing where nothing was read or no time passed.
pub(super) fn throughput(bytes: u64, seconds: f64) -> Option<Throughput> {
    let elapsed = Duration::try_from_secs_f64(seconds).ok()?;
    Some(Throughput::new(bytes, elapsed)).filter(|speed| speed.0 > 0.0)
}

/// `3 new, 1 changed, 10 unchanged`.
pub(super) fn files(source: &SourceRun) -> String {
    let all = [
        (source.files_new, "new"),
        (source.files_grown, "grown"),
        (source.files_changed, "changed"),
        (source.files_unchanged, "unchanged"),
        (source.files_removed, "removed"),
    ];
    let some: Vec<String> = all.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n))).collect();
    if some.is_empty() { "none".to_string() } else { some.join(", ") }
}

/// `1.2 MB in 3 files, 20,000 rows`.
pub(super) fn holding(files: u64, rows: u64, bytes: u64) -> String {
    if files == 0 && rows == 0 && bytes == 0 {
        return "nothing".to_string();
    }
    format!("{} in {}, {}", ByteSize(bytes), counted(files, "file"), counted(rows, "row"))
}

/// How a run ended, in a few words.
pub(super) fn outcome(report: &RunReport) -> String {
    if let Some(to) = &report.rolled_back_to {
        return format!("rolled back to {}", printable(to));
    }
    if report.renamed.is_some() {
        return "table renamed".to_string();
    }
    if report.outputs.is_empty() && report.status == RunStatus::Published {
        match report.dropped.len() {
            0 => {}
            1 => return "table dropped".to_string(),
            _ => return "tables dropped".to_string(),
        }
    }
    let status = match report.status {
        RunStatus::Published => "published",
        RunStatus::UpToDate => "up to date",
        RunStatus::ChecksFailed => "checks failed, not published",
        RunStatus::PublishedChecksFailed => "published, checks failed",
        RunStatus::PublishedNotRegistered => "published, Glue is behind",
        RunStatus::TakenBack => "published, checks failed, rolled back",
        RunStatus::Failed => "failed, not published",
        RunStatus::Interrupted => "interrupted, not published",
    };
    match Mood::of_run(report) {
        Mood::Warning if report.status != RunStatus::Interrupted => {
            let warnings = report.checks.iter().filter(|check| !check.passed).count() as u64;
            format!("{status} with {}", counted(warnings, "warning"))
        }
        _ => status.to_string(),
    }
}

/// Whether it ended well, all but, or badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Warning,
    Bad,
}

impl Mood {
    /// Of a run.
    pub(super) fn of_run(report: &RunReport) -> Mood {
        match report.status {
            RunStatus::Published | RunStatus::UpToDate if report.checks.iter().any(|check| !check.passed) => Mood::Warning,
            RunStatus::Published | RunStatus::UpToDate => Mood::Good,
            RunStatus::Interrupted => Mood::Warning,
            RunStatus::ChecksFailed
            | RunStatus::PublishedChecksFailed
            | RunStatus::PublishedNotRegistered
            | RunStatus::TakenBack
            | RunStatus::Failed => Mood::Bad,
        }
    }

    /// Of a check.
    pub(super) fn of_check(check: &CheckRun) -> Mood {
        match (check.passed, check.severity) {
            (true, _) => Mood::Good,
            (false, Severity::Warn) => Mood::Warning,
            (false, Severity::Fail) => Mood::Bad,
        }
    }
}

/// What a readers' catalog was told of a table.
pub(super) fn registered(told: &Registered) -> String {
    let change = match told.change {
        Change::Created => "created",
        Change::Updated => "updated",
        Change::Unchanged => "as it was",
        Change::Later => "another run registered a later version",
    };
    let partitions = [(told.created, "registered"), (told.updated, "moved"), (told.deleted, "taken away")];
    let some =
        partitions.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{} {what}", counted(*number, "partition")));
    std::iter::once(change.to_string()).chain(some).collect::<Vec<_>>().join(", ")
}

/// What happened to a table.
pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Replaced => "replaced",
        Action::Appended => "appended",
        Action::Updated => "updated",
        Action::Altered => "altered",
        Action::RolledBack => "rolled back",
        Action::Unchanged => "unchanged",
        Action::Discarded => "discarded",
    }
}

/// How many tables a sentence names.
const NAMED: usize = 3;

/// What happened, and to which tables, in a sentence or two.
pub(super) fn sentence(report: &RunReport) -> String {
    let changed: Vec<_> = report.outputs.iter().filter(|output| output.action != Action::Unchanged).collect();
    let more = |clauses: Vec<String>| {
        let others = changed.len().saturating_sub(NAMED) as u64;
        let others = (others > 0).then(|| format!("and so on for {}", counted(others, "more table")));
        clauses.into_iter().chain(others).collect::<Vec<_>>().join("; ")
    };
    let rejects: u64 = report.sources.iter().map(|source| source.rejects).sum();
    let rejected = if rejects > 0 { format!(" {} rejected.", counted(rejects, "line")) } else { String::new() };
    if !report.status.is_published() {
        let names: Vec<String> = changed.iter().take(NAMED).map(|output| printable(&output.table).into_owned()).collect();
        let tables = if names.is_empty() { "all tables are".to_string() } else { format!("{} is", more(names)) };
        return format!("Nothing was published: {tables} as before.{rejected}");
    }
    let clauses: Vec<String> = changed.iter().take(NAMED).map(|output| clause(output)).collect();
    if clauses.is_empty() { format!("No table has changed.{rejected}") } else { format!("{}.{rejected}", more(clauses)) }
}

/// What happened to a table.
fn clause(output: &OutputRun) -> String {
    let name = printable(&output.table);
    let (rows, all) = (counted(output.rows, "row"), counted(output.total_rows, "row"));
    let before = output.rows_before.map(|rows| format!(", before {}", count(rows))).unwrap_or_default();
    match output.action {
        Action::Created => format!("{name} is new, with {all}"),
        Action::Replaced => format!("{name} was rebuilt and has {all}{before}"),
        Action::Appended => format!("{name} got {rows} and has {all}{before}"),
        Action::Updated => format!("{name} had rows replaced and has {all}{before}"),
        Action::Altered => format!("{name} has a new description"),
        Action::RolledBack => format!("{name} was restored and has {all}"),
        Action::Unchanged | Action::Discarded => format!("{name} is as before"),
    }
}

/// When a check ran, and where.
pub(super) fn when(check: &CheckRun) -> &'static str {
    match (check.when, check.engine) {
        (When::BeforePublish, _) => "before publishing",
        (When::AfterPublish, CheckEngine::Local) => "after publishing",
        (When::AfterPublish, CheckEngine::Athena) => "after publishing, in Athena",
        (When::AfterPublish, CheckEngine::Both) => "after publishing, here and in Athena",
    }
}

/// What became of a run's source files, where nothing was to be done: `nothing changed in 12 files of 2 sources`.
pub(super) fn nothing_to_do(report: &RunReport) -> String {
    if report.sources.is_empty() {
        return "none of the tables that it reads has changed since the last run".to_string();
    }
    let files = report.sources.iter().map(|s| s.files_unchanged + s.files_new + s.files_grown + s.files_changed).sum();
    let sources = counted(report.sources.len() as u64, "source");
    format!("nothing changed in {} of {sources} since the last run", counted(files, "file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        let shown = [0.0, 0.344, 9.99, 12.34, 59.97, 125.4, 3_725.0, -3.0].map(duration);
        assert_eq!(shown, ["0.00 s", "0.34 s", "9.99 s", "12.3 s", "1 min 00 s", "2 min 05 s", "1 h 02 min", "0.00 s"]);
        assert_eq!((share(18, 100).as_deref(), share(1, 0)), (Some("18.0%"), None));
        assert_eq!((share(1, 1_000_000).as_deref(), share(0, 9).as_deref()), (Some("<0.1%"), Some("0.0%")));
        assert_eq!(throughput(1_000_000, 0.5).map(|t| t.to_string()).as_deref(), Some("2.0 MB/s"));
        assert_eq!((throughput(1, 0.0), throughput(0, 1.0), throughput(1, f64::NAN)), (None, None, None));
        assert_eq!(files(&SourceRun { files_new: 3, files_unchanged: 1_000, ..SourceRun::default() }), "3 new, 1,000 unchanged");
        assert_eq!(files(&SourceRun::default()), "none");
        assert_eq!((counted(1, "file"), counted(0, "file")), ("1 file".to_string(), "0 files".to_string()));
    }

    #[test]
    fn text_of_others_controls_nothing() {
        assert_eq!(shortened("äöü\u{0}", 2), "äö… (2 characters more)");
        assert_eq!(shortened("äö\u{0}", 3), "äö\\u{0}");
    }
}
