//! Points at the place in a text of the user's that is wrong: a caret under it, and a hint.

use crate::printable::{is_unseen, printable};

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
    let shown: String = text
        .chars()
        .map(|c| match c {
            '\t' | '\r' => ' ',
            c if is_unseen(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect();
    let before = text.get(..span.start).map_or(0, |s| s.chars().count());
    let width = text.get(span.start..span.end).map_or(1, |s| s.chars().count()).max(1);
    format!("  {shown}\n  {}{} {message}", " ".repeat(before), "^".repeat(width))
}

/// The name in `known` nearest to `name`, where it is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|k| (distance(&name.to_lowercase(), &k.to_lowercase()), k))
        .min_by_key(|(d, _)| *d)
        .filter(|(d, _)| *d <= limit)
        .map(|(_, k)| k)
}

/// Levenshtein's edit distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_near_or_nothing() {
        assert_eq!(nearest("stauts", ["status", "host"]), Some("status"));
        assert_eq!(nearest("zzz", ["status", "host"]), None);
    }
}
