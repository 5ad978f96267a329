//! The notations that formats are written in.

use super::parsed::{Escapes, Parsed};
use super::prefix::Prefix;
use super::{apache, fields, json_keys, nginx};
use crate::error::Result;

/// How a format is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// A LogFormat of Apache: `%h %l %u %t "%r" %>s %b`.
    Apache,
    /// A `log_format` of nginx: `$remote_addr - $remote_user [$time_local] "$request" $status`.
    Nginx,
    /// Named fields with their types: `{time:iso} {client_ip} "{request:request}"`.
    Fields,
    /// An object as the lines are, with fields for values: `json {"time":"{time:iso}","status":"{status:int}"}`.
    Json,
}

impl Notation {
    /// The notation of `text`, if it is a format and no name.
    pub fn told(text: &str) -> Option<Notation> {
        if let Some(rest) = text.strip_prefix(Prefix::MARK) {
            return Some(Notation::of(rest.split_once(' ').map_or("", |(_, rest)| rest)));
        }
        if json_keys::is_notation(text) {
            Some(Notation::Json)
        } else if nginx::is_notation(text) {
            Some(Notation::Nginx)
        } else if text.starts_with("escape=") && fields::is_notation(text) {
            Some(Notation::Fields)
        } else if text.contains('%') {
            Some(Notation::Apache)
        } else {
            fields::is_notation(text).then_some(Notation::Fields)
        }
    }

    /// The notation of the format `text`; Apache's where nothing tells it.
    pub(super) fn of(text: &str) -> Notation {
        Notation::told(text).unwrap_or(Notation::Apache)
    }

    /// What users call a format of this notation.
    pub fn name(self) -> &'static str {
        match self {
            Notation::Apache => "LogFormat",
            Notation::Nginx => "log_format",
            Notation::Fields => "fields",
            Notation::Json => "JSON",
        }
    }

    pub(super) fn parse(self, text: &str) -> Result<Parsed> {
        match self {
            Notation::Apache => {
                let (pieces, escapes) = (apache::parse(text)?, Escapes::Backslash);
                Ok(Parsed { pieces, escapes, keys: None, heading: None, notes: Vec::new() })
            }
            Notation::Nginx => nginx::parse(text),
            Notation::Fields => fields::parse(text),
            Notation::Json => json_keys::parse(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notation_is_told_by_its_signs() {
        for (text, notation) in [
            ("%h %l %u", Some(Notation::Apache)),
            (r#"{"t":"%t","host":"%h"}"#, Some(Notation::Apache)),
            ("%h costs $5", Some(Notation::Apache)),
            ("%h $remote", Some(Notation::Apache)),
            ("$remote_addr $status", Some(Notation::Nginx)),
            ("100% $status", Some(Notation::Nginx)),
            ("${my_var}", Some(Notation::Nginx)),
            (r#"escape=json {"a":"$status"}"#, Some(Notation::Nginx)),
            ("log_format main '$status';", Some(Notation::Nginx)),
            ("{time:iso} {level}", Some(Notation::Fields)),
            (r#"json {"a":"{b}"}"#, Some(Notation::Json)),
            ("json", None),
            ("combined", None),
            ("", None),
            ("$", None),
            ("{}", None),
        ] {
            assert_eq!(Notation::told(text), notation, "{text}");
        }
    }
}
