//! A plan as people read it.

use crate::pipeline::{Action, ColumnPlan, OutputPlan, Plan, ReaderPlan};
use crate::printable::{printable, printable_lines};
use crate::units::{ByteSize, count, counted};
use std::fmt::Write;

const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "31";
const DIM: &str = "2";

/// The plan as text; with `colour` for a terminal.
pub(super) fn plan_text(plan: &Plan, colour: bool) -> String {
    let mut text = format!("{} on {}\n", printable(&plan.pipeline), printable(&plan.lake));
    for source in &plan.sources {
        let files = if source.files == 1 { "file" } else { "files" };
        let _ = writeln!(text, "  source {}: {} {files}, {}", source.name, count(source.files), ByteSize(source.bytes));
    }
    for output in &plan.outputs {
        text.push('\n');
        output_text(output, colour, &mut text);
    }
    for name in &plan.dropped {
        let _ = writeln!(
            text,
            "\n{}: no output writes it any more; its files stay until a vacuum",
            painted(&format!("- drop {name}"), RED, colour)
        );
    }
    if !plan.policies.is_empty() || !plan.access.is_empty() || !plan.lake_formation.is_empty() || !plan.findings.is_empty() {
        let _ = writeln!(
            text,
            "\naccess policies: {}",
            if plan.policies.is_empty() { "unchanged".to_string() } else { format!("publish {}", plan.policies.join(", ")) }
        );
        for change in &plan.access {
            let (sign, paint) = if change.after > change.before { ("+", GREEN) } else { ("-", RED) };
            let _ = writeln!(text, "  {}", painted(&format!("{sign} {change}"), paint, colour));
        }
        if plan.access.is_empty() {
            text.push_str("  nobody gains or loses access\n");
        }
        for step in &plan.lake_formation {
            let _ = writeln!(text, "  Lake Formation: {}", painted(step, YELLOW, colour));
        }
        for finding in &plan.findings {
            let (what, paint) = if finding.is_error { ("refused", RED) } else { ("warning", YELLOW) };
            let shown = printable_lines(&finding.pointed()).replace('\n', "\n  ");
            let _ = writeln!(text, "  {} {shown}", painted(&format!("{what}:"), paint, colour));
        }
    }
    for note in &plan.notes {
        let _ = writeln!(text, "note: {}", printable(note));
    }
    let changed = plan.outputs.iter().filter(|output| output.action != Action::Unchanged).count();
    let drifted = plan.outputs.iter().filter(|output| output.is_otherwise()).count();
    let summary = match (changed, drifted) {
        (0, 0) if !plan.dropped.is_empty() => format!("{} would be dropped", counted(plan.dropped.len() as u64, "table")),
        (0, 0) if !plan.policies.is_empty() => "only access policies would change".to_string(),
        (0, 0) => "nothing to do".to_string(),
        (0, drifted) => format!("nothing to do, but others changed {}", tables(drifted, plan)),
        (changed, _) => {
            let dropped = plan.dropped.len() as u64;
            let more = if dropped > 0 { format!(", and {} would be dropped", counted(dropped, "table")) } else { String::new() };
            format!("{} would change{more}", tables(changed, plan))
        }
    };
    let _ = writeln!(text, "\n{summary}");
    text
}

/// So many of the tables of a plan.
fn tables(some: usize, plan: &Plan) -> String {
    match plan.outputs.len() {
        all if all == some => counted(all as u64, "table"),
        all => format!("{some} of {}", counted(all as u64, "table")),
    }
}

