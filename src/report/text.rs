//! A run as people read it on a terminal.

use super::wording::{
    Mood, REPAIRED, action, counted, duration, files, holding, moment, nothing_to_do, outcome, registered, share, shortened, throughput,
    when,
};
use crate::pipeline::{CheckRun, OutputRun, RunReport, RunStatus, Sample, SourceRun};
use crate::printable::{printable, printable_lines};
use crate::publish::keys::OWN;
use crate::units::{ByteSize, count};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table};
use std::fmt::{self, Display, Write};
use std::io::IsTerminal;
use std::ops::Range;

/// Characters of a rejected line, or of a value in a sample, that are shown.
const SHOWN: usize = 160;
/// How many files with rejected lines are named, of each source.
const WORST: usize = 5;

/// The report as text without a line end behind it. With `colour` it has the escapes of a terminal in it: say so only where the text
/// goes to one, and the user doesn't forbid it (`NO_COLOR`).
pub fn text(report: &RunReport, colour: bool) -> String {
    let mut out = String::new();
    // A String takes whatever is written to it.
    let _ = Text { report, colour }.write(&mut out);
    out.truncate(out.trim_end().len());
    out
}

#[derive(Debug)]
struct Text<'a> {
    report: &'a RunReport,
    colour: bool,
}

impl Text<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let report = self.report;
        let (run, took) = (printable(&report.run), duration(report.seconds()));
        let name = self.bold(&printable(&report.pipeline));
        if report.status == RunStatus::UpToDate {
            writeln!(out, "{name}: {} ({took})", self.paint(&format!("nothing to do: {}", nothing_to_do(report)), Mood::of_run(report)))?;
        } else {
            writeln!(out, "{name}: {} in {took}, run {run}", self.paint(&outcome(report), Mood::of_run(report)))?;
            fact(out, "lake", printable(&report.lake))?;
            fact(out, "started", moment(report.started))?;
            for (name, value) in &report.vars {
                fact(out, "variable", format!("{} = {}", printable(name), printable(value)))?;
            }
            self.sources(out)?;
            self.transforms(out)?;
            self.outputs(out)?;
        }
        self.catalog(out)?;
        self.checks(out)?;
        self.access(out)?;
        if !report.notes.is_empty() {
            writeln!(out)?;
        }
        for note in &report.notes {
            writeln!(out, "note: {}", printable(note))?;
        }
        match &report.error {
            Some(error) => writeln!(out, "\n{} {}", self.paint("error:", Mood::Bad), printable_lines(error)),
            None => Ok(()),
        }
    }

    /// What readers' catalogs were told, where they were told anything.
    fn catalog(&self, out: &mut String) -> fmt::Result {
        let told = self.report.catalog.iter().filter(|one| one.wrote());
        told.enumerate().try_for_each(|(at, one)| {
            let gap = if at == 0 { "\n" } else { "" };
            writeln!(out, "{gap}Glue: {}: {}", printable(&one.table), registered(one))
        })
    }

    /// Who sees more or less than before.
    fn access(&self, out: &mut String) -> fmt::Result {
        self.report.access.iter().enumerate().try_for_each(|(at, change)| {
            let gap = if at == 0 { "\n" } else { "" };
            writeln!(out, "{gap}{}", printable(&change.to_string()))
        })?;
        self.report.lake_formation.iter().enumerate().try_for_each(|(at, step)| {
            let gap = if at == 0 { "\n" } else { "" };
            writeln!(out, "{gap}Lake Formation: {}", printable(step))
        })
    }

    fn sources(&self, out: &mut String) -> fmt::Result {
        let sources = &self.report.sources;
        if sources.is_empty() {
            return Ok(());
        }
        let mut shown = table(self.colour);
        shown.set_header(["source", "format", "files", "lines", "= rows", "+ rejects", "+ blank", "read", "decoded"]);
        numbers(&mut shown, 3..9);
        for source in sources {
            let found = files(source);
            let rejects = Cell::new(count(source.rejects));
            shown.add_row(vec![
                Cell::new(printable(&source.name)),
                Cell::new(printable(&source.format)),
                Cell::new(found),
                Cell::new(count(source.lines)),
                Cell::new(count(source.rows)),
                if source.rejects > 0 { painted(rejects, Mood::Warning, self.colour) } else { rejects },
                Cell::new(count(source.blank)),
                Cell::new(ByteSize(source.bytes_in).to_string()),
                Cell::new(ByteSize(source.bytes_decoded).to_string()),
            ]);
        }
        writeln!(out, "\n{shown}")?;
        sources.iter().try_for_each(|source| self.rejects(out, source))
    }

    fn rejects(&self, out: &mut String, source: &SourceRun) -> fmt::Result {
        if source.lines != source.rows + source.rejects + source.blank {
            let wrong = format!("the lines of {} don't add up: this is a fault of etl", printable(&source.name));
            writeln!(out, "{}", self.paint(&wrong, Mood::Bad))?;
        }
        if source.repaired > 0 {
            let rows = count(source.repaired);
            writeln!(out, "  {rows} of {} repaired: {REPAIRED}", printable(&source.name))?;
        }
        for (reason, rejects) in &source.rejects_by_reason {
            writeln!(out, "  {} of {} rejected: {}", count(*rejects), printable(&source.name), printable(reason))?;
            for line in source.reject_examples.iter().filter(|line| line.reason == *reason) {
                let (path, text) = (printable(&line.path), shortened(&line.text, SHOWN));
                writeln!(out, "    {path}:{} (byte {}): {text}", line.line, line.offset)?;
            }
        }
        if source.files_read > 1 {
            for file in source.reject_files.iter().take(WORST) {
                let (rejects, lines) = (count(file.rejects), counted(file.lines, "line"));
                writeln!(out, "  {rejects} of {lines} of {} rejected", printable(&file.path))?;
            }
        }
        for (column, values) in &source.mismatches_by_column {
            let are = if *values == 1 { "value is" } else { "values are" };
            writeln!(out, "  column {} of {}: {} {are} not of its type", printable(column), printable(&source.name), count(*values))?;
        }
        match &source.rejects_file {
            Some(file) if source.rejects > 0 => {
                // So that it can be pasted: what is kept of a run lies in the lake.
                let lake = if file.starts_with(OWN) { format!("{}/", self.report.lake.trim_end_matches('/')) } else { String::new() };
                writeln!(out, "  all of them: {}", printable(&format!("{lake}{file}")))
            }
            _ => Ok(()),
        }
    }

    fn transforms(&self, out: &mut String) -> fmt::Result {
        if self.report.transforms.is_empty() {
            return Ok(());
        }
        let mut shown = table(self.colour);
        shown.set_header(["transform", "rows", "time"]);
        numbers(&mut shown, 1..3);
        for transform in &self.report.transforms {
            let (rows, time) = (count(transform.rows), duration(transform.seconds));
            shown.add_row(vec![Cell::new(printable(&transform.name)), Cell::new(rows), Cell::new(time)]);
        }
        writeln!(out, "\n{shown}")
    }

    fn outputs(&self, out: &mut String) -> fmt::Result {
        let outputs = &self.report.outputs;
        if outputs.is_empty() {
            return Ok(());
        }
        let mut shown = table(self.colour);
        shown.set_header(["table", "", "format", "files", "rows", "size", "of input", "speed", "table now holds"]);
        numbers(&mut shown, 3..8);
        for output in outputs {
            let written = |text: String| Cell::new(if !output.action.writes() { String::new() } else { text });
            shown.add_row(vec![
                Cell::new(printable(&output.table)),
                Cell::new(action(output.action)),
                Cell::new(stored_as(output)),
                written(count(output.files)),
                written(count(output.rows)),
                written(ByteSize(output.bytes).to_string()),
                written(share(output.bytes, output.bytes_decoded).unwrap_or_default()),
                written(throughput(output.bytes_decoded, output.seconds).map(|t| t.to_string()).unwrap_or_default()),
                Cell::new(holding(output.total_files, output.total_rows, output.total_bytes)),
            ]);
        }
        writeln!(out, "\n{shown}")?;
        if outputs.iter().filter(|output| output.action.writes()).count() > 1 {
            let sum = |figure: fn(&OutputRun) -> u64| outputs.iter().filter(|output| output.action.writes()).map(figure).sum();
            writeln!(out, "written in total: {}", holding(sum(|o| o.files), sum(|o| o.rows), sum(|o| o.bytes)))?;
        }
        Ok(())
    }

    fn checks(&self, out: &mut String) -> fmt::Result {
        let checks = &self.report.checks;
        if checks.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nchecks: {}", super::checks::tally(checks))?;
        checks.iter().try_for_each(|check| self.check(out, check))
    }

    fn check(&self, out: &mut String, check: &CheckRun) -> fmt::Result {
        let mood = Mood::of_check(check);
        let verdict = self.paint(super::checks::verdict(check), mood);
        writeln!(out, "  {verdict}  {} ({}, {})", printable(&check.name), printable(&check.kind), when(check))?;
        if check.passed {
            return Ok(());
        }
        writeln!(out, "        expected  {}", shortened(&check.expected, 4 * SHOWN))?;
        writeln!(out, "        found     {}", shortened(&check.found, 4 * SHOWN))?;
        match &check.sample {
            Some(sample) if !sample.rows.is_empty() => {
                for line in self.sample(sample).lines() {
                    writeln!(out, "        {line}")?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn sample(&self, sample: &Sample) -> String {
        let mut shown = table(self.colour);
        shown.set_header(sample.columns.iter().map(|name| printable(name).into_owned()));
        for row in &sample.rows {
            shown.add_row(row.iter().map(|value| value.as_deref().map_or("NULL".to_string(), |value| shortened(value, SHOWN))));
        }
        shown.to_string()
    }

    fn paint(&self, text: &str, mood: Mood) -> String {
        let code = match mood {
            Mood::Good => "32",
            Mood::Warning => "33",
            Mood::Bad => "1;31",
        };
        self.escaped(text, code)
    }

    fn bold(&self, text: &str) -> String {
        self.escaped(text, "1")
    }

    fn escaped(&self, text: &str, code: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// `parquet zstd`.
pub(super) fn stored_as(output: &OutputRun) -> String {
    match output.compression.as_str() {
        "" | "none" => printable(&output.format).into_owned(),
        compression => format!("{} {}", printable(&output.format), printable(compression)),
    }
}

/// A line of the head: what it is about, and what was found.
fn fact(out: &mut String, name: &str, value: impl Display) -> fmt::Result {
    writeln!(out, "  {name:<11} {value}")
}

/// Sets the columns with these places to the right.
pub(super) fn numbers(table: &mut Table, columns: Range<usize>) {
    for place in columns {
        if let Some(column) = table.column_mut(place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// A cell in the colour of its mood.
pub(super) fn painted(cell: Cell, mood: Mood, colour: bool) -> Cell {
    if !colour {
        return cell;
    }
    cell.fg(match mood {
        Mood::Good => Color::Green,
        Mood::Warning => Color::Yellow,
        Mood::Bad => Color::Red,
    })
}

/// An empty table in the manner of all of them. On a terminal its cells are wrapped to fit.
pub(super) fn table(colour: bool) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    let fit = std::io::stdout().is_terminal();
    table.set_content_arrangement(if fit { ContentArrangement::Dynamic } else { ContentArrangement::Disabled });
    if colour {
        table.enforce_styling();
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{failed, hostile, published, up_to_date};

    #[test]
    fn a_run_is_shown() {
        let expected = include_str!("../../tests/fixtures/report/published.txt");
        assert_eq!(text(&published(), false) + "\n", expected);
    }

    #[test]
    fn what_failed_is_loud() {
        let shown = text(&failed(), false);
        for line in [
            "access_daily: checks failed, not published in 3.21 s, run 20200229T070000Z-7f3a\n",
            "  FAIL  status_range (matches, before publishing)\n        expected  status matches ^[1-5][0-9][0-9]$\n",
            "\n\nerror: 1 check failed, and nothing was published\n  check: status_range",
        ] {
            assert!(shown.contains(line), "{line} in {shown}");
        }
        let coloured = text(&failed(), true);
        assert!(coloured.contains("\u{1b}[1;31mFAIL\u{1b}[0m"));
        assert!(!shown.contains('\u{1b}'));
    }

    #[test]
    fn nothing_to_do_takes_a_line() {
        let shown = text(&up_to_date(), false);
        let first = "access_daily: nothing to do: nothing changed in 14 files of 2 sources since the last run (0.04 s)";
        assert_eq!(shown.lines().next(), Some(first));
        assert_eq!(shown.lines().skip(1).collect::<Vec<_>>(), ["", "note: log format combined (found in logs/access.log.gz)"]);
    }

    #[test]
    fn text_of_others_controls_no_terminal() {
        let shown = text(&hostile(), false);
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\0']));
        assert!(shown.contains("the lines of <script>"));
    }
}
