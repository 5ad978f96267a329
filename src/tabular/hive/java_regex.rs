//! The fields of a line as RegexSerDe has them: the groups of a regular expression of Java's that matches all of it.

use super::values::{Value, Values};
use crate::error::{Error, ErrorKind, Result};
use regex::bytes::{CaptureLocations, Regex, RegexBuilder};
use std::fmt;

/// A regular expression of Java's.
#[derive(Clone)]
pub struct Pattern {
    regex: Regex,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.regex.as_str()).finish()
    }
}

impl Pattern {
    /// The expression `text`, which must match whole lines.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] where it is none, or has what can't be matched in one pass: what is ahead or behind, what a group held, atoms
    /// that give nothing back.
    pub fn new(text: &str, case_insensitive: bool) -> Result<Pattern> {
        let translated = translated(text).map_err(|what| refused(text, &what))?;
        let whole = format!("^(?:{translated})$");
        let built = RegexBuilder::new(&whole).dot_matches_new_line(true).case_insensitive(case_insensitive).size_limit(64 << 20).build();
        built.map(|regex| Pattern { regex }).map_err(|e| {
            let what = match &e {
                regex::Error::Syntax(said) => said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string(),
                other => other.to_string(),
            };
            refused(text, &what)
        })
    }

    /// What [`Pattern::split`] writes places to.
    pub(super) fn locations(&self) -> CaptureLocations {
        self.regex.capture_locations()
    }

    /// The groups of `line`; nothing where it does not match.
    pub(super) fn split(&self, line: &[u8], most: usize, locations: &mut CaptureLocations, values: &mut Values) {
        values.clear();
        if self.regex.captures_read(locations, line).is_some() {
            let groups = (1..locations.len()).take(most).map(|group| locations.get(group));
            values.fields.extend(groups.map(|place| place.map_or(Value::Missing, |(start, end)| Value::Here(start..end))));
        }
    }
}

fn refused(text: &str, what: &str) -> Error {
    Error::new(ErrorKind::Format, format!("the regular expression `{text}` can't be used here: {what}")).with_context(
        "what to do",
        "query the table with Athena, or write the expression without look-around, back references and possessive signs",
    )
}

/// `text` in the words of the `regex` crate: Java's classes are of ASCII, and some of its escapes have other meanings here.
fn translated(text: &str) -> std::result::Result<String, String> {
    let (mut out, mut class) = (String::with_capacity(text.len()), 0usize);
    let mut signs = text.chars().peekable();
    // Whether a sign that says how often is before, so that `+` would make it give nothing back.
    let mut repeated = false;
    while let Some(sign) = signs.next() {
        let was_repeated = std::mem::replace(&mut repeated, false);
        match sign {
            '\\' => {
                let escaped = signs.next().ok_or("it ends with a backslash")?;
                let inside = class > 0;
                match escaped {
                    'd' => out.push_str(if inside { "0-9" } else { "[0-9]" }),
                    'w' => out.push_str(if inside { "A-Za-z0-9_" } else { "[A-Za-z0-9_]" }),
                    's' => out.push_str(if inside { "\\t\\n\\x0B\\f\\r " } else { "[\\t\\n\\x0B\\f\\r ]" }),
                    'D' => out.push_str("[^0-9]"),
                    'W' => out.push_str("[^A-Za-z0-9_]"),
                    'S' => out.push_str("[^\\t\\n\\x0B\\f\\r ]"),
                    'b' | 'B' if !inside => out.push_str(&format!("(?-u:\\{escaped})")),
                    '1'..='9' => return Err("it goes back to what a group held".to_string()),
                    'Q' => loop {
                        match signs.next() {
                            Some('\\') if signs.peek() == Some(&'E') => {
                                signs.next();
                                break;
                            }
                            Some(literal) => out.push_str(&regex::escape(&literal.to_string())),
                            None => break,
                        }
                    },
                    'G' | 'Z' | 'R' | 'X' | 'h' | 'H' | 'v' | 'V' | 'k' | 'e' | 'c' | 'N' => {
                        return Err(format!("`\\{escaped}` is not known"));
                    }
                    other if other.is_ascii_alphanumeric() => out.extend(['\\', other]),
                    other => out.push_str(&regex::escape(&other.to_string())),
                }
            }
            '[' => {
                class += 1;
                out.push('[');
                if signs.peek() == Some(&'^') {
                    out.extend(signs.next());
                }
            }
            ']' if class > 0 => {
                class -= 1;
                out.push(']');
            }
            // What is a set operation here, and two signs there.
            '-' | '~' if class > 0 && signs.peek() == Some(&sign) => out.extend(['\\', sign]),
            '+' if class == 0 && was_repeated => return Err("it has a sign that gives nothing back, such as `++`".to_string()),
            '*' | '+' | '?' | '}' if class == 0 => {
                repeated = !was_repeated;
                out.push(sign);
            }
            _ => out.push(sign),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(pattern: &str, line: &str) -> Vec<Option<String>> {
        let pattern = Pattern::new(pattern, false).unwrap();
        let (mut locations, mut values) = (pattern.locations(), Values::default());
        pattern.split(line.as_bytes(), 10, &mut locations, &mut values);
        let text = |value: &Value| match value {
            Value::Here(range) => Some(line[range.clone()].to_string()),
            _ => None,
        };
        values.fields.iter().map(text).collect()
    }

    #[test]
    fn groups_of_whole_lines_are_fields() {
        let some = |texts: &[&str]| texts.iter().map(|text| Some(text.to_string())).collect::<Vec<_>>();
        assert_eq!(groups(r#"(\S+) "([^"]*)" (\d+|-)"#, "h \"GET /\" 200"), some(&["h", "GET /", "200"]));
        assert_eq!(groups("(a)(b)?", "a"), [Some("a".to_string()), None]);
        assert!(groups("(a)", "ab").is_empty());
        assert_eq!(groups(r"(\w+)(.*)", "aä"), some(&["a", "ä"]));
        assert_eq!(groups(r"([\w\-.]+)\/(\<x\>)", "a-b./<x>"), some(&["a-b.", "<x>"]));
        assert_eq!(groups(r"(\Qa.b\E)", "a.b"), some(&["a.b"]));
        assert_eq!(groups(r"(a|b)*?(c+?)", "abc"), some(&["b", "c"]));
    }

    #[test]
    fn what_can_not_be_matched_is_refused() {
        for pattern in [r"(a)\1", "(?=a)(.*)", "(?<!a)b", "(a++)", "(a", r"a\"] {
            let error = Pattern::new(pattern, false).unwrap_err();
            assert!(error.kind() == ErrorKind::Format && error.to_string().contains("can't be used here"), "{pattern}: {error}");
        }
    }
}
