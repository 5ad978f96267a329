//! Raw logs as tables: what a real reader finds by the expression made of a LogFormat is what the decoder finds.

use crate::etl::Etl;
use crate::minio::Minio;
use crate::stand_in::glue;
use crate::trino::Trino;
use etl::accesslog::{LogFormat, Preset};
use etl::generate::{GenerateOptions, generate};
use serde_json::Value;
use std::collections::BTreeMap;

/// Formats that end values in every way there is.
const CUSTOM: [&str; 19] = [
    r#"%h %l %u %t "%r" %>s %b %D"#,
    r#"%t %h "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %{ms}T"#,
    r#"%{X-Forwarded-For}i %l %u %t "%r" %>s %b"#,
    r#""%{X-Forwarded-For}i" %h %u %t "%U%q" %m %>s"#,
    "%v:%p %h %t %U%q %H %>s %B",
    "%a|%u|%t|%r|%>s|%b|%{User-Agent}i",
    r#"%{%Y-%m-%d %H:%M:%S}t %h %>s "%r""#,
    "%{sec}t.%{msec_frac}t %h %>s %X %D",
    r#"%h "%u" %t "%r" %>s %b "%{Cookie}i""#,
    "[%{%F}t %{%T}t] %h %m %U %>s %b",
    "%h,%v,%u,%t,%>s,%b,%{Referer}i",
    "%h\t%u\t%t\t%r\t%>s\t%b",
    "%>s %<s %D %D %t %h %{Accept}i",
    r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time $upstream_response_time"#,
    r#"$time_iso8601 $upstream_addr $status "$http_user_agent" $gzip_ratio"#,
    "$msec|$request_method|$scheme://$host$request_uri|$status",
    r#"escape=none $remote_addr "$http_user_agent" "$request" $body_bytes_sent"#,
    "$upstream_response_time $request_time $remote_addr $uri$is_args$args $server_port",
    r#"{time:iso} {client:endpoint}:{port:int} {agent:quoted} {took:double} {status:int?} {extra:text?}"#,
];

/// Numbers by chance, the same in each run.
struct Chance(u64);

impl Chance {
    /// Mostly the first, as lines with one odd value tell more than those with five.
    fn of<'a>(&mut self, values: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = (self.0 >> 33) as usize;
        if drawn % 10 < 6 { values[0] } else { values[drawn / 10 % values.len()] }
    }
}

/// The value of a variable of nginx, or of a field.
fn value(name: &str, chance: &mut Chance) -> String {
    let values: &[&str] = match name {
        "remote_addr" | "host" | "client" => &["192.0.2.7", "::1", "a.example", "x,", ""],
        "remote_user" => &["-", "bob", "[x", ""],
        "time_local" => &["29/Feb/2020:00:00:18 +0000", "31/Dec/2024:23:59:60 -0730", "32/Jan/2000:00:00:00 +0000", "-"],
        "time_iso8601" => &["2020-02-29T00:00:18+00:00", "2020-02-29T00:00:18-07:30", "2020-13-29T00:00:18+00:00", "2020-02-29"],
        "time" => &["2020-02-29T00:00:18.123456Z", "2020-02-29T00:00:18", "2020-02-29T00:00:18.1Z", "2020-02-29T00:00:18.1234567Z", "-"],
        "msec" => &["1582934400.123", "0.000", "1582934400.12", "x"],
        "status" | "body_bytes_sent" | "server_port" | "port" => &["200", "-", "404", "99999", "007", "x", ""],
        "request_time" | "gzip_ratio" | "took" => &["0.003", "-", "12.5", "7", "0.0001", "00.1", "x", "", "-1"],
        "upstream_response_time" => &["0.003", "-", "0.003, 0.004", "0.003, - : 0.010", "0.1 :", ""],
        "upstream_addr" => &["10.0.0.1:80", "-", "10.0.0.1:80, 10.0.0.2:80", "unix:/x : 10.0.0.1:80"],
        "request" => &["GET / HTTP/1.1", "GET /a?b=c HTTP/1.1", "-", "", r"\x16\x03\x01", "GET /a b HTTP/1.0"],
        "request_uri" | "uri" => &["/", "/a", "/a?b", "", "-"],
        "is_args" => return String::new(),
        "args" => &["", "?a=1", "?", "?a b"],
        "agent" => &["\"x y\"", "-", "\"-\"", "x", "\"a \"b\" c\"", "\"\"", "\"x"],
        "extra" => &["x", "x y", "-", "\"x\""],
        _ => &["-", "/", "a b", r"\x16\x03", "é", "a,b", "[x]", "1", "a, b", ""],
    };
    chance.of(values).to_string()
}