fn output_text(output: &OutputPlan, colour: bool, text: &mut String) {
    let (sign, verb, paint) = match output.action {
        Action::Created => ("+", "create", GREEN),
        Action::Replaced => ("~", "rebuild", YELLOW),
        Action::Appended => ("+", "add rows to", GREEN),
        Action::Updated => ("~", "replace rows of", YELLOW),
        Action::Altered => ("~", "describe", YELLOW),
        Action::RolledBack | Action::Unchanged | Action::Discarded => ("=", "keep", DIM),
    };
    let heading = format!("{sign} {verb} {} ({})", output.table, output.name);
    let _ = writeln!(text, "{}: {}", painted(&heading, paint, colour), printable(&output.why));
    let counts = [
        (output.new, "new"),
        (output.grown, "grown"),
        (output.changed, "changed"),
        (output.unchanged, "unchanged"),
        (output.removed, "removed"),
    ];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n))).collect();
    if !counts.is_empty() || output.tables.is_empty() {
        let _ = writeln!(text, "    source files: {}", if counts.is_empty() { "none".to_string() } else { counts.join(", ") });
    }
    if !output.tables.is_empty() {
        let _ = writeln!(text, "    tables: {}", printable(&output.tables.join(", ")));
    }
    if output.read_files > 0 {
        let more = if output.read_files as usize > output.read_examples.len() { ", …" } else { "" };
        let files = if output.read_files == 1 { "file" } else { "files" };
        let (read, size) = (count(output.read_files), ByteSize(output.read_bytes));
        let _ = writeln!(text, "    read {read} {files}, {size}: {}{more}", printable(&output.read_examples.join(", ")));
        let _ = writeln!(text, "    write {}", output.files);
    }
    let mut same = Vec::new();
    for column in &output.columns {
        if let Some((line, paint)) = column_text(column, output.action) {
            same.push(line.clone());
            let _ = writeln!(text, "    {}", painted(&line, paint, colour));
        }
    }
    if let Some(catalog) = &output.catalog {
        reader_text(catalog, output.action, &same, colour, text);
    }
    for drift in &output.drift {
        let _ = writeln!(text, "    {}", painted(&format!("! {drift}"), RED, colour));
    }
}

/// What a catalog of readers has, and would be told.
fn reader_text(plan: &ReaderPlan, action: Action, same: &[String], colour: bool, text: &mut String) {
    let standing = match (plan.version, plan.lake_version, &plan.refused) {
        (_, _, Some(whose)) => (format!("refused: the existing table is {whose}"), RED),
        _ if plan.taken.is_some() => {
            (format!("take over, because of `adopt`: it is {}", plan.taken.as_deref().unwrap_or_default()), YELLOW)
        }
        (None, _, None) => ("create".to_string(), GREEN),
        (Some(told), Some(now), None) if plan.behind => (format!("behind: it has version {told}, the lake has {now}"), YELLOW),
        _ if !plan.drift.is_empty() => ("different: settings changed, or others changed it".to_string(), RED),
        _ if action == Action::Unchanged => ("up to date".to_string(), DIM),
        _ => ("update to the new version".to_string(), YELLOW),
    };
    let line = format!("{}: {}: {}", plan.catalog, plan.table, standing.0);
    let _ = writeln!(text, "    {}", painted(&line, standing.1, colour));
    // What is told as the lake has it stands above.
    let told: Vec<&String> = plan.columns.iter().filter(|line| !same.contains(line)).collect();
    for line in told.into_iter().chain(&plan.drift) {
        let paint = if line.starts_with('+') { GREEN } else { YELLOW };
        let _ = writeln!(text, "      {}", painted(line, paint, colour));
    }
}

/// A column that would change; of a new table each.
fn column_text(column: &ColumnPlan, action: Action) -> Option<(String, &'static str)> {
    let key = if column.partition_key { " (partition)" } else { "" };
    let name = &column.name;
    match (&column.before, &column.after) {
        (None, Some(after)) => Some((format!("+ {name} {after}{key}"), GREEN)),
        (Some(before), None) => Some((format!("- {name} {before}{key}"), RED)),
        (Some(before), Some(after)) if before != after => Some((format!("~ {name} {before} -> {after}{key}"), YELLOW)),
        (Some(_), Some(after)) if column.comment_changes && action != Action::Unchanged => {
            Some((format!("~ {name} {after}{key}: comment"), YELLOW))
        }
        _ => None,
    }
}

fn painted(text: &str, paint: &str, colour: bool) -> String {
    let text = printable(text);
    if colour { format!("\u{1b}[{paint}m{text}\u{1b}[0m") } else { text.into_owned() }
}
