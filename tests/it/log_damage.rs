//! Logs that something was done to: holes of NUL bytes, other encodings, and files of no format that is known.

use super::etl::{Etl, generated, gzip};
use super::lake::APPEND;
use super::rows::rows;
use insta::assert_snapshot;
use serde_json::Value;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

fn numbers(report: &Value) -> [u64; 5] {
    ["lines", "rows", "rejects", "blank", "repaired"].map(|key| report[key].as_u64().unwrap())
}

/// A log that was cut to nothing while its server went on where it was: a hole of `hole` bytes behind `before`, then `after`.
fn with_hole(etl: &Etl, name: &str, before: &[u8], hole: u64, after: &[u8]) {
    let mut file = File::create(etl.path(name)).unwrap();
    file.write_all(before).unwrap();
    file.seek(SeekFrom::Current(hole as i64)).unwrap();
    file.write_all(after).unwrap();
}

#[test]
fn nul_bytes_before_a_line_cost_no_request() {
    let etl = Etl::new();
    let log = generated(2_000);
    let middle = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(699).unwrap().0 + 1;
    let (before, after) = log.split_at(middle);
    etl.write("whole.log", &log).convert("whole.log -o whole --to csv").ok();
    let expected = rows(&etl.path("whole"));
    // Of one block, of many, of more than a line may have, and of more than one unit.
    for hole in [1, 5_000, 3 << 20, 20 << 20, 70 << 20] {
        for (name, before, after) in [("middle.log", before, after), ("start.log", &b""[..], log.as_slice())] {
            with_hole(&etl, name, before, hole, &[after, &b"no request\n"[..]].concat());
            let bytes = (log.len() + 11) as u64 + hole;
            if hole < 30 << 20 {
                etl.write(&format!("{name}.gz"), gzip(&etl.read(name)));
            }
            let files: &[&str] = if hole < 30 << 20 { &["", ".gz"] } else { &[""] };
            for (file, how) in files.iter().flat_map(|ending| ["", "--splits 3"].map(|how| (format!("{name}{ending}"), how))) {
                let report = etl.report(&format!("{file} -o out --to csv --overwrite --threads 2 --rejects bad.jsonl {how}"));
                assert_eq!(numbers(&report), [2_001, 2_000, 1, 0, 1], "{file} {hole} {how}");
                assert_eq!(report["bytes_decoded"], bytes, "{file} {hole} {how}");
                assert_eq!(report["sources"][0]["repaired"], 1);
                assert!(rows(&etl.path("out")) == expected, "{file} {hole} {how}");
                let reject: Value = serde_json::from_slice(&etl.read("bad.jsonl")).unwrap();
                let place = [&reject["line"], &reject["offset"]].map(|number| number.as_u64().unwrap());
                assert_eq!((place, reject["raw"].as_str()), ([2_001, bytes - 11], Some("no request")), "{file} {hole} {how}");
            }
            let outcome = etl.run(["query", &format!("SELECT count(*) FROM '{name}'"), "--format", "csv"]).ok();
            assert!(String::from_utf8_lossy(&outcome.stdout).ends_with("\n2000\n"), "{name} {hole}");
            let found: Value = serde_json::from_slice(&etl.run(["inspect", name, "--json"]).ok().stdout).unwrap();
            assert_eq!(numbers(&found["lines"]), [2_001, 2_000, 1, 0, 1]);
        }
    }
    etl.convert("start.log -o out --overwrite").ok().says("1 repaired: NUL bytes");
    etl.pipe("- -o out --overwrite", &[&[0; 100_000], log.as_slice()].concat()).ok().says("2,000 rows + 0 rejects");
}

