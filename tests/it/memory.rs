//! Whatever comes, a conversion stays within its memory, or says what was too big; and every line is accounted for.

use super::etl::{Etl, Outcome, bzip2, gzip, zstd};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

/// What a run may take in a development build, in KiB. It is less in a release build.
const MOST: u64 = 512 << 10;

const GOOD: &str = "1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET /a HTTP/1.1\" 200 2 \"-\" \"-\"\n";

/// The most memory that `child` has had so far, in KiB. What the system says of a child that has ended counts its parent's too.
fn peak(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// Waits for `child` and looks at its memory meanwhile.
#[track_caller]
fn within_memory(mut child: Child, what: &str) -> Outcome {
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(&child));
        thread::sleep(Duration::from_millis(2));
    }
    assert!(most > 0, "{what}: its memory could not be seen");
    assert!(most <= MOST, "{what} took {} MiB", most >> 10);
    Outcome::of(child.wait_with_output().unwrap())
}

#[track_caller]
fn run(etl: &Etl, arguments: &str) -> Outcome {
    let mut command = etl.command(arguments.split(' ').filter(|argument| !argument.is_empty()));
    // What is said must not fill a pipe that nobody reads.
    command.stdout(fs::File::create(etl.path("stdout")).unwrap()).stderr(fs::File::create(etl.path("stderr")).unwrap());
    let outcome = within_memory(command.spawn().unwrap(), arguments);
    Outcome { stdout: etl.read("stdout"), stderr: String::from_utf8_lossy(&etl.read("stderr")).into_owned(), ..outcome }
}

/// Converts; gives lines, rows, rejects and blank, of which the first is the sum of the others.
#[track_caller]
fn convert(etl: &Etl, arguments: &str) -> [u64; 4] {
    let outcome = run(etl, &format!("convert {arguments} -o out --overwrite --threads 2 --report json")).ok();
    let report: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    let numbers = ["lines", "rows", "rejects", "blank"].map(|key| report[key].as_u64().unwrap());
    assert_eq!(numbers[0], numbers[1..].iter().sum::<u64>(), "{arguments}");
    numbers
}

fn object(keys: usize) -> String {
    format!("{{{}}}\n", (0..keys).map(|key| format!("\"k{key}\":{key}")).collect::<Vec<_>>().join(","))
}

#[test]
fn short_lines_of_a_wide_table() {
    let etl = Etl::new();
    let first = object(1000);
    etl.write("one-bad.json", format!("{first}{}bad\n", "{\"k1\":1}\n".repeat(2000)));
    etl.write("more.json", format!("{first}{}bad\n", "{\"k1\":1}\n".repeat(20_000)));
    etl.write("all-bad.json", format!("{first}{}", "x\n".repeat(100_000)));
    etl.write("no-number.json", format!("{first}{}", "{\"k1\":[]}\n".repeat(20_000)));
    let header: Vec<String> = (0..1000).map(|column| format!("c{column}")).collect();
    etl.write("short.csv", format!("{}\n{}{}\n", header.join(","), "x\n".repeat(100_000), ",".repeat(999)));
    for (file, rows, rejects) in [
        ("one-bad.json", 2001, 1),
        ("more.json", 20_001, 1),
        ("all-bad.json", 1, 100_000),
        ("no-number.json", 1, 20_000),
        ("short.csv", 1, 100_000),
    ] {
        for how in ["", "--to json --rejects bad", "--splits 3 --on-error skip", "--to csv --compression gzip --partition-by K"] {
            let how = how.replace('K', if file.ends_with("csv") { "c1" } else { "k1" });
            assert_eq!(convert(&etl, &format!("{file} {how}")), [rows + rejects, rows, rejects, 0], "{file} {how}");
        }
        run(&etl, &format!("inspect {file}")).ok();
        let counted = run(&etl, &format!("query --format csv SELECT\tcount(*)\tFROM\t'{file}'")).ok();
        assert!(String::from_utf8_lossy(&counted.stdout).contains(&rows.to_string()), "{file}");
    }
}

