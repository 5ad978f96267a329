//! What follows, in plain words, with the figures it rests on.

use super::making::{Made, Record};
use super::report::BenchReport;
use crate::output::Kind;
use crate::units::{ByteSize, count};

/// What is recommended; the first sentence says what to take.
pub(super) fn recommendation(report: &BenchReport) -> Vec<String> {
    let mut ranked: Vec<(&Made, &Record, f64)> =
        report.data_sets.iter().filter_map(|made| Some((made, made.record.as_ref()?, report.seconds_of_all(&made.name)?))).collect();
    ranked.sort_by(|a, b| a.2.total_cmp(&b.2));
    let Some((fastest, _, _)) = ranked.first() else {
        return vec!["No recommendation: no data set completed all queries.".to_string()];
    };
    let mut said = vec![take(report, &ranked, fastest)];
    said.extend(formats(report, &ranked));
    said.extend(files(report));
    said.extend(compression(report));
    said.extend(partitions(report));
    said.extend(encodings(report));
    said
}

/// The data set to take: of those that are as fast as the fastest, as far as its runs tell, the smallest.
fn take(report: &BenchReport, ranked: &[(&Made, &Record, f64)], fastest: &Made) -> String {
    let is_as_fast = |made: &Made| {
        !report.questions.iter().any(|question| {
            let (best, other) = (report.timing(&fastest.name, &question.name), report.timing(&made.name, &question.name));
            best.zip(other).is_some_and(|(best, other)| best.is_clearly_faster_than(other))
        })
    };
    let equal: Vec<&(&Made, &Record, f64)> = ranked.iter().filter(|(made, ..)| is_as_fast(made)).collect();
    let (made, record, seconds) = equal.iter().min_by_key(|(_, record, _)| record.bytes).map_or(ranked[0], |best| **best);
    let questions = match report.questions.len() {
        1 => "the question takes".to_string(),
        many => format!("all {many} queries together take"),
    };
    let others = match equal.len() {
        1 => "faster than all others".to_string(),
        many => format!("the smallest of {many} data sets that are equally fast within measurement error"),
    };
    format!("Take {}: {questions} {}, in {}; {others}.", made.data_set.title(), time(seconds), ByteSize(record.bytes))
}

/// The best of each form, beside the best of all.
fn formats(report: &BenchReport, ranked: &[(&Made, &Record, f64)]) -> Option<String> {
    let best = |kind: Kind| ranked.iter().find(|(made, ..)| made.data_set.form.format == kind);
    let kinds: Vec<_> = [Kind::Parquet, Kind::Csv, Kind::Tsv, Kind::Json].into_iter().filter_map(best).collect();
    let first = kinds.iter().min_by(|a, b| a.2.total_cmp(&b.2))?;
    if kinds.len() < 2 {
        return None;
    }
    let others = kinds.iter().filter(|one| one.0.name != first.0.name).map(|(made, record, seconds)| {
        format!(
            "{} ({}, {})",
            made.data_set.title(),
            times(seconds / first.2, "the time"),
            times(record.bytes as f64 / first.1.bytes as f64, "the size")
        )
    });
    let others: Vec<String> = others.collect();
    let read = report.questions.iter().filter_map(|question| {
        let read = |made: &Made| report.cell(&made.name, &question.name)?.bytes_read;
        let most = kinds.iter().filter_map(|(made, ..)| read(made)).max()?;
        let own = read(first.0)?;
        (own * 2 < most).then(|| format!("for `{}`, {} are read instead of {}", question.name, ByteSize(own), ByteSize(most)))
    });
    let read: Vec<String> = read.collect();
    let read = if read.is_empty() { String::new() } else { format!("; {}", read.join(", ")) };
    Some(format!("Format: the best of each other format, compared with {}: {}{read}.", first.0.data_set.title(), others.join(", ")))
}

