//! The head of the page, which says at a glance how the run went, and its foot.

use super::super::checks::tally;
use super::super::wording::{Mood, counted, duration, moment, nothing_to_do, outcome, sentence, share, throughput};
use super::parts::{alert, class};
use crate::pipeline::{RunReport, RunStatus};
use crate::printable::printable;
use crate::units::{ByteSize, count};
use maud::{Markup, html};

pub(super) fn header(report: &RunReport, links: Markup) -> Markup {
    let rejected = report.sources.iter().any(|source| source.rejects > 0);
    // Rejected lines are worth a look, also where they were allowed.
    let mood = match Mood::of_run(report) {
        Mood::Good if rejected => Mood::Warning,
        mood => mood,
    };
    html! {
        header {
            p.over { "Run report" }
            div.title {
                h1 { (printable(&report.pipeline)) }
                span class={ "pill " (class(mood)) } { (outcome(report)) }
            }
            @if report.status != RunStatus::UpToDate { p.sentence { (sentence(report)) } }
            dl.facts {
                dt { "Run" } dd.mono { (printable(&report.run)) }
                dt { "Started" } dd { (moment(report.started)) }
                dt { "Finished" } dd { (moment(report.finished)) ", after " (duration(report.seconds())) }
                dt { "Lake" } dd.mono { (printable(&report.lake)) }
                @for (name, value) in &report.vars {
                    dt { "Variable" } dd.mono { (printable(name)) " = " (printable(value)) }
                }
            }
            (links)
            @if let Some(error) = &report.error { (alert("bad", "Why it failed", error)) }
            @if report.status == RunStatus::UpToDate { (alert("good", "Nothing to do", &nothing_to_do(report))) }
            @else { (tiles(report)) }
        }
    }
}

/// The figures that people look for first.
fn tiles(report: &RunReport) -> Markup {
    let lines: u64 = report.sources.iter().map(|source| source.lines).sum();
    let rejects: u64 = report.sources.iter().map(|source| source.rejects).sum();
    let decoded: u64 = report.sources.iter().map(|source| source.bytes_decoded).sum();
    let files_read: u64 = report.sources.iter().map(|source| source.files_read).sum();
    let files: u64 = report.outputs.iter().map(|output| output.files).sum();
    let rows: u64 = report.outputs.iter().map(|output| output.rows).sum();
    let bytes: u64 = report.outputs.iter().map(|output| output.bytes).sum();
    let tables = report.outputs.iter().filter(|output| output.files > 0).count() as u64;
    let speed = throughput(decoded, report.seconds()).map(|speed| format!("{speed} of input"));
    let passed = report.checks.iter().filter(|check| check.passed).count();
    html! {
        dl.tiles {
            (tile("Lines read", count(lines), format!("{} in {}", ByteSize(decoded), counted(files_read, "file"))))
            @let of_lines = share(rejects, lines).map(|share| format!("{share} of the lines")).unwrap_or_default();
            @if rejects > 0 { (amber("Rejected", count(rejects), of_lines)) } @else { (tile("Rejected", count(rejects), of_lines)) }
            (tile("Rows written", count(rows), format!("into {}", counted(tables, "table"))))
            (tile("Stored", ByteSize(bytes).to_string(), format!("in {}", counted(files, "file"))))
            (tile("Took", duration(report.seconds()), speed.unwrap_or_default()))
            @if !report.checks.is_empty() {
                (tile("Checks passed", format!("{passed} of {}", report.checks.len()), tally(&report.checks)))
            }
        }
    }
}

fn tile(name: &str, figure: String, more: String) -> Markup {
    html! { div { dt { (name) } dd { div.figure { (figure) } div.more { (more) } } } }
}

/// A figure that should be looked at.
fn amber(name: &str, figure: String, more: String) -> Markup {
    html! { div.amber { dt { (name) } dd { div.figure { (figure) } div.more { (more) } } } }
}

pub(super) fn footer(report: &RunReport) -> Markup {
    html! {
        footer {
            p { "Made by etl " (printable(&report.etl_version)) ". Sizes are decimal: 1 MB is 1,000,000 bytes. Times are UTC." }
        }
    }
}
