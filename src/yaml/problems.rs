//! What is wrong with a text, all of it.

use super::place::{Place, line_at, line_start};
use crate::diagnostic::caret;
use crate::error::{Error, ErrorKind};
use crate::printable::printable;
use crate::secrets;
use serde::Serialize;
use std::fmt;

/// So many errors, and so many warnings, are kept; the rest is counted.
const KEPT: usize = 100;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Error,
    /// It works, but is hardly what is meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    pub level: Level,
    pub path: String,
    /// Line and column count from one; 0 where no place of the file is meant.
    pub line: usize,
    pub column: usize,
    pub message: String,
    /// The line with a caret under what is meant.
    #[serde(skip)]
    shown: String,
    #[serde(skip)]
    place: Place,
}

impl Problem {
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

impl fmt::Display for Problem {
    /// `file:line:column:`, the line itself, and a caret with the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}:\n  {}", printable(&self.path), printable(&self.message)),
            line => write!(f, "{}:{line}:{}:\n{}", printable(&self.path), self.column, self.shown),
        }
    }
}

/// Collects what is wrong with a text.
#[derive(Debug)]
pub struct Problems<'a> {
    /// What messages call the text.
    path: &'a str,
    text: &'a str,
    found: Vec<Problem>,
    /// How many errors and warnings there are, those that aren't kept among them.
    errors: usize,
    warnings: usize,
    /// Values that no message may show, with what stands for them.
    hidden: Vec<(String, String)>,
    /// What of the text itself may not be shown.
    masked: Vec<String>,
}

impl<'a> Problems<'a> {
    pub fn new(path: &'a str, text: &'a str) -> Self {
        Problems { path, text, found: Vec::new(), errors: 0, warnings: 0, hidden: Vec::new(), masked: Vec::new() }
    }

    pub fn text(&self) -> &'a str {
        self.text
    }

    pub fn path(&self) -> &'a str {
        self.path
    }

    /// From now on no message shows `value`; it shows `name` in its place.
    pub fn hide(&mut self, value: &str, name: &str) {
        // What is this short is no secret to most, but what is hardly longer is not shown either where it is to be told from its name.
        let short = (value.len() > 2).then(|| value.to_string());
        for form in secrets::forms(value).into_iter().chain(short) {
            if !self.hidden.iter().any(|(hidden, _)| *hidden == form) {
                self.hidden.push((form, name.to_string()));
            }
        }
        // The longest first, or what is left of a longer one could be read.
        self.hidden.sort_by_key(|(hidden, _)| std::cmp::Reverse(hidden.len()));
    }

    /// From now on no line is shown with `part` in it, as of a password that should not be there.
    pub fn mask(&mut self, part: &str) {
        if !part.is_empty() {
            self.masked.push(part.to_string());
        }
    }

    /// Takes note of an error at `place`.
    pub fn error(&mut self, place: &Place, message: impl Into<String>) {
        self.add(Level::Error, place, message.into());
    }

    /// Takes note of an error at `place`; what is only counted need not be put in words.
    pub fn error_with(&mut self, place: &Place, message: impl FnOnce() -> String) {
        let message = if self.is_full() { String::new() } else { message() };
        self.error(place, message);
    }

    /// Takes note of something that is hardly meant.
    pub fn warning(&mut self, place: &Place, message: impl Into<String>) {
        self.add(Level::Warning, place, message.into());
    }

    /// Whether what is told from now on is only counted: then nothing need be looked up for it.
    pub fn is_full(&self) -> bool {
        self.errors >= KEPT
    }

    /// The same of warnings.
    pub fn is_full_of_warnings(&self) -> bool {
        self.warnings >= KEPT
    }

    fn add(&mut self, level: Level, place: &Place, message: String) {
        let count = if level == Level::Error { &mut self.errors } else { &mut self.warnings };
        *count += 1;
        // Each costs a search through the text for its line.
        if *count > KEPT {
            return;
        }
        let message = self.hidden.iter().fold(message, |message, (value, name)| message.replace(value.as_str(), name));
        let line = line_at(self.text, place.line);
        let start = line_start(self.text, place.line);
        // A place without a length is that of a word; one of many lines is shown by its first.
        let from = place.bytes.start.saturating_sub(start).min(line.len());
        let to = place.bytes.end.saturating_sub(start).min(line.trim_end().len());
        let to = if to > from { to } else { from + line.get(from..).map_or(0, token_length) };
        let masked = self.masked.iter().fold(line.to_string(), |line, part| line.replace(part.as_str(), &"*".repeat(part.len())));
        let shown = caret(&masked, from..to, &message);
        let (path, place) = (self.path.to_string(), place.clone());
        self.found.push(Problem { level, path, line: place.line, column: place.column, message, shown, place });
    }

    /// `file:line:column` of a place.
    pub fn place(&self, place: &Place) -> String {
        format!("{}:{}:{}", self.path, place.line, place.column)
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// All of them, in the order of the text.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut found = self.found;
        found.sort_by(|a, b| a.place.cmp(&b.place));
        found.dedup_by(|a, b| a.place == b.place && a.message == b.message);
        for (level, count, what) in [(Level::Error, self.errors, "errors"), (Level::Warning, self.warnings, "warnings")] {
            if count > KEPT {
                let message = format!("and {} more {what}", count - KEPT);
                let (path, place) = (self.path.to_string(), Place::NOWHERE);
                found.push(Problem { level, path, line: 0, column: 0, message, shown: String::new(), place });
            }
        }
        found
    }

    /// One error that tells all of them; nothing where there is none.
    pub fn into_error(self) -> Option<Error> {
        let errors: Vec<String> =
            self.into_sorted().iter().filter(|problem| problem.level == Level::Error).map(ToString::to_string).collect();
        (!errors.is_empty()).then(|| Error::of_lines(ErrorKind::Format, errors.join("\n")))
    }
}

/// How long the word is that `text` starts with: what a caret line is drawn under.
fn token_length(text: &str) -> usize {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote).map_or(text.len(), |end| end + 2),
        _ => text.find([':', ' ', ',', '#']).unwrap_or(text.len()),
    }
}
