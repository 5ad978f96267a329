//! Bars as SVG. Their lengths are shares of the width, and the text has a size of its own, so that a chart is readable on any screen.

use crate::printable::printable;
use maud::{Markup, html};

/// The height of a bar with the text above it.
const PITCH: usize = 44;
/// Characters of a name that are shown: more would run into the figure on a narrow screen. The description has all of it.
const NAME: usize = 26;

/// A bar, and a lighter one behind it that it is a part of.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) name: String,
    /// The figure, as text.
    pub(super) value: String,
    pub(super) length: f64,
    pub(super) whole: f64,
}

/// A chart of bars, all of one scale from zero; nothing where there is no bar. `id` is unique in the page; `class` is the bars' colour.
pub(super) fn bars(id: &str, title: &str, class: &str, key: Option<Markup>, bars: &[Bar]) -> Markup {
    if bars.is_empty() {
        return html! {};
    }
    let most = bars.iter().flat_map(|bar| [bar.length, bar.whole]).fold(f64::MIN_POSITIVE, f64::max);
    let figures: Vec<String> = bars.iter().map(|bar| format!("{}: {}", printable(&bar.name), bar.value)).collect();
    let (title_id, text_id) = (format!("{id}-title"), format!("{id}-text"));
    html! {
        figure {
            figcaption { (title) @if let Some(key) = key { (key) } }
            svg role="img" aria-labelledby={ (title_id) " " (text_id) } width="100%" height=(bars.len() * PITCH - 10) {
                title id=(title_id) { (title) }
                desc id=(text_id) { (figures.join("; ")) }
                @for (index, bar) in bars.iter().enumerate() {
                    @let top = index * PITCH;
                    text x="0" y=(top + 13) { (clipped(&bar.name)) }
                    text.value x="100%" y=(top + 13) text-anchor="end" { (bar.value) }
                    rect.s-track x="0" y=(top + 21) width="100%" height="10" rx="2" {}
                    @if bar.whole > 0.0 {
                        rect.s-whole x="0" y=(top + 21) width=(percent((bar.whole / most).max(LEAST))) height="10" rx="2" {}
                    }
                    @if bar.length > 0.0 {
                        rect class=(class) x="0" y=(top + 21) width=(percent((bar.length / most).max(LEAST))) height="10" rx="2" {}
                    }
                }
            }
        }
    }
}

/// A part of a whole, in the colour of its class.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) size: u64,
}

/// One bar made of parts, as long as the width. `text` says the same in words.
pub(super) fn stack(id: &str, title: &str, text: &str, parts: &[Part]) -> Markup {
    let (title_id, text_id) = (format!("{id}-title"), format!("{id}-text"));
    let whole = parts.iter().map(|part| part.size).sum::<u64>().max(1) as f64;
    // The few are often those that matter: a part that is there is seen, be it ever so small.
    let shares: Vec<_> = parts.iter().filter(|p| p.size > 0).map(|p| (p.class, (p.size as f64 / whole).max(LEAST))).collect();
    let all: f64 = shares.iter().map(|(_, share)| share).sum();
    let placed = shares.into_iter().scan(0.0, |end, (class, share)| {
        let (from, width) = (*end, share / all);
        *end += width;
        Some((class, from, width))
    });
    html! {
        svg role="img" aria-labelledby={ (title_id) " " (text_id) } width="100%" height="10" {
            title id=(title_id) { (title) }
            desc id=(text_id) { (text) }
            rect.s-track x="0" y="0" width="100%" height="10" {}
            @for (class, from, size) in placed {
                rect class=(class) x=(percent(from)) y="0" width=(percent(size)) height="10" {}
            }
        }
    }
}

/// The least share that is seen, about two pixels.
const LEAST: f64 = 0.004;

pub(super) fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// The name, its middle left out where it is long.
fn clipped(name: &str) -> String {
    let name: Vec<char> = printable(name).chars().collect();
    if name.len() <= NAME {
        return name.into_iter().collect();
    }
    let half = NAME / 2;
    name[..half].iter().chain(&['…']).chain(&name[name.len() - half + 1..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_one_scale() {
        let bar = |length, whole| Bar { name: "a".into(), value: "v".into(), length, whole };
        let drawn = bars("x", "Sizes", "s-bar", None, &[bar(1.0, 4.0), bar(2.0, 0.0), bar(0.0, 0.0)]).into_string();
        for width in ["width=\"25.00%\"", "width=\"50.00%\"", "width=\"100.00%\""] {
            assert_eq!(drawn.matches(width).count(), 1, "{width} in {drawn}");
        }
        assert_eq!(drawn.matches("s-bar").count(), 2);
        assert!(bars("x", "Sizes", "s-bar", None, &[]).into_string().is_empty());
    }

    #[test]
    fn a_small_part_is_seen() {
        let parts = [Part { class: "s-bar", size: 1_000_000 }, Part { class: "s-bad", size: 1 }, Part { class: "s-blank", size: 0 }];
        let drawn = stack("x", "Lines", "words", &parts).into_string();
        assert!(drawn.contains(r#"class="s-bad" x="99.60%" y="0" width="0.40%""#), "{drawn}");
        assert!(!drawn.contains("s-blank"));
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(clipped("short"), "short");
        let clipped = clipped("warehouse.access_log_by_day_and_host");
        assert_eq!((clipped.chars().count(), clipped.as_str()), (26, "warehouse.acc…day_and_host"));
    }
}
