//! Reads an Apache 2.4 LogFormat string into literals and directives.
//!
//! Grammar: <https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats>. Between `%` and the letter stand, in any
//! order, a status condition (`400,501` or `!200,304`), `<` or `>`, and a `{parameter}`.

use super::directive::{Directive, Field, Kind, Piece, Request, snake_case};
use super::strftime;
use crate::diagnostic::caret;
use crate::error::{Error, ErrorKind, Result};
use std::ops::Range;

/// Reads `format`, as it is written in the quotes of `httpd.conf` or with those quotes' escapes already taken away.
///
/// # Errors
/// [`ErrorKind::Format`] with a caret under the directive that is malformed or unknown.
pub(super) fn parse(format: &str) -> Result<Vec<Piece>> {
    let bytes = format.as_bytes();
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' if bytes.get(at + 1) == Some(&b'%') => {
                literal.push(b'%');
                at += 2;
            }
            b'%' => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                let directive = parse_directive(format, at)?;
                at = directive.span.end;
                pieces.push(Piece::Directive(directive));
            }
            b'\\' => {
                let (byte, width) = match bytes.get(at + 1) {
                    Some(b't') => (b'\t', 2),
                    Some(b'n') => (b'\n', 2),
                    Some(b'r') => (b'\r', 2),
                    Some(&quoted @ (b'"' | b'\\')) => (quoted, 2),
                    _ => (b'\\', 1),
                };
                literal.push(byte);
                at += width;
            }
            byte => {
                literal.push(byte);
                at += 1;
            }
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn refuse(format: &str, span: Range<usize>, message: &str) -> Error {
    Error::of_lines(ErrorKind::Format, format!("this LogFormat can't be used:\n{}", caret(format, span, message)))
}

fn parse_directive(format: &str, start: usize) -> Result<Directive> {
    let bytes = format.as_bytes();
    let mut at = start + 1;
    let mut request = Request::Default;
    let mut conditional = false;
    let mut parameter = None;
    let end = loop {
        match bytes.get(at) {
            Some(b'!' | b',' | b'0'..=b'9') => {
                conditional = true;
                at += 1;
            }
            Some(b'<') => {
                request = Request::Original;
                at += 1;
            }
            Some(b'>') => {
                request = Request::Final;
                at += 1;
            }
            Some(b'{') => {
                let Some(length) = bytes[at..].iter().position(|b| *b == b'}') else {
                    return Err(refuse(format, at..bytes.len(), "this `{` has no `}`"));
                };
                parameter = Some(at + 1..at + length);
                at += length + 1;
            }
            Some(b'^') => {
                // Three characters: %^ti, %^to, %^FB.
                let end = (at + 3).min(bytes.len());
                break if format.is_char_boundary(end) { end } else { bytes.len() };
            }
            Some(_) => break at + format[at..].chars().next().map_or(1, char::len_utf8),
            None => return Err(refuse(format, start..bytes.len(), "this `%` has no directive letter; a percent sign is `%%`")),
        }
    };
    let span = start..end;
    let field = field(format, &format[at..end], parameter, span.clone())?;
    let kind = kind(&format[span.clone()]);
    Ok(Directive { text: format[span.clone()].to_string(), span, field, kind, request, conditional, optional: false })
}

/// What may be in the text of a directive, told by its last letter.
fn kind(directive: &str) -> Kind {
    match directive.as_bytes().last() {
        Some(b'a' | b'A' | b'h' | b'v') => Kind::Word,
        Some(b'l') => Kind::Ident,
        Some(b'i' | b'o') => Kind::Header,
        Some(b'C' | b'e' | b'n' | b'x' | b'f' | b'U') => Kind::Free,
        _ => Kind::Plain,
    }
}

