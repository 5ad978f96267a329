//! Access logs whose lines are JSON objects, read by their keys: the notation of such formats, and where the values of which key go.
//!
//! A format is an object as the lines are, with a field for each value: `json {"ts":"{time:unix}","request":{"method":"{method}"}}`. In lines
//! keys may stand in any order and may be missing. What has no place in the format, or is none of its field's type, goes to the column
//! `extra` with its key: no line is a reject for it, and nothing is lost.

use super::directive::{Directive, Field, Kind, Piece, Request};
use super::fields;
use super::json_text::{DEEPEST, Key, Next, Token, next, only_text, value};
use super::keys::{Keys, Member, Place};
use super::parsed::{Escapes, Parsed};
use crate::diagnostic::caret;
use crate::error::{Error, ErrorKind, Result};
use std::ops::Range;

/// What formats of this notation begin with.
pub(super) const MARK: &str = "json ";

/// Whether `text` is a format of this notation.
pub(super) fn is_notation(text: &str) -> bool {
    text.strip_prefix(MARK).is_some_and(|object| object.trim_start().starts_with('{'))
}

/// # Errors
/// [`ErrorKind::Format`] with a caret where it is no object, or has what is no field.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    if text.contains('\n') {
        return Err(Error::new(ErrorKind::Format, "a format of JSON lines must be written in one line"));
    }
    let mut directives = Vec::new();
    let start = text.find('{').unwrap_or(text.len());
    let (keys, end) = object(text, start, 0, &mut directives)?;
    if !text[end..].trim().is_empty() {
        return Err(refused(text, end..text.len(), "expected nothing behind the object"));
    }
    if directives.is_empty() {
        return Err(refused(text, start..end, "there is no field in it; expected for example {\"status\":\"{status:int}\"}"));
    }
    let pieces = directives.into_iter().map(Piece::Directive).collect();
    Ok(Parsed { pieces, escapes: Escapes::Keyed, keys: Some(keys), heading: None, notes: Vec::new() })
}

/// The object that begins at `start`, and its end.
fn object(text: &str, start: usize, depth: usize, directives: &mut Vec<Directive>) -> Result<(Keys, usize)> {
    let line = text.as_bytes();
    let (mut keys, mut at) = (Keys::default(), start + 1);
    loop {
        let Some(found) = next(line, at, at == start + 1).filter(|_| depth < DEEPEST) else {
            let rest = at.min(text.len())..text.len();
            return Err(refused(
                text,
                rest,
                "expected a key in quotes, a colon and a value, with commas between them, and } behind the last",
            ));
        };
        let Key { key, value: begin } = match found {
            Next::End(end) => return Ok((keys, end)),
            Next::Key(key) => key,
        };
        if keys.find(&line[key.clone()], 0).is_some() {
            return Err(refused(text, key, "this key is there already"));
        }
        let place = if line.get(begin) == Some(&b'{') {
            let (nested, end) = object(text, begin, depth + 1, directives)?;
            at = end;
            Place::Object(nested)
        } else {
            let token = value(line, begin);
            let (inside, is_only) = match &token {
                Some(Token::Text(inside)) => (Some(inside.clone()), false),
                Some(Token::Nested(array)) => (only_text(line, array), true),
                _ => (None, false),
            };
            let (Some(inside), Some(token)) = (inside, token) else {
                return Err(refused(text, begin.min(text.len())..text.len(), "expected a field in quotes, as \"{status:int}\""));
            };
            directives.push(directive(text, inside)?);
            at = token.whole().end;
            let step = directives.len() - 1;
            if is_only { Place::Only(step) } else { Place::Step(step) }
        };
        keys.members.push(Member { key: line[key].to_vec(), place });
    }
}

/// The field at `span`.
fn directive(text: &str, span: Range<usize>) -> Result<Directive> {
    let (name, type_) = match fields::field_at(text, span.start) {
        Some((name, type_, false, end)) if text[span.clone()].starts_with('{') && end == span.end => (name, type_),
        _ => return Err(refused(text, span, "expected one field, as {name} or {name:type}")),
    };
    let kind_of = type_.clone().map_or("text", |range| &text[range]);
    let (field, _) =
        fields::value(name, kind_of).ok_or_else(|| refused(text, type_.unwrap_or(span.clone()), &fields::no_such_type(kind_of)))?;
    let conditional = matches!(&field, Field::Time { column, .. } if column != "time");
    Ok(Directive {
        text: text[span.clone()].to_string(),
        span,
        field,
        kind: Kind::Free,
        request: Request::Default,
        conditional,
        optional: false,
    })
}

fn refused(text: &str, span: Range<usize>, why: &str) -> Error {
    Error::of_lines(ErrorKind::Format, format!("this format of JSON lines can't be used:\n{}", caret(text, span, why)))
}
