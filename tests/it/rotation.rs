//! Logs that are written to, rotated, compressed, moved and removed while a pipeline reads them: each line is in the table once.

use crate::etl::Etl;
use crate::lake::{Lake, action};
use crate::minio::Minio;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// All logs of a folder, added to a table.
const PIPELINE: &str = "
version: 1
name: weblogs
lake: {location: lake}
sources:
  access: {location: logs/*}
outputs:
  access: {from: access, table: weblogs.access, format: json, mode: append}
";

fn line(number: u64) -> String {
    let (minute, second) = (number / 60 % 60, number % 60);
    format!("10.0.0.{} - - [29/Feb/2020:10:{minute:02}:{second:02} +0000] \"GET /{number} HTTP/1.1\" 200 5 \"-\" \"x\"\n", number % 250)
}

fn lines(numbers: std::ops::Range<u64>) -> String {
    numbers.map(line).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The paths that were asked for, as the table has them, in its order.
fn rows(etl: &Etl, lake: &str) -> Vec<String> {
    let sql = "SELECT path FROM weblogs.access";
    let outcome = etl.run(["query", "--lake", lake, "--format", "csv", sql]).ok();
    String::from_utf8(outcome.stdout).unwrap().lines().skip(1).map(str::to_string).collect()
}

fn paths(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("/{number}")).collect()
}

/// Numbers that look like chance, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A server with its logs, and what must be in the table.
struct Server {
    etl: Etl,
    /// What each file has, decompressed, and whether some of it was not read by a run yet.
    files: BTreeMap<String, (Vec<u8>, bool)>,
    written: u64,
    days: u64,
    moved: u64,
    /// Half of a line is at the end of the log.
    half: bool,
    done: Vec<String>,
}

const LOG: &str = "access.log";

impl Server {
    fn new() -> Server {
        let etl = Etl::new();
        etl.write("weblogs.yaml", PIPELINE).write("logs/access.log", "");
        let files = BTreeMap::from([(LOG.to_string(), (Vec::new(), false))]);
        Server { etl, files, written: 0, days: 0, moved: 0, half: false, done: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.etl.path(&format!("logs/{name}"))
    }

    fn append(&mut self, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.path(LOG)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let (bytes, unread) = self.files.entry(LOG.to_string()).or_default();
        bytes.extend_from_slice(text.as_bytes());
        *unread = true;
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.half) {
            let text = line(self.written - 1);
            self.append(&text[text.len() / 2..]);
        }
    }

    fn rename(&mut self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
        let file = self.files.remove(from).unwrap();
        self.files.insert(to.to_string(), file);
    }

    fn compress(&mut self, name: &str) {
        let file = self.files.remove(name).unwrap();
        let to = format!("{name}.gz");
        fs::write(self.path(&to), gzip(&file.0)).unwrap();
        fs::remove_file(self.path(name)).unwrap();
        self.files.insert(to, file);
    }

    /// Makes room for a new `.1`; false where a file would go that was not read.
    fn shift(&mut self) -> bool {
        let numbered = |server: &Server, number: u64| {
            [format!("{LOG}.{number}"), format!("{LOG}.{number}.gz")].into_iter().find(|name| server.files.contains_key(name))
        };
        if let Some(oldest) = numbered(self, 3) {
            if self.files[&oldest].1 {
                return false;
            }
            fs::remove_file(self.path(&oldest)).unwrap();
            self.files.remove(&oldest);
        }
        for number in [2, 1] {
            if let Some(name) = numbered(self, number) {
                let to = name.replace(&format!(".{number}"), &format!(".{}", number + 1));
                self.rename(&name, &to);
                if !to.ends_with(".gz") {
                    self.compress(&to);
                }
            }
        }
        true
    }

    fn step(&mut self, dice: &mut Dice) {
        let old: Vec<String> = self.files.keys().filter(|name| *name != LOG).cloned().collect();
        let one = (!old.is_empty()).then(|| old[dice.below(old.len() as u64) as usize].clone());
        let did = match (dice.below(12), one) {
            (0..=3, _) => {
                self.end_line();
                let more = 1 + dice.below(40);
                let text = lines(self.written..self.written + more);
                self.append(&text);
                self.written += more;
                format!("write {more}")
            }
            (4, _) if !self.half => {
                let text = line(self.written);
                self.append(&text[..text.len() / 2]);
                (self.written, self.half) = (self.written + 1, true);
                "half a line".to_string()
            }
            (5 | 6, _) => {
                self.end_line();
                if !self.shift() {
                    return;
                }
                self.rename(LOG, "access.log.1");
                self.files.insert(LOG.to_string(), Default::default());
                fs::write(self.path(LOG), "").unwrap();
                "rotate by number".to_string()
            }
            (7, _) => {
                self.end_line();
                self.days += 1;
                let name = format!("{LOG}-202003{:02}", self.days);
                self.rename(LOG, &name);
                self.files.insert(LOG.to_string(), Default::default());
                fs::write(self.path(LOG), "").unwrap();
                if dice.below(2) == 0 {
                    self.compress(&name);
                }
                format!("rotate to {name}")
            }
            (8, _) => {
                self.end_line();
                if !self.shift() {
                    return;
                }
                fs::copy(self.path(LOG), self.path("access.log.1")).unwrap();
                let (bytes, unread) = self.files.insert(LOG.to_string(), Default::default()).unwrap();
                self.files.insert("access.log.1".to_string(), (bytes, unread));
                fs::OpenOptions::new().write(true).open(self.path(LOG)).unwrap().set_len(0).unwrap();
                "copy and truncate".to_string()
            }
            (9, Some(name)) if !name.ends_with(".gz") => {
                self.compress(&name);
                format!("compress {name}")
            }
            (9, Some(name)) if !self.files[&name].1 => {
                fs::remove_file(self.path(&name)).unwrap();
                self.files.remove(&name);
                format!("remove {name}")
            }
            (10, Some(name)) => {
                self.moved += 1;
                let ending = if name.ends_with(".gz") { ".gz" } else { "" };
                let to = format!("old-{}.log{ending}", self.moved);
                self.rename(&name, &to);
                format!("rename {name} to {to}")
            }
            (_, name) => {
                let name = name.unwrap_or(LOG.to_string());
                let time = SystemTime::now() - Duration::from_secs(dice.below(100_000));
                fs::OpenOptions::new().append(true).open(self.path(&name)).unwrap().set_modified(time).unwrap();
                format!("touch {name}")
            }
        };
        self.done.push(did);
    }

    /// Runs the pipeline; every line that is whole must be in the table, once.
    fn check(&mut self) {
        let report = self.etl.run_pipeline("weblogs.yaml", 0);
        self.done.push(format!("run: {} {}", action(&report, "access"), report["sources"][0]));
        self.files.values_mut().for_each(|(_, unread)| *unread = false);
        if let (true, Some((_, unread))) = (self.half, self.files.get_mut(LOG)) {
            *unread = true;
        }
        let whole = self.written - u64::from(self.half);
        let (mut found, mut wanted) = (rows(&self.etl, "lake"), paths(0..whole));
        found.sort();
        wanted.sort();
        let (there, all): (BTreeSet<_>, BTreeSet<_>) = (found.iter().collect(), wanted.iter().collect());
        let (missing, strange): (Vec<_>, Vec<_>) = (all.difference(&there).collect(), there.difference(&all).collect());
        assert!(found == wanted, "missing {missing:?}, wrong {strange:?}, {} rows of {whole}\n{}", found.len(), self.done.join("\n"));
    }
}

#[test]
fn whatever_happens_to_logs_each_line_is_in_the_table_once() {
    let rounds = std::env::var("ETL_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(8);
    for seed in 0..rounds {
        let (mut dice, mut server) = (Dice(seed), Server::new());
        server.append(&lines(0..3));
        server.written = 3;
        server.check();
        for _ in 0..14 {
            for _ in 0..1 + dice.below(4) {
                server.step(&mut dice);
            }
            server.check();
        }
    }
}

#[test]
fn rotated_logs_are_read_in_the_order_of_time_and_known_under_their_new_names() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE);
    for (name, numbers) in [("access.log.10", 0..5), ("access.log.2", 10..15), ("access.log.1", 15..20), ("access.log", 20..22)] {
        etl.write(&format!("logs/{name}"), lines(numbers));
    }
    etl.write("logs/access.log.3.gz", gzip(lines(5..10).as_bytes()));
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(rows(&etl, "lake"), paths(0..22));
    // The oldest goes, the others move on.
    fs::remove_file(etl.path("logs/access.log.10")).unwrap();
    fs::rename(etl.path("logs/access.log.3.gz"), etl.path("logs/access.log.4.gz")).unwrap();
    for (from, to) in [("2", "3"), ("1", "2")] {
        etl.write(&format!("logs/access.log.{to}.gz"), gzip(&etl.read(&format!("logs/access.log.{from}"))));
        fs::remove_file(etl.path(&format!("logs/access.log.{from}"))).unwrap();
    }
    etl.write("logs/access.log.1", lines(20..30)).write("logs/access.log", lines(30..31));
    let report = etl.run_pipeline("weblogs.yaml", 0);
    let source = &report["sources"][0];
    assert_eq!((source["files_new"].as_u64(), source["files_grown"].as_u64()), (Some(1), Some(1)), "{source}");
    assert_eq!((source["files_unchanged"].as_u64(), source["lines"].as_u64()), (Some(3), Some(9)), "{source}");
    assert_eq!(rows(&etl, "lake"), paths(0..31));
    // All is known by its name by now, and so nothing is read.
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
}

#[test]
fn a_log_that_is_kept_twice_is_read_once() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE);
    let day = lines(0..2000);
    etl.write("logs/access.log-20160302", &day).write("logs/access.log-20160302.gz", gzip(day.as_bytes()));
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(rows(&etl, "lake").len(), 2000);
    assert!(report["notes"].to_string().contains("files with the same content are read once"), "{report}");
    // A copy that is not yet whole, of a log that is known.
    etl.write("logs/access.log", lines(2000..2600));
    etl.run_pipeline("weblogs.yaml", 0);
    etl.write("logs/access.log.1", &lines(2000..2600)[..20_000]);
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
    assert_eq!(rows(&etl, "lake").len(), 2600);
}

#[test]
fn logs_of_two_servers_that_are_alike_are_two() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE.replace("logs/*", "logs/**/*.log"));
    etl.write("logs/a/access.log", lines(0..10)).write("logs/b/access.log", lines(0..10));
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(rows(&etl, "lake").len(), 20);
    etl.write("logs/a/access.log", lines(0..12)).write("logs/b/access.log", lines(0..15));
    etl.write("logs/c/access.log", lines(0..3));
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(rows(&etl, "lake").len(), 30);
}

