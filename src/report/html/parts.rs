//! Pieces that several sections are made of.

use crate::printable::printable_lines;
use crate::report::wording::Mood;
use maud::{Markup, html};

/// A browser loads and runs nothing, even if a text got through unescaped.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

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
