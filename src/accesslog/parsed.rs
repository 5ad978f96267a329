//! What reading a format's notation gives.

use super::directive::Piece;
use super::keys::Keys;

/// A format that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub pieces: Vec<Piece>,
    pub escapes: Escapes,
    /// The keys of the directives, where lines are JSON objects.
    pub keys: Option<Keys>,
    /// What lines begin with that are none of the log's.
    pub heading: Option<Vec<u8>>,
    /// What a user should know of it.
    pub notes: Vec<String>,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// Quotes with a backslash before them, or as `\x22`; `-` is nothing. Apache, and nginx where nothing else is said.
    Backslash,
    /// As within strings of JSON, and nothing as no text: nginx's `escape=json`.
    Json,
    /// As within strings of JSON, and nothing as no text or `-`: JSON whose values are found by their keys, written by either custom.
    Keyed,
    /// As they are, and nothing as no text: nginx's `escape=none`.
    Bare,
    /// As they are; `-` is nothing. AWS.
    Dash,
}

impl Escapes {
    /// Whether a quote within a value can't be taken for its end.
    pub(super) fn escape_quotes(self) -> bool {
        matches!(self, Escapes::Backslash | Escapes::Json)
    }

    /// Whether no text stands for nothing; else it is `-`.
    pub(super) fn nothing_is_empty(self) -> bool {
        matches!(self, Escapes::Json | Escapes::Bare)
    }

    /// Whether values have escapes that are no part of them.
    pub(super) fn is_json(self) -> bool {
        matches!(self, Escapes::Json | Escapes::Keyed)
    }
}