#[test]
fn the_place_of_a_reject_counts_from_the_start_of_the_file() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE).write("logs/access.log", lines(0..7));
    etl.run_pipeline("weblogs.yaml", 0);
    let start = lines(0..7).len();
    etl.write("logs/access.log", [lines(0..7), "what?\n".to_string(), lines(7..9)].concat());
    let report = etl.run_pipeline("weblogs.yaml", 0);
    let example = &report["sources"][0]["reject_examples"][0];
    assert_eq!((example["line"].as_u64(), example["offset"].as_u64()), (Some(8), Some(start as u64)), "{example}");
    assert_eq!(rows(&etl, "lake").len(), 9);
}

#[test]
fn what_has_no_end_yet_is_read_when_it_has() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE).write("logs/access.log", &lines(0..3)[..lines(0..3).len() - 9]);
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert!(report["notes"].to_string().contains("the last line of logs/access.log is incomplete"), "{report}");
    assert_eq!(rows(&etl, "lake"), paths(0..2));
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert!(report["status"] == "up_to_date" && report["notes"].to_string().contains("is incomplete"), "{report}");
    etl.run_pipeline("weblogs.yaml --full", 0);
    assert_eq!(rows(&etl, "lake"), paths(0..2));
    etl.write("logs/access.log", lines(0..4));
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(rows(&etl, "lake"), paths(0..4));
    etl.run_pipeline("weblogs.yaml --full", 0);
    assert_eq!(rows(&etl, "lake"), paths(0..4));
}