#[test]
fn what_can_be_read_behind_nul_bytes_is_a_row_and_all_else_a_reject() {
    let good = "h - - [29/Feb/2020:00:00:02 +0000] \"GET /x HTTP/1.1\" 200 5";
    let cases: [(&str, String, [u64; 5]); 8] = [
        ("two holes", format!("\0\0{good}\n{good}\n\0{good}\n"), [3, 3, 0, 0, 2]),
        ("torn", format!("{good}\n{}\n", good.replace("/x", "\0\0")), [2, 1, 1, 0, 0]),
        ("torn behind a hole", format!("{good}\n\0{}\n", good.replace("/x", "\0\0")), [2, 1, 1, 0, 0]),
        ("behind the line", format!("{good}\n{good}\0\0\n"), [2, 1, 1, 0, 0]),
        ("nothing behind", format!("{good}\n\0\0\0\n\0"), [3, 1, 2, 0, 0]),
        ("a blank line behind", format!("{good}\n\0\r\n\n"), [3, 1, 1, 1, 0]),
        ("no line behind", format!("{good}\n\0\0no\n"), [2, 1, 1, 0, 0]),
        ("marks of files put together", format!("\u{feff}{good}\n\u{feff}{good}\n\0\u{feff}{good}\r\n"), [3, 3, 0, 0, 2]),
    ];
    for (name, input, expected) in cases {
        let etl = Etl::new();
        etl.write("a.log", &input);
        let report = etl.report("a.log -o out --to csv --log-format common --rejects bad");
        assert_eq!(numbers(&report), expected, "{name}");
        for row in rows(&etl.path("out")) {
            assert!(format!("{row:?}").contains("\"h\""), "{name}: {row:?}");
        }
        for line in String::from_utf8(etl.read("bad")).unwrap().lines() {
            let reject: Value = serde_json::from_str(line).unwrap();
            let (offset, raw) = (reject["offset"].as_u64().unwrap() as usize, reject["raw"].as_str().unwrap());
            assert!(input[offset..].starts_with(raw), "{name}: {line}");
        }
    }
    // JSON lines are logs too, and cut in the same way.
    let etl = Etl::new();
    with_hole(&etl, "a.json", b"{\"a\":1}\n", 18 << 20, b"{\"a\":2}\n\0{\"a\":3}\n\0{\n\0\0\n\xef\xbb\xbf{\"a\":4}\n");
    let report = etl.report("a.json -o out --to csv");
    assert_eq!(numbers(&report), [6, 4, 2, 0, 3]);
    with_hole(&etl, "a.csv", b"a,b\nx,1\n", 18 << 20, b"y,2\n\0\0z,3\nw\0,4\n\xef\xbb\xbfv,5\n\0u,x\n");
    let report = etl.report("a.csv -o csv --to csv");
    assert_eq!(numbers(&report), [6, 5, 1, 0, 3]);
    let first: Vec<_> = rows(&etl.path("csv")).into_iter().map(|row| row["a"].clone().unwrap()).collect();
    assert_eq!(first, ["x", "y", "z", "w\0", "v"]);
    with_hole(&etl, "b.json", b"", 18 << 20, b"{\"a\":2}\n{\"a\":3}\n");
    assert_eq!(numbers(&etl.report("b.json -o out --to csv --overwrite")), [2, 2, 0, 0, 1]);
}

#[test]
fn a_pipeline_counts_what_it_repairs() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", APPEND).write("logs/a.log", [&[0; 5_000], generated(100).as_slice()].concat());
    let report = etl.run_pipeline("weblogs.yaml", 0);
    let source = &report["sources"][0];
    assert_eq!(numbers(source), [100, 100, 0, 0, 1]);
    etl.write("logs/b.log", [&[0; 5_000], generated(100).as_slice()].concat());
    let outcome = etl.run(["run", "weblogs.yaml"]).ok();
    let said = format!("{}{}", outcome.stderr, String::from_utf8_lossy(&outcome.stdout));
    assert!(said.contains("1 of access repaired: NUL bytes"), "{said}");
}

