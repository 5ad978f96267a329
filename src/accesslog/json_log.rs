//! Access logs whose lines are JSON objects, as `escape=json` of nginx and JSON LogFormats of Apache write them, Traefik, and others.
//!
//! A server writes the keys of such lines in one order, so that a line is a format, with values between what is the same in each. From the
//! lines of a sample come the formats: one for each order and choice of keys.

use super::line::LineValues;
use super::{LogFormat, LogFormats, Prefix, behind};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A log has no more choices of keys: else it is rather JSON of another kind.
const MOST_FORMATS: usize = 24;

/// What keys mean that an access log has: the field, and the names that servers give the key.
const MEANINGS: [(&str, &[&str]); 14] = [
    ("time", &["time", "timestamp", "@timestamp", "time_iso8601", "time_local", "msec", "ts", "datetime", "date", "starttime", "startutc"]),
    ("{host}", &["remote_addr", "remote_ip", "remote_host", "client", "client_ip", "clientip", "clienthost", "ip"]),
    ("{auth_user:text}", &["remote_user", "auth_user", "clientusername", "user"]),
    ("{request:request}", &["request", "request_line"]),
    ("{method}", &["request_method", "requestmethod", "method", "verb"]),
    ("{path:target}", &["request_uri", "requestpath", "uri", "url", "path"]),
    ("{protocol}", &["server_protocol", "requestprotocol", "protocol", "http_version"]),
    ("{status:status}", &["status", "response", "status_code", "downstreamstatus"]),
    ("{bytes:bigint}", &["body_bytes_sent", "bytes", "bytes_sent", "size", "response_size", "downstreamcontentsize"]),
    ("{referer:text}", &["http_referer", "referer", "referrer", "request_referer"]),
    ("{user_agent:text}", &["http_user_agent", "user_agent", "useragent", "agent", "request_user-agent"]),
    ("{vhost}", &["server_name", "vhost", "requesthost"]),
    ("{x_forwarded_for:text}", &["http_x_forwarded_for", "x_forwarded_for", "request_x-forwarded-for"]),
    ("{duration_ms:seconds}", &["request_time"]),
];

/// Types of times, in the order in which they are tried.
const TIMES: [&str; 4] = ["iso", "clf", "local", "unix"];

/// The formats of the lines of `sample`, behind `prefix`; nothing where the first is no flat object of an access log, or lines differ too
/// much. Those that are none are rejects.
pub fn json_formats(prefix: Prefix, sample: &Bytes) -> Option<LogFormats> {
    let lines = sample.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let objects: Vec<Vec<Piece<'_>>> = lines.filter_map(|line| pieces(std::str::from_utf8(line).ok()?)).collect();
    let first = objects.first()?;
    let known = first.iter().filter(|piece| piece.value.is_some() && meaning(piece.key).is_some()).count();
    if known < 3 {
        return None;
    }
    // Of a number with a point in one line all are such.
    let mut doubles: HashSet<&str> = HashSet::new();
    for piece in objects.iter().flatten() {
        if matches!(piece.value, Some(Value::Number(number)) if number.contains(['.', 'e', 'E'])) {
            doubles.insert(piece.key);
        }
    }
    let time = time_key(&objects);
    let mut texts: Vec<String> = Vec::new();
    for object in &objects {
        let text = text(object, &doubles, time);
        if !texts.contains(&text) {
            texts.push(text);
        }
        if texts.len() > MOST_FORMATS {
            return None;
        }
    }
    let formats: Vec<Arc<LogFormat>> = texts.iter().filter_map(|text| behind(prefix, "json_log", text).ok()).collect();
    (formats.len() == texts.len()).then(|| LogFormats::new(formats).ok())?
}

/// What the lines of an access log mean by `key`.
fn meaning(key: &str) -> Option<&'static str> {
    let plain = key.to_ascii_lowercase();
    MEANINGS.iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(field, _)| *field)
}

