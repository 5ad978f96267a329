//! A comparison of forms as a page.

use super::chart::{Bar, bars};
use super::lines::{Line, MOST, lines};
use super::parts::{alert, page, scrolling};
use crate::bench::{BenchReport, Caches, Made};
use crate::printable::printable;
use crate::units::{ByteSize, count};
use maud::{Markup, html};

/// One page that needs nothing else.
pub fn comparison(report: &BenchReport) -> String {
    let body = html! {
        (header(report))
        main {
            section {
                h2 { "What follows" }
                @for sentence in &report.recommendation { p { (printable(sentence)) } }
            }
            (failures(report))
            @for (at, question) in report.questions.iter().enumerate() { (asked(report, at, &question.name)) }
            (sizes(report))
            (encodings(report))
            (months(report))
            (notes(report))
        }
        footer { "etl " (report.etl) ". The figures are for these rows and this engine only." }
    };
    page(html! { "Formats compared: " (printable(&report.rows.source)) }, body)
}

fn header(report: &BenchReport) -> Markup {
    let caches = match report.caches {
        Some(Caches::Warm) => "warm: files were read before",
        Some(Caches::Cold) => "cold: files were not in memory",
        None => "no result was that of an earlier query; seconds are the engine's, without the queue",
    };
    html! {
        header {
            p.over { "Formats compared" }
            h1 { (printable(&report.rows.source)) }
            dl.facts {
                dt { "rows" } dd { @match report.rows.rows { Some(rows) => (count(rows)), None => "-" } ", " (ByteSize(report.rows.bytes)) " of " (printable(&report.rows.format)) }
                dt { "answered by" } dd { (printable(&report.engine)) @if let Some(threads) = report.threads { ", " (threads) " threads" } }
                dt { "measured" } dd { (report.runs) " runs per cell in random order (seed " (report.seed) "); the mean without the fastest and the slowest" }
                dt { "caches" } dd { (caches) }
                @if let Some(usd) = report.usd { dt { "cost" } dd { (format!("${usd:.4} for all queries together")) } }
            }
        }
    }
}

/// The times of a question: lines over numbers of files, bars of the best of each form, and the figures.
fn asked(report: &BenchReport, at: usize, question: &str) -> Markup {
    let (splits, series) = (report.splits(), report.series());
    let steps: Vec<String> = splits.iter().map(|splits| count(*splits)).collect();
    let of = |sets: &[&Made]| {
        let point = |splits: &u64| {
            let made = sets.iter().find(|made| made.data_set.splits == *splits)?;
            let timing = report.timing(&made.name, question)?;
            Some([timing.mean, timing.fastest, timing.slowest])
        };
        splits.iter().map(point).collect::<Vec<_>>()
    };
    let drawn: Vec<Line> = series.iter().map(|(name, sets)| Line { name: name.clone(), points: of(sets) }).collect();
    let best: Vec<Bar> = series
        .iter()
        .filter_map(|(_, sets)| {
            let timed = sets.iter().filter_map(|made| Some((made, report.timing(&made.name, question)?.mean)));
            let (made, seconds) = timed.min_by(|a, b| a.1.total_cmp(&b.1))?;
            Some(Bar { name: made.data_set.title(), value: format!("{seconds:.3} s"), length: seconds, whole: 0.0 })
        })
        .collect();
    let sql = report.questions.iter().find(|one| one.name == question).map(|one| one.sql.as_str()).unwrap_or_default();
    html! {
        section {
            h2 { "Question: " (printable(question)) }
            pre.asked { (printable(sql)) }
            div.charts {
                @if splits.len() > 1 {
                    @for (part, drawn) in drawn.chunks(MOST).enumerate() {
                        (lines(&format!("q{at}-{part}"), "Seconds by number of files", "s", "files", &steps, drawn))
                    }
                }
                (bars(&format!("q{at}-best"), "Seconds, best number of files of each form", "s-bar", None, &best))
            }
            (scrolling("seconds", grid(report, &steps, &|made| match report.timing(&made.name, question) {
                Some(timing) => html! { (format!("{:.3}", timing.mean)) span.table-note { (format!("{:.3}–{:.3}", timing.fastest, timing.slowest)) } },
                None => html! { "-" },
            })))
        }
    }
}

fn sizes(report: &BenchReport) -> Markup {
    let series = report.series();
    let smallest =
        |sets: &[&Made]| sets.iter().filter_map(|made| Some((made.data_set.title(), made.record.as_ref()?.bytes))).min_by_key(|one| one.1);
    let drawn: Vec<Bar> = series
        .iter()
        .filter_map(|(_, sets)| smallest(sets))
        .map(|(name, bytes)| Bar { name, value: ByteSize(bytes).to_string(), length: bytes as f64, whole: 0.0 })
        .collect();
    let steps: Vec<String> = report.splits().iter().map(|splits| count(*splits)).collect();
    html! {
        section {
            h2 { "Size, conversion, bytes read" }
            div.charts { (bars("sizes", "Size, smallest of each form", "s-bar", None, &drawn)) }
            h3 { "Size; seconds and memory of the conversion" }
            (scrolling("size", grid(report, &steps, &|made| match &made.record {
                Some(record) => html! {
                    (ByteSize(record.bytes))
                    span.table-note {
                        (format!("{:.2} s", record.conversion_seconds))
                        @if let Some(memory) = record.conversion_memory { ", " (ByteSize(memory)) }
                    }
                },
                None => html! { "-" },
            })))
            @for question in &report.questions {
                h3 { @if report.usd.is_some() { "Bytes scanned, queue and cost of a query: " } @else { "Bytes read and reads: " } (printable(&question.name)) }
                (scrolling("bytes read", grid(report, &steps, &|made| match report.cell(&made.name, &question.name) {
                    Some(cell) => html! {
                        (cell.bytes_read.map_or("-".to_string(), |bytes| ByteSize(bytes).to_string()))
                        span.table-note {
                            @if let Some(reads) = cell.reads { (count(reads)) " reads" }
                            @if let Some(queued) = &cell.queued { (format!("{:.2} s", queued.mean)) }
                            @if let Some(usd) = cell.usd { (format!(", ${usd:.5}")) }
                        }
                    },
                    None => html! { "-" },
                })))
            }
        }
    }
}