#[test]
fn utf_16_is_named() {
    let etl = Etl::new();
    let log = String::from_utf8(generated(200)).unwrap();
    let encoded = |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let marked = format!("\u{feff}{log}");
    etl.write("good.log", &log).write("weblogs.yaml", APPEND.replace("*.log", "bad*"));
    for (text, order, name) in [
        (&marked, u16::to_le_bytes as fn(u16) -> [u8; 2], "-f UTF-16 "),
        (&marked, u16::to_be_bytes, "-f UTF-16 "),
        (&log, u16::to_le_bytes, "-f UTF-16LE "),
        (&log, u16::to_be_bytes, "-f UTF-16BE "),
    ] {
        let bytes = encoded(text, order);
        etl.write("logs/bad.log", &bytes).write("bad.gz", gzip(&bytes));
        for arguments in [
            "convert logs/bad.log -o out",
            "convert logs/bad.log -o out --log-format combined --splits 3 --on-error skip",
            "convert good.log logs/bad.log -o out",
            "inspect logs/bad.log",
            "query SELECT\u{a0}*\u{a0}FROM\u{a0}'logs/bad.log'",
            "run weblogs.yaml",
        ] {
            let outcome = etl.run(arguments.split(' ').map(|word| word.replace('\u{a0}', " "))).fails(3);
            outcome.says("bad.log is UTF-16").says(&format!("iconv {name}-t UTF-8 < ")).says("| etl … -");
        }
        etl.convert("bad.gz -o out").fails(3).says(&format!("gzip -dc bad.gz | iconv {name}"));
        etl.pipe("- -o out", &bytes).fails(3).says("- is UTF-16").says(&format!("… | iconv {name}"));
        assert!(!etl.path("out").exists());
    }
}

#[test]
fn a_format_that_is_unknown_is_told_with_the_line_and_where_it_stops_to_fit() {
    let etl = Etl::new();
    let said = |line: &[u8]| {
        etl.write("a.log", line).convert("a.log -o out").fails(2).stderr.lines().take(4).map(str::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(said(b"\n \t1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2 0.003 \x1b[31m \r\nx\n"), @r#"
    error: a.log is in none of the formats that are known by name
      its first line: ` \t1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] "GET / HTTP/1.1" 200 2 0.003 \u{1b}[31m \r`
      nearest: combined, which is %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"
      stops to fit: at byte 0, where ` \t1.2.3.4 - - [29/Feb/2020:00:00:02 +000`… (78 bytes) stands: %h is empty, or ends with a comma
    "#);
    assert_snapshot!(said(b"1.2.3.4 - - [2020-02-29T00:00:02Z] \"GET /\xff HTTP/1.1\" 200 2"), @r#"
    error: a.log is in none of the formats that are known by name
      its first line: `1.2.3.4 - - [2020-02-29T00:00:02Z] "GET /\xff HTTP/1.1" 200 2`
      nearest: combined, which is %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"
      stops to fit: at byte 12, where `[2020-02-29T00:00:02Z] "GET /\xff HTTP/1.1"`… (46 bytes) stands: %t is not a time
    "#);
    assert_snapshot!(said(b"bad"), @r#"
    error: a.log is in none of the formats that are known by name
      its first line: `bad`
      nearest: combined, which is %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"
      stops to fit: at byte 0, where `bad` stands: no ` ` after %h
    "#);
    assert_snapshot!(said(b"1.2.3.4 - john doe [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2 \"-\" \"-\"\n"), @r#"
    error: a.log is in none of the formats that are known by name
      its first line: `1.2.3.4 - john doe [29/Feb/2020:00:00:02 +0000] "GET / HTTP/1.1" 200 2 "-" "-"`
      nearest: combined, which is %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"
      stops to fit: nowhere, but its user has a blank and may as well be more columns: --log-format combined says that it is one
    "#);
    etl.convert("a.log -o john --log-format combined").ok();
    let long = said("é".repeat(5_000).as_bytes());
    assert!(long.contains(&format!("its first line: `{}`… (10,000 bytes)\n", "é".repeat(200))), "{long}");
    let zeros = etl.write("zeros.log", [0; 5_000]).convert("zeros.log -o out").fails(2);
    zeros.says("zeros.log begins with nothing but NUL bytes").says("--log-format");
    // No format of a log helps where it is a table.
    let zeros = etl.write("zeros.csv", [0; 5_000]).convert("zeros.csv -o out").fails(2).says("zeros.csv begins with nothing but NUL bytes");
    assert!(!zeros.stderr.contains("--log-format"), "{}", zeros.stderr);
    assert!(!etl.path("out").exists());
}

#[test]
fn of_a_log_that_has_grown_by_a_bad_line_others_were_read() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", APPEND).write("logs/a.log", generated(100));
    etl.run_pipeline("weblogs.yaml", 0);
    etl.write("logs/a.log", [generated(100).as_slice(), b"bad\n"].concat());
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(numbers(&report["sources"][0])[..3], [1, 0, 1], "{report}");
    assert!(!report.to_string().contains("every line of"), "{report}");
}