/// A part of a line: what is the same in each, and the value behind it, if there is one.
#[derive(Debug)]
struct Piece<'a> {
    literal: &'a str,
    key: &'a str,
    value: Option<Value<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    /// The inside of a string.
    Text(&'a str),
    Number(&'a str),
    /// `true` or `false`.
    Word,
    Null,
}

/// The parts of `line`, where it is an object without others in it.
fn pieces(line: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let (mut at, mut from) = (blanks(line, 0), 0);
    if !line[at..].starts_with('{') {
        return None;
    }
    loop {
        at = blanks(line, at + 1);
        let key_end = string_end(line, at)?;
        let key = &line[at + 1..key_end];
        at = blanks(line, key_end + 1);
        if !line[at..].starts_with(':') {
            return None;
        }
        at = blanks(line, at + 1);
        let (value, start, end) = match line.as_bytes().get(at)? {
            b'"' => {
                let end = string_end(line, at)?;
                (Value::Text(&line[at + 1..end]), at + 1, end)
            }
            _ => {
                let end = at + line[at..].find([',', '}', ' ', '\t'])?;
                let value = match &line[at..end] {
                    "null" => Value::Null,
                    "true" | "false" => Value::Word,
                    number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => Value::Number(number),
                    _ => return None,
                };
                (value, at, end)
            }
        };
        pieces.push(Piece { literal: &line[from..start], key, value: Some(value) });
        from = end;
        at = blanks(line, if matches!(value, Value::Text(_)) { end + 1 } else { end });
        match line.as_bytes().get(at)? {
            b',' => {}
            b'}' if line[at + 1..].trim().is_empty() => break,
            _ => return None,
        }
    }
    pieces.push(Piece { literal: &line[from..], key: "", value: None });
    Some(pieces)
}

fn blanks(line: &str, at: usize) -> usize {
    at + (line[at..].len() - line[at..].trim_start().len())
}

/// Where the string that begins at `start` has its closing quote.
fn string_end(line: &str, start: usize) -> Option<usize> {
    let bytes = line.as_bytes();
    if bytes.get(start) != Some(&b'"') {
        return None;
    }
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// The format of the line of these `pieces`, as a list of fields.
fn text(pieces: &[Piece<'_>], doubles: &HashSet<&str>, time: Option<(&str, &str)>) -> String {
    let mut text = "escape=json ".to_string();
    let mut given: HashMap<String, u32> = HashMap::new();
    for piece in pieces {
        text.push_str(&piece.literal.replace('\\', "\\\\"));
        let Some(value) = piece.value else { continue };
        if matches!(value, Value::Null) {
            text.push_str("null");
            continue;
        }
        let field = known(piece.key, value, time).filter(|field| !given.contains_key(column_of(field)));
        let field = field.unwrap_or_else(|| other(piece.key, value, doubles, &given));
        given.insert(column_of(&field).to_string(), 1);
        text.push_str(&field);
    }
    text
}

/// The name in `{name:type}`.
fn column_of(field: &str) -> &str {
    field.trim_matches(['{', '}']).split(':').next().unwrap_or_default()
}

/// The key whose value is the time of all lines, and the type that these have: of several the one that is named first above.
fn time_key<'a>(objects: &[Vec<Piece<'a>>]) -> Option<(&'a str, &'static str)> {
    let (_, names) = MEANINGS.iter().find(|(field, _)| *field == "time")?;
    names.iter().find_map(|name| {
        let of_key = |piece: &&Piece<'a>| piece.value.is_some() && piece.key.eq_ignore_ascii_case(name);
        let pieces: Vec<&Piece<'a>> = objects.iter().flatten().filter(of_key).collect();
        let fits_all = |kind: &&str| {
            let format = LogFormat::parse("time", &format!("{{time:{kind}}}"));
            let fits = |format: &LogFormat, piece: &&Piece<'_>| match piece.value {
                Some(Value::Text(text) | Value::Number(text)) => LineValues::new(format).read(format, text.as_bytes()).is_ok(),
                _ => false,
            };
            format.is_ok_and(|format| pieces.iter().all(|piece| fits(&format, piece)))
        };
        let kind = TIMES.into_iter().find(fits_all)?;
        pieces.first().map(|piece| (piece.key, kind))
    })
}

/// The field of a key that access logs have, where the value is as such have it.
fn known(key: &str, value: Value<'_>, time: Option<(&str, &str)>) -> Option<String> {
    if let Some((_, kind)) = time.filter(|(time, _)| *time == key) {
        return Some(format!("{{time:{kind}}}"));
    }
    let field = meaning(key).filter(|field| *field != "time")?;
    let is_text = matches!(value, Value::Text(_));
    let sample = match value {
        Value::Text(text) | Value::Number(text) => text,
        Value::Word | Value::Null => return None,
    };
    let is_number = field.contains(":status") || field.contains(":bigint") || field.contains(":seconds");
    let fits = match (is_number, field) {
        (true, _) => sample.is_empty() || self::fits(field, sample),
        (false, "{request:request}") => is_text && (sample.contains(" HTTP/") || sample.is_empty()),
        (false, _) => is_text,
    };
    fits.then(|| field.to_string())
}