/// The columns in each encoding.
fn encodings(report: &BenchReport) -> Markup {
    if report.encodings.is_empty() {
        return html! {};
    }
    let table = html! {
        table {
            thead { tr { th scope="col" { "column" } th scope="col" { "encoding" } th.n scope="col" { "bare" } th.n scope="col" { "zstd" } th.n scope="col" { "milliseconds to read it" } } }
            tbody {
                @for column in &report.encodings {
                    @for (at, encoding) in column.encodings.iter().enumerate() {
                        tr {
                            th scope="row" { @if at == 0 { (printable(&column.column)) span.table-note { (printable(&column.data_type)) } } }
                            td { (encoding.name) @if column.smallest().is_some_and(|best| best.name == encoding.name) { " " strong { "smallest" } } }
                            td.n { (ByteSize(encoding.bytes)) }
                            td.n { (ByteSize(encoding.zstd_bytes)) }
                            td.n { @if let Some(timing) = &encoding.seconds { (format!("{:.1}", timing.mean * 1e3)) span.table-note { (format!("{:.1}–{:.1}", timing.fastest * 1e3, timing.slowest * 1e3)) } } }
                        }
                    }
                }
            }
        }
    };
    let best: Vec<Bar> = report
        .encodings
        .iter()
        .filter_map(|column| {
            let (best, plain) = (column.smallest()?, column.encodings.first()?);
            let value = format!("{} of {}", ByteSize(best.zstd_bytes), ByteSize(plain.zstd_bytes));
            let name = format!("{}: {}", column.column, best.name);
            Some(Bar { name, value, length: best.zstd_bytes as f64, whole: plain.zstd_bytes as f64 })
        })
        .collect();
    html! {
        section {
            h2 { "Encodings of Parquet, column by column" }
            div.charts { (bars("encodings", "Size of each column in its smallest encoding, of the plain one; both compressed by zstd", "s-bar", None, &best)) }
            p { "Each column alone in a file; `sorted` has the rows in the order of the column, so that repeats are runs, and is marked smallest nowhere: rows have one order." }
            (scrolling("encodings", table))
        }
    }
}

fn months(report: &BenchReport) -> Markup {
    let steps: Vec<String> = report.splits().iter().map(|splits| count(*splits)).collect();
    html! {
        section {
            h2 { "Estimate: USD a month in Athena and S3" }
            p { @if report.usd.is_some() { "Estimated from what Athena scanned: " } @else { "Not measured at AWS: " } (count(u64::from(report.queries_per_day))) " queries a day, of each question equally many, that scan what was read; a query is charged for 10 MB at least. "
                "Below: Athena + storage + requests. " (printable(&report.prices.list)) "." }
            (scrolling("USD a month", grid(report, &steps, &|made| match report.monthly.iter().find(|monthly| monthly.data_set == made.name) {
                Some(monthly) => html! {
                    (format!("{:.2}", monthly.total()))
                    span.table-note { (format!("{:.2} + {:.2} + {:.2}", monthly.scanned, monthly.stored, monthly.requests)) }
                },
                None => html! { "-" },
            })))
        }
    }
}

/// Rows are forms, columns numbers of files.
fn grid(report: &BenchReport, steps: &[String], cell: &dyn Fn(&Made) -> Markup) -> Markup {
    let splits = report.splits();
    html! {
        table {
            thead { tr { th scope="col" { "files" } @for step in steps { th.n scope="col" { (step) } } } }
            tbody {
                @for (name, sets) in report.series() {
                    tr {
                        th scope="row" { (printable(&name)) }
                        @for splits in &splits {
                            td.n { @if let Some(made) = sets.iter().find(|made| made.data_set.splits == *splits) { (cell(made)) } }
                        }
                    }
                }
            }
        }
    }
}

fn failures(report: &BenchReport) -> Markup {
    let failed = report.cells.iter().filter_map(|cell| Some(format!("{} {}: {}", cell.data_set, cell.question, cell.error.as_ref()?)));
    let failed: Vec<String> = failed.collect();
    html! { @if !failed.is_empty() { (alert("warn", "What could not be measured", &failed.join("\n"))) } }
}

fn notes(report: &BenchReport) -> Markup {
    html! {
        @if !report.notes.is_empty() {
            section { h2 { "Notes" } @for note in &report.notes { p { (printable(note)) } } }
        }
    }
}
