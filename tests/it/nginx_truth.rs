//! Lines that nginx logged for requests whose bytes are known, under five log_formats written as LogFormats.

use super::fixture;
use super::table::{Cell, Table};
use etl::escape;
use serde_json::Value;

/// How a log_format escapes what it logs.
#[derive(Clone, Copy, PartialEq)]
enum Escape {
    Default,
    Json,
    None,
}

const FORMATS: [(&str, Escape, &str); 6] = [
    ("combined", Escape::Default, r#"%h - %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
    // The preset: Apache's combined, where nginx's fixed `-` is the ident.
    ("combined", Escape::Default, r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
    ("main", Escape::Default, r#"%h - %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{X-Forwarded-For}i""#),
    (
        "vhost_rt",
        Escape::Default,
        r#"%V:%p %h - %u [%{%Y-%m-%dT%H:%M:%S%z}t] "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %{request_time}n %{pipe}n"#,
    ),
    (
        "json",
        Escape::Json,
        r#"{"t":"%{%Y-%m-%dT%H:%M:%S%z}t","h":"%h","u":"%u","r":"%r","s":%>s,"b":%b,"ref":"%{Referer}i","ua":"%{User-Agent}i"}"#,
    ),
    ("none", Escape::None, r#"%h - %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
];

const FIELDS: [&str; 4] = ["request_line", "user", "referer", "user_agent"];

/// Whether a value holds what `escape=none` leaves unescaped although it marks where values end. The policy is that such a line
/// is read as if it had been escaped: it is a row or a reject, and nobody can know what was meant.
fn is_unreadable(truth: &Value) -> bool {
    FIELDS.iter().filter_map(|field| fixture::bytes(&truth[*field])).any(|value| value.iter().any(|b| b"\"\\\r\n\0".contains(b)))
}

/// The bytes that were logged, where `text` is a column's.
fn decoded(escape: Escape, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match escape {
        Escape::Default => escape::unescape(text, &mut out),
        Escape::None => out = text.to_vec(),
        Escape::Json => {
            let mut rest = text;
            while let Some((first, behind)) = rest.split_first() {
                let width = match (first, behind.first()) {
                    (b'\\', Some(b'u')) => {
                        let code = std::str::from_utf8(&behind[1..5]).unwrap();
                        out.push(u8::from_str_radix(code, 16).unwrap());
                        6
                    }
                    // Bytes that aren't UTF-8 stand as `\xhh` in the column; they are compared as that.
                    (b'\\', Some(b'x')) => {
                        out.extend_from_slice(b"\\x");
                        2
                    }
                    (b'\\', Some(_)) => {
                        escape::unescape(&rest[..2], &mut out);
                        2
                    }
                    _ => {
                        out.push(*first);
                        1
                    }
                };
                rest = &rest[width..];
            }
        }
    }
    out
}

#[test]
fn every_field_of_every_format_is_what_was_sent() {
    let mut wrong = Vec::new();
    let (mut rows, mut fields, mut unreadable, mut refused) = (0, 0, 0, 0);
    for case in fixture::json_lines("truth/nginx_truth.jsonl") {
        let name = case["case"].as_str().unwrap();
        for (format, escape, text) in FORMATS {
            let Some(line) = fixture::bytes(&case["lines"][format]) else { continue };
            let table = Table::custom(text, &[&line[..], b"\n"].concat());
            let truth = &case["truth"];
            if escape == Escape::None && is_unreadable(truth) {
                unreadable += 1;
                continue;
            }
            // A name that begins with `- ` may as well be a column too many: it is refused, and kept as a reject.
            if table.rows() == 0 && fixture::bytes(&truth["user"]).is_some_and(|user| user.starts_with(b"- ")) {
                assert_eq!(table.decoded.rejects.len(), 1);
                refused += 1;
                continue;
            }
            if (table.rows(), table.decoded.lines) != (1, 1) {
                wrong.push(format!("{name} {format}: {:?}", table.decoded.rejects));
                continue;
            }
            rows += 1;
            for field in FIELDS {
                let Some(sent) = truth.get(field) else { continue };
                let got = match field {
                    "request_line" => table.request_line("%r", 0),
                    "user" => table.named("auth_user", 0),
                    _ => table.named(field, 0),
                };
                // nginx stops reading a request that it refuses, so what comes later in it is logged as not there.
                let unread = table.named("status", 0) == Cell::Number(400) && field != "request_line";
                let nothing = got == Cell::Null || got == Cell::Text(Vec::new());
                if unread && nothing {
                    continue;
                }
                fields += 1;
                let expected = fixture::bytes(sent).map(|sent| match escape {
                    Escape::Default => sent,
                    Escape::Json | Escape::None => {
                        let mut shown = Vec::new();
                        escape::escape_invalid(&sent, &mut shown);
                        shown
                    }
                });
                // An empty user is logged as none; `escape=json` and `none` log nothing for what is not there.
                let same = match (&expected, &got) {
                    (None, _) => got == Cell::Null || escape != Escape::Default && nothing,
                    (Some(sent), _) if sent.is_empty() && field == "user" => nothing,
                    (Some(sent), Cell::Text(text)) => decoded(escape, text) == *sent,
                    (Some(sent), _) => sent == b"-" && got == Cell::Null,
                };
                if !same {
                    wrong.push(format!("{name} {format} {field}: {got:?} instead of {sent}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {fields}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((rows, fields, unreadable, refused), (573, 1911, 53, 4));
}

#[test]
fn the_rest_of_the_line_is_read_too() {
    let case = fixture::json_lines("truth/nginx_truth.jsonl").into_iter().find(|c| c["case"] == "plain").unwrap();
    let line = fixture::bytes(&case["lines"]["vhost_rt"]).unwrap();
    let table = Table::custom(FORMATS[3].2, &line);
    for (name, expected) in [
        ("server_name", Cell::Text(b"vhost-a.example".to_vec())),
        ("port", Cell::Number(18090)),
        ("host", Cell::Text(b"127.0.0.1".to_vec())),
        ("time", Cell::Time(fixture::millis("2026-11-22T01:05:40-05:00"))),
        ("method", Cell::Text(b"GET".to_vec())),
        ("status", Cell::Number(200)),
        ("bytes", Cell::Number(12)),
        ("bytes_in", Cell::Number(208)),
        ("note_request_time", Cell::Text(b"0.000".to_vec())),
        ("note_pipe", Cell::Text(b".".to_vec())),
    ] {
        assert_eq!(table.named(name, 0), expected, "{name}");
    }
}