#[test]
fn a_large_log_is_known_by_its_ends_and_read_on_by_several_threads() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE);
    // More than two chunks of hashes.
    let (first, all) = (lines(0..120_000), lines(0..200_000));
    assert!(first.len() > 9 << 20);
    etl.write("logs/access.log", &first);
    etl.run_pipeline("weblogs.yaml", 0);
    etl.write("logs/access.log", &all);
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!((report["sources"][0]["lines"].as_u64(), report["sources"][0]["files_grown"].as_u64()), (Some(80_000), Some(1)));
    assert_eq!(report["sources"][0]["bytes_in"].as_u64(), Some((all.len() - first.len()) as u64));
    assert_eq!(rows(&etl, "lake").len(), 200_000);
    etl.write("logs/access.log.1.gz", gzip(all.as_bytes())).write("logs/access.log", "");
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
    // Compressed and grown in one go.
    let more = lines(0..210_000);
    etl.write("logs/access.log.1.gz", gzip(more.as_bytes()));
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(report["sources"][0]["lines"].as_u64(), Some(10_000), "{report}");
    assert_eq!(rows(&etl, "lake").len(), 210_000);
    // What was read by the hashes of parts is what all of it hashes to.
    etl.run_pipeline("weblogs.yaml --full", 0);
    etl.write("logs/access.log.2", &more);
    fs::remove_file(etl.path("logs/access.log.1.gz")).unwrap();
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
}

