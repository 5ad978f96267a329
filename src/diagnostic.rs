//! Points at the place in a text of the user's that is wrong: a caret under it, and a hint.

use crate::printable::{is_unseen, printable};
use std::borrow::Cow;

/// Shows `text` with carets under the bytes `span`, and `message` beside them.
///
/// ```
/// let shown = etl::diagnostic::caret("%h %q1", 3..5, "no such directive");
/// assert_eq!(shown, "  %h %q1\n     ^^ no such directive");
/// ```
pub fn caret(text: &str, span: std::ops::Range<usize>, message: &str) -> String {
    // Foreign text is in it too.
    let message = printable(message);
    // One column a character, so that the caret stands right under tabs and multi-byte characters too.
    let (text, span) = part(text, span);
    let shown = text.chars().map(|c| match c {
        '\t' | '\r' => ' ',
        c if is_unseen(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    let shown: String = shown.collect();
    let before = text.get(..span.start).map_or(0, |s| s.chars().count());
    let width = text.get(span.start..span.end).map_or(1, |s| s.chars().count()).max(1);
    format!("  {shown}\n  {}{} {message}", " ".repeat(before), "^".repeat(width))
}

/// So many characters of a line are shown at most, before what is meant and from there on.
const SHOWN: usize = 120;

/// `text`, or where it is long the part of it around `span`, with what `span` is there.
fn part(text: &str, span: std::ops::Range<usize>) -> (Cow<'_, str>, std::ops::Range<usize>) {
    let (Some(before), Some(rest)) = (text.get(..span.start), text.get(span.start..)) else { return (text.into(), span) };
    let start = before.char_indices().rev().nth(SHOWN - 1).map(|(at, _)| at).filter(|at| *at > 0);
    let end = rest.char_indices().nth(SHOWN).map(|(at, _)| span.start + at);
    if start.is_none() && end.is_none() {
        return (text.into(), span);
    }
    let (from, to) = (start.unwrap_or(0), end.unwrap_or(text.len()));
    let (left, right) = (if start.is_some() { "…" } else { "" }, if end.is_some() { "…" } else { "" });
    let moved = |at: usize| at.min(to) - from + left.len();
    (format!("{left}{}{right}", &text[from..to]).into(), moved(span.start)..moved(span.end.max(span.start)))
}

/// The name in `known` nearest to `name`, where it is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is this long is no slip of the fingers, and would take long to compare.
    if name.len() > 256 {
        return None;
    }
    let limit = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|k| (distance(&name.to_lowercase(), &k.to_lowercase()), k))
        .min_by_key(|(d, _)| *d)
        .filter(|(d, _)| *d <= limit)
        .map(|(_, k)| k)
}

/// Levenshtein's edit distance, in characters; two of them that changed places are one slip.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut least = (row[j] + usize::from(ca != cb)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                least = least.min(above[j - 1] + 1);
            }
            next.push(least);
        }
        (above, row) = (row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_the_part_is_shown_that_is_meant() {
        let long = format!("{}wrong{}", "é".repeat(1_000), "x".repeat(1_000));
        let shown = caret(&long, 2_000..2_005, "here");
        let (line, mark) = shown.split_once('\n').unwrap();
        assert_eq!(line.chars().count(), 2 + 1 + 120 + 120 + 1);
        assert_eq!(line.chars().skip(mark.find('^').unwrap()).take(5).collect::<String>(), "wrong");
        assert!(mark.ends_with("^^^^^ here"));
    }

    #[test]
    fn nearest_is_near_or_nothing() {
        assert_eq!(nearest("stauts", ["status", "host"]), Some("status"));
        assert_eq!(nearest("zzz", ["status", "host"]), None);
    }
}
