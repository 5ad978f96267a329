//! Pieces that several sections are made of.

use crate::printable::printable_lines;
use crate::report::wording::Mood;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A browser loads and runs nothing, even if a text got through unescaped.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page that needs nothing else: no network, no script.
pub(super) fn page(title: Markup, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// A box that says what is wrong.
pub(super) fn alert(class: &str, title: &str, text: &str) -> Markup {
    html! { div class={ "alert " (class) } role="note" { strong { (title) } pre { (printable_lines(text)) } } }
}

/// A table that may be wider than the screen, then scrolls; by the keyboard, too.
pub(super) fn scrolling(name: &str, table: Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(name) tabindex="0" { (table) } }
}

/// The class of a mood's colours.
pub(super) fn class(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "good",
        Mood::Warning => "warn",
        Mood::Bad => "bad",
    }
}