#[test]
fn late_lines_of_a_grown_log_replace_partitions_and_lose_none() {
    let etl = Etl::new();
    let pipeline = PIPELINE.replace("mode: append", "mode: replace_partitions, partition_by: [dt]");
    etl.write("weblogs.yaml", pipeline);
    let day = |day: u32, numbers: std::ops::Range<u64>| lines(numbers).replace("29/Feb/2020", &format!("{day:02}/Mar/2020"));
    etl.write("logs/access.log", [day(1, 0..10), day(2, 10..20)].concat());
    etl.run_pipeline("weblogs.yaml", 0);
    etl.write("logs/access.log", [day(1, 0..10), day(2, 10..20), day(2, 20..25), day(3, 25..30)].concat());
    etl.run_pipeline("weblogs.yaml", 0);
    let sorted = || {
        let mut rows: Vec<u64> = rows(&etl, "lake").iter().map(|path| path[1..].parse().unwrap()).collect();
        rows.sort_unstable();
        rows
    };
    assert_eq!(sorted(), (0..30).collect::<Vec<_>>());
    etl.write("logs/access.log.1", etl.read("logs/access.log")).write("logs/access.log", [day(3, 30..32), day(1, 32..33)].concat());
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(sorted(), (0..33).collect::<Vec<_>>());
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
}

#[test]
fn a_name_with_other_lines_is_another_file_and_that_is_told() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE).write("logs/access.log", lines(0..10));
    etl.run_pipeline("weblogs.yaml", 0);
    etl.write("logs/access.log", lines(5..10));
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert!(report["notes"].to_string().contains("other lines, or fewer, than were read under the name: logs/access.log"), "{report}");
    assert_eq!(rows(&etl, "lake").len(), 15);
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
    // A lake of before: files are known by name, size and time until they are looked at.
    etl.write("weblogs.yaml", PIPELINE.replace("logs/*}", "logs/*, fingerprint: modified}"));
    etl.run_pipeline("weblogs.yaml --full", 0);
    etl.write("weblogs.yaml", PIPELINE).write("logs/more.log", lines(20..30));
    etl.run_pipeline("weblogs.yaml", 0);
    fs::rename(etl.path("logs/access.log"), etl.path("logs/access.log.1")).unwrap();
    etl.write("logs/access.log", lines(30..31));
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(rows(&etl, "lake").len(), 16);
}

