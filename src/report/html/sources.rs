//! What was read: every line is accounted for, and the ones that don't fit are shown.

use super::super::wording::{REPAIRED, counted, files, share, shortened};
use super::chart::{Bar, Part, bars, stack};
use super::parts::{alert, scrolling};
use crate::pipeline::{RejectExample, SourceRun};
use crate::printable::printable;
use crate::units::{ByteSize, count};
use maud::{Markup, html};

/// Characters of a rejected line that are shown.
const SHOWN: usize = 400;

pub(super) fn section(sources: &[SourceRun]) -> Markup {
    if sources.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="sources" {
            h2 id="sources" { "Sources" }
            div.charts { @for (index, source) in sources.iter().enumerate().filter(|(_, s)| s.lines > 0) { (accounting(index, source)) } }
            (scrolling("Sources", table(sources)))
            @for source in sources.iter().filter(|s| s.lines != s.rows + s.rejects + s.blank) {
                (alert("bad", "The lines don't add up", &format!("of source {}: this is a fault of etl", source.name)))
            }
        }
    }
}

/// Where the lines of a source went.
fn accounting(index: usize, source: &SourceRun) -> Markup {
    let text = format!(
        "{} = {} + {} + {} blank",
        counted(source.lines, "line"),
        counted(source.rows, "row"),
        counted(source.rejects, "reject"),
        count(source.blank)
    );
    let parts = [
        Part { class: "s-bar", size: source.rows },
        Part { class: "s-bad", size: source.rejects },
        Part { class: "s-blank", size: source.blank },
    ];
    html! {
        figure {
            figcaption {
                (printable(&source.name))
                span.key { span.s-bar { "rows" } span.s-bad { "rejects" } span.s-blank { "blank" } }
            }
            (stack(&format!("lines-{index}"), &format!("Lines of {}", printable(&source.name)), &text, &parts))
            p.soft { (text) }
            @if source.repaired > 0 { p.soft { (counted(source.repaired, "row")) " repaired: " (REPAIRED) } }
        }
    }
}

fn table(sources: &[SourceRun]) -> Markup {
    html! {
        table.stacks {
            caption.hidden { "Files and lines of each source" }
            thead {
                tr {
                    th scope="col" { "Source" }
                    th scope="col" { "Format" }
                    th scope="col" { "Files" }
                    th.n scope="col" { "Lines" }
                    th.n scope="col" { "= Rows" }
                    th.n scope="col" { "+ Rejects" }
                    th.n scope="col" { "+ Blank" }
                    th.n scope="col" { "Read" }
                    th.n scope="col" { "Decompressed" }
                }
            }
            tbody {
                @for source in sources {
                    tr {
                        th scope="row" { (printable(&source.name)) }
                        td data-label="Format" { (printable(&source.format)) }
                        td data-label="Files" { (files(source)) }
                        td.n data-label="Lines" { (count(source.lines)) }
                        td.n data-label="= Rows" { (count(source.rows)) }
                        td.n data-label="+ Rejects" { (count(source.rejects)) }
                        td.n data-label="+ Blank" { (count(source.blank)) }
                        td.n data-label="Read" { (ByteSize(source.bytes_in)) }
                        td.n data-label="Decompressed" { (ByteSize(source.bytes_decoded)) }
                    }
                }
            }
        }
    }
}

/// The files with the most rejected lines: a bad one isn't hidden among good ones.
fn by_file(source: &SourceRun) -> Markup {
    html! {
        table.stacks {
            caption.hidden { "Rejected lines of each file of " (printable(&source.name)) }
            thead { tr { th scope="col" { "File" } th.n scope="col" { "Lines" } th.n scope="col" { "Rejected" } th.n scope="col" { "Share" } } }
            tbody {
                @for file in &source.reject_files {
                    tr {
                        th scope="row" { (printable(&file.path)) }
                        td.n data-label="Lines" { (count(file.lines)) }
                        td.n data-label="Rejected" { (count(file.rejects)) }
                        td.n data-label="Share" { (share(file.rejects, file.lines).unwrap_or_default()) }
                    }
                }
            }
        }
    }
}

/// The lines that don't fit, by reason, with examples.
pub(super) fn rejects(sources: &[SourceRun]) -> Markup {
    let some: Vec<(usize, &SourceRun)> =
        sources.iter().enumerate().filter(|(_, source)| source.rejects > 0 || !source.mismatches_by_column.is_empty()).collect();
    if some.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="rejects" {
            h2 id="rejects" { "Rejected lines" }
            @for (index, source) in some {
                (reasons(index, source))
                @if source.reject_files.len() > 1 || (source.files_read > 1 && !source.reject_files.is_empty()) { (scrolling("Files with rejected lines", by_file(source))) }
                @for reason in source.rejects_by_reason.keys() {
                    @let lines: Vec<&RejectExample> = source.reject_examples.iter().filter(|line| line.reason == *reason).collect();
                    @if !lines.is_empty() {
                        h4 { (printable(reason)) }
                        ul.lines { @for line in lines { (example(line)) } }
                    }
                }
                @if !source.mismatches_by_column.is_empty() {
                    h4 { "Values that are not of their column's type" }
                    ul.lines { @for (column, values) in &source.mismatches_by_column { li { span.mono { (printable(column)) } ": " (count(*values)) } } }
                }
                @if let Some(file) = &source.rejects_file { p.soft { "All of them: " code { (printable(file)) } } }
            }
        }
    }
}

fn reasons(index: usize, source: &SourceRun) -> Markup {
    let bar = |(reason, rejects): (&String, &u64)| Bar {
        name: reason.clone(),
        value: match share(*rejects, source.lines) {
            Some(share) => format!("{} · {share}", count(*rejects)),
            None => count(*rejects),
        },
        length: *rejects as f64,
        whole: 0.0,
    };
    let mut drawn: Vec<Bar> = source.rejects_by_reason.iter().map(bar).collect();
    drawn.sort_by(|a, b| b.length.total_cmp(&a.length));
    let key = html! { span.key { "lines, and their share of all lines" } };
    bars(&format!("reasons-{index}"), &format!("{}, by reason", printable(&source.name)), "s-bad", Some(key), &drawn)
}

fn example(line: &RejectExample) -> Markup {
    html! {
        li {
            span.mono { (printable(&line.path)) ":" (count(line.line)) " (byte " (count(line.offset)) ")" }
            pre { (shortened(&line.text, SHOWN)) }
        }
    }
}