/// A line that fits the `format` of nginx, or the list of fields, or nearly.
fn named_line(format: &str, chance: &mut Chance) -> String {
    let is_fields = format.starts_with('{');
    let (mut line, mut rest) = (String::new(), format.trim_start_matches("escape=none "));
    while let Some((before, behind)) = rest.split_once(if is_fields { '{' } else { '$' }) {
        line.push_str(before);
        let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
        let (name, behind) = behind.split_at(end);
        line.push_str(&value(name, chance));
        rest = if is_fields { behind.split_once('}').unwrap().1 } else { behind };
    }
    line + rest + "\n"
}

/// A line that fits `format`, or nearly.
fn line(format: &str, chance: &mut Chance) -> String {
    if !format.contains('%') {
        return named_line(format, chance);
    }
    let (mut line, mut rest) = (String::new(), format);
    while let Some((before, directive)) = rest.split_once('%') {
        line.push_str(before);
        let directive = directive.trim_start_matches(['>', '<']);
        let (parameter, letter) = match directive.strip_prefix('{') {
            Some(named) => named.split_once('}').unwrap(),
            None => ("", directive),
        };
        rest = &letter[1..];
        line.push_str(chance.of(match (&letter[..1], parameter) {
            ("h" | "a" | "v", _) => &["192.0.2.7", "::1", "a.example", "-", "x,", ""],
            ("l", _) => &["-", "x", ""],
            // A name with blanks is none for readers: see the expression.
            ("u", _) => &["-", "bob", "\"\"", r#"a\"b"#, "[x", ""],
            ("t", "") => &[
                "[29/Feb/2020:00:00:18 +0000]",
                "[31/Dec/2024:23:59:60 -0730]",
                "[1/Jan/2000:00:00:00 +0000]",
                "[32/Jan/2000:00:00:00 +0000]",
                "[01/Jan/2000:24:00:00 +0000]",
                "[01/Jan/1960:00:00:00 +0000]",
                "-",
            ],
            ("t", "sec") => &["1582934400", "0", "-1", "x"],
            ("t", "msec_frac") => &["123", "000", "12"],
            ("t", "%F") => &["2020-02-29", "2020-2-9"],
            ("t", "%T") => &["01:02:03", "1:2:3", "01:02:61"],
            ("t", _) => &["2020-02-29 01:02:03", "2020-13-01 00:00:00", "2020-02-28 24:00:00"],
            ("r", _) => {
                &["GET / HTTP/1.1", "GET /a?b=c HTTP/1.1", "-", "", r"\x16\x03\x01", "GET /a b HTTP/1.0", r#"POST /x\"y HTTP/2"#, r"a\\"]
            }
            ("s", _) => &["200", "404", "-", "20", "2000", "abc"],
            ("q", _) => &["", "?a=1", "?", "?a b", "?x?y"],
            ("U", _) => &["/", "/a", "/a b", r#"/a\"b"#, "-"],
            ("X", _) => &["+", "-", "X"],
            ("b" | "B" | "D" | "T" | "O" | "p", _) => &["-", "0", "1", "200", "007", "99999", "x", "-5", ""],
            _ => &["-", "/", "a b", r#"a\"b"#, r"\x16\x03", "é", "a,b", r"\\", "?", "[x]", "1", "a, b", r"\t", ""],
        }));
    }
    line + rest + "\n"
}

/// The rows as `column=text` of what both have, sorted; without those of NULLs.
fn sorted(rows: impl Iterator<Item = BTreeMap<String, Option<String>>>) -> Vec<String> {
    let is_row = |row: &BTreeMap<String, Option<String>>| row.values().any(Option::is_some);
    let mut rows: Vec<String> = rows.filter(is_row).map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

/// Whether a column is a time, which the reader has as it stands in the log.
fn is_time(name: &str) -> bool {
    (name.starts_with("time") && name != "time_taken" && name != "time_to_first_byte") || name.ends_with("_creation_time")
}

/// A number with a point without zeros that say nothing.
fn plain(text: String) -> String {
    let is_number = text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    text.parse::<f64>().ok().filter(|_| is_number).map_or(text, |number| number.to_string())
}

/// What the decoder gives of a row, as the reader has it: the request whole, a status in three digits.
fn decoded(row: &Value, columns: &[String]) -> BTreeMap<String, Option<String>> {
    let text = |name: &str| match &row[name] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if name.starts_with("status") => Some(format!("{:0>3}", number.to_string())),
        other => Some(other.to_string()),
    };
    let whole = || {
        let query = text("query").map(|query| format!("?{query}")).unwrap_or_default();
        let protocol = text("protocol").map(|protocol| format!(" {protocol}")).unwrap_or_default();
        let origin = text("origin").unwrap_or_default();
        Some(format!("{} {origin}{}{query}{protocol}", text("method")?, text("path")?))
    };
    let value = |name: &String| match name.as_str() {
        "request" => text(name).or_else(whole),
        // What was asked for, in one column of the reader's.
        "path" if !columns.contains(&"query".to_string()) && !row["query"].is_null() => {
            Some(format!("{}?{}", text(name).unwrap_or_default(), text("query")?))
        }
        "duration_s" => row["duration_ms"].as_f64().map(|millis| (millis / 1000.0).to_string()),
        _ => text(name).map(plain),
    };
    columns.iter().filter(|name| !is_time(name)).map(|name| (name.clone(), value(name))).collect()
}

fn count(rows: &[String], row: &String) -> usize {
    rows.iter().filter(|other| *other == row).count()
}

fn compare(etl: &Etl, minio: &Minio, trino: &Trino, database: &str, number: usize, format: &str, log: Vec<u8>) {
    let headings = Preset::named(format).and_then(|preset| preset.format().heading_lines()).unwrap_or(0) as usize;
    let lines = log.iter().filter(|byte| **byte == b'\n').count() - headings;
    etl.write("a.log", &log);
    minio.storage("").put(&format!("log{number}/a.log"), log).unwrap();
    let address = format!("s3://{}/log{number}/", minio.bucket);
    let table = format!("{database}.log{number}");
    etl.run(["catalog", "register", &address, "--table", &table, "--from", "log", "--log-format", format]).ok();
    let told = trino.rows(&format!("SELECT * FROM {table}"));
    let columns: Vec<String> = told.columns.into_iter().map(|(name, _)| name).collect();
    let rows = told.rows;
    assert_eq!(rows.len(), lines, "{format}: every line is a row");
    let named = |row: &Vec<Value>| {
        let all = columns.iter().zip(row).filter(|(name, _)| !is_time(name));
        all.map(|(name, value)| (name.clone(), value.as_str().map(|text| plain(text.to_string())))).collect()
    };
    let theirs = sorted(rows.iter().map(named));
    let asked = ["query", "SELECT * FROM 'a.log'", "--from", "log", "--log-format", format, "--format", "json"];
    let text = String::from_utf8(etl.run(asked).ok().stdout).unwrap();
    let ours = sorted(text.lines().map(|line| decoded(&serde_json::from_str(line).unwrap(), &columns)));
    assert!(ours.len() > lines / 20, "{format}: {} of {lines} lines fit", ours.len());
    let lacking = |some: &[String], of: &[String]| some.iter().find(|row| count(some, row) > count(of, row)).cloned();
    let (more, less) = (lacking(&ours, &theirs), lacking(&theirs, &ours));
    let regex = || LogFormat::parse("x", format).map(|format| format.java_regex().regex).unwrap_or_default();
    assert!(more.is_none() && less.is_none(), "{format}\nonly the decoder: {more:?}\nonly the reader: {less:?}\n{}", regex());
    etl.etl(&format!("catalog drop {table} --yes")).ok();
}

#[test]
fn a_reader_finds_what_the_decoder_finds() {
    let (Some(trino), Some((etl, database)), Some(minio)) = (Trino::get(), glue(), Minio::get()) else { return };
    let etl = etl.with("AWS_ENDPOINT_URL_S3", &minio.endpoint);
    for (number, preset) in Preset::ALL.into_iter().enumerate() {
        let mut log = Vec::new();
        generate(&GenerateOptions { lines: 500, format: preset, ..Default::default() }, &mut log).unwrap();
        // What took a reader's stack where the expression went back on what it had found.
        let long =
            String::from_utf8(log.clone()).unwrap().lines().last().unwrap().replace("GET ", &format!("GET {}", r"\x16".repeat(8_000)));
        log.extend(long.as_bytes());
        log.push(b'\n');
        compare(&etl, &minio, &trino, &database, number, preset.name(), log);
    }
    for (number, format) in CUSTOM.into_iter().enumerate() {
        let mut chance = Chance(number as u64 + 1);
        let log: String = (0..600).map(|_| line(format, &mut chance)).collect();
        compare(&etl, &minio, &trino, &database, 100 + number, format, log.into_bytes());
    }
}
