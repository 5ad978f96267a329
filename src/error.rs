//! The one error type of the library: what went wrong, where, and what the process should exit with.

use crate::printable::{printable, printable_lines};
use std::fmt;

/// What class of thing went wrong; it decides the exit code and whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line or an option's value is wrong.
    Usage,
    /// A LogFormat, schema or other description given by the user can't be understood.
    Format,
    /// An input is missing, unreadable, truncated or corrupt.
    Input,
    /// The output exists already, or can't be written.
    Output,
    /// More lines were rejected than the run allows; nothing was published.
    Rejects,
    /// A query is wrong or failed.
    Query,
    /// A check of a pipeline failed.
    Checks,
    /// Another run was faster; nothing of this one is seen.
    Conflict,
    /// The user interrupted the run; nothing was published.
    Interrupted,
    /// A promise of this program to itself was broken: a bug.
    Internal,
}

impl ErrorKind {
    /// Exit codes, as listed in the README.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Internal => 1,
            ErrorKind::Usage | ErrorKind::Format => 2,
            ErrorKind::Input => 3,
            ErrorKind::Output => 4,
            ErrorKind::Rejects => 5,
            ErrorKind::Query => 6,
            ErrorKind::Checks => 7,
            ErrorKind::Conflict => 8,
            ErrorKind::Interrupted => 130,
        }
    }
}

/// An error with the context that a person needs to act on it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of everything in this library that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`; `message` says what was wrong, what was expected and what to do, on one line: names and values in it that
    /// would break it, or can't be seen, are escaped.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: printable(&message.into()).into_owned(), context: Vec::new(), source: None }
    }

    /// As [`Error::new`], with a message of several lines, as one with a caret has: each is of ours, or made by
    /// [`crate::diagnostic::caret`].
    pub fn of_lines(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: printable_lines(&message.into()).into_owned(), context: Vec::new(), source: None }
    }

    /// Adds where it happened: a file, a line, a column.
    pub fn with_context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((key, printable(&value.to_string()).into_owned()));
        self
    }

    /// The same error without what it says of `key`, where that has been told already.
    pub fn without_context(mut self, key: &str) -> Self {
        self.context.retain(|(known, _)| *known != key);
        self
    }

    /// The same error with all that it says rewritten by `rewrite`.
    pub fn rewritten(self, rewrite: impl Fn(&str) -> String) -> Self {
        self.said(&rewrite)
    }

    /// The error of this library that `error` is, or came of.
    pub fn within<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
        let mut next = Some(error);
        while let Some(error) = next {
            // What an I/O error holds is not its source, but the same error.
            let error = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                Some(held) => held,
                None => error,
            };
            if let Some(ours) = error.downcast_ref::<Error>() {
                return Some(ours);
            }
            next = error.source();
        }
        None
    }

    /// An error that says the same, for one that others hold too.
    pub fn copied(&self) -> Self {
        self.said(&str::to_string)
    }

    fn said(&self, rewrite: &dyn Fn(&str) -> String) -> Self {
        let source = self.source.as_ref().map(|source| match source.downcast_ref::<Error>() {
            Some(ours) => ours.said(rewrite).into(),
            None => rewrite(&source.to_string()).into(),
        });
        let context = self.context.iter().map(|(key, value)| (*key, rewrite(value))).collect();
        Error { kind: self.kind, message: rewrite(&self.message), context, source }
    }

    /// Keeps the error below this one.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// An I/O error on an input at `path`; where it is one of ours, it says all that already.
    pub fn input(path: impl fmt::Display, source: std::io::Error) -> Self {
        let unknown = |source: std::io::Error| Error::new(ErrorKind::Input, format!("can't read {path}")).with_source(source);
        source.downcast::<Error>().unwrap_or_else(unknown)
    }

    /// An I/O error on an output at `path`; where it is one of ours, it says all that already.
    pub fn output(path: impl fmt::Display, source: std::io::Error) -> Self {
        let unknown = |source: std::io::Error| Error::new(ErrorKind::Output, format!("can't write {path}")).with_source(source);
        source.downcast::<Error>().unwrap_or_else(unknown)
    }

    /// What was wrong, without its causes and context.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The class of this error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later without anything being changed.
    pub fn retryable(&self) -> bool {
        let Some(io) = self.source.as_ref().and_then(|s| s.downcast_ref::<std::io::Error>()) else { return false };
        matches!(io.kind(), std::io::ErrorKind::Interrupted | std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            match source.is::<Error>() {
                true => write!(f, ": {source}")?,
                // One of ours is escaped already, and may have several lines.
                false if Error::within(source.as_ref()).is_some() => write!(f, ": {}", printable_lines(&source.to_string()))?,
                false => write!(f, ": {}", printable(&source.to_string()))?,
            }
        }
        for (key, value) in &self.context {
            write!(f, "\n  {key}: {value}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| s.as_ref() as _)
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(e: arrow::error::ArrowError) -> Self {
        Error::new(ErrorKind::Internal, "the columnar engine refused a batch").with_source(e)
    }
}
