//! Lines that Apache 2.4 logged for requests whose bytes are known, under each of 16 LogFormats.

use super::fixture;
use super::table::{Cell, Table};
use etl::accesslog::{DecodeOptions, LogFormat};
use etl::escape;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Lines of formats without quotes that can be cut in more than one way: the format, the directives that are then not checked
/// one by one, and the cases. The policy is that a value ends at the first place where the rest fits; what is checked is that
/// the values together are what stands in the line, so that nothing is lost.
const AMBIGUOUS: &[(&str, &[&str], &[&str])] = &[
    // A request line with the `|` that ends it.
    ("cond", &["%!404r", "%404r"], &["fuzz_061"]),
    // A referer with the blank that ends it.
    (
        "noquotes",
        &["%{Referer}i", "%{User-Agent}i"],
        &[
            "brackets_in_ua",
            "fuzz_013",
            "fuzz_019",
            "fuzz_029",
            "fuzz_035",
            "fuzz_037",
            "fuzz_047",
            "fuzz_053",
            "fuzz_055",
            "fuzz_063",
            "fuzz_085",
            "fuzz_087",
            "fuzz_091",
            "fuzz_101",
            "fuzz_113",
        ],
    ),
    // A request line `… 6` before ` 400 266`: two numbers come earlier.
    ("noquotes", &["%r", "%>s", "%b", "%{Referer}i", "%{User-Agent}i"], &["fuzz_021"]),
];

struct Case {
    name: String,
    /// The log of each format.
    lines: Value,
    expected: Value,
    verified: Vec<String>,
    truth: Value,
}

fn cases() -> Vec<Case> {
    let strings = |value: &Value| value.as_array().into_iter().flatten().map(|v| v.as_str().unwrap().to_string()).collect();
    fixture::json_lines("truth/apache_truth.jsonl")
        .into_iter()
        .filter(|case| case["lines"].as_object().is_some_and(|lines| !lines.is_empty()))
        .map(|case| Case {
            name: case["case"].as_str().unwrap().to_string(),
            lines: case["lines"].clone(),
            expected: case["expected"].clone(),
            verified: strings(&case["verified"]),
            truth: case["truth"].clone(),
        })
        .collect()
}

impl Case {
    fn log(&self, format: &str) -> Vec<u8> {
        [fixture::bytes(&self.lines[format]).unwrap(), b"\n".to_vec()].concat()
    }

    fn sent(&self, field: &str) -> Option<Vec<u8>> {
        fixture::bytes(&self.expected[field])
    }

    /// The directives of `format` whose ends are in doubt, because what separates them stands in a value too.
    fn doubtful(&self, format: &str) -> &'static [&'static str] {
        let contains = |field, part: &str| self.sent(field).is_some_and(|v| v.windows(part.len()).any(|w| w == part.as_bytes()));
        let is_number = |word: &[u8]| word == b"-" || !word.is_empty() && word.iter().all(u8::is_ascii_digit);
        let ends_in_number = || self.sent("request_line").is_some_and(|r| r.rsplit(|b| *b == b' ').next().is_some_and(is_number));
        match format {
            "noquotes" if self.sent("request_line").is_some_and(|r| r.contains(&b' ')) && ends_in_number() => {
                &["%r", "%>s", "%b", "%{Referer}i", "%{User-Agent}i"]
            }
            "noquotes" if contains("referer", " ") => &["%{Referer}i", "%{User-Agent}i"],
            "referer" if contains("referer", " -> ") => &["%{Referer}i", "%U"],
            "cond" if contains("request_line", "|") => &["%!404r", "%404r"],
            _ => &[],
        }
    }

    /// What the column of `directive` has to be; nothing where the case doesn't say.
    fn expected(&self, directive: &str) -> Option<Cell> {
        let (condition, plain) = split_condition(directive);
        let field = match plain.as_str() {
            "%h" => "remote_host",
            "%l" => "remote_logname",
            "%u" => "remote_user",
            "%r" => "request_line",
            "%s" => "status",
            "%b" | "%B" => "bytes",
            "%{Referer}i" => "referer",
            "%{User-Agent}i" | "%{User-agent}i" => "user_agent",
            _ => return None,
        };
        // Nobody asked an identd, so every log has `-`.
        if field != "remote_logname" && !self.verified.iter().any(|v| v == field) {
            return None;
        }
        if condition.is_some_and(|holds| !holds(&self.expected["status"])) {
            return Some(Cell::Null);
        }
        Some(match (field, plain.as_str()) {
            (_, "%B") => Cell::Number(self.expected[field].as_i64().unwrap_or(0)),
            ("status" | "bytes", _) => self.expected[field].as_i64().map_or(Cell::Null, Cell::Number),
            _ => Cell::logged(self.sent(field)),
        })
    }
}