/// What many files cost.
fn files(report: &BenchReport) -> Option<String> {
    let mut told = Vec::new();
    for (title, sets) in report.series() {
        let timed: Vec<(u64, f64)> =
            sets.iter().filter_map(|made| Some((made.data_set.splits, report.seconds_of_all(&made.name)?))).collect();
        let (Some(few), Some(many)) = (timed.iter().min_by_key(|one| one.0), timed.iter().max_by_key(|one| one.0)) else { continue };
        if few.0 < many.0 {
            told.push((title, few.0, many.0, many.1 / few.1));
        }
    }
    let worst = told.iter().max_by(|a, b| a.3.total_cmp(&b.3))?;
    let list: Vec<String> =
        told.iter().map(|(title, few, many, ratio)| format!("{title} {} against {} ({ratio:.1}x)", count(*many), count(*few))).collect();
    let said = match worst.3 {
        ratio if ratio >= 1.5 => "Files: fewer are better",
        ratio if ratio <= 0.8 => "Files: several are better than one",
        _ => "Files: their number makes little difference here",
    };
    Some(format!("{said}; time with the most files compared with the fewest: {}.", list.join(", ")))
}

/// What compressing takes and saves, in the same number of files.
fn compression(report: &BenchReport) -> Option<String> {
    let mut told = Vec::new();
    for made in report.data_sets.iter().filter(|made| made.data_set.form.compression != "none") {
        let is_plain = |other: &&Made| {
            other.data_set.form.format == made.data_set.form.format
                && other.data_set.form.compression == "none"
                && other.data_set.splits == made.data_set.splits
                && other.data_set.partition_by == made.data_set.partition_by
        };
        let Some(plain) = report.data_sets.iter().find(is_plain) else { continue };
        let (Some(own), Some(other)) = (&made.record, &plain.record) else { continue };
        let Some((own_time, other_time)) = report.seconds_of_all(&made.name).zip(report.seconds_of_all(&plain.name)) else { continue };
        let smaller = other.bytes as f64 / own.bytes.max(1) as f64;
        told.push(format!("{} is {smaller:.1}x smaller and takes {:.1}x the time", made.data_set.title(), own_time / other_time));
    }
    (!told.is_empty()).then(|| format!("Compression: {}.", told.join("; ")))
}

/// What folders bring to the question that asks for one of them.
fn partitions(report: &BenchReport) -> Option<String> {
    let question = report.questions.iter().find(|question| question.partitioned_sql.is_some())?;
    let mut told = Vec::new();
    for made in report.data_sets.iter().filter(|made| !made.data_set.partition_by.is_empty()) {
        let is_whole = |other: &&Made| {
            other.data_set.form == made.data_set.form
                && other.data_set.splits == made.data_set.splits
                && other.data_set.partition_by.is_empty()
        };
        let whole = report.data_sets.iter().find(is_whole)?;
        let (own, other) = (report.cell(&made.name, &question.name)?, report.cell(&whole.name, &question.name)?);
        let (Some(own_time), Some(other_time)) = (&own.seconds, &other.seconds) else { continue };
        let read = match (own.bytes_read, other.bytes_read) {
            (Some(own), Some(other)) => format!(" and reads {} instead of {}", ByteSize(own), ByteSize(other)),
            _ => String::new(),
        };
        told.push(format!("{} takes {:.2}x the time of one folder{read}", made.data_set.title(), own_time.mean / other_time.mean));
    }
    (!told.is_empty()).then(|| format!("Folders, for `{}`: {}.", question.name, told.join("; ")))
}

/// The smallest encoding of each column.
fn encodings(report: &BenchReport) -> Option<String> {
    let mut told: Vec<(&str, Vec<String>)> = Vec::new();
    for column in &report.encodings {
        let (Some(best), Some(plain)) = (column.smallest(), column.encodings.first()) else { continue };
        let said = format!("{} ({:.1}x smaller than plain)", column.column, plain.zstd_bytes as f64 / best.zstd_bytes as f64);
        match told.iter_mut().find(|(name, _)| *name == best.name) {
            Some((_, columns)) => columns.push(said),
            None => told.push((best.name, vec![said])),
        }
    }
    let told: Vec<String> = told.into_iter().map(|(name, columns)| format!("{name} for {}", columns.join(", "))).collect();
    (!told.is_empty()).then(|| format!("Encodings with the smallest columns, after zstd: {}.", told.join("; ")))
}

fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.1 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}

fn times(ratio: f64, what: &str) -> String {
    format!("{ratio:.1}x {what}")
}