/// Runs a pipeline from `logs/*` to a JSON table with these `settings`; gives the rows and how many of them differ.
fn run_with(etl: &Etl, settings: &str, arguments: &str) -> (usize, usize, Value) {
    etl.write("weblogs.yaml", PIPELINE.replace("mode: append", settings).replace("logs/*", "logs/**"));
    let report = etl.run_pipeline(&format!("weblogs.yaml {arguments}"), 0);
    let rows = rows(etl, "lake");
    (rows.len(), rows.iter().collect::<BTreeSet<_>>().len(), report)
}

#[test]
fn what_has_grown_is_made_again_by_its_pieces() {
    for (settings, last) in [("mode: replace_partitions, partition_by: [dt]", 9), ("mode: append, removed_sources: drop", 8)] {
        let etl = Etl::new();
        let run = || run_with(&etl, settings, "");
        etl.write("logs/a.log", lines(0..5)).write("logs/b.log", lines(100..103));
        assert_eq!(run().0, 8);
        for end in 6..9 {
            etl.write("logs/a.log", lines(0..end));
            assert_eq!(run().0, end as usize + 3);
        }
        match last {
            9 => etl.write("logs/c.log", lines(200..201)).write("logs/b.log", lines(100..103)),
            _ => {
                fs::remove_file(etl.path("logs/b.log")).unwrap();
                &etl
            }
        };
        let (rows, distinct, report) = run();
        assert_eq!((rows, distinct), if last == 9 { (12, 12) } else { (8, 8) }, "{report}");
        assert_eq!(report["notes"].to_string().contains("are dropped: logs/b.log"), last == 8, "{report}");
    }
}

#[test]
fn copies_are_remembered() {
    for settings in ["mode: append", "mode: overwrite"] {
        // Kept twice, and the copy is known by then.
        let etl = Etl::new();
        etl.write("logs/access.log.1", lines(0..5));
        assert_eq!(run_with(&etl, settings, "").0, 5);
        etl.write("logs/access.log.1.gz", gzip(lines(0..5).as_bytes())).write("logs/access.log", lines(5..7));
        assert_eq!(run_with(&etl, settings, "").0, 7, "{settings}");
        assert_eq!(run_with(&etl, settings, "--full").0, 7, "{settings}");
        // Both are seen first together, and the longer one goes.
        let etl = Etl::new();
        etl.write("logs/access.log.1", lines(0..5)).write("logs/access.log", lines(0..8));
        assert_eq!(run_with(&etl, settings, "").0, 8);
        if settings == "mode: append" {
            fs::remove_file(etl.path("logs/access.log")).unwrap();
            fs::rename(etl.path("logs/access.log.1"), etl.path("logs/access.log.2")).unwrap();
            assert_eq!(run_with(&etl, settings, "").0, 8);
        }
    }
    // Lines are written between the copy and the truncation, and a run comes between them, too.
    let etl = Etl::new();
    let run = || run_with(&etl, "mode: append", "").0;
    etl.write("logs/access.log", lines(0..5));
    assert_eq!(run(), 5);
    etl.write("logs/access.log.1", lines(0..6)).write("logs/access.log", lines(0..8));
    assert_eq!(run(), 8);
    etl.write("logs/access.log", lines(20..21));
    assert_eq!(run(), 9);
    etl.write("logs/access.log.2.gz", gzip(&etl.read("logs/access.log.1")));
    fs::remove_file(etl.path("logs/access.log.1")).unwrap();
    assert_eq!(run(), 9);
    // A copy in the making, of a file that is not written to.
    for (whole, part) in
        [("access.log.4.gz", "access.log.4"), ("access.log.5", "access.log.6"), ("access.log-20200301", "access.log-20200302")]
    {
        let text = lines(300..340);
        etl.write(&format!("logs/{whole}"), if whole.ends_with(".gz") { gzip(text.as_bytes()) } else { text.clone().into_bytes() });
        let before = run();
        etl.write(&format!("logs/{part}"), &text[..text.len() / 2]);
        assert_eq!(run(), before, "{part}");
        fs::remove_file(etl.path(&format!("logs/{whole}"))).unwrap();
        fs::remove_file(etl.path(&format!("logs/{part}"))).unwrap();
    }
}