type Condition = Box<dyn Fn(&Value) -> bool>;

/// `%!200,304{Referer}i` as the condition on the status and `%{Referer}i`.
fn split_condition(directive: &str) -> (Option<Condition>, String) {
    let at = directive[1..].find(|c: char| !c.is_ascii_digit() && !"!,<>".contains(c)).unwrap() + 1;
    let modifiers = directive[1..at].replace(['<', '>'], "");
    let plain = format!("%{}", &directive[at..]);
    if modifiers.is_empty() {
        return (None, plain);
    }
    let statuses: Vec<i64> = modifiers.trim_start_matches('!').split(',').map(|s| s.parse().unwrap()).collect();
    let negated = modifiers.starts_with('!');
    (Some(Box::new(move |status| statuses.contains(&status.as_i64().unwrap()) != negated)), plain)
}

fn formats(key: &str) -> Vec<(String, Arc<LogFormat>)> {
    let formats = fixture::json("truth/apache_formats.json");
    let parse = |(name, text): (&String, &Value)| {
        let format = LogFormat::parse(name, text.as_str().unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name.clone(), Arc::new(format))
    };
    let mut all: Vec<_> = formats[key].as_object().unwrap().iter().map(parse).collect();
    assert_eq!(all.len(), 16);
    // What mod_ssl's documentation recommends; it was logged beside the others.
    let ssl = r#"%{SSL_PROTOCOL}x %{SSL_CIPHER}x %h %t "%r" %>s %b"#;
    all.push(("ssl_request".to_string(), Arc::new(LogFormat::parse("ssl_request", ssl).unwrap())));
    all
}

