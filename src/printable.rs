//! Text that others wrote, made safe to look at: names of files, headers, keys, values, and what stores answer.

use std::borrow::Cow;

/// `text` on one line, without what would control a terminal, turn the direction of writing, or not be seen: such characters are
/// written as escapes.
///
/// ```
/// assert_eq!(etl::printable::printable("a\u{1b}[31m\u{202e}b\n"), "a\\u{1b}[31m\\u{202e}b\\n");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_unseen)
}

/// As [`printable`], with the line breaks left in: for text of which the lines are ours.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_unseen(c))
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_escaped(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// Whether `c` does something else than be seen: controls, breaks of lines, Unicode's format characters (overrides of direction, joiners,
/// tags), and letters that are blank.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
            | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_escaped_and_all_else_is_left() {
        assert!(matches!(printable("müller <b> \\ 東京 🙂"), Cow::Borrowed(_)));
        assert_eq!(printable("\u{7f}\u{9b}\r\u{7}\u{200b}\u{2028}\t"), "\\u{7f}\\u{9b}\\r\\u{7}\\u{200b}\\u{2028}\\t");
        assert_eq!(printable_lines("a\r\nb\u{7}"), "a\\r\nb\\u{7}");
    }
}
