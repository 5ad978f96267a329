//! What was expected of the tables, and what was found, with rows that show what is wrong.

use super::super::checks::{tally, verdict};
use super::super::wording::{Mood, duration, shortened, when};
use super::parts::{class, scrolling};
use crate::pipeline::{CheckRun, Sample};
use crate::printable::{printable, printable_lines};
use maud::{Markup, html};

/// Characters of a value, and of what was expected and found, that are shown.
const SHOWN: usize = 400;

pub(super) fn section(checks: &[CheckRun]) -> Markup {
    if checks.is_empty() {
        return html! {};
    }
    let mut worst_first: Vec<&CheckRun> = checks.iter().collect();
    worst_first.sort_by_key(|check| match Mood::of_check(check) {
        Mood::Bad => 0,
        Mood::Warning => 1,
        Mood::Good => 2,
    });
    html! {
        section aria-labelledby="checks" {
            h2 id="checks" { "Checks " span.soft { "(" (tally(checks)) ")" } }
            ul.checks { @for check in worst_first { (item(check)) } }
        }
    }
}

fn item(check: &CheckRun) -> Markup {
    // What holds is a line; what doesn't is worth a look.
    if check.passed {
        return html! {
            li.passed {
                div { span class={ "pill " (class(Mood::of_check(check))) } { (verdict(check)) } }
                div { strong { (printable(&check.name)) } " " span.soft { (shortened(&check.found, SHOWN)) ", " (when(check)) ", " (duration(check.seconds)) } }
            }
        };
    }
    html! {
        li {
            div { span class={ "pill " (class(Mood::of_check(check))) } { (verdict(check)) } }
            div {
                strong { (printable(&check.name)) } " "
                span.soft { (printable(&check.kind)) ", " (when(check)) ", " (duration(check.seconds)) }
                dl.facts {
                    dt { "Expected" } dd { (shortened(&check.expected, SHOWN)) }
                    dt { "Found" } dd { (shortened(&check.found, SHOWN)) }
                    @for sql in &check.sql { dt { "SQL" } dd.mono { (printable_lines(sql)) } }
                }
                @if let Some(found) = check.sample.as_ref().filter(|sample| !sample.rows.is_empty()) {
                    div.sample { (scrolling(&format!("Rows of {}", printable(&check.name)), sample(found))) }
                }
            }
        }
    }
}

fn sample(sample: &Sample) -> Markup {
    html! {
        table.stacks {
            caption.hidden { "Example rows" }
            thead { tr { @for name in &sample.columns { th scope="col" { (printable(name)) } } } }
            tbody {
                @for row in &sample.rows {
                    tr {
                        @for (value, name) in row.iter().zip(&sample.columns) {
                            @match value {
                                Some(value) => td data-label=(printable(name)) { (shortened(value, SHOWN)) },
                                None => td data-label=(printable(name)) { span.null { "NULL" } },
                            }
                        }
                    }
                }
            }
        }
    }
}