#[test]
fn tables_that_are_too_wide() {
    let etl = Etl::new();
    let header: Vec<String> = (0..1_000_000).map(|column| format!("c{column}")).collect();
    etl.write("million.csv", format!("{}\n1\n", header.join(",")));
    etl.write("keys.json", object(60_000));
    etl.write("values.json", (0..60_000).map(|user| format!("{{\"user{user}\":1}}\n")).collect::<String>());
    etl.write("wide.json", format!("{}{}", object(20_000), "{\"k1\":1}\n".repeat(10)));
    for (file, says) in [
        ("million.csv", "million.csv has 1,000,000 columns, but a table can have at most 50,000"),
        ("keys.json", "keys.json has 60,000 columns"),
        ("values.json", "different keys, and about 1 each"),
    ] {
        run(&etl, &format!("convert {file} -o out --overwrite")).fails(2).says(says);
        run(&etl, &format!("inspect {file}")).fails(2).says(says);
    }
    assert_eq!(convert(&etl, "wide.json"), [11, 11, 0, 0]);
}

#[test]
fn lines_of_many_megabytes() {
    let etl = Etl::new();
    etl.write("text.json", format!("{}{{\"k1\":\"{}\"}}\n{{\"k1\":1}}\n", object(1000), "x".repeat(15 << 20)));
    etl.write("numbers.json", format!("{{\"a\":[1]}}\n{}", format!("{{\"a\":[{}1]}}\n", "1,".repeat(7_000_000)).repeat(4)));
    etl.write("objects.json", format!("{{\"a\":[{}]}}\n{{\"a\":[{}{{}}]}}\n", object(1000).trim(), "{},".repeat(1_000_000)));
    etl.write("deep.json", format!("{{\"a\":1}}\n{{\"a\":{}\n", "[".repeat(1_000_000)));
    etl.write("first.json", format!("{{\"a\":\"{}\"}}\n{{\"a\":\"y\"}}\n", "x".repeat(14 << 20)));
    etl.write("control.json", format!("{{\"a\":\"x\"}}\n{}", format!("{{\"a\":\"{}\"}}\n", "\\u0001".repeat(2 << 20)).repeat(4)));
    for (file, expected) in [
        ("text.json", [3, 2, 1, 0]),
        ("numbers.json", [5, 1, 4, 0]),
        ("objects.json", [2, 1, 1, 0]),
        ("deep.json", [2, 1, 1, 0]),
        ("first.json", [2, 2, 0, 0]),
        ("control.json", [5, 5, 0, 0]),
    ] {
        for how in ["", "--to json --rejects bad"] {
            assert_eq!(convert(&etl, &format!("{file} {how}")), expected, "{file} {how}");
        }
    }
}

