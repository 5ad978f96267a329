//! What a reader of the output can see, and when.

use super::etl::{Etl, Outcome, generated, gzip};
use super::rows::rows;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn an_output_is_refused_replaced_or_added_to() {
    let etl = Etl::new();
    etl.log("a.log", 30).log("b.log", 7).convert("a.log -o out --to csv --splits 3").ok();
    etl.convert("b.log -o out --to csv").fails(4).says("has files already").says("--overwrite");
    etl.convert("b.log -o out --to json --append").fails(4).says("can't be added");
    etl.convert("b.log -o out --to csv --append --splits 2").ok().says("wrote out/part-00003.csv … out/part-00004.csv");
    assert_eq!(rows(&etl.path("out")).len(), 37);
    etl.write("out/notes.txt", "mine");
    etl.convert("b.log -o out --overwrite --partition-by dt").ok();
    assert_eq!(etl.names("out"), ["dt=2020-02-29", "notes.txt"]);
    std::fs::remove_file(etl.path("out/notes.txt")).unwrap();
    etl.convert("b.log -o out --overwrite --to json").ok();
    assert_eq!(etl.names("out"), ["part-00000.json"]);
    assert_eq!(etl.names(""), ["a.log", "b.log", "out"], "nothing hidden is left");
}

#[test]
fn files_are_added_only_to_a_table_of_the_same_columns() {
    let etl = Etl::new();
    etl.log("a.log", 5).write("b.csv", "host,status\nh,200\n");
    for to in ["csv", "tsv", "json", "parquet"] {
        etl.convert(&format!("a.log -o {to} --to {to}")).ok();
        etl.convert(&format!("a.log -o {to} --to {to} --append")).ok();
        etl.convert(&format!("b.csv -o {to} --to {to} --append")).fails(4).says("its files have the columns").says("host");
        etl.convert(&format!("a.log -o {to} --to {to} --append --partition-by dt"))
            .fails(4)
            .says("partitioned by nothing, the new ones by dt");
        assert_eq!(etl.names(to).len(), 2);
    }
    etl.convert("a.log -o dt --partition-by dt").ok();
    etl.convert("a.log -o dt --partition-by dt --append").ok();
}

