//! Reads a list of named fields into literals and directives: the notation for logs that have no format string of their own, as those of
//! AWS, whose documentation names the fields.
//!
//! A field is `{name}` or `{name:type}`, `\t` is a tab, and all else stands in the log as it is. With a `?` behind it (`{extra:text?}`) a line
//! may end before the blank or tab before the field. `-` is nothing, unless `escape=json` stands before
//! the list: then values are escaped as in JSON, and nothing is no text. `{#}` at the start says that lines which begin with a `#` are headings, and
//! `{#version}` that those are which begin with `version`.

use super::directive::{Directive, Field, Kind, Piece, Request};
use super::parsed::{Escapes, Parsed};
use super::strftime::{COMMON, ISO, TimeItem};
use crate::diagnostic::{caret, nearest};
use crate::error::{Error, ErrorKind, Result};
use std::ops::Range;

/// The column of `seconds`.
const DURATION: &str = "duration_ms";

/// The types of fields, as they are written.
const TYPES: [&str; 25] = [
    "quoted",
    "status",
    "word",
    "text",
    "header",
    "host",
    "endpoint",
    "int",
    "bigint",
    "double",
    "request",
    "url_request",
    "iso",
    "clf",
    "epoch",
    "date",
    "clock",
    "clock_parts",
    "iso_nanos",
    "unix",
    "unix_nanos",
    "unix_millis",
    "local",
    "seconds",
    "target",
];

/// What stands before a list of which the values are escaped as within strings of JSON, and nothing is no text.
const JSON: &str = "escape=json ";

/// Whether there is a field in `text`.
pub(super) fn is_notation(text: &str) -> bool {
    text.match_indices('{').any(|(at, _)| field_at(text, at).is_some())
}

/// The name, the type and the sign behind it of the field that begins at `at`, and its end.
pub(super) fn field_at(text: &str, at: usize) -> Option<(&str, Option<Range<usize>>, bool, usize)> {
    let end = at + text[at..].find('}')?;
    let inside = &text[at + 1..end];
    let (inside, optional) = inside.strip_suffix('?').map_or((inside, false), |inside| (inside, true));
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    match inside.split_once(':') {
        Some((name, _)) if is_name(name) => {
            let start = at + 1 + name.len() + 1;
            Some((name, Some(start..at + 1 + inside.len()), optional, end + 1))
        }
        None if is_name(inside) => Some((inside, None, optional, end + 1)),
        _ => None,
    }
}

