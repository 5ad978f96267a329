//! Reads a `log_format` of nginx into literals and directives.
//!
//! Grammar: <https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format>. A variable is `$name` or `${name}`; within the quotes of
//! a configuration a backslash stands before quotes and itself. `escape=default|json|none` may stand before it, as in the configuration; a
//! whole `log_format NAME …;` can be given, too.

use super::directive::{Directive, Field, Kind, Piece, Request};
use super::nginx_variable::{is_known, near, value};
use super::parsed::{Escapes, Parsed};
use super::strftime::COMMON;
use crate::diagnostic::caret;
use crate::error::{Error, ErrorKind, Result};
use std::ops::Range;

/// Whether `text` is a `log_format`: one of its variables is nginx's own, or there is no `%` in it.
pub(super) fn is_notation(text: &str) -> bool {
    let mut names = text.match_indices('$').filter_map(|(at, _)| name(text, at + 1).ok()).map(|(range, _)| &text[range]);
    if text.contains('%') { names.any(is_known) } else { names.next().is_some() }
}

/// # Errors
/// [`ErrorKind::Format`] with a caret where a `$` has no name behind it, or `escape=` is none that nginx knows.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    let (escapes, strings) = strings(text)?;
    let mut pieces: Vec<Piece> = Vec::new();
    let mut notes = Vec::new();
    for range in strings {
        let mut at = range.start;
        while at < range.end {
            let rest = &text[at..range.end];
            if rest.starts_with('$') {
                let (name, end) = name(&text[..range.end], at + 1).map_err(|why| refuse(text, at..at + 1, why))?;
                let name = &text[name];
                if !is_known(name) {
                    notes.push(unknown(name));
                }
                let (field, kind) = value(name);
                let text = text[at..end].to_string();
                pieces.push(Piece::Directive(Directive {
                    text,
                    span: at..end,
                    field,
                    kind,
                    request: Request::Default,
                    conditional: false,
                    optional: false,
                }));
                at = end;
            } else {
                let (literal, width) = literal(rest);
                match pieces.last_mut() {
                    Some(Piece::Literal(bytes)) => bytes.extend_from_slice(literal.as_bytes()),
                    _ => pieces.push(Piece::Literal(literal.as_bytes().to_vec())),
                }
                at += width;
            }
        }
    }
    Ok(Parsed { pieces: with_target(with_brackets(pieces)), escapes, keys: None, heading: None, notes })
}

/// `text` on one line, where it is strings of a configuration: what is kept of it.
pub(super) fn normal(text: &str) -> String {
    let is_strings = |ranges: &[Range<usize>]| ranges.len() > 1 || ranges.first().is_some_and(|range| range.end < text.len());
    match strings(text) {
        Ok((escapes, ranges)) if is_strings(&ranges) => {
            let strings: String = ranges.into_iter().map(|range| &text[range]).collect();
            let escape = match escapes {
                Escapes::Json => "escape=json ",
                Escapes::Bare => "escape=none ",
                _ => "",
            };
            format!("{escape}{strings}")
        }
        _ => text.to_string(),
    }
}

fn unknown(name: &str) -> String {
    let hint = near(name).map(|near| format!("; did you mean `${near}`?")).unwrap_or_default();
    format!("`${name}` is no variable of nginx's own: it is taken for one of `map` or `set`, and is text{hint}")
}

fn refuse(text: &str, span: Range<usize>, why: &str) -> Error {
    Error::of_lines(ErrorKind::Format, format!("this log_format can't be used:\n{}", caret(text, span, why)))
}