/// The field of any key.
fn other(key: &str, value: Value<'_>, doubles: &HashSet<&str>, given: &HashMap<String, u32>) -> String {
    let plain = super::directive::snake_case(key);
    let plain = if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("_{plain}") } else { plain };
    // The key of another field may be what a known one is called: `host`, which is the server's mostly.
    let name = match given.contains_key(&plain) || plain == "host" {
        true => format!("{plain}_field"),
        false => plain,
    };
    match value {
        Value::Number(_) if doubles.contains(key) => format!("{{{name}:double}}"),
        Value::Number(_) => format!("{{{name}:bigint}}"),
        Value::Word | Value::Null => format!("{{{name}}}"),
        Value::Text(_) => format!("{{{name}:text}}"),
    }
}

fn fits(format: &str, sample: &str) -> bool {
    LogFormat::parse("field", format).is_ok_and(|format| LineValues::new(&format).read(&format, sample.as_bytes()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accesslog::{DecodeOptions, LogDecoder};
    use crate::decode::Decoder;
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    /// The columns with their types, the rows, and how many lines are rejects.
    fn read(lines: &str) -> Option<(String, Vec<String>, usize)> {
        let sample = Bytes::from(lines.to_string());
        let formats = json_formats(Prefix::None, &sample)?;
        let columns: Vec<String> =
            formats.schema().fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
        let decoded = LogDecoder::new(formats, DecodeOptions::default()).decode(&sample).unwrap();
        let options = FormatOptions::default().with_null("NULL");
        let row = |row: usize| {
            let cells =
                decoded.batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string());
            cells.collect::<Vec<_>>().join("|")
        };
        Some((columns.join(", "), (0..decoded.batch.num_rows()).map(row).collect(), decoded.rejects.len()))
    }

    #[test]
    fn the_same_has_the_same_name_whoever_writes_it() {
        let (columns, rows, rejects) = read(
            r#"{"time": "2026-03-01T10:00:00+01:00", "remote_addr": "192.0.2.1", "request": "GET /a?b=c HTTP/1.1", "status": 200, "body_bytes_sent": 5, "http_user_agent": "a \"b\"", "request_time": 0.250, "extra": "", "n": 1}
{"time": "2026-03-01T10:00:01+01:00", "remote_addr": "192.0.2.2", "request": "x", "status": 404, "body_bytes_sent": 0, "http_user_agent": "", "request_time": 0.001, "extra": "x", "n": 2.5}
bad
"#,
        )
        .unwrap();
        assert_eq!(
            columns,
            "time Timestamp(µs, \"UTC\"), host Utf8View, method Utf8View, path Utf8View, query Utf8View, protocol Utf8View, status Int32, \
             bytes Int64, user_agent Utf8View, duration_ms Int64, extra Utf8View, n Float64, request Utf8View"
        );
        assert_eq!(
            rows,
            [
                "2026-03-01T09:00:00Z|192.0.2.1|GET|/a|b=c|HTTP/1.1|200|5|a \"b\"|250|NULL|1.0|NULL",
                "2026-03-01T09:00:01Z|192.0.2.2|NULL|NULL|NULL|NULL|404|0|NULL|1|x|2.5|x",
            ]
        );
        assert_eq!(rejects, 1);
    }

    #[test]
    fn lines_with_other_keys_are_of_the_same_table() {
        let (columns, rows, _) = read(concat!(
            r#"{"ClientHost":"192.0.2.1","DownstreamStatus":200,"Duration":929675,"RequestMethod":"GET","RequestPath":"/a?b","StartUTC":"2026-03-01T09:00:00.123456789Z","TLSVersion":"1.3","level":"info"}"#,
            "\n",
            r#"{"ClientHost":"192.0.2.2","DownstreamStatus":502,"Duration":10,"RequestMethod":"PUT","RequestPath":"/","StartUTC":"2026-03-01T09:00:01Z","level":"info"}"#,
            "\n"
        ))
        .unwrap();
        assert!(
            columns.starts_with(
                "host Utf8View, status Int32, duration Int64, method Utf8View, path Utf8View, query Utf8View, startutc Utf8View"
            ),
            "{columns}"
        );
        assert_eq!(rows.len(), 2);
        for none in
            ["", "x", "{}", r#"{"a":1}"#, r#"{"status":200,"method":"GET","request":{"uri":"/"}}"#, r#"{"status":200"#, r#"{"a":[1]}"#]
        {
            assert!(read(none).is_none(), "{none}");
        }
    }
}
