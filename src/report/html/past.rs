//! The runs before as small lines, and links to what lies beside the page.

use super::super::wording::{Mood, counted, duration, moment};
use super::chart::percent;
use crate::pipeline::{Around, RunReport};
use crate::publish::RunId;
use crate::units::count;
use maud::{Markup, html};

/// The height of a line's drawing, and what is left free above and below.
const HEIGHT: f64 = 48.0;
const MARGIN: f64 = 5.0;

/// Rows, rejected lines and seconds of the last runs, this one the last.
pub(super) fn section(report: &RunReport, around: &Around) -> Markup {
    if around.before.is_empty() {
        return html! {};
    }
    let runs: Vec<&RunReport> = around.before.iter().chain([report]).collect();
    let rows = |run: &RunReport| run.outputs.iter().filter(|output| output.action.writes()).map(|output| output.rows).sum::<u64>();
    let rejects = |run: &RunReport| run.sources.iter().map(|source| source.rejects).sum::<u64>();
    html! {
        section aria-labelledby="past" {
            h2 id="past" { "Last " (counted(runs.len() as u64, "run")) }
            div.charts {
                (line("past-rows", "Rows written", &runs, |run| rows(run) as f64, |run| count(rows(run))))
                (line("past-rejects", "Lines rejected", &runs, |run| rejects(run) as f64, |run| count(rejects(run))))
                (line("past-time", "Time", &runs, RunReport::seconds, |run| duration(run.seconds())))
            }
            p.soft { "Runs that failed have a red mark." }
        }
    }
}

/// A small line over `runs`.
fn line(id: &str, title: &str, runs: &[&RunReport], value: impl Fn(&RunReport) -> f64, shown: impl Fn(&RunReport) -> String) -> Markup {
    let most = runs.iter().map(|run| value(run)).fold(f64::MIN_POSITIVE, f64::max);
    let x = |at: usize| percent(0.01 + 0.98 * at as f64 / (runs.len() - 1).max(1) as f64);
    let y = |run: &RunReport| format!("{:.1}", HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * value(run) / most);
    let words: Vec<String> = runs.iter().map(|run| format!("{}: {}", moment(run.started), shown(run))).collect();
    let (title_id, text_id) = (format!("{id}-title"), format!("{id}-text"));
    html! {
        figure {
            figcaption { (title) span.key { "now " (runs.last().map(|run| shown(run)).unwrap_or_default()) ", at most " (runs.iter().max_by(|a, b| value(a).total_cmp(&value(b))).map(|run| shown(run)).unwrap_or_default()) } }
            svg role="img" aria-labelledby={ (title_id) " " (text_id) } width="100%" height=(HEIGHT) {
                title id=(title_id) { (title) }
                desc id=(text_id) { (words.join("; ")) }
                g class="line l0" {
                    @for (at, pair) in runs.windows(2).enumerate() {
                        line x1=(x(at)) y1=(y(pair[0])) x2=(x(at + 1)) y2=(y(pair[1])) {}
                    }
                }
                @for (at, run) in runs.iter().enumerate() {
                    @if Mood::of_run(run) == Mood::Bad { circle.s-bad cx=(x(at)) cy=(y(run)) r="4" {} }
                    @else if at + 1 == runs.len() { circle.s-bar cx=(x(at)) cy=(y(run)) r="4" {} }
                }
            }
        }
    }
}

/// Links to what lies beside the page: the report as JSON, rejected lines, the runs before and after.
pub(super) fn links(report: &RunReport, around: &Around) -> Markup {
    // Names of runs are of few letters; whatever else stands there is no place.
    let page = |run: &str| RunId::of_folder(run).map(|run| format!("../{run}/report.html"));
    let before = around.before.last().and_then(|run| page(&run.run));
    let after = around.after.as_deref().and_then(page);
    let beside = format!("/{}/", report.run);
    let rejects: Vec<(&str, &str)> = report
        .sources
        .iter()
        .filter_map(|source| Some((source.name.as_str(), source.rejects_file.as_deref()?.rsplit_once(&beside)?.1)))
        .filter(|(_, file)| file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)))
        .collect();
    html! {
        nav.links aria-label="Beside this page" {
            @if let Some(before) = &before { a href=(before) { "← run before" } }
            @if let Some(after) = &after { a href=(after) { "run after →" } }
            a href="report.json" { "report as JSON" }
            @for (source, file) in &rejects { a href=(file) { "rejected lines of " (source) } }
        }
    }
}
