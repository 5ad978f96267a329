//! The fields of a line as RegexSerDe has them: the groups of a regular expression of Java's that matches all of it.

use super::values::{Value, Values};
use crate::error::{Error, ErrorKind, Result};
use crate::printable::printable;
use regex::bytes::{CaptureLocations, Regex, RegexBuilder};
use std::borrow::Cow;
use std::fmt;

/// A regular expression of Java's.
#[derive(Clone)]
pub struct Pattern(Matcher);

/// Who matches it.
#[derive(Clone)]
enum Matcher {
    /// In one pass, whatever the line.
    Linear(Regex),
    /// By trying again from where it could have gone otherwise, as Java does: for what can't be matched in one pass.
    Backtracking(fancy_regex::Regex),
}

/// Where the groups of a line are, while it is read.
pub(super) type Locations = Option<CaptureLocations>;

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match &self.0 {
            Matcher::Linear(regex) => regex.as_str(),
            Matcher::Backtracking(regex) => regex.as_str(),
        };
        f.debug_tuple("Pattern").field(&text).finish()
    }
}

impl Pattern {
    /// The expression `text`, which must match whole lines.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] where it is none, or has what only Java knows.
    pub fn new(text: &str, case_insensitive: bool) -> Result<Pattern> {
        let Translated { text: translated, backtracks } = translated(text).map_err(|what| refused(text, &what))?;
        let whole = format!("^(?:{translated})$");
        if backtracks {
            let flags = if case_insensitive { "(?si)" } else { "(?s)" };
            let built = fancy_regex::RegexBuilder::new(&format!("{flags}{whole}")).delegate_size_limit(64 << 20).build();
            return built.map(|regex| Pattern(Matcher::Backtracking(regex))).map_err(|e| refused(text, &e.to_string()));
        }
        let built = RegexBuilder::new(&whole).dot_matches_new_line(true).case_insensitive(case_insensitive).size_limit(64 << 20).build();
        built.map(|regex| Pattern(Matcher::Linear(regex))).map_err(|e| {
            let what = match &e {
                regex::Error::Syntax(said) => said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string(),
                other => other.to_string(),
            };
            refused(text, &what)
        })
    }

    /// What [`Pattern::split`] writes places to.
    pub(super) fn locations(&self) -> Locations {
        match &self.0 {
            Matcher::Linear(regex) => Some(regex.capture_locations()),
            Matcher::Backtracking(_) => None,
        }
    }

    /// The groups of `line`; nothing where it does not match.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for a line on which the expression could go on for ever.
    pub(super) fn split(&self, line: &[u8], most: usize, locations: &mut Locations, values: &mut Values) -> Result<()> {
        values.clear();
        match (&self.0, locations) {
            (Matcher::Linear(regex), Some(locations)) => {
                if regex.captures_read(locations, line).is_some() {
                    let groups = (1..locations.len()).take(most).map(|group| locations.get(group));
                    values.fields.extend(groups.map(|place| place.map_or(Value::Missing, |(start, end)| Value::Here(start..end))));
                }
            }
            (Matcher::Linear(_), None) => {}
            (Matcher::Backtracking(regex), _) => {
                // As Java has them: what is no UTF-8 is a sign that stands for it.
                let text = String::from_utf8_lossy(line);
                let found = regex.captures(&*text).map_err(|error| endless(regex.as_str(), &text, &error))?;
                let Some(found) = found else { return Ok(()) };
                let is_same = matches!(text, Cow::Borrowed(_));
                for group in found.iter().skip(1).take(most) {
                    let value = match group {
                        None => Value::Missing,
                        Some(place) if is_same => Value::Here(place.start()..place.end()),
                        Some(place) => {
                            let start = values.changed.len();
                            values.changed.extend_from_slice(place.as_str().as_bytes());
                            Value::Changed(start..values.changed.len())
                        }
                    };
                    values.fields.push(value);
                }
            }
        }
        Ok(())
    }
}

/// The error of a line on which matching was given up: to take it for one that doesn't match would be a row of NULLs that isn't one.
fn endless(regex: &str, line: &str, error: &fancy_regex::Error) -> Error {
    let shown: String = line.chars().take(200).collect();
    Error::new(ErrorKind::Format, format!("the regular expression of the table takes too many steps on a line: {error}"))
        .with_context("line", printable(&shown))
        .with_context("expression", printable(regex))
        .with_context("what to do", "query the table with Athena, or write the expression with fewer repetitions within repetitions")
}