/// How values are escaped, and where the strings lie that are the format together.
fn strings(text: &str) -> Result<(Escapes, Vec<Range<usize>>)> {
    let mut at = text.len() - text.trim_start().len();
    let is_directive = text[at..].strip_prefix("log_format").is_some_and(|rest| rest.starts_with(char::is_whitespace));
    if is_directive {
        at += "log_format".len();
        at = blanks(text, at);
        at += text[at..].find(char::is_whitespace).unwrap_or(text.len() - at);
        at = blanks(text, at);
    }
    let mut escapes = Escapes::Backslash;
    if let Some(rest) = text[at..].strip_prefix("escape=") {
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        escapes = match word {
            "default" => Escapes::Backslash,
            "json" => Escapes::Json,
            "none" => Escapes::Bare,
            _ => return Err(refuse(text, at + 7..at + 7 + word.len(), "expected `default`, `json` or `none`")),
        };
        at = blanks(text, at + 7 + word.len());
    }
    let quoted = quoted(text, at, is_directive);
    // The end of a directive without quotes.
    let end = if is_directive { text.trim_end().trim_end_matches(';').len() } else { text.len() };
    Ok((escapes, quoted.unwrap_or_else(|| vec![if is_directive || escapes != Escapes::Backslash { at..end } else { 0..text.len() }])))
}

fn blanks(text: &str, at: usize) -> usize {
    at + (text[at..].len() - text[at..].trim_start().len())
}

/// The insides of the quoted strings from `at` on, where there is nothing but those, and a `;` perhaps. Strings in double quotes are
/// such only in a directive: else a format begins with a value in quotes.
fn quoted(text: &str, mut at: usize, is_directive: bool) -> Option<Vec<Range<usize>>> {
    let mut found = Vec::new();
    loop {
        at = blanks(text, at);
        let quote = match text[at..].chars().next() {
            Some(quote @ '\'') => quote,
            Some(quote @ '"') if is_directive => quote,
            Some(';') if text[at + 1..].trim().is_empty() => break,
            None => break,
            _ => return None,
        };
        let (start, mut escaped) = (at + 1, false);
        let end = text[start..].char_indices().find(|(_, c)| {
            let is_end = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            is_end
        });
        let end = start + end?.0;
        found.push(start..end);
        at = end + 1;
    }
    (!found.is_empty()).then_some(found)
}

