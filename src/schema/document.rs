//! A YAML file being read: turns positions in it into messages that point at them.

use crate::diagnostic::{caret, nearest};
use crate::error::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_saphyr::{Location, MessageFormatter, Spanned, UserMessageFormatter};
use std::ops::Range;

/// The text of a file, and what messages call it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

impl<'a> Document<'a> {
    /// Reads the whole document.
    ///
    /// # Errors
    /// [`ErrorKind::Format`], at the first place that doesn't fit.
    pub(super) fn parse<T: DeserializeOwned>(self) -> Result<T> {
        let options = serde_saphyr::options! { with_snippet: false };
        serde_saphyr::from_str_with_options(self.text, options).map_err(|error| self.refuse(&error))
    }

    /// An error that points at `value`.
    pub(super) fn fault(self, value: &Spanned<String>, message: &str) -> Error {
        self.fault_in(value, 0..value.value.len(), message)
    }

    /// An error that points at the bytes `part` of `value`.
    pub(super) fn fault_in(self, value: &Spanned<String>, part: Range<usize>, message: &str) -> Error {
        let line = self.line(value.referenced);
        let start = byte_of_column(line, value.referenced);
        // What is quoted or escaped stands in the file a little further on, or not as it is: then all of it is shown.
        let plain = line.get(start..start + value.value.len()) == Some(value.value.as_str());
        let span = if plain { start + part.start..start + part.end } else { start..start + token_length(&line[start..]) };
        self.error(value.referenced, line, span, message)
    }

    fn refuse(self, error: &serde_saphyr::Error) -> Error {
        let message = match error {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
                let hint = nearest(field, expected.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
                let hint = hint.unwrap_or_else(|| format!("; expected one of {}", expected.join(", ")));
                format!("there is no `{}` here{hint}", field.escape_debug())
            }
            serde_saphyr::Error::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
            serde_saphyr::Error::Eof { .. } => "the file ends here; expected `key: value` lines".to_string(),
            serde_saphyr::Error::Unexpected { expected: "mapping start", .. } => "expected `key: value` lines".to_string(),
            serde_saphyr::Error::Unexpected { expected: "sequence start", .. } => "expected a list, each item after `- `".to_string(),
            serde_saphyr::Error::Unexpected { expected: "string scalar", .. } => "expected text".to_string(),
            other => UserMessageFormatter.format_message(other).escape_debug().to_string(),
        };
        let location = error.location().unwrap_or(Location::UNKNOWN);
        let line = self.line(location);
        let start = byte_of_column(line, location);
        self.error(location, line, start..start + token_length(&line[start..]), &message)
    }

    fn error(self, location: Location, line: &str, span: Range<usize>, message: &str) -> Error {
        let column = line.get(..span.start).map_or(0, |before| before.chars().count()) + 1;
        let place = match location.line() {
            // Nothing was read, as in an empty file.
            0 => format!("{}:\n  {message}", self.path),
            number => format!("{}:{number}:{column}:\n{}", self.path, caret(line, span, message)),
        };
        Error::new(ErrorKind::Format, place)
    }

    fn line(self, location: Location) -> &'a str {
        let index = usize::try_from(location.line()).unwrap_or(usize::MAX).saturating_sub(1);
        self.text.lines().nth(index).unwrap_or("")
    }
}

/// Where a location's column starts in its line, in bytes.
fn byte_of_column(line: &str, location: Location) -> usize {
    let characters = usize::try_from(location.column()).unwrap_or(usize::MAX).saturating_sub(1);
    line.char_indices().nth(characters).map_or(line.len(), |(at, _)| at)
}

/// How long the word is that `text` starts with: what a caret line is drawn under.
fn token_length(text: &str) -> usize {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote).map_or(text.len(), |end| end + 2),
        _ => text.find([':', ' ', ',', '#']).unwrap_or(text.len()),
    }
}
