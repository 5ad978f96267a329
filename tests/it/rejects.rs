//! Every line is accounted for: lines = rows + rejects + blank, and a reject can be found again.

use super::etl::{Etl, bzip2, generated, gzip, zstd};
use super::rows::rows;
use serde_json::Value;

fn numbers(report: &Value) -> [u64; 4] {
    ["lines", "rows", "rejects", "blank"].map(|key| report[key].as_u64().unwrap())
}

/// The rejects file, and that each points at the bytes it names.
fn rejects(etl: &Etl, file: &str, input: &[u8]) -> Vec<(u64, u64)> {
    let text = String::from_utf8(etl.read(file)).unwrap();
    let check = |line: &str| {
        let reject: Value = serde_json::from_str(line).unwrap();
        let (number, offset) = (reject["line"].as_u64().unwrap(), reject["offset"].as_u64().unwrap());
        let raw = match reject["raw"].as_str() {
            Some(raw) => raw.as_bytes().to_vec(),
            None => {
                let hex = reject["raw_hex"].as_str().unwrap();
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
            }
        };
        assert!(input[offset as usize..].starts_with(&raw), "{line}");
        assert!(offset == 0 || input[offset as usize - 1] == b'\n', "{line}");
        assert!(!reject["reason"].as_str().unwrap().is_empty());
        (number, offset)
    };
    text.lines().map(check).collect()
}

#[test]
fn rejects_point_at_their_bytes_in_every_part_of_a_large_input() {
    let etl = Etl::new();
    let mut log = Vec::new();
    let mut bad = Vec::new();
    for (index, line) in generated(200_000).split_inclusive(|b| *b == b'\n').enumerate() {
        if index % 9_973 == 0 {
            bad.push((index as u64 + bad.len() as u64 + 1, log.len() as u64));
            log.extend_from_slice(if index % 2 == 0 { &b"not a line of this log\n"[..] } else { b"\xff\xfe\x00 nor this\n" });
        }
        log.extend_from_slice(line);
    }
    assert!(log.len() > 40 << 20);
    etl.write("a.log", &log).write("a.gz", gzip(&log));
    for (input, how) in [("a.log", ""), ("a.log", "--splits 5"), ("a.gz", "--splits 5"), ("a.gz", "")] {
        let report = etl.report(&format!("{input} -o out --to csv --overwrite --log-format combined --rejects bad.jsonl {how}"));
        assert_eq!(numbers(&report), [200_000 + bad.len() as u64, 200_000, bad.len() as u64, 0]);
        assert_eq!(rejects(&etl, "bad.jsonl", &log), bad, "{input} {how}");
        assert_eq!(report["reject_examples"].as_array().unwrap().len(), 5);
    }
}

#[test]
fn odd_line_ends_and_bytes_are_accounted_for() {
    let good = "h - - [29/Feb/2020:00:00:02 +0000] \"GET /x HTTP/1.1\" 200 5";
    let long = vec![b'x'; 20 << 20];
    let cases: [(&str, Vec<u8>, [u64; 4]); 10] = [
        ("empty", vec![], [0, 0, 0, 0]),
        ("blank", b"\n\n \n\r\n".to_vec(), [4, 0, 0, 4]),
        ("no last newline", format!("{good}\n{good}").into(), [2, 2, 0, 0]),
        ("crlf", format!("{good}\r\n\r\n{good}\r\n").into(), [3, 2, 0, 1]),
        ("mark", format!("\u{feff}{good}\n{good}\n").into(), [2, 2, 0, 0]),
        ("nul", format!("{good}\nab\0cd\n{}\n", good.replace("/x", "/\0")).into(), [3, 1, 2, 0]),
        ("long", [good.as_bytes(), b"\n", &long, b"\n", good.as_bytes(), b"\n"].concat(), [3, 2, 1, 0]),
        ("long at the end", [good.as_bytes(), b"\n", &long].concat(), [2, 1, 1, 0]),
        ("not UTF-8", [good.replace("/x", "/").replace(" HTTP", "").as_bytes(), b"\n", b"\xff\xfe\n"].concat(), [2, 1, 1, 0]),
        ("cut line", good[..40].into(), [1, 0, 1, 0]),
    ];
    for (name, input, expected) in cases {
        let etl = Etl::new();
        etl.write("a.log", &input).write("a.gz", gzip(&input));
        for (source, how) in [("a.log", ""), ("a.gz", "--splits 2")] {
            let how = format!("{how} --log-format common --rejects bad --max-reject-rate 100%");
            let report = etl.report(&format!("{source} -o out --to json --overwrite {how}"));
            assert_eq!(numbers(&report), expected, "{name} {source}");
            assert_eq!(rows(&etl.path("out")).len() as u64, expected[1], "{name}");
            assert_eq!(rejects(&etl, "bad", &input).len() as u64, expected[2], "{name}");
        }
    }
}

