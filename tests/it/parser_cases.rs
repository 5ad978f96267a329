//! What the tests of other parsers of access logs expect: each case passes, or the difference is a policy with a reason.

use super::fixture;
use super::table::{Cell, Table};
use etl::accesslog::LogFormat;
use etl::escape;
use serde_json::Value;

/// Cases that we decide otherwise, by their id, and why.
const POLICY: &[(u64, &str)] = &[
    (58, "a line break in a time would make two lines of one request, and a line is read on its own"),
    (60, "a locale without AM and PM leaves the half of the day open, so a 12-hour time without them is rejected"),
    (72, "month names are English: Apache's %t always is, and a locale's names can't be told from garbage"),
    (74, "a year, a week and the name of a weekday in a locale's words are kept as text, not made a date"),
    (176, "an unquoted `- -` where the format has quotes is not the format"),
    (178, "Apache always logs a time for an unconditional %t, so a `-` there is not the format"),
    (182, "Apache always logs a time for an unconditional %t, so a `-` there is not the format"),
    (392, "an empty line is counted as blank, not as a reject: nothing was lost"),
];

/// Formats that a case names, or only implies.
fn log_format(case: &Value) -> String {
    const COMMON: &str = r#"%h %l %u %t "%r" %>s %b"#;
    const COMBINED: &str = r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#;
    if let Some(text) = case["log_format"].as_str() {
        return text.to_string();
    }
    match (case["id"].as_u64().unwrap(), case["format_name"].as_str()) {
        (184, _) => r#"%h %l %u [%{%Y-%m-%dT%H:%M:%S%z}t] "%r" %>s %b"#.to_string(),
        (192, _) => format!(r#"{COMBINED} "%{{compression}}n""#),
        (376, _) => COMBINED.replace("%h %l %u", "%h -"),
        (_, Some("apache_common")) => COMMON.to_string(),
        (_, Some("apache_combined" | "nginx_combined")) => COMBINED.to_string(),
        (_, Some("nginx_main")) => format!(r#"{COMBINED} "%{{X-Forwarded-For}}i""#),
        (_, Some("nginx_ingress_upstreaminfo")) => format!(
            "{COMBINED} %I %{{request_time}}n [%{{proxy_upstream_name}}n] [%{{proxy_alternative_upstream_name}}n] %{{upstream_addr}}n \
             %{{upstream_response_length}}n %{{upstream_response_time}}n %{{upstream_status}}n %{{req_id}}n"
        ),
        (id, name) => panic!("case {id}: no LogFormat for {name:?}"),
    }
}

/// Nothing, or how the case differs.
fn difference(case: &Value) -> Result<(), String> {
    let line = || fixture::bytes(&case["line"]).unwrap();
    let expected = &case["expected"];
    match case["kind"].as_str().unwrap() {
        "parse" => parsed(case, &line()),
        "reject_line" => match Table::custom(&log_format(case), &[line(), b"\n".to_vec()].concat()).decoded.rejects.len() {
            1 => Ok(()),
            _ => Err("it is not rejected".to_string()),
        },
        "reject_format" => match LogFormat::parse("custom", case["log_format"].as_str().unwrap()) {
            Ok(_) => Err("the LogFormat is taken".to_string()),
            Err(error) => same("caret", error.to_string().contains('^'), true),
        },
        "timestamp" => {
            let table = Table::custom("%t", &bracketed(&line()));
            match table.rows() {
                1 => same("time", table.named("time", 0), Cell::Time(fixture::millis(expected["time"].as_str().unwrap()))),
                _ => Err(format!("{:?}", table.decoded.rejects)),
            }
        }
        "reject_timestamp" => same("rows", Table::custom("%t", &bracketed(&line())).rows(), 0),
        "unescape" => {
            let mut out = Vec::new();
            escape::unescape(&line(), &mut out);
            same("value", Some(out), fixture::bytes(&expected["value"]))
        }
        kind => panic!("unknown kind {kind}"),
    }
}

/// `%t` has brackets; some of the cases leave one or both away.
fn bracketed(time: &[u8]) -> Vec<u8> {
    let time = String::from_utf8(time.to_vec()).unwrap();
    format!("[{}]", time.trim_start_matches('[').trim_end_matches(']')).into_bytes()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{what}: {got:?} instead of {expected:?}")) }
}

fn parsed(case: &Value, line: &[u8]) -> Result<(), String> {
    let table = Table::custom(&log_format(case), line);
    if table.rows() != 1 {
        return Err(format!("{:?} {:?}", table.decoded.rejects, table.decoded.blank));
    }
    for (key, expected) in case["expected"].as_object().unwrap() {
        match case["style"].as_str().unwrap() {
            "directives" => directive(&table, key, expected)?,
            _ => canonical(&table, key, expected)?,
        }
    }
    for (key, column) in [("request_time", "time"), ("final_request_time", "time"), ("end_request_time", "time_end")] {
        if let Some(time) = case["detail"][key].as_str() {
            if table.columns.iter().all(|c| c.name != column) {
                return Err(format!("{key}: no column {column}"));
            }
            same(key, table.named(column, 0), Cell::Time(fixture::millis(time)))?;
        }
    }
    Ok(())
}

/// Compares what a case expects under a directive, such as `%>s` or `%{Referer}i`.
fn directive(table: &Table, key: &str, expected: &Value) -> Result<(), String> {
    if key.ends_with('t') && !key.contains('^') {
        // The pieces of a time: the instant that they make is compared by `detail`, other text by holding the piece.
        if let Some(index) = table.columns.iter().position(|c| c.name == "time_text") {
            let text = String::from_utf8(table.cell(index, 0).text().unwrap_or_default()).unwrap();
            let held = match expected {
                Value::Null => text.is_empty(),
                Value::Number(number) => text.contains(&number.to_string()),
                other => text.contains(other.as_str().unwrap()),
            };
            return if held { Ok(()) } else { Err(format!("{key}: {expected} is not in {text:?}")) };
        }
        return Ok(());
    }
    if key.ends_with('r') {
        return text_is(key, table.request_line(key, 0), expected);
    }
    let [index] = table.of_directive(key)[..] else { return Err(format!("{key} makes no column")) };
    let got = match table.cell(index, 0) {
        // Ours is the query without its `?`, and NULL where there is none; Apache logs both in one.
        Cell::Text(query) if key.ends_with('q') => Cell::Text([&b"?"[..], &query].concat()),
        Cell::Null if key.ends_with('q') => Cell::Text(Vec::new()),
        cell => cell,
    };
    match expected.as_i64() {
        Some(number) => same(key, got, Cell::Number(number)),
        None => text_is(key, got, expected),
    }
}

/// Compares what a case expects under a name.
fn canonical(table: &Table, key: &str, expected: &Value) -> Result<(), String> {
    let request = || table.columns.iter().find(|c| c.name == "request").map(|c| table.request_line(&c.directive, 0)).unwrap();
    let number = |column| same(key, table.named(column, 0), expected.as_i64().map_or(Cell::Null, Cell::Number));
    let text = |column| text_is(key, table.named(column, 0), expected);
    match key {
        "remote_host" if table.columns.iter().any(|c| c.name == "client_ip") => text("client_ip"),
        "remote_host" => text("host"),
        "remote_logname" => text("ident"),
        "remote_user" => text("auth_user"),
        "request_line" | "request_raw" => text_is(key, request(), expected),
        "uri" => {
            let target = [table.named("path", 0).text(), table.named("query", 0).text()];
            text_is(key, Cell::Text(target.into_iter().flatten().collect::<Vec<_>>().join(&b'?')), expected)
        }
        "http_version" => text_is(key, table.named("protocol", 0), &format!("HTTP/{}", expected.as_str().unwrap()).into()),
        "method" | "protocol" | "referer" | "user_agent" | "vhost" => text(key),
        "http_x_forwarded_for" => text("x_forwarded_for"),
        "status" | "bytes" => number(key),
        "server_port" => number("port"),
        "client_port" => number("port_remote"),
        "request_time_ms" => number("duration_ms"),
        "bytes_received" | "request_length" => number("bytes_in"),
        "bytes_sent" => number("bytes_out"),
        "request_time" => {
            let seconds = String::from_utf8(table.named("note_request_time", 0).text().unwrap()).unwrap();
            same(key, seconds.parse().ok(), expected.as_f64())
        }
        "upstream_response_length" | "upstream_status" | "upstream_response_time" => {
            let got = String::from_utf8(table.named(&format!("note_{key}"), 0).text().unwrap()).unwrap();
            same(key, got.parse().ok(), expected.as_f64())
        }
        "compression" | "upstream_addr" | "proxy_upstream_name" | "proxy_alternative_upstream_name" | "req_id" => {
            text(&format!("note_{key}"))
        }
        "time" if expected.as_str().unwrap().starts_with("leap second") => same(key, table.named("time", 0) != Cell::Null, true),
        "time" => same(key, table.named("time", 0), Cell::Time(fixture::millis(expected.as_str().unwrap()))),
        "time_text" => same(key, table.named("time", 0), Cell::Time(fixture::millis(&rfc3339(expected.as_str().unwrap())))),
        directive_key if directive_key.starts_with('%') => directive(table, key, expected),
        _ => Err(format!("nothing is compared for {key}")),
    }
}

/// Text is the same as it was logged, or with the escapes decoded; `-` is NULL.
fn text_is(key: &str, got: Cell, expected: &Value) -> Result<(), String> {
    let expected = Cell::logged(fixture::bytes(expected));
    // Bytes over 0x7f are written as the characters of the same number by the parser that some cases are from.
    let latin1 = match &expected {
        Cell::Text(text) => std::str::from_utf8(text).ok().and_then(|t| t.chars().map(|c| u8::try_from(c).ok()).collect()),
        _ => None,
    };
    let decoded = got.clone().unescaped();
    if got == expected || decoded == expected || latin1.is_some_and(|bytes| decoded == Cell::Text(bytes)) {
        return Ok(());
    }
    Err(format!("{key}: {got:?} instead of {expected:?}"))
}

/// `17/Oct/2023:05:57:49 +1100` as `2023-10-17T05:57:49+11:00`; what is RFC 3339 already as it is.
fn rfc3339(time: &str) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if time.as_bytes()[2] != b'/' {
        return time.to_string();
    }
    let month = MONTHS.find(&time[3..6]).unwrap() / 3 + 1;
    format!("{}-{month:02}-{}T{}{}:{}", &time[7..11], &time[..2], &time[12..20], &time[21..24], &time[24..])
}

#[test]
fn every_case_passes_or_differs_by_a_policy() {
    let cases = fixture::json("parser_cases.json");
    let cases = cases.as_array().unwrap();
    let mut surprises = Vec::new();
    for case in cases {
        let id = case["id"].as_u64().unwrap();
        let policy = POLICY.iter().find(|(known, _)| *known == id);
        match (difference(case), policy) {
            (Err(why), None) => surprises.push(format!("case {id} ({}): {why}", case["source"])),
            (Ok(()), Some((_, reason))) => surprises.push(format!("case {id} passes, although it is a policy that {reason}")),
            _ => {}
        }
    }
    assert!(surprises.is_empty(), "{} of {}:\n{}", surprises.len(), cases.len(), surprises.join("\n"));
    assert_eq!(cases.len(), 210);
    assert!(POLICY.iter().all(|(id, _)| cases.iter().any(|case| case["id"] == *id)), "a policy without its case");
}