#[test]
fn every_verified_field_of_every_format_is_what_was_sent() {
    let mut ambiguous = BTreeSet::new();
    let mut wrong = Vec::new();
    let (mut lines, mut fields) = (0, 0);
    for (name, format) in formats("formats") {
        for case in cases() {
            let table = Table::of(&format, &case.log(&name));
            let at = format!("{name} {}", case.name);
            if table.rows() as u64 != table.decoded.lines || table.rows() == 0 {
                wrong.push(format!("{at}: {:?}", table.decoded.rejects));
                continue;
            }
            lines += 1;
            let doubtful = case.doubtful(&name);
            if !doubtful.is_empty() {
                ambiguous.insert((name.clone(), case.name.clone(), doubtful));
                let together = together(&table, doubtful, if name == "cond" { b'|' } else { b' ' });
                let log = case.log(&name);
                assert!(log.windows(together.len()).any(|w| w == together), "{at} loses something");
            }
            for index in 0..table.columns.len() {
                let column = &table.columns[index];
                let Some(expected) = case.expected(&column.directive) else { continue };
                if doubtful.contains(&column.directive.as_str()) {
                    continue;
                }
                let is_request = column.directive.ends_with('r');
                if is_request && !column.name.starts_with("request") {
                    continue;
                }
                let got = if is_request { table.request_line(&column.directive, 0) } else { table.cell(index, 0) };
                fields += 1;
                if got.clone().unescaped() != expected {
                    wrong.push(format!("{at} {}: {got:?} instead of {expected:?}", column.directive));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {fields}:\n{}", wrong.len(), wrong.join("\n"));
    let stated = AMBIGUOUS.iter().flat_map(|(f, directives, cases)| cases.iter().map(|c| (f.to_string(), c.to_string(), *directives)));
    assert_eq!(ambiguous, stated.collect());
    assert_eq!((lines, fields), (17 * 108, 9_294));
}

/// The values of `directives`, which follow each other in the line, as they were logged.
fn together(table: &Table, directives: &[&str], separator: u8) -> Vec<u8> {
    let logged = |directive: &&str| {
        let cell =
            if directive.ends_with('r') { table.request_line(directive, 0) } else { table.cell(table.of_directive(directive)[0], 0) };
        match cell {
            Cell::Text(text) => text,
            Cell::Number(number) => number.to_string().into_bytes(),
            _ => b"-".to_vec(),
        }
    };
    directives.iter().map(logged).collect::<Vec<_>>().join(&separator)
}

const HOUR: i64 = 3_600_000;

#[test]
fn the_time_of_every_line_is_the_second_it_was_served() {
    for (name, format) in formats("formats") {
        for case in cases() {
            let table = Table::of(&format, &case.log(&name));
            let expected = fixture::millis(case.expected["time"].as_str().unwrap());
            for (index, column) in table.columns.iter().enumerate() {
                match table.cell(index, 0) {
                    // Hours of the server's clock without a zone: taken as UTC, and said so in the format's notes.
                    Cell::Time(hour) if column.directive.contains("%A") => {
                        assert_eq!(hour, (expected - 5 * HOUR).div_euclid(HOUR) * HOUR);
                        assert_eq!(format.notes().len(), 1);
                    }
                    Cell::Time(end) if column.name.starts_with("time_end") => assert!((0..15_000).contains(&(end - expected))),
                    Cell::Time(begin) => assert_eq!(begin.div_euclid(1_000) * 1_000, expected, "{name} {} {}", case.name, column.name),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn request_lines_are_split_into_what_was_sent() {
    let (_, format) = formats("formats").into_iter().find(|(name, _)| name == "combined_b").unwrap();
    let mut split = 0;
    for case in cases().iter().filter(|case| case.verified.iter().any(|v| v == "request_line")) {
        let table = Table::of(&format, &case.log("combined_b"));
        let get = |name| table.named(name, 0).unescaped().text();
        let Some(method) = get("method") else {
            panic!("{} is not split", case.name);
        };
        let target = [get("path"), get("query")].into_iter().flatten().collect::<Vec<_>>().join(&b'?');
        assert_eq!(Some(method), fixture::bytes(&case.truth["method"]), "{}", case.name);
        assert_eq!(Some(target), fixture::bytes(&case.truth["target"]), "{}", case.name);
        assert_eq!(get("protocol"), fixture::bytes(&case.truth["version"]), "{}", case.name);
        split += 1;
    }
    assert!(split > 90, "{split}");
}

#[test]
fn a_format_as_in_httpd_conf_gives_the_same_table() {
    for ((name, plain), (_, quoted)) in formats("formats").into_iter().zip(formats("formats_as_in_httpd_conf")) {
        for case in cases() {
            let log = case.log(&name);
            assert_eq!(Table::of(&plain, &log).decoded.batch, Table::of(&quoted, &log).decoded.batch, "{name} {}", case.name);
        }
    }
}

#[test]
fn unescaped_columns_hold_the_bytes_that_were_sent() {
    let (_, format) = formats("formats").into_iter().find(|(name, _)| name == "combined_b").unwrap();
    for case in cases() {
        let options = DecodeOptions { projection: None, unescape: true };
        let table = Table::decoded(&format, &case.log("combined_b"), options);
        for (field, column) in [("referer", "referer"), ("user_agent", "user_agent"), ("remote_user", "auth_user")] {
            if case.verified.iter().any(|v| v == field) {
                let shown = case.sent(field).map(|sent| {
                    let mut out = Vec::new();
                    escape::escape_invalid(&sent, &mut out);
                    out
                });
                assert_eq!(table.named(column, 0), Cell::logged(shown), "{} {field}", case.name);
            }
        }
    }
}

#[test]
fn every_directive_of_apache_makes_its_column() {
    let (_, format) = formats("formats").into_iter().find(|(name, _)| name == "all").unwrap();
    let mut seen = BTreeSet::new();
    for case in cases() {
        let table = Table::of(&format, &case.log("all"));
        let number = |name| match table.named(name, 0) {
            Cell::Number(n) => n,
            other => panic!("{} {name}: {other:?}", case.name),
        };
        assert_eq!(number("bytes_total"), number("bytes_in") + number("bytes_out"), "{}", case.name);
        assert_eq!(number("pid"), number("pid_2"));
        assert_eq!(number("duration_us"), number("duration_us_2"));
        assert!(number("port_remote") > 1024);
        let env = table.named("env_myenv", 0).unescaped();
        assert!(env == Cell::Null || env == Cell::Text(b"env \"quoted\" value".to_vec()), "{env:?}");
        // `%X` is `-` for a connection that was closed: a value, not nothing.
        seen.insert(table.named("connection_status", 0).text().expect("a connection status"));
        let sent_case = table.named("x_case", 0);
        assert!(sent_case == Cell::Null || sent_case == Cell::Text(case.name.clone().into_bytes()), "{sent_case:?}");
    }
    assert!(seen.contains(&b"-"[..]) && seen.contains(&b"+"[..]), "{seen:?}");
}