/// # Errors
/// [`ErrorKind::Format`] with a caret under a type that there isn't.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut literal: Vec<u8> = Vec::new();
    let is_json = text.starts_with(JSON);
    let (heading, mut at) = match heading(text) {
        None if is_json => (None, JSON.len()),
        Some((heading, at)) => (Some(heading), at),
        None => (None, 0),
    };
    while at < text.len() {
        let rest = &text[at..];
        if let Some(byte) =
            [("\\t", b'\t'), ("\\\\", b'\\')].into_iter().find(|(written, _)| rest.starts_with(written)).map(|(_, byte)| byte)
        {
            literal.push(byte);
            at += 2;
            continue;
        }
        let found = if rest.starts_with('{') { field_at(text, at) } else { None };
        if found.is_none()
            && let Some(span) = misspelt(text, at)
        {
            let why = "the name of a field has lower-case letters, digits and `_`, and begins with a letter or `_`";
            return Err(Error::of_lines(ErrorKind::Format, format!("this list of fields can't be used:\n{}", caret(text, span, why))));
        }
        let Some((name, type_, optional, end)) = found else {
            let width = rest.chars().next().map_or(1, char::len_utf8);
            literal.extend_from_slice(&rest.as_bytes()[..width]);
            at += width;
            continue;
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        let kind_of = type_.clone().map_or("word", |range| &text[range]);
        let (field, kind) = value(name, kind_of).ok_or_else(|| {
            let span = type_.unwrap_or(at..end);
            Error::of_lines(ErrorKind::Format, format!("this list of fields can't be used:\n{}", caret(text, span, &no_such_type(kind_of))))
        })?;
        // Quotes are none of the field there.
        let kind = if is_json && kind == Kind::Quoted { Kind::Free } else { kind };
        let conditional = matches!(&field, Field::Time { column, .. } if column != "time");
        pieces.push(Piece::Directive(Directive {
            text: text[at..end].to_string(),
            span: at..end,
            field,
            kind,
            request: Request::Default,
            conditional,
            optional,
        }));
        at = end;
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    let escapes = if is_json { Escapes::Json } else { Escapes::Dash };
    Ok(Parsed { pieces, escapes, keys: None, heading, notes: Vec::new() })
}

/// Where the name of what is meant as a field at `at` is, which has a type and no name that one can have.
fn misspelt(text: &str, at: usize) -> Option<Range<usize>> {
    let inside = text[at..].strip_prefix('{')?.split_once('}')?.0;
    let (name, kind) = inside.split_once(':')?;
    TYPES.contains(&kind.trim_end_matches('?')).then(|| at + 1..at + 1 + name.len())
}

/// What is wrong with the type `kind`, which there isn't.
pub(super) fn no_such_type(kind: &str) -> String {
    let hint = nearest(kind, TYPES).map_or_else(|| format!("expected {}", TYPES.join(", ")), |near| format!("did you mean `{near}`?"));
    format!("no such type of a field; {hint}")
}

/// What headings begin with, and where the fields begin.
fn heading(text: &str) -> Option<(Vec<u8>, usize)> {
    let inside = text.strip_prefix("{#")?;
    let end = inside.find('}')?;
    let heading = if end == 0 { "#" } else { &inside[..end] };
    Some((heading.as_bytes().to_vec(), 2 + end + 1))
}

/// What a field of the type `kind` holds.
pub(super) fn value(name: &str, kind: &str) -> Option<(Field, Kind)> {
    let column = name.to_string();
    let time = |items: Vec<TimeItem>| (Field::Time { column: name.to_string(), items }, Kind::Plain);
    Some(match kind {
        "word" => (Field::Text(column), Kind::Token),
        "text" => (Field::Text(column), Kind::Free),
        "quoted" => (Field::Text(column), Kind::Quoted),
        "status" => (Field::Int(column), Kind::Status),
        "header" => (Field::Text(column), Kind::Header),
        "host" => (Field::Text(column), Kind::Word),
        "endpoint" => (Field::Text(column), Kind::Endpoint),
        "int" => (Field::Int(column), Kind::Plain),
        "bigint" => (Field::Long(column), Kind::Plain),
        "double" => (Field::Double(column), Kind::Plain),
        "request" => (Field::RequestLine, Kind::Quoted),
        "url_request" => (Field::UrlRequest, Kind::Quoted),
        "iso" => time(ISO.to_vec()),
        "iso_nanos" => time(long(&ISO)),
        "clf" => time(COMMON.to_vec()),
        "epoch" => time(vec![TimeItem::Epoch]),
        "unix" => time(UNIX.to_vec()),
        "unix_millis" => time(vec![TimeItem::EpochMillis]),
        "unix_nanos" => time(long(&UNIX)),
        "local" => time(COMMON[1..COMMON.len() - 1].to_vec()),
        "seconds" => (Field::Millis(DURATION), Kind::Plain),
        "target" => (Field::Target, Kind::Free),
        "date" => time(date()),
        "clock" => time(clock()),
        "clock_parts" => time([clock(), vec![TimeItem::PointFraction]].concat()),
        _ => return None,
    })
}

/// Seconds since 1970, with or without parts.
const UNIX: [TimeItem; 2] = [TimeItem::Epoch, TimeItem::PointFraction];

/// The same time with any number of digits behind its point.
fn long(items: &[TimeItem]) -> Vec<TimeItem> {
    items.iter().map(|item| if *item == TimeItem::PointFraction { TimeItem::LongFraction } else { *item }).collect()
}

fn date() -> Vec<TimeItem> {
    use TimeItem::*;
    vec![Year, Literal(b'-'), Month, Literal(b'-'), Day]
}

fn clock() -> Vec<TimeItem> {
    use TimeItem::*;
    vec![Hour, Literal(b':'), Minute, Literal(b':'), Second]
}

#[cfg(test)]
mod tests {
    use crate::accesslog::LogFormat;

    #[test]
    fn fields_have_types() {
        let format =
            LogFormat::parse("test", "{time:iso} {client:endpoint}:{port:int} \"{agent:text}\" {took:double} {rest:text?}").unwrap();
        let columns: Vec<String> = format.columns().iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
        assert_eq!(
            columns,
            ["time Timestamp(µs, \"UTC\")", "client Utf8View", "port Int32", "agent Utf8View", "took Float64", "rest Utf8View"]
        );
        let error = LogFormat::parse("test", "{time:iso} {port:bigin}").unwrap_err().to_string();
        assert!(error.contains("                  ^^^^^ no such type of a field; did you mean `bigint`?"), "{error}");
        let error = LogFormat::parse("test", "{time:iso} {Client IP:int}").unwrap_err().to_string();
        assert!(error.contains("              ^^^^^^^^^ the name of a field has"), "{error}");
        let error = |text| LogFormat::parse("test", text).unwrap_err().to_string();
        assert!(error("prefix=syslg {a}").contains("         ^^^^^ no such prefix; did you mean `syslog`?"));
        assert!(error("prefix=foo combined").contains("no such prefix; expected one of none, syslog"));
        assert!(error("prefix=cri").contains("expected a format after it"));
        assert_eq!(LogFormat::parse("test", "prefix=none %h %u").unwrap().text(), "%h %u");
        assert!(LogFormat::parse("test", "{a}{b}").unwrap_err().to_string().contains("nothing marks where {a} ends"));
    }
}
