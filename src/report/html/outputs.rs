//! What was written: sizes and speeds as bars, and all figures as a table.

use super::super::text::stored_as;
use super::super::wording::{action, counted, duration, holding, share, throughput};
use super::chart::{Bar, bars};
use super::parts::scrolling;
use crate::pipeline::{OutputRun, StepRun, TransformRun};
use crate::printable::printable;
use crate::units::{ByteSize, count};
use maud::{Markup, html};

/// Partitions that are named for each table.
const NAMED: usize = 12;

pub(super) fn section(outputs: &[OutputRun]) -> Markup {
    if outputs.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="outputs" {
            h2 id="outputs" { "Outputs" }
            div.charts { (sizes(outputs)) (speeds(outputs)) }
            (scrolling("Outputs", table(outputs)))
        }
    }
}

fn sizes(outputs: &[OutputRun]) -> Markup {
    let bar = |output: &OutputRun| Bar {
        name: output.table.clone(),
        value: match share(output.bytes, output.bytes_decoded) {
            Some(share) => format!("{} · {share}", ByteSize(output.bytes)),
            None => ByteSize(output.bytes).to_string(),
        },
        length: output.bytes as f64,
        whole: output.bytes_decoded as f64,
    };
    let drawn: Vec<Bar> = outputs.iter().filter(|output| output.bytes > 0).map(bar).collect();
    let key = html! { span.key { span.s-bar { "written" } span.s-whole { "input, decompressed" } } };
    bars("sizes", "Size", "s-bar", Some(key), &drawn)
}

fn speeds(outputs: &[OutputRun]) -> Markup {
    let bar = |output: &OutputRun| {
        let speed = throughput(output.bytes_decoded, output.seconds).filter(|_| output.files > 0)?;
        Some(Bar { name: output.table.clone(), value: speed.to_string(), length: speed.0, whole: 0.0 })
    };
    let drawn: Vec<Bar> = outputs.iter().filter_map(bar).collect();
    let key = html! { span.key { "input, decompressed, a second" } };
    bars("speeds", "Throughput", "s-bar", Some(key), &drawn)
}

fn table(outputs: &[OutputRun]) -> Markup {
    html! {
        table.stacks {
            caption.hidden { "What was written to each table, and what it holds now" }
            thead {
                tr {
                    th scope="col" { "Table" }
                    th scope="col" { "Action" }
                    th scope="col" { "Format" }
                    th.n scope="col" { "Files" }
                    th.n scope="col" { "Rows" }
                    th.n scope="col" { "Size" }
                    th.n scope="col" { "Of input" }
                    th.n scope="col" { "Speed" }
                    th.n scope="col" { "Time" }
                    th scope="col" { "Current state" }
                }
            }
            tbody { @for output in outputs { (row(output)) } }
        }
    }
}

fn row(output: &OutputRun) -> Markup {
    let speed = throughput(output.bytes_decoded, output.seconds).map(|speed| speed.to_string());
    html! {
        tr {
            th scope="row" {
                (printable(&output.table))
                span.table-note.mono { (printable(&output.location)) }
                @if !output.partitions.is_empty() { span.table-note { (partitions(&output.partitions)) } }
            }
            td data-label="Action" { (action(output.action)) }
            td data-label="Format" { (stored_as(output)) }
            @if !output.action.writes() {
                @for _ in 0..6 { td.n {} }
            } @else {
                td.n data-label="Files" { (count(output.files)) }
                td.n data-label="Rows" { (count(output.rows)) }
                td.n data-label="Size" { (ByteSize(output.bytes)) }
                td.n data-label="Of input" { (share(output.bytes, output.bytes_decoded).unwrap_or_default()) }
                td.n data-label="Speed" { (speed.unwrap_or_default()) }
                td.n data-label="Time" { (duration(output.seconds)) }
            }
            td data-label="Current state" {
                (holding(output.total_files, output.total_rows, output.total_bytes))
                @if output.table_version > 0 { span.table-note { "version " (count(output.table_version)) } }
            }
        }
    }
}

/// `2 partitions: dt=2020-02-28, dt=2020-02-29`.
fn partitions(partitions: &[String]) -> String {
    let named: Vec<_> = partitions.iter().take(NAMED).map(|name| printable(name)).collect();
    let more = if partitions.len() > NAMED { " …" } else { "" };
    format!("{}: {}{more}", counted(partitions.len() as u64, "partition"), named.join(", "))
}

/// What the SQL of the pipeline gave.
pub(super) fn transforms(transforms: &[TransformRun]) -> Markup {
    if transforms.is_empty() {
        return html! {};
    }
    let table = html! {
        table.stacks {
            caption.hidden { "Rows that each transform gave" }
            thead { tr { th scope="col" { "Transform" } th.n scope="col" { "Rows" } th.n scope="col" { "Time" } } }
            tbody {
                @for transform in transforms {
                    tr {
                        th scope="row" { (printable(&transform.name)) }
                        td.n data-label="Rows" { (count(transform.rows)) }
                        td.n data-label="Time" { (duration(transform.seconds)) }
                    }
                }
            }
        }
    };
    html! { section aria-labelledby="transforms" { h2 id="transforms" { "Transforms" } (scrolling("Transforms", table)) } }
}

/// How long each step took.
pub(super) fn steps(steps: &[StepRun]) -> Markup {
    let bar = |step: &StepRun| Bar { name: step.name.clone(), value: duration(step.seconds), length: step.seconds, whole: 0.0 };
    let drawn: Vec<Bar> = steps.iter().map(bar).collect();
    if drawn.is_empty() {
        return html! {};
    }
    html! { section aria-labelledby="steps" { h2 id="steps" { "Time by step" } (bars("steps-bars", "Time", "s-bar", None, &drawn)) } }
}
