//! Lines over a few steps, as SVG. Widths are shares of the page's, and text has a size of its own, so that a chart is readable on any screen;
//! lines differ in colour, in their dashes and in their marks, so that it is in grey, too.

use super::chart::percent;
use crate::printable::printable;
use maud::{Markup, PreEscaped, html};

/// A line, with its value, the least and the most at each step that it has one at.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<Option<[f64; 3]>>,
}

/// Where the plot begins and ends: shares of the width, and pixels from the top.
const LEFT: f64 = 0.14;
const RIGHT: f64 = 0.95;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 214.0;
/// So many lines can be told apart.
pub(super) const MOST: usize = 8;
/// What marks the points of each line.
const MARKS: [&str; 4] = ["M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z", "M-4-4H4V4H-4Z", "M0-5L5 4H-5Z", "M0-5.5L5.5 0L0 5.5L-5.5 0Z"];

/// A chart of `lines` over `steps`, which `axis` names; values have the `unit`. Nothing where there is no point. `id` is unique in the page.
pub(super) fn lines(id: &str, title: &str, unit: &str, axis: &str, steps: &[String], lines: &[Line]) -> Markup {
    let most = lines.iter().flat_map(|line| line.points.iter().flatten()).map(|[_, _, most]| *most).fold(0.0, f64::max);
    if most <= 0.0 {
        return html! {};
    }
    let ticks = ticks(most);
    let top = ticks.last().copied().unwrap_or(most);
    let x = |step: usize| match steps.len() {
        0 | 1 => (LEFT + RIGHT) / 2.0,
        many => LEFT + (RIGHT - LEFT) * step as f64 / (many - 1) as f64,
    };
    let y = |value: f64| format!("{:.1}", BOTTOM - (BOTTOM - TOP) * value / top);
    let decimals = ticks.get(1).map_or(0, |step| (-step.log10().floor()).max(0.0) as usize);
    let (title_id, text_id) = (format!("{id}-title"), format!("{id}-text"));
    html! {
        figure.lines-chart {
            figcaption {
                (title)
                span.key {
                    @for (at, line) in lines.iter().enumerate() {
                        b class={ "line l" (at % MOST) } {
                            svg width="34" height="12" aria-hidden="true" {
                                line x1="0" x2="34" y1="6" y2="6" {}
                                (mark("17", "6", at))
                            }
                            (printable(&line.name))
                        }
                    }
                }
            }
            svg role="img" aria-labelledby={ (title_id) " " (text_id) } width="100%" height="262" {
                title id=(title_id) { (title) }
                desc id=(text_id) { (words(unit, steps, lines)) }
                @for tick in &ticks {
                    line.grid x1=(percent(LEFT - 0.02)) x2="100%" y1=(y(*tick)) y2=(y(*tick)) {}
                    text.value x=(percent(LEFT - 0.035)) y=(y(*tick)) dy="4" text-anchor="end" { (format!("{tick:.decimals$}")) }
                }
                @for (step, name) in steps.iter().enumerate() {
                    text.value x=(percent(x(step))) y="236" text-anchor="middle" { (name) }
                }
                text.value x=(percent((LEFT + RIGHT) / 2.0)) y="256" text-anchor="middle" { (axis) }
                @for (at, line) in lines.iter().enumerate() {
                    g class={ "line l" (at % MOST) } {
                        @let known: Vec<(usize, [f64; 3])> = line.points.iter().enumerate().filter_map(|(step, point)| Some((step, (*point)?))).collect();
                        @for pair in known.windows(2) {
                            line x1=(percent(x(pair[0].0))) y1=(y(pair[0].1[0])) x2=(percent(x(pair[1].0))) y2=(y(pair[1].1[0])) {}
                        }
                        @for (step, [value, least, most]) in &known {
                            line.spread x1=(percent(x(*step))) x2=(percent(x(*step))) y1=(y(*least)) y2=(y(*most)) {}
                            (mark(&percent(x(*step)), &y(*value), at))
                        }
                    }
                }
            }
        }
    }
}

/// The mark of a line at a place; as an image of its own, as a path's points can't be shares of a width.
fn mark(x: &str, y: &str, line: usize) -> Markup {
    let shape = MARKS[line % MARKS.len()];
    PreEscaped(format!("<svg x=\"{x}\" y=\"{y}\" overflow=\"visible\"><path d=\"{shape}\"/></svg>"))
}

/// The same in words.
fn words(unit: &str, steps: &[String], lines: &[Line]) -> String {
    let told = lines.iter().map(|line| {
        let points = line.points.iter().zip(steps).filter_map(|(point, step)| Some(format!("{step}: {} {unit}", figure((*point)?[0]))));
        format!("{}: {}", printable(&line.name), points.collect::<Vec<_>>().join(", "))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// From zero to at least `most`, in four to eight steps of 1, 2 or 5.
fn ticks(most: f64) -> Vec<f64> {
    let magnitude = 10f64.powf((most / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * magnitude).find(|step| most / step <= 6.0).unwrap_or(most);
    (0..=(most / step).ceil() as usize).map(|at| at as f64 * step).collect()
}

/// A number with as many digits as matter.
fn figure(value: f64) -> String {
    let digits = match value {
        0.0 => 0,
        value if value >= 10.0 => 0,
        value if value >= 1.0 => 1,
        value if value >= 0.1 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_most() {
        assert_eq!(ticks(0.9), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        for most in [1e-6, 0.0123, 0.5, 1.0, 3.3, 7.0, 99.0, 12_345.0] {
            let ticks = ticks(most);
            assert!((4..=8).contains(&ticks.len()) && ticks[ticks.len() - 1] >= most * 0.999_999, "{most}: {ticks:?}");
        }
    }

    #[test]
    fn points_that_are_missing_are_left_out() {
        let line = Line { name: "CSV <gzip>".into(), points: vec![Some([1.0, 0.9, 1.2]), None, Some([2.0, 2.0, 2.0])] };
        let steps = ["1", "10", "100"].map(String::from);
        let drawn = lines("x", "all", "s", "files", &steps, &[line]).into_string();
        assert_eq!(drawn.matches("<path").count(), 1 + 2, "{drawn}");
        assert!(drawn.contains("CSV &lt;gzip&gt;: 1: 1.0 s, 100: 2.0 s"), "{drawn}");
        assert!(lines("x", "all", "s", "files", &steps, &[]).into_string().is_empty());
    }
}