#[test]
fn a_first_line_without_an_end() {
    let etl = Etl::new();
    let zeros = vec![0; 200 << 20];
    let text = [b"x,\"".as_slice(), &vec![b'x'; 100 << 20]].concat();
    etl.write("a.log", &zeros).write("a.log.gz", gzip(&zeros)).write("a.json.zst", zstd(&zeros)).write("a.csv.bz2", bzip2(&text));
    etl.write("b.csv", &text).write("good.csv", "x,y\n1,2\n");
    let says = "is longer than 16 MiB";
    let nothing = "begins with nothing but NUL bytes";
    for (file, says) in [("a.log", nothing), ("a.log.gz", nothing), ("a.json.zst", nothing), ("a.csv.bz2", says), ("b.csv", says)] {
        run(&etl, &format!("convert {file} -o out")).fails(2).says(&format!("{file} {says}"));
        run(&etl, &format!("inspect {file}")).fails(2).says(says);
        run(&etl, &format!("query SELECT\t*\tFROM\t'{file}'")).fails(2).says(says);
    }
    run(&etl, "convert good.csv b.csv -o out").fails(2).says("the first line of b.csv");
    // Where the format is named, it is a line that is rejected.
    assert_eq!(convert(&etl, "a.log.gz --log-format common --rejects bad --max-reject-rate 100%"), [1, 0, 1, 0]);
    // A line behind a hole is one however large the hole is.
    let mut hole = fs::File::create(etl.path("hole.log")).unwrap();
    hole.set_len(1 << 30).unwrap();
    std::io::Seek::seek(&mut hole, std::io::SeekFrom::End(0)).unwrap();
    hole.write_all(GOOD.repeat(3).as_bytes()).unwrap();
    for how in ["", "--to csv --splits 2"] {
        assert_eq!(convert(&etl, &format!("hole.log {how}")), [3, 3, 0, 0], "{how}");
    }
    run(&etl, "inspect hole.log").ok();

    let mut child = etl.command(["convert", "-", "-o", "out"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The program ends before it has read all.
    let writer = thread::spawn(move || (0..1000).all(|_| stdin.write_all(&[0; 1 << 20]).is_ok()));
    within_memory(child, "zeros on standard input").fails(2).says("the first line of -");
    assert!(!writer.join().unwrap());
}

#[test]
fn rejects_without_end() {
    let etl = Etl::new();
    let bad = 20_000_000;
    etl.write("a.log", [GOOD.repeat(10).as_bytes(), "x\n".repeat(bad).as_bytes(), GOOD.as_bytes()].concat());
    let expected = [bad as u64 + 11, 11, bad as u64, 0];
    for how in ["", "--to csv --on-error skip", "--splits 2 --rejects bad --rejects-limit 1MB", "--rejects bad --rejects-limit 1MB"] {
        assert_eq!(convert(&etl, &format!("a.log {how}")), expected, "{how}");
    }
    let kept = etl.read("bad");
    assert!((1_000_000..1_001_000).contains(&kept.len()), "{}", kept.len());
    let lines: Vec<Value> = String::from_utf8(kept).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["line"].as_u64(), lines.last().unwrap()["line"].as_u64()), (Some(11), Some(lines.len() as u64 + 10)));
    let note = format!("bad was full at 1.0 MB: {} more rejected lines were only counted", separated(bad - lines.len()));
    run(&etl, "convert a.log -o out --overwrite --rejects bad --rejects-limit 1MB").ok().says(&note);
    run(&etl, "convert a.log -o out --overwrite --on-error fail").fails(5).says("a.log:11: ");
    run(&etl, "inspect a.log").ok();
    let counted = run(&etl, "query --format csv SELECT\tcount(*)\tFROM\t'a.log'").ok();
    assert!(String::from_utf8_lossy(&counted.stdout).contains("11"));
}

fn separated(number: usize) -> String {
    etl::units::count(number as u64)
}

#[test]
fn reasons_that_are_all_different() {
    let etl = Etl::new();
    let lines: String = (0..300_000).map(|key| format!("{{\"z{key}\":1}}\n")).collect();
    etl.write("a.json", format!("{}{lines}", "{\"a\":1}\n".repeat(200_000)));
    let outcome = run(&etl, "convert a.json -o out --report json").ok();
    let report: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    let reasons = report["rejects_by_reason"].as_object().unwrap();
    assert_eq!((reasons.len(), reasons["other reasons"].as_u64()), (1001, Some(299_000)));
}

#[test]
fn many_partitions_files_and_splits() {
    let etl = Etl::new();
    let line = |n: usize| format!("1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET /{} HTTP/1.1\" 200 2 \"-\" \"-\"\n", n % 3000);
    etl.write("a.log", (0..200_000).map(line).collect::<String>());
    assert_eq!(convert(&etl, "a.log --partition-by path --target-size 1MiB"), [200_000, 200_000, 0, 0]);
    assert_eq!(convert(&etl, "a.log --splits 2000"), [200_000, 200_000, 0, 0]);
    for file in 0..2000 {
        etl.write(&format!("many/{file}.log"), GOOD);
    }
    assert_eq!(convert(&etl, "many"), [2000, 2000, 0, 0]);
}

#[test]
fn bombs_and_blank_lines() {
    let etl = Etl::new();
    etl.write("a.log.gz", gzip(GOOD.repeat(1_000_000).as_bytes()));
    etl.write("a.json.zst", zstd("{\"a\":1}\n".repeat(4_000_000).as_bytes()));
    etl.write("a.csv.bz2", bzip2(format!("a,b\n{}", "1,\n".repeat(4_000_000)).as_bytes()));
    etl.write("blank.log", "\n".repeat(30 << 20));
    assert_eq!(convert(&etl, "a.log.gz"), [1_000_000, 1_000_000, 0, 0]);
    assert_eq!(convert(&etl, "a.json.zst"), [4_000_000, 4_000_000, 0, 0]);
    assert_eq!(convert(&etl, "a.csv.bz2 --to json"), [4_000_000, 4_000_000, 0, 0]);
    assert_eq!(convert(&etl, "blank.log"), [30 << 20, 0, 0, 30 << 20]);
}