#[test]
fn sources_are_accounted_for_each() {
    let etl = Etl::new();
    etl.log("logs/a.log", 10).write("logs/b.log", "bad\n\n").write("logs/c.gz", gzip(&generated(5)));
    let report = etl.report("logs -o out --rejects bad --max-reject-rate 100%");
    let sources: Vec<(&str, [u64; 4])> =
        report["sources"].as_array().unwrap().iter().map(|source| (source["path"].as_str().unwrap(), numbers(source))).collect();
    assert_eq!(sources, [("logs/a.log", [10, 10, 0, 0]), ("logs/b.log", [2, 0, 1, 1]), ("logs/c.gz", [5, 5, 0, 0])]);
    assert_eq!(numbers(&report), [17, 15, 1, 1]);
    assert!(String::from_utf8(etl.read("bad")).unwrap().contains("\"file\":\"logs/b.log\",\"line\":1,\"offset\":0"));
}

#[test]
fn what_is_done_with_a_reject_can_be_chosen() {
    let etl = Etl::new();
    etl.write("a.log", [&generated(50), &b"bad line\n"[..], &generated(49)].concat());
    for how in ["", "--splits 3"] {
        etl.convert(&format!("a.log -o out --on-error fail --rejects bad.jsonl {how}")).fails(5).says("a.log:51: ");
        assert_eq!(String::from_utf8(etl.read("bad.jsonl")).unwrap().lines().count(), 1);
        etl.convert(&format!("a.log -o out --max-reject-rate 0.5% --rejects bad.jsonl {how}"))
            .fails(5)
            .says("1 of 100 lines was rejected, more than the 0.5% allowed; nothing was published")
            .says("rejected: a.log:51");
        assert_eq!(String::from_utf8(etl.read("bad.jsonl")).unwrap().lines().count(), 1);
        assert_eq!(etl.names(""), ["a.log", "bad.jsonl"], "nothing is published, nor left hidden");
        std::fs::remove_file(etl.path("bad.jsonl")).unwrap();
    }
    etl.convert("a.log -o out --max-reject-rate 1%").ok().says("a.log:51 (byte ");
    let skipped = etl.convert("a.log -o out --overwrite --on-error skip").ok();
    assert!(!skipped.stderr.contains("a.log:51"), "{}", skipped.stderr);
}