fn refused(text: &str, what: &str) -> Error {
    Error::new(ErrorKind::Format, format!("the regular expression `{text}` can't be used here: {what}"))
        .with_context("what to do", "query the table with Athena, or write the expression without what only Java knows")
}

/// An expression in the words of the `regex` crate.
struct Translated {
    text: String,
    /// It has what can't be matched in one pass: what is ahead or behind, what a group held, atoms that give nothing back.
    backtracks: bool,
}

/// `text` in the words of the `regex` crate: Java's classes are of ASCII, and some of its escapes have other meanings here.
fn translated(text: &str) -> std::result::Result<Translated, String> {
    let (mut out, mut class) = (String::with_capacity(text.len()), 0usize);
    let mut backtracks = ["(?=", "(?!", "(?<=", "(?<!", "(?>"].iter().any(|sign| text.contains(sign));
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
                    // What is a word's edge is told by the letters of ASCII.
                    'b' | 'B' if !inside => out.push_str(&format!("(?-u:\\{escaped})")),
                    '1'..='9' => {
                        backtracks = true;
                        out.extend(['\\', escaped]);
                    }
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
            '+' if class == 0 && was_repeated => {
                backtracks = true;
                out.push(sign);
            }
            '*' | '+' | '?' | '}' if class == 0 => {
                repeated = !was_repeated;
                out.push(sign);
            }
            _ => out.push(sign),
        }
    }
    // Who tries again knows no letters of ASCII alone at the edge of a word.
    let text = if backtracks { out.replace("(?-u:\\b)", "\\b").replace("(?-u:\\B)", "\\B") } else { out };
    Ok(Translated { text, backtracks })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(pattern: &str, line: &str) -> Vec<Option<String>> {
        let pattern = Pattern::new(pattern, false).unwrap();
        let (mut locations, mut values) = (pattern.locations(), Values::default());
        pattern.split(line.as_bytes(), 10, &mut locations, &mut values).unwrap();
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
    fn what_gives_nothing_back_or_looks_around_is_matched_as_java_does() {
        let some = |texts: &[&str]| texts.iter().map(|text| Some(text.to_string())).collect::<Vec<_>>();
        assert_eq!(groups(r#"([^ ]*+) "([^"\\]*+(?:\\.[^"\\]*+)*+)" (\d++|-)"#, r#"h "GET /\"x" 200"#), some(&["h", r#"GET /\"x"#, "200"]));
        assert!(groups("(a*+)(a)", "aaa").is_empty());
        assert_eq!(groups(r"(\w+)=\1", "ab=ab"), some(&["ab"]));
        assert!(groups(r"(\w+)=\1", "ab=abc").is_empty());
        assert_eq!(groups("(?!#)(.*)", "x#"), some(&["x#"]));
        assert!(groups("(?!#)(.*)", "#Fields").is_empty());
        assert_eq!(groups(r"(.*)(?<=\.)(gif|png)", "a.png"), some(&["a.", "png"]));
        assert_eq!(groups(r"(?>a|ab)(c)?(.*)", "abc"), [None, Some("bc".to_string())]);
        // What is no UTF-8 is a sign that stands for it.
        let pattern = Pattern::new("(a++)(.*)", false).unwrap();
        let (mut locations, mut values) = (pattern.locations(), Values::default());
        pattern.split(b"a\xff", 10, &mut locations, &mut values).unwrap();
        assert_eq!(values.changed, "a\u{fffd}".as_bytes());
        assert!(matches!(Pattern::new("(A++)", true).unwrap().0, Matcher::Backtracking(_)));
        assert_eq!(groups(r"(\bx\b)(?=.)(.*)", "x y"), some(&["x", " y"]));
    }

    #[test]
    fn a_line_that_takes_too_long_is_an_error() {
        let pattern = Pattern::new(r"((?:a|a|b)*)(?!x)\1c", false).unwrap();
        let (mut locations, mut values) = (pattern.locations(), Values::default());
        let error = pattern.split("a".repeat(5_000).as_bytes(), 10, &mut locations, &mut values).unwrap_err();
        assert!(error.to_string().contains("takes too many steps on a line"), "{error}");
    }

    #[test]
    fn what_can_not_be_matched_is_refused() {
        for pattern in ["(a", r"a\", r"(a)\R", r"(?=a", r"(a)\2"] {
            let error = Pattern::new(pattern, false).unwrap_err();
            assert!(error.kind() == ErrorKind::Format && error.to_string().contains("can't be used here"), "{pattern}: {error}");
        }
    }
}
