//! Past runs, one a line.

use super::text::{numbers, painted, table};
use super::wording::{Mood, counted, duration, moment, outcome};
use crate::pipeline::{Action, RunReport};
use crate::printable::printable;
use crate::units::count;
use comfy_table::Cell;

/// Tables that are named for each run.
const NAMED: usize = 3;

/// The runs in the order given, as a table: run, pipeline, how it ended, when, how long it took, rows written and rejected lines, and the
/// tables that it wrote. With `colour` it is for a terminal.
pub fn history<'a>(runs: impl IntoIterator<Item = &'a RunReport>, colour: bool) -> String {
    let mut shown = table(colour);
    shown.set_header(["run", "pipeline", "status", "started", "took", "rows written", "rejects", "tables"]);
    numbers(&mut shown, 4..7);
    let mut empty = true;
    for run in runs {
        empty = false;
        let rows = run.outputs.iter().map(|output| output.rows).sum();
        let rejects = run.sources.iter().map(|source| source.rejects).sum();
        shown.add_row(vec![
            Cell::new(printable(&run.run)),
            Cell::new(printable(&run.pipeline)),
            painted(Cell::new(outcome(run)), Mood::of_run(run), colour),
            Cell::new(moment(run.started)),
            Cell::new(duration(run.seconds())),
            Cell::new(count(rows)),
            Cell::new(count(rejects)),
            Cell::new(tables(run)),
        ]);
    }
    if empty { "no runs yet".to_string() } else { shown.to_string() }
}

/// The tables that a run wrote to.
fn tables(run: &RunReport) -> String {
    let written: Vec<_> = run.outputs.iter().filter(|output| output.action != Action::Unchanged).collect();
    if let Some(renamed) = &run.renamed {
        return format!("{} -> {}", printable(&renamed.from), printable(&renamed.to));
    }
    let mut names: Vec<String> = written.iter().take(NAMED).map(|output| printable(&output.table).into_owned()).collect();
    match written.len().saturating_sub(NAMED) {
        0 => {}
        more => names.push(format!("and {} more", counted(more as u64, "table"))),
    }
    names.extend(run.dropped.iter().map(|name| format!("- {}", printable(name))));
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{failed, published};

    #[test]
    fn runs_are_listed() {
        let expected = include_str!("../../tests/fixtures/report/history.txt");
        assert_eq!(history([&published(), &failed()], false) + "\n", expected);
        assert_eq!(history([], false), "no runs yet");
    }
}