#[test]
fn an_output_may_be_a_link_but_not_a_file() {
    let etl = Etl::new();
    etl.log("a.log", 3).write("file", "");
    std::fs::create_dir(etl.path("real")).unwrap();
    std::os::unix::fs::symlink("real", etl.path("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", etl.path("broken")).unwrap();
    etl.convert("a.log -o link --to csv").ok();
    etl.convert("a.log -o link --to csv --overwrite").ok();
    assert!(etl.path("link").is_symlink());
    assert_eq!(etl.names("real"), ["part-00000.csv"]);
    for out in ["file", "broken", ".", "..", "/dev/null", "file/below"] {
        etl.convert(&format!("a.log -o {out}")).fails(4);
    }
    assert_eq!(etl.names(""), ["a.log", "broken", "file", "link", "real"]);
}

#[test]
fn what_a_run_wrote_is_not_its_input() {
    let etl = Etl::new();
    etl.write("data/a.csv", "a,b\n1,2\n").convert("data -o data/out --to csv").ok();
    for how in ["--overwrite", "--append"] {
        etl.convert(&format!("data -o data/out --to csv {how}")).fails(2).says("data/out/part-00000.csv was written by an earlier run");
    }
    // All of an output may be written anew in its place.
    etl.convert("data/out -o data/out --overwrite").ok();
    assert_eq!(etl.names("data/out"), ["part-00000.parquet"]);
    etl.convert("data/a.csv -o folders --partition-by a").ok();
    etl.convert("folders -o flat").ok().says("columns in folder names are ignored: a");
}

#[test]
fn appends_at_once_lose_nothing() {
    let etl = Etl::new();
    etl.log("a.log", 2_000);
    let start = |_| etl.command(["convert", "a.log", "-o", "out", "--to", "csv", "--append", "--splits", "20"]).spawn().unwrap();
    let runs: Vec<Child> = (0..4).map(start).collect();
    for run in runs {
        Outcome::of(run.wait_with_output().unwrap()).ok();
    }
    assert_eq!((rows(&etl.path("out")).len(), etl.names("out").len()), (8_000, 80));
    assert_eq!(etl.names(""), ["a.log", "out"]);
}

/// Starts a conversion of standard input that gets some of it and then waits for more.
fn waiting(etl: &Etl, how: &str, input: &[u8]) -> Child {
    let arguments = format!("convert - -o lake/out {how}");
    let mut child = etl.command(arguments.split_whitespace()).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(input).unwrap();
    let begun = Instant::now();
    while !hidden(etl) {
        assert!(begun.elapsed() < Duration::from_secs(20), "no hidden folder");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn hidden(etl: &Etl) -> bool {
    etl.path("lake").exists() && etl.names("lake").iter().any(|name| name.starts_with(".out.etl-"))
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let etl = Etl::new();
    let log = generated(12_000);
    for (how, signal, input) in [
        ("--log-format combined", "-INT", log.clone()),
        ("--log-format combined --splits 3", "-INT", log.clone()),
        ("--to csv", "-TERM", log.clone()),
        ("--log-format combined --to csv", "-INT", gzip(&log)[..3_000].to_vec()),
    ] {
        let mut child = waiting(&etl, how, &input);
        let stdin = child.stdin.take();
        send(&child, signal);
        let outcome = Outcome::of(child.wait_with_output().unwrap()).fails(130).says("interrupted; nothing was published");
        drop(stdin);
        assert!(!etl.path("lake").exists(), "{how}: {}", outcome.stderr);
    }
}

#[test]
fn a_run_over_a_large_file_can_be_interrupted() {
    let etl = Etl::new();
    etl.log("a.log", 150_000);
    let arguments = format!("convert {} -o lake/out --compression-level 19 --splits 50 --threads 2", "a.log ".repeat(20));
    let child = etl.command(arguments.split_whitespace()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    send(&child, "-INT");
    let begun = Instant::now();
    Outcome::of(child.wait_with_output().unwrap()).fails(130);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(etl.names(""), ["a.log"]);
}

#[test]
fn the_folder_one_stands_in_is_not_exchanged() {
    let etl = Etl::new();
    etl.log("a.log", 5).convert("a.log -o stood --to csv").ok();
    let mut command = etl.command(["convert", "../a.log", "-o", "../stood", "--overwrite"]);
    Outcome::of(command.current_dir(etl.path("stood")).output().unwrap()).ok();
    let mut again = etl.command(["convert", "../a.log", "-o", "../stood", "--overwrite", "--to", "json"]);
    Outcome::of(again.current_dir(etl.path("stood")).output().unwrap()).ok();
    assert_eq!(etl.names("stood"), ["part-00000.json"]);
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let etl = Etl::new();
    let mut child = waiting(&etl, "--to csv", &generated(12_000));
    etl.log("a.log", 3);
    // A run that lives is let alone.
    etl.convert("a.log -o lake/out --to csv").ok();
    assert!(hidden(&etl));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(hidden(&etl));
    etl.convert("a.log -o lake/out --to csv --overwrite").ok();
    assert_eq!(etl.names("lake"), ["out"]);
}

#[test]
fn an_output_that_is_another_file_system_is_written_to() {
    let memory = Path::new("/dev/shm");
    let etl = Etl::new();
    let Ok(folder) = tempfile::tempdir_in(memory) else { return };
    // Its parent lies elsewhere only by the link; a hidden folder beside it must do as well.
    std::os::unix::fs::symlink(folder.path(), etl.path("out")).unwrap();
    etl.log("a.log", 5).convert("a.log -o out --to csv").ok();
    etl.convert("a.log -o out --to csv --append").ok();
    assert_eq!(etl.names("out"), ["part-00000.csv", "part-00001.csv"]);
}

/// The rows of the CSV files right in a folder, as of one moment; nothing where it became another one meanwhile.
fn rows_at_once(folder: &Path) -> Option<usize> {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;
    let opened = std::fs::File::open(folder).ok()?;
    let mut rows = 0;
    let below = std::path::PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd()));
    for entry in std::fs::read_dir(&below).ok()? {
        let entry = entry.ok()?;
        if entry.file_name().to_string_lossy().starts_with("part-") {
            rows += std::fs::read_to_string(entry.path()).ok()?.lines().count() - 1;
        }
    }
    let now = std::fs::metadata(folder).ok()?.ino();
    (now == opened.metadata().ok()?.ino()).then_some(rows)
}

#[test]
fn readers_of_a_conversion_that_is_killed_see_the_old_or_the_new() {
    let etl = Etl::new();
    etl.log("small.log", 300).log("big.log", 400).convert("small.log -o out --to csv --splits 20").ok();
    etl.write("out/notes.txt", "mine").write("out/theirs/deep/part-00000.csv", "theirs").write("out/dt=1/x.txt", "x");
    std::os::unix::fs::symlink("nowhere", etl.path("out/link")).unwrap();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut rows, mut killed, mut seen) = (300, 0, 0);
    let begun = Instant::now();
    etl.convert("small.log -o out --to csv --overwrite --splits 20").ok();
    let whole = begun.elapsed();
    for round in 0..60 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (how, after) = match round % 3 {
            0 => ("big.log -o out --to csv --overwrite --splits 30", 400),
            1 => ("small.log -o out --to csv --overwrite --splits 20", 300),
            _ => ("small.log -o out --to csv --append --splits 20", rows + 300),
        };
        let mut child = etl.command(["convert"].into_iter().chain(how.split(' '))).spawn().unwrap();
        let moment = whole.mul_f64((random >> 40) as f64 / f64::from(1 << 24) * 1.1);
        let begun = Instant::now();
        while begun.elapsed() < moment {
            if let Some(found) = rows_at_once(&etl.path("out")) {
                assert!(found == rows || found == after, "round {round}: {found} rows, neither {rows} nor {after}");
                seen += 1;
            }
        }
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let found = rows_at_once(&etl.path("out")).unwrap();
        assert!(found == rows || found == after, "round {round}: {found} rows after it, neither {rows} nor {after}");
        rows = found;
        assert_eq!(etl.read("out/notes.txt"), b"mine");
        assert_eq!(etl.read("out/theirs/deep/part-00000.csv"), b"theirs");
        assert_eq!(etl.read("out/dt=1/x.txt"), b"x");
        assert!(etl.path("out/link").is_symlink());
    }
    assert!(killed > 10 && seen > 60, "{killed} were killed, {seen} times something was read");
    etl.convert("small.log -o out --to csv --overwrite").ok();
    assert_eq!(etl.names(""), ["big.log", "out", "small.log"], "nothing hidden is left");
    assert_eq!(etl.names("out"), ["dt=1", "link", "notes.txt", "part-00000.csv", "theirs"]);
}

#[test]
fn an_output_keeps_its_rights_when_it_is_exchanged() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let etl = Etl::new();
    etl.log("a.log", 5).convert("a.log -o out --to csv").ok();
    etl.write("out/theirs/x.txt", "x");
    for folder in ["out", "out/theirs"] {
        std::fs::set_permissions(etl.path(folder), std::fs::Permissions::from_mode(0o2750)).unwrap();
    }
    let _socket = std::os::unix::net::UnixListener::bind(etl.path("out/socket")).unwrap();
    for how in ["--append", "--overwrite"] {
        let before = std::fs::metadata(etl.path("out")).unwrap();
        etl.convert(&format!("a.log -o out --to csv {how}")).ok();
        let now = std::fs::metadata(etl.path("out")).unwrap();
        assert_ne!(before.ino(), now.ino(), "it is another folder");
        assert_eq!((before.mode(), before.uid(), before.gid()), (now.mode(), now.uid(), now.gid()));
        assert_eq!(std::fs::metadata(etl.path("out/theirs")).unwrap().mode() & 0o7777, 0o2750);
        assert!(etl.names("out").contains(&"socket".to_string()));
    }
}