#[test]
fn a_file_of_which_no_line_can_be_read_is_no_success() {
    let etl = Etl::new();
    etl.log("logs/a.log", 20).write("logs/b.log", "bad\n\nworse\n").write("logs/c.gz", gzip(b"x y\n")).write("logs/d.log", "\n\n");
    etl.write("a.json", "{\"a\":1}\n").write("b.json", "1\n2\n").write("a.csv", "a,b\n1,2\n").write("b.csv", "a,b\n1\n");
    for how in ["", "--splits 3", "--to csv --partition-by dt"] {
        let outcome = etl.convert(&format!("logs/b.log -o out --log-format common --rejects bad.jsonl {how}")).fails(5);
        let outcome = outcome.says("no line of logs/b.log can be read as common (2 rejected); nothing was published");
        outcome.says("rejected: logs/b.log:1: ").says("--max-reject-rate 100%");
        assert_eq!(rejects(&etl, "bad.jsonl", b"bad\n\nworse\n"), [(1, 0), (3, 5)], "what was rejected is kept");
        // Each file is told, also where others can be read, and why the format is the one that it is.
        let outcome = etl.convert(&format!("logs -o out {how}")).fails(5).says("no line of 2 of 4 files can be read as combined");
        outcome.says("rejected: logs/b.log:1: ").says("rejected: logs/c.gz:1: ").says("log format combined (found in logs/a.log)");
        assert_eq!(etl.names(""), ["a.csv", "a.json", "b.csv", "b.json", "bad.jsonl", "logs"], "nothing is published, nor left hidden");
        // Unless it is asked for.
        for asked in ["--on-error skip", "--max-reject-rate 100%"] {
            let report = etl.report(&format!("logs -o out --overwrite {asked} {how}"));
            assert_eq!(numbers(&report), [26, 20, 3, 3], "{asked} {how}");
            assert!(report["notes"].to_string().contains("every line of logs/b.log, logs/c.gz was rejected"), "{}", report["notes"]);
        }
        std::fs::remove_dir_all(etl.path("out")).unwrap();
    }
    // A query writes its result, and then says so.
    let count =
        |file: &str| etl.run(["query", "--format", "csv", "--log-format", "combined", &format!("SELECT count(*) AS n FROM '{file}'")]);
    let outcome = count("logs/b.log").fails(5).says("every line of logs/b.log was rejected").says("--log-format");
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "n\n0\n");
    count("logs").fails(5).says("every line of logs/b.log and 1 more was rejected; the result");
    count("logs/a.log").ok();
    // Of a file that wasn't read to its end there may be others.
    etl.run(["query", "--log-format", "combined", "SELECT host FROM 'logs/a.log' LIMIT 1"]).ok();
    etl.convert("a.json b.json -o out").fails(5).says("no line of b.json can be read as json (2 rejected)").says("--schema");
    etl.convert("a.csv b.csv -o out").fails(5).says("no line of b.csv can be read as csv (1 rejected)");
    // What has no lines, or blank ones, has no rejects.
    etl.convert("logs/d.log -o out").ok();
    // One row is enough.
    etl.write("logs/b.log", [&b"bad\n"[..], &generated(1)].concat());
    etl.convert("logs/b.log -o out --overwrite").ok().says("1 rejected");
}

#[test]
fn the_rejects_file_is_never_an_input() {
    let etl = Etl::new();
    etl.log("a.log", 5).convert("a.log -o out --rejects ./a.log").fails(2).says("would overwrite the input a.log");
    assert_eq!(etl.read("a.log"), generated(5));
}

#[test]
fn damaged_inputs_publish_nothing() {
    let etl = Etl::new();
    let log = generated(5_000);
    for (name, whole) in [("a.gz", gzip(&log)), ("a.zst", zstd(&log)), ("a.bz2", bzip2(&log))] {
        let mut corrupt = whole.clone();
        let middle = whole.len() / 2;
        corrupt[middle..middle + 40].iter_mut().for_each(|byte| *byte ^= 0x5a);
        for (damage, bytes) in [("ends too early", whole[..whole.len() * 2 / 3].to_vec()), ("", corrupt)] {
            for how in ["", "--splits 4"] {
                etl.log("good.log", 10).write(name, &bytes);
                let outcome = etl.convert(&format!("good.log {name} -o lake/out --log-format combined {how}")).fails(3);
                let outcome = outcome.says(&format!("stream of {name}")).says("after decompressed byte: ").says(damage);
                assert!(!etl.path("lake").exists(), "{}", outcome.stderr);
            }
        }
    }
}