#[test]
fn a_line_that_ends_later_in_a_compressed_log_is_read_once() {
    let etl = Etl::new();
    let run = || run_with(&etl, "mode: append", "");
    let start = lines(0..3);
    let unended = &start[..start.len() - 1];
    etl.write("logs/a.log.gz", gzip(unended.as_bytes()));
    assert_eq!(run().0, 3);
    etl.write("logs/a.log.gz", [gzip(unended.as_bytes()), gzip(format!("\n{}", lines(3..6)).as_bytes())].concat());
    assert_eq!(run().0, 6);
    assert_eq!(action(&run().2, "access"), "unchanged");
    // Half of a line: what was made of it is made again.
    let etl = Etl::new();
    let run = || run_with(&etl, "mode: append", "");
    let (half, rest) = start.split_at(start.len() - 12);
    etl.write("logs/a.log.gz", gzip(half.as_bytes())).write("logs/b.log", lines(50..52));
    assert_eq!(run().0, 4);
    etl.write("logs/a.log.gz", [gzip(half.as_bytes()), gzip(format!("{rest}{}", lines(3..6)).as_bytes())].concat());
    assert_eq!(run().0, 8);
    assert_eq!(action(&run().2, "access"), "unchanged");
    // Unpacked, all of it is known.
    let etl = Etl::new();
    let run = || run_with(&etl, "mode: append", "");
    etl.write("logs/a.log.gz", gzip(unended.as_bytes()));
    assert_eq!(run().0, 3);
    etl.write("logs/a.log", unended);
    fs::remove_file(etl.path("logs/a.log.gz")).unwrap();
    let (rows, _, report) = run();
    assert!(rows == 3 && !report["notes"].to_string().contains("is incomplete"), "{report}");
    etl.write("logs/a.log", lines(0..4));
    assert_eq!(run().0, 4);
}

#[test]
fn logs_known_by_name_become_known_by_content() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE.replace("logs/*}", "logs/*, fingerprint: modified}")).write("logs/access.log", lines(0..5));
    etl.run_pipeline("weblogs.yaml", 0);
    etl.write("weblogs.yaml", PIPELINE).write("logs/access.log", lines(0..7));
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
    fs::rename(etl.path("logs/access.log"), etl.path("logs/access.log.1")).unwrap();
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(rows(&etl, "lake").len(), 7);
    // Rotated between the two.
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE.replace("logs/*}", "logs/*, fingerprint: modified}")).write("logs/access.log", lines(0..5));
    etl.run_pipeline("weblogs.yaml", 0);
    fs::rename(etl.path("logs/access.log"), etl.path("logs/access.log.1")).unwrap();
    etl.write("weblogs.yaml", PIPELINE).write("logs/access.log", lines(5..8));
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(rows(&etl, "lake").len(), 8);
}

#[test]
fn the_way_files_are_known_can_be_changed() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE).write("logs/access.log", lines(0..10)).write("logs/other.log", lines(50..60));
    etl.run_pipeline("weblogs.yaml", 0);
    etl.write("logs/access.log", lines(0..15));
    etl.run_pipeline("weblogs.yaml", 0);
    for way in ["modified", "checksum", "content"] {
        etl.write("weblogs.yaml", PIPELINE.replace("logs/*}", &format!("logs/*, fingerprint: {way}}}")));
        etl.run_pipeline("weblogs.yaml", 0);
        assert_eq!(rows(&etl, "lake").len(), 25, "{way}");
        etl.write("logs/access.log", [lines(0..15), lines(70..75)].concat());
        etl.run_pipeline("weblogs.yaml", 0);
        assert_eq!(rows(&etl, "lake").len(), 30, "{way}");
        etl.write("logs/access.log", lines(0..15));
        etl.run_pipeline("weblogs.yaml", 0);
        if way != "content" {
            assert_eq!(rows(&etl, "lake").len(), 25, "{way}");
        }
    }
}