fn field(format: &str, letter: &str, parameter: Option<Range<usize>>, span: Range<usize>) -> Result<Field> {
    let value = parameter.clone().map(|range| &format[range]);
    let lower = value.map(str::to_ascii_lowercase);
    let named = |prefix: &str| match value {
        Some(name) if !name.is_empty() => Ok(Field::Text(format!("{prefix}{}", snake_case(name)))),
        _ => Err(refuse(format, span.clone(), &format!("%{letter} needs a name: %{{Name}}{letter}"))),
    };
    let choice = |known: &str| Err(refuse(format, parameter.clone().unwrap_or(span.clone()), &format!("expected {known}")));
    let text = |name: &str| Field::Text(name.to_string());
    let field = match (letter, lower.as_deref()) {
        ("a", None) => text("client_ip"),
        ("a", Some("c")) => text("peer_ip"),
        ("h", None) => text("host"),
        ("h", Some("c")) => text("peer_host"),
        ("a" | "h", Some(_)) => return choice("`c`, the peer of the connection"),
        ("p", None) => Field::Int("port".to_string()),
        ("p", Some("canonical")) => Field::Int("port_canonical".to_string()),
        ("p", Some("local")) => Field::Int("port_local".to_string()),
        ("p", Some("remote")) => Field::Int("port_remote".to_string()),
        ("p", Some(_)) => return choice("`canonical`, `local` or `remote`"),
        ("P", None | Some("pid")) => Field::Long("pid".to_string()),
        ("P", Some("tid")) => Field::Long("tid".to_string()),
        ("P", Some("hextid")) => text("hextid"),
        ("P", Some(_)) => return choice("`pid`, `tid` or `hextid`"),
        ("T", None | Some("s")) => Field::Long("duration_s".to_string()),
        ("T", Some("ms")) => Field::Long("duration_ms".to_string()),
        ("T", Some("us")) => Field::Long("duration_us".to_string()),
        ("T", Some(_)) => return choice("`s`, `ms` or `us`"),
        ("t", _) => {
            let (end, items) = strftime::parse(value.unwrap_or("")).map_err(|(at, why)| {
                let offset = parameter.as_ref().map_or(span.start, |p| p.start);
                refuse(format, offset + at.start..offset + at.end, &why)
            })?;
            Field::Time { column: if end { "time_end" } else { "time" }.to_string(), items }
        }
        ("i", _) => named("")?,
        ("o", _) => named("resp_")?,
        ("C", _) => named("cookie_")?,
        ("e", _) => named("env_")?,
        ("n", _) => named("note_")?,
        ("^ti", _) => named("trailer_")?,
        ("^to", _) => named("resp_trailer_")?,
        ("c", _) => named("ssl_c_")?,
        ("x", Some(name)) if !name.is_empty() => text(&format!("ssl_{}", snake_case(name.strip_prefix("ssl_").unwrap_or(name)))),
        ("x", _) => named("ssl_")?,
        (_, Some(_)) if "ABbDfHIklLmOqrRsSuUvVX".contains(letter) || letter == "^FB" => {
            return Err(refuse(format, parameter.unwrap_or(span.clone()), &format!("%{letter} takes no parameter")));
        }
        ("A", _) => text("local_ip"),
        ("B" | "b" | "O", _) => Field::BytesOut { headers: letter == "O" },
        ("I", _) => Field::Long("bytes_in".to_string()),
        ("S", _) => Field::Long("bytes_total".to_string()),
        ("D", _) => Field::Long("duration_us".to_string()),
        ("^FB", _) => Field::Long("ttfb_us".to_string()),
        ("f", _) => text("filename"),
        ("H", _) => text("protocol"),
        ("k", _) => Field::Int("keepalive_requests".to_string()),
        ("l", _) => text("ident"),
        ("L", _) => text("log_id"),
        ("m", _) => text("method"),
        ("q", _) => Field::Query,
        ("r", _) => Field::RequestLine,
        ("R", _) => text("handler"),
        ("s", _) => Field::Int("status".to_string()),
        ("u", _) => Field::User,
        ("U", _) => text("path"),
        ("v", _) => text("vhost"),
        ("V", _) => text("server_name"),
        ("X", _) => Field::ConnectionStatus,
        _ => return Err(refuse(format, span, "no such directive in Apache 2.4; a percent sign is `%%`")),
    };
    Ok(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_stand_in_any_order() {
        for format in ["%>{s}!200T", "%{s}!200>T", "%!200>{s}T"] {
            let pieces = parse(format).unwrap();
            let [Piece::Directive(d)] = pieces.as_slice() else { panic!("{pieces:?}") };
            assert_eq!((d.field.clone(), d.request, d.conditional), (Field::Long("duration_s".to_string()), Request::Final, true));
        }
    }

    #[test]
    fn escapes_are_those_of_httpd_conf() {
        assert_eq!(parse(r#"\"a\tb\\"#).unwrap(), [Piece::Literal(b"\"a\tb\\".to_vec())]);
    }

    #[test]
    fn a_wrong_directive_has_a_caret() {
        let error = parse("%h %Z").unwrap_err().to_string();
        assert!(error.contains("\n  %h %Z\n     ^^ no such directive"), "{error}");
        for bad in ["%", "%^x", "%{param", "%^xx", "%{x}a", "%{%{x}a", "%{%}t", "%{%^x}t", "%{%{param}t", "%{%200a}t", "%{%!200a}t", "%i"] {
            assert_eq!(parse(bad).unwrap_err().kind(), ErrorKind::Format, "{bad}");
        }
    }
}