/// The literal that `text` begins with, which has no variable, as it stands in the log, and how long it is here.
fn literal(text: &str) -> (&str, usize) {
    for (written, meant) in [("\\\"", "\""), ("\\'", "'"), ("\\\\", "\\"), ("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")] {
        if text.starts_with(written) {
            return (meant, 2);
        }
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = text[first..].find(['$', '\\']).map_or(text.len(), |at| first + at);
    (&text[..end], end)
}

/// Where the name of the variable lies of which the `$` is right before `at`, and where what is written of it ends.
fn name(text: &str, at: usize) -> std::result::Result<(Range<usize>, usize), &'static str> {
    let is_braced = text[at..].starts_with('{');
    let start = at + usize::from(is_braced);
    let end = text[start..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(text.len(), |length| start + length);
    match (end > start, is_braced, text[end..].starts_with('}')) {
        (false, ..) => Err("this `$` has no name of a variable behind it"),
        (true, true, false) => Err("this `${` has no `}`"),
        (true, braced, _) => Ok((start..end, end + usize::from(braced))),
    }
}

/// `[$time_local]` as one time, brackets and all: Apache's `%t`, which is read the fastest.
fn with_brackets(mut pieces: Vec<Piece>) -> Vec<Piece> {
    for at in 1..pieces.len().saturating_sub(1) {
        let [Piece::Literal(before), Piece::Directive(time), Piece::Literal(after)] = &mut pieces[at - 1..=at + 1] else { continue };
        let Field::Time { items, .. } = &mut time.field else { continue };
        if items[..] == COMMON[1..COMMON.len() - 1] && before.last() == Some(&b'[') && after.first() == Some(&b']') {
            *items = COMMON.to_vec();
            before.pop();
            after.remove(0);
        }
    }
    pieces.retain(|piece| !matches!(piece, Piece::Literal(bytes) if bytes.is_empty()));
    pieces
}

/// `$uri$is_args$args` as what was asked for, in one piece, and `$request_uri` likewise.
fn with_target(pieces: Vec<Piece>) -> Vec<Piece> {
    let is = |piece: Option<&Piece>, names: &[&str]| matches!(piece, Some(Piece::Directive(directive)) if names.contains(&directive.text.trim_matches(['$', '{', '}'])));
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut at = 0;
    while at < pieces.len() {
        let is_target = is(pieces.get(at), &["uri", "document_uri"])
            && is(pieces.get(at + 1), &["is_args"])
            && is(pieces.get(at + 2), &["args", "query_string"]);
        match (&pieces[at], pieces.get(at + 2)) {
            (Piece::Directive(first), Some(Piece::Directive(last))) if is_target => {
                let span = first.span.start..last.span.end;
                let text = pieces[at..at + 3].iter().filter_map(|piece| match piece {
                    Piece::Directive(directive) => Some(directive.text.as_str()),
                    Piece::Literal(_) => None,
                });
                joined.push(Piece::Directive(Directive {
                    text: text.collect(),
                    span,
                    field: Field::Target,
                    kind: Kind::Free,
                    ..first.clone()
                }));
                at += 3;
            }
            (piece, _) => {
                joined.push(piece.clone());
                at += 1;
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use crate::accesslog::{LogFormat, Preset};

    fn columns(format: &str) -> Vec<String> {
        LogFormat::parse("test", format).unwrap().columns().iter().map(|column| column.name.clone()).collect()
    }

    const MAIN: &str =
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;

    #[test]
    fn what_means_the_same_is_called_as_with_apache() {
        let mut apache: Vec<String> = Preset::Combined.format().columns().iter().map(|column| column.name.clone()).collect();
        apache.retain(|name| name != "ident");
        assert_eq!(columns(MAIN), apache);
        assert_eq!(
            columns(
                r#"$server_name $bytes_sent $body_bytes_sent $request_length $request_time "$http_x_forwarded_for" $ssl_protocol $sent_http_x_cache"#
            ),
            ["vhost", "bytes_out", "bytes", "bytes_in", "duration_ms", "x_forwarded_for", "ssl_protocol", "resp_x_cache"]
        );
        assert_eq!(
            columns("$upstream_response_time $upstream_addr"),
            ["upstream_response_time", "upstream_response_time_sum", "upstream_addr"]
        );
        assert_eq!(columns("$msec|${time_iso8601}|$host|$request_uri"), ["time", "time_2", "server_name", "path", "query"]);
        assert_eq!(columns("$request_method $scheme://$host$uri$is_args$args"), ["method", "scheme", "server_name", "path", "query"]);
    }

    #[test]
    fn strings_of_a_configuration_are_put_together() {
        for text in [
            format!("'{MAIN}'"),
            format!("log_format main '{MAIN}';"),
            format!("log_format  main\n  '{}'\n  '{}' ;\n", &MAIN[..15], &MAIN[15..]),
            format!("log_format main escape=default \"{}\";", MAIN.replace('"', "\\\"")),
            format!("escape=default {MAIN}"),
            format!("log_format main {MAIN} ;"),
        ] {
            assert_eq!(columns(&text), columns(MAIN), "{text}");
        }
        assert_eq!(columns(r#""$request" "$status""#), ["method", "path", "query", "protocol", "status", "request"]);
    }

    #[test]
    fn what_is_wrong_has_a_caret() {
        for (text, why) in [
            ("$status $", "  $status $\n          ^ this `$` has no name of a variable behind it"),
            ("$status ${host", "  $status ${host\n          ^ this `${` has no `}`"),
            ("escape=jsn $status", "  escape=jsn $status\n         ^^^ expected `default`, `json` or `none`"),
            ("$status$host", "^^^^^^^ nothing marks where $status ends"),
        ] {
            let error = LogFormat::parse("test", text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let notes = LogFormat::parse("test", "$status $requst_time $my_id").unwrap().notes().to_vec();
        assert!(notes[0].contains("did you mean `$request_time`?") && !notes[1].contains("did you mean"), "{notes:?}");
    }
}
