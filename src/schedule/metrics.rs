//! A board's figures in the text format of Prometheus.
//!
//! Source: "Exposition formats" in Prometheus' documentation, version 0.0.4 of the text format.

use super::board::{Board, Standing};
use chrono::{DateTime, Utc};
use std::fmt::{self, Display, Write};

/// The page; `broken` files of pipelines can't be read as they are, and `up` says whether all is well.
pub(super) fn metrics(board: &Board, broken: usize, up: bool) -> String {
    let mut page = Page(String::new());
    // A String takes whatever is written to it.
    let _ = page.write(board, broken, up);
    page.0
}

struct Page(String);

/// A label of a value, and the value.
type Point<'a> = (Vec<(&'static str, &'a str)>, f64);

impl Page {
    fn write(&mut self, board: &Board, broken: usize, up: bool) -> fmt::Result {
        let each = |value: fn(&Standing<'_>) -> Option<f64>| -> Vec<Point<'_>> {
            board.standings().filter_map(|standing| Some((vec![("pipeline", standing.name)], value(&standing)?))).collect()
        };
        let stamp = |time: DateTime<Utc>| time.timestamp_millis() as f64 / 1_000.0;
        self.family("etl_build_info", "gauge", "The version of etl", &[(vec![("version", env!("CARGO_PKG_VERSION"))], 1.0)])?;
        self.family("etl_up", "gauge", "1 while pipelines are started at their times", &[(vec![], f64::from(u8::from(up)))])?;
        self.family("etl_schedule_pipelines", "gauge", "Pipelines with a schedule", &[(vec![], board.standings().count() as f64)])?;
        self.family(
            "etl_schedule_invalid_files",
            "gauge",
            "Files of pipelines that can't be read as they are",
            &[(vec![], broken as f64)],
        )?;
        let standings: Vec<Standing<'_>> = board.standings().collect();
        let runs: Vec<Point<'_>> = standings
            .iter()
            .flat_map(|s| s.figures.runs.iter().map(|(status, runs)| (vec![("pipeline", s.name), ("status", status)], *runs as f64)))
            .collect();
        self.family("etl_schedule_runs_total", "counter", "Runs that ended, by how they did", &runs)?;
        self.family("etl_schedule_running", "gauge", "1 while a run is at work", &each(|s| Some(f64::from(u8::from(s.running)))))?;
        let points: Vec<Point<'_>> =
            standings.iter().filter_map(|s| Some((vec![("pipeline", s.name)], stamp(s.figures.last_success?)))).collect();
        self.family("etl_schedule_last_success_timestamp_seconds", "gauge", "When a run last ended well", &points)?;
        let points = each(|s| s.figures.last_seconds);
        self.family("etl_schedule_last_run_duration_seconds", "gauge", "How long the last run took", &points)?;
        self.family("etl_schedule_rows_total", "counter", "Rows written", &each(|s| Some(s.figures.rows as f64)))?;
        self.family("etl_schedule_rejects_total", "counter", "Lines rejected", &each(|s| Some(s.figures.rejects as f64)))?;
        let points: Vec<Point<'_>> = standings.iter().filter_map(|s| Some((vec![("pipeline", s.name)], stamp(s.next?)))).collect();
        self.family("etl_schedule_next_run_timestamp_seconds", "gauge", "The next time in the schedule", &points)?;
        let points = each(|s| Some(s.figures.overlaps as f64));
        self.family("etl_schedule_skipped_overlaps_total", "counter", "Times skipped as the last run was still at work", &points)?;
        let points = each(|s| Some(s.figures.missed as f64));
        self.family("etl_schedule_missed_times_total", "counter", "Times that passed while nothing ran", &points)
    }

    fn family(&mut self, name: &str, kind: &str, help: &str, points: &[Point<'_>]) -> fmt::Result {
        if points.is_empty() {
            return Ok(());
        }
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}")?;
        for (labels, value) in points {
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", Escaped(value))).collect();
            match labels.is_empty() {
                true => writeln!(self.0, "{name} {value}")?,
                false => writeln!(self.0, "{name}{{{}}} {value}", labels.join(","))?,
            }
        }
        Ok(())
    }
}

/// A label's value.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(Escaped("a\"b\\c\nd").to_string(), r#"a\"b\\c\nd"#);
    }
}
