//! The comparison as tables for a terminal, shaped as the published one: a table a question, a row a form, a column a number of files.

use crate::bench::{BenchReport, Caches, Made};
use crate::cli::governed_lake::shown;
use crate::printable::printable;
use crate::units::{ByteSize, count};
use std::fmt::Write;

/// All of it; with `bold` titles stand out.
pub(super) fn text(report: &BenchReport, bold: bool) -> String {
    let title = |text: &str| if bold { format!("\u{1b}[1m{}\u{1b}[0m", printable(text)) } else { printable(text).into_owned() };
    let mut text = String::new();
    let rows = report.rows.rows.map_or(String::new(), |rows| format!(", {} rows", count(rows)));
    let how = match (report.threads, report.caches) {
        (Some(threads), Some(Caches::Warm)) => format!(" with {threads} threads, warm caches"),
        (Some(threads), Some(Caches::Cold)) => format!(" with {threads} threads, cold caches"),
        _ => ", no result reused; execution time without queueing".to_string(),
    };
    let _ = writeln!(text, "{}: {}{rows}", printable(&report.rows.source), ByteSize(report.rows.bytes));
    let _ = writeln!(text, "{}{how}; {} runs per cell, seed {}", printable(&report.engine), report.runs, report.seed);
    for question in &report.questions {
        let _ = writeln!(text, "\n{}  {}", title(&format!("{}, seconds", question.name)), printable(&question.sql));
        let cell = |made: &Made| match report.cell(&made.name, &question.name) {
            Some(cell) => match &cell.seconds {
                Some(timing) => format!("{} ({}–{})", seconds(timing.mean), seconds(timing.fastest), seconds(timing.slowest)),
                None => "failed".to_string(),
            },
            None => String::new(),
        };
        let _ = writeln!(text, "{}", grid(report, &cell));
    }
    if let Some(usd) = report.usd {
        let queue = |made: &Made, question: &str| {
            let cell = report.cell(&made.name, question)?;
            let queued = cell.queued.as_ref().map_or("-".to_string(), |timing| seconds(timing.mean));
            Some(format!("{queued}, {}", cell.usd.map_or("-".to_string(), |usd| format!("${usd:.5}"))))
        };
        for question in &report.questions {
            let _ = writeln!(text, "\n{}", title(&format!("{}, queue time in seconds and USD per query", question.name)));
            let _ = writeln!(text, "{}", grid(report, &|made| queue(made, &question.name).unwrap_or_else(|| "-".to_string())));
        }
        let _ = writeln!(text, "cost of all queries: ${usd:.4}");
    }
    let bytes = |of: &dyn Fn(&Made) -> Option<u64>, made: &Made| of(made).map_or("-".to_string(), |bytes| ByteSize(bytes).to_string());
    let _ = writeln!(text, "\n{}", title("size"));
    let _ = writeln!(text, "{}", grid(report, &|made| bytes(&|made| Some(made.record.as_ref()?.bytes), made)));
    for question in &report.questions {
        let _ = writeln!(text, "\n{}", title(&format!("{}, bytes read", question.name)));
        let read = |made: &Made| report.cell(&made.name, &question.name)?.bytes_read;
        let _ = writeln!(text, "{}", grid(report, &|made| bytes(&read, made)));
    }
    let _ = writeln!(text, "\n{}", title("conversion, seconds and memory"));
    let made = |made: &Made| match &made.record {
        Some(record) => {
            let memory = record.conversion_memory.map_or(String::new(), |bytes| format!(", {}", ByteSize(bytes)));
            format!("{}{memory}", seconds(record.conversion_seconds))
        }
        None => "failed".to_string(),
    };
    let _ = writeln!(text, "{}", grid(report, &made));
    if !report.encodings.is_empty() {
        let _ =
            writeln!(text, "\n{}\n{}", title("encodings of Parquet: size compressed by zstd, milliseconds to read it"), encodings(report));
    }
    let _ = writeln!(
        text,
        "\n{}",
        title(&format!("estimate: USD per month in Athena and S3, at {} queries per day", count(u64::from(report.queries_per_day))))
    );
    let usd = |made: &Made| {
        let monthly = report.monthly.iter().find(|monthly| monthly.data_set == made.name);
        monthly.map_or("-".to_string(), |monthly| format!("{:.2}", monthly.total()))
    };
    let _ = writeln!(text, "{}\n{}", grid(report, &usd), printable(&report.prices.list));
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for cell in &report.cells {
        let Some(reason) = &cell.error else { continue };
        let name = format!("{} {}", cell.data_set, cell.question);
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, cells)) => cells.push(name),
            None => reasons.push((reason.clone(), vec![name])),
        }
    }
    for (reason, cells) in reasons {
        let _ = writeln!(text, "\nfailed: {}: {}", printable(&cells.join(", ")), printable(&reason));
    }
    text.push('\n');
    for sentence in &report.recommendation {
        let _ = writeln!(text, "{}", printable(sentence));
    }
    text
}

/// Rows are columns, columns encodings; the smallest that leaves rows in their order is marked.
fn encodings(report: &BenchReport) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in report.encodings.iter().flat_map(|column| &column.encodings).map(|encoding| encoding.name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut table = shown(&[&["column", "type"], names.as_slice()].concat());
    for column in &report.encodings {
        let smallest = column.smallest().map(|encoding| encoding.name);
        let cell = |name: &&str| {
            let Some(encoding) = column.encodings.iter().find(|encoding| encoding.name == *name) else { return String::new() };
            let time = encoding.seconds.as_ref().map_or(String::new(), |timing| format!(", {:.1}", timing.mean * 1e3));
            format!("{}{time}{}", ByteSize(encoding.zstd_bytes), if smallest == Some(encoding.name) { " *" } else { "" })
        };
        let head = [column.column.clone(), column.data_type.clone()].map(|text| printable(&text).into_owned());
        table.add_row(head.into_iter().chain(names.iter().map(cell)).collect::<Vec<_>>());
    }
    table.to_string()
}

/// Rows are forms, columns numbers of files.
fn grid(report: &BenchReport, cell: &dyn Fn(&Made) -> String) -> String {
    let splits = report.splits();
    let header: Vec<String> = ["files".to_string()].into_iter().chain(splits.iter().map(|splits| count(*splits))).collect();
    let mut table = shown(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for (form, sets) in report.series() {
        let of = |splits: &u64| sets.iter().find(|made| made.data_set.splits == *splits).map(|made| cell(made)).unwrap_or_default();
        table.add_row([form].into_iter().chain(splits.iter().map(of)).collect::<Vec<_>>());
    }
    table.to_string()
}

fn seconds(seconds: f64) -> String {
    match seconds {
        small if small < 0.1 => format!("{small:.3}"),
        other => format!("{other:.2}"),
    }
}