#[test]
fn two_outputs_know_each_what_they_have_read() {
    let etl = Etl::new();
    etl.write("weblogs.yaml", PIPELINE).write("logs/access.log", lines(0..10));
    etl.run_pipeline("weblogs.yaml", 0);
    let second =
        "  errors: {from: bad, table: weblogs.bad, format: json, mode: append}\n  all: {from: access, table: weblogs.whole, format: csv}\n";
    let transform = "transforms:\n  bad: {sql: 'SELECT path FROM access'}\noutputs:";
    etl.write("weblogs.yaml", format!("{}{second}", PIPELINE.replace("outputs:", transform)));
    etl.write("logs/access.log", lines(0..15));
    etl.run_pipeline("weblogs.yaml", 0);
    fs::rename(etl.path("logs/access.log"), etl.path("logs/access.log.1")).unwrap();
    etl.write("logs/access.log", lines(15..17));
    let report: Value = etl.run_pipeline("weblogs.yaml", 0);
    for table in ["access", "bad", "whole"] {
        let sql = format!("SELECT count(*), count(DISTINCT path) FROM weblogs.{table}");
        let outcome = etl.run(["query", "--lake", "lake", "--format", "csv", &sql]).ok();
        assert_eq!(String::from_utf8(outcome.stdout).unwrap().lines().nth(1), Some("17,17"), "{table} {report}");
    }
}

#[test]
fn objects_that_grow_and_move_are_known_by_their_content() {
    let Some(minio) = Minio::get() else { return };
    let etl = Etl::new().with("AWS_ENDPOINT_URL_S3", &minio.endpoint).with("AWS_REGION", "us-east-1");
    let (logs, lake) = (minio.storage("logs"), minio.location("lake").to_string());
    etl.write(
        "weblogs.yaml",
        PIPELINE.replace("logs/*", &minio.location("logs/").to_string()).replace("location: lake", &format!("location: '{lake}'")),
    );
    let (first, all) = (lines(0..120_000), lines(0..130_000));
    logs.put("access.log", first.clone().into_bytes()).unwrap();
    etl.run_pipeline("weblogs.yaml", 0);
    logs.put("access.log", [all.as_str(), "half"].concat().into_bytes()).unwrap();
    let report = etl.run_pipeline("weblogs.yaml", 0);
    let source = &report["sources"][0];
    assert_eq!((source["lines"].as_u64(), source["files_grown"].as_u64()), (Some(10_000), Some(1)), "{report}");
    assert!(source["bytes_in"].as_u64().unwrap() < (all.len() - first.len()) as u64 + (1 << 20), "{source}");
    logs.put("access.log-20200229.gz", gzip(all.as_bytes())).unwrap();
    logs.put("access.log", lines(130_000..130_010).into_bytes()).unwrap();
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(report["sources"][0]["lines"].as_u64(), Some(10), "{report}");
    let rows = rows(&etl, &lake);
    assert_eq!((rows.len(), rows.iter().collect::<BTreeSet<_>>().len()), (130_010, 130_010));
}

#[test]
fn only_logs_are_known_by_their_content() {
    let lake = Lake::in_folder();
    let table = PIPELINE.replace("logs/*}", "logs/*.csv, fingerprint: content}");
    lake.pipeline("weblogs.yaml", table).write("logs/a.csv", "a,b\n1,2\n");
    lake.etl("run weblogs.yaml").fails(2).says("only log files can").says("fingerprint: checksum");
}
