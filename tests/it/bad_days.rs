//! Days with lines that can't be read: limits of each file, accepting them once, trying them again, and who is told.

use crate::etl::generated;
use crate::lake::{APPEND, Lake, on_both_lakes};
use etl::publish::{Claim, Lease, RunId};
use std::io::{Read, Write};
use std::net::TcpListener;

on_both_lakes!(
    each_new_file_has_the_limit_and_one_that_was_accepted_has_not,
    rejected_lines_become_rows_when_they_are_tried_again,
    another_run_is_said_and_waited_for,
    pages_lead_to_what_lies_beside_them,
    a_file_without_rows_is_not_missed,
    another_log_format_is_told_in_later_runs_too,
    columns_that_are_not_there_are_refused_before_a_row_is_read,
);

/// A log of which so many of 100 lines are none.
fn bad(lines: usize) -> Vec<u8> {
    let mut log = generated(100 - lines as u64);
    log.extend_from_slice("this is no request\n".repeat(lines).as_bytes());
    log
}

fn each_new_file_has_the_limit_and_one_that_was_accepted_has_not(lake: &Lake) {
    lake.pipeline("weblogs.yaml", APPEND.replace("logs/*.log}", "logs/*.log, max_reject_rate: 5%}"));
    // Ten good days don't hide a bad one: 12 of 1,100 lines are 1.1%.
    for day in 0..10 {
        lake.log(&format!("logs/{day}.log"), 100 + day);
    }
    lake.write("logs/bad.log", bad(12));
    let outcome =
        lake.etl("run weblogs.yaml").fails(5).says("logs/bad.log: 12 of 100 lines were rejected, more than the 5% allowed of a file");
    outcome.says("logs/bad.log:89 ").says("what to do: ");
    assert_eq!(lake.below("weblogs"), [] as [String; 0]);
    // It is accepted once, and counts no more, neither for new days nor when all is rebuilt.
    lake.run_pipeline("weblogs.yaml --max-reject-rate 20%", 0);
    lake.log("logs/next.log", 120);
    lake.run_pipeline("weblogs.yaml", 0);
    lake.run_pipeline("weblogs.yaml --full", 0);
    assert_eq!(lake.value("SELECT count(*) FROM weblogs.access"), (88 + 120 + (0..10).map(|day| 100 + day).sum::<u64>()).to_string());
    // The next bad one is not hidden behind it.
    lake.write("logs/worse.log", bad(20));
    lake.etl("run weblogs.yaml").fails(5).says("worse.log");
    // One that has more rejects than were accepted is another.
    lake.etl("run weblogs.yaml --full").fails(5).says("worse.log");
}

fn a_file_without_rows_is_not_missed(lake: &Lake) {
    let text = APPEND.replace("logs/*.log}", "logs/*.log, log_format: combined}");
    lake.pipeline("weblogs.yaml", &text).log("logs/a.log", 50).write("logs/bad.log", "no line of a log\n".repeat(5));
    lake.run_pipeline("weblogs.yaml --max-reject-rate 100%", 0);
    std::fs::remove_file(lake.path("logs/bad.log")).unwrap();
    let outcome = lake.etl("run weblogs.yaml").ok().says("nothing to do");
    // Its rows are not kept: it had none. And what did nothing has no name that the history would know.
    assert!(!outcome.stderr.contains("bad.log") && !outcome.stderr.contains(", run "), "{}", outcome.stderr);
    // Another format rebuilds the table, and loses nothing by it.
    lake.pipeline("weblogs.yaml", text.replace("log_format: combined", "log_format: common"));
    let outcome = lake.etl("run weblogs.yaml --max-reject-rate 100%");
    assert!(!outcome.stderr.contains("would lose rows"), "{}", outcome.stderr);
    // A run that would lose rows is a failed one of the history.
    lake.pipeline("weblogs.yaml", &text).log("logs/b.log", 20);
    lake.run_pipeline("weblogs.yaml", 0);
    std::fs::remove_file(lake.path("logs/b.log")).unwrap();
    lake.pipeline("weblogs.yaml", text.replace("log_format: combined", "log_format: [combined, vhost_combined]"));
    lake.etl("run weblogs.yaml").fails(3).says("this would lose rows that can't be rebuilt").says("logs/b.log");
    let newest = &lake.json("history weblogs.yaml --limit 1")[0]["report"];
    assert!(newest["status"] == "failed" && newest["error"].as_str().unwrap().contains("would lose rows"), "{newest}");
}

/// A log in the format that has the name of the virtual host first.
fn with_host(lines: u64) -> String {
    String::from_utf8(generated(lines)).unwrap().lines().map(|line| format!("www.example.com:80 {line}\n")).collect()
}

fn another_log_format_is_told_in_later_runs_too(lake: &Lake) {
    let hint = "log_format: [combined, vhost_combined]";
    lake.pipeline("weblogs.yaml", APPEND).log("logs/a.log", 50);
    lake.run_pipeline("weblogs.yaml", 0);
    lake.write("logs/b.log", with_host(20));
    let plan = String::from_utf8(lake.etl("plan weblogs.yaml").ok().stdout).unwrap();
    assert!(plan.contains("logs/b.log looks like vhost_combined") && plan.contains(hint), "{plan}");
    // Of a run that fails, and of one whose format is named.
    lake.etl("run weblogs.yaml").fails(5).says("logs/b.log looks like vhost_combined").says(hint);
    lake.pipeline("weblogs.yaml", APPEND.replace("logs/*.log}", "logs/*.log, log_format: combined, max_reject_rate: 10%}"));
    lake.etl("run weblogs.yaml").fails(5).says("looks like vhost_combined").says(hint);
    lake.etl("-q run weblogs.yaml").fails(5).says(hint);
    lake.etl("run weblogs.yaml --max-reject-rate 100%").ok().says("looks like vhost_combined");
}

fn columns_that_are_not_there_are_refused_before_a_row_is_read(lake: &Lake) {
    let check = "verify:\n  - not_null: {table: weblogs.access, columns: [time, statuss]}\n";
    lake.pipeline("weblogs.yaml", format!("{APPEND}{check}")).log("logs/a.log", 50);
    for command in ["plan", "run"] {
        let outcome = lake.etl(&format!("{command} weblogs.yaml"));
        assert!(matches!(outcome.code, Some(1 | 2)), "{}", outcome.stderr);
        outcome.says("uses the column `statuss`").says("did you mean `status`?").says("weblogs.yaml:10");
    }
    assert_eq!(lake.below("weblogs"), [] as [String; 0]);
    let partitioned = APPEND.replace("mode: append}", "mode: append, partition_by: [day]}");
    lake.pipeline("weblogs.yaml", partitioned);
    for command in ["plan", "run"] {
        lake.etl(&format!("{command} weblogs.yaml")).says("partition_by uses the column `day`").says("weblogs.yaml:8").says("dt and hour");
    }
    lake.pipeline("weblogs.yaml", APPEND.replace("logs/*.log}", "logs/*.log, format: csv}"));
    lake.etl("run weblogs.yaml").fails(2).says("looks like an access log (combined)").says("format: log");
    // Who sees the error only sees what was found, and where more is told.
    lake.pipeline("weblogs.yaml", format!("{APPEND}verify: [{{rows: {{table: weblogs.access, min: 1000}}}}]\n"));
    let outcome = lake.etl("-q run weblogs.yaml").fails(7).says("rows weblogs.access: expected ").says("found 50");
    outcome.says("report.html");
}

fn rejected_lines_become_rows_when_they_are_tried_again(lake: &Lake) {
    let text = "version: 1\nname: p\nlake: {location: lake}\nsources: {n: {location: in/*.csv, schema: n.yaml, max_reject_rate: 100%}}\n\
                outputs: {n: {from: n, table: a.n, mode: append}}\n";
    lake.pipeline("p.yaml", text).write("n.yaml", "name: n\ncolumns:\n  - {name: n, type: int}\n").write("in/a.csv", "n\n1\nx\n");
    lake.write("in/b.csv", "n\n2\n");
    lake.run_pipeline("p.yaml", 0);
    let report = lake.run_pipeline("p.yaml --retry-rejects", 0);
    // What still doesn't fit is rejected as before; only that file's segment is read again, and no row is doubled.
    assert_eq!(report["sources"][0]["rejects"], 1, "{report}");
    assert_eq!(lake.value("SELECT count(*) FROM a.n"), "2");
    let plan = String::from_utf8(lake.etl("plan p.yaml --retry-rejects").ok().stdout).unwrap();
    assert!(plan.contains("1 with rejected lines, read again"), "{plan}");
    lake.write("in/c.csv", "n\n3\n");
    lake.run_pipeline("p.yaml", 0);
    lake.etl("run p.yaml --retry-rejects --full").fails(2);
    // A table without rejects has nothing to try again.
    std::fs::remove_file(lake.path("in/a.csv")).unwrap();
    lake.etl("run p.yaml --retry-rejects").fails(3).says("this would lose rows that can't be rebuilt");
}

fn another_run_is_said_and_waited_for(lake: &Lake) {
    lake.pipeline("weblogs.yaml", APPEND).log("logs/a.log", 50);
    lake.run_pipeline("weblogs.yaml", 0);
    lake.log("logs/b.log", 60);
    // The sign of a run at work is this process's.
    let claim = Claim {
        run: RunId::new(chrono::Utc::now() - chrono::TimeDelta::minutes(5)),
        pipeline: "weblogs".to_string(),
        folders: Vec::new(),
        tables: Vec::new(),
        versions: Vec::new(),
    };
    let lease = Lease::take(&lake.storage().unwrap(), &claim).unwrap();
    let said = format!("run {} of this pipeline", claim.run);
    lake.etl("run weblogs.yaml --wait 200ms")
        .fails(8)
        .says(&format!("waiting for {said}, which is at work, begun 5 min ago"))
        .says("as long as --wait allows");
    let waiting = lake.command(["run", "weblogs.yaml", "--wait", "10m"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    drop(lease);
    let waited = crate::etl::Outcome::of(waiting.wait_with_output().unwrap()).ok().says(&format!("waiting for {said}"));
    assert!(waited.stderr.contains("published in"), "{}", waited.stderr);
    // Who doesn't wait is told, and races it.
    let _lease = Lease::take(&lake.storage().unwrap(), &claim).unwrap();
    lake.log("logs/c.log", 70);
    lake.etl("run weblogs.yaml").ok().says(&format!("note: {said} is at work, begun 5 min ago")).says("--wait 10m waits for it");
    lake.etl("run weblogs.yaml --wait 10").fails(2);
}

/// A server that answers one request with `status`, and what it was sent.
fn answering(status: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook?token=sesame-street", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut got, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let n = stream.read(&mut piece).unwrap();
            got.extend_from_slice(&piece[..n]);
            let text = String::from_utf8_lossy(&got).into_owned();
            let length =
                text.to_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
            if text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length.unwrap_or(0)) {
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
                return text;
            }
        }
    });
    (address, served)
}

#[test]
fn others_are_told_of_runs() {
    let lake = Lake::in_folder();
    let hooks = "on_failure: {command: 'cat > failed.json; echo \"$ETL_PIPELINE $ETL_STATUS\" > failed.txt; echo said'}\n\
                 on_success: {command: 'cat > done.json; exit 3'}\n";
    lake.pipeline(
        "p/weblogs.yaml",
        format!("{}{hooks}", APPEND.replace("logs/*.log", "../logs/*.log").replace("location: lake", "location: ../lake")),
    );
    lake.log("logs/a.log", 20);
    // What a command says is told, and its own failure is a note: the run is published.
    lake.etl("run p/weblogs.yaml").ok().says("note: on_success: the command ended with exit status: 3");
    let report: serde_json::Value = serde_json::from_slice(&lake.read("p/done.json")).unwrap();
    assert_eq!((&report["status"], &report["outputs"][0]["rows"]), (&"published".into(), &20.into()));
    // With nothing to do nobody is told.
    std::fs::remove_file(lake.path("p/done.json")).unwrap();
    lake.etl("run p/weblogs.yaml").ok();
    assert!(!lake.path("p/done.json").exists());
    lake.write("logs/b.log", "no request\n");
    let outcome = lake.etl("run p/weblogs.yaml --json").fails(5).says("said");
    let told: serde_json::Value = serde_json::from_slice(&lake.read("p/failed.json")).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!((told["run"].as_str(), told["error"].as_str()), (said["run"].as_str(), said["error"].as_str()));
    assert_eq!(lake.read("p/failed.txt"), b"weblogs failed\n");
}

#[test]
fn webhooks_get_the_report_and_their_address_stays_secret() {
    let (address, served) = answering("200 OK");
    let lake = Lake::in_folder();
    let pipeline = |address: &str| format!("{APPEND}on_success: {{webhook: '{address}'}}\n");
    lake.pipeline("weblogs.yaml", pipeline(&address)).log("logs/a.log", 20);
    let outcome = lake.etl("run weblogs.yaml").ok();
    assert!(!outcome.stderr.contains("on_success"), "{}", outcome.stderr);
    let request = served.join().unwrap();
    assert!(request.starts_with("POST /hook?token=sesame-street HTTP/1.1"), "{request}");
    let report: serde_json::Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(report["pipeline"], "weblogs");
    let (address, served) = answering("503 Service Unavailable");
    lake.pipeline("weblogs.yaml", pipeline(&address)).log("logs/b.log", 10);
    let outcome = lake.etl("run weblogs.yaml").ok().says("the webhook at 127.0.0.1 answered 503");
    assert!(!outcome.stderr.contains("sesame"), "{}", outcome.stderr);
    served.join().unwrap();
    lake.pipeline("weblogs.yaml", pipeline("http://127.0.0.1:9/x?token=sesame")).log("logs/c.log", 5);
    let outcome = lake.etl("run weblogs.yaml").ok().says("the webhook at 127.0.0.1 can't be reached");
    assert!(!outcome.stderr.contains("sesame"), "{}", outcome.stderr);
}

#[test]
fn made_up_logs_have_days_and_bad_lines() {
    let lake = Lake::in_folder();
    let log = lake.etl("generate --lines 700 --start 2026-03-01 --days 7 --bad 10%").ok().stdout;
    lake.write("week.log", &log);
    let sql = "SELECT count(DISTINCT CAST(time AS date)) AS days, min(time) >= '2026-03-01' AND max(time) < '2026-03-08' AS within, count(*) FROM 'week.log'";
    let told = String::from_utf8(lake.run(["query", "--format", "csv", sql]).ok().stdout).unwrap();
    let row = told.lines().nth(1).unwrap();
    let rows: u64 = row.strip_prefix("7,true,").unwrap_or_else(|| panic!("{told}")).parse().unwrap();
    assert!((580..680).contains(&rows), "{rows}");
    lake.etl("generate --start yesterday").fails(2).says("for example 2026-03-01");
}

/// What a run that failed, or was stopped, says of its tables.
#[test]
fn what_was_not_published_is_said_to_be_discarded() {
    let lake = Lake::in_folder();
    lake.pipeline("weblogs.yaml", APPEND).log("logs/a.log", 30);
    lake.run_pipeline("weblogs.yaml", 0);
    lake.pipeline("weblogs.yaml", format!("{APPEND}verify: [{{rows: {{table: weblogs.access, max: 40}}}}]\n")).log("logs/b.log", 20);
    let outcome = lake.etl("run weblogs.yaml").fails(7).says("checks failed, not published").says("discarded");
    assert!(!outcome.stderr.contains("appended"), "{}", outcome.stderr);
    let report = lake.run_pipeline("weblogs.yaml", 7);
    let output = &report["outputs"][0];
    // The table holds what it held, and what was written is counted.
    assert_eq!((&output["action"], &output["rows"], &output["total_rows"]), (&"discarded".into(), &20.into(), &30.into()));
    // The limit is at its place.
    lake.pipeline("weblogs.yaml", APPEND.replace("logs/*.log}", "logs/*.log, max_reject_rate: 1%}")).write("logs/c.log", bad(50));
    let outcome = lake.etl("run weblogs.yaml").fails(5).says("source: access").says("at: weblogs.yaml:6:");
    // What was read and rejected is counted and shown, though nothing came of it.
    outcome.says("failed, not published").says("2 new, 1 unchanged").says("logs/c.log:51 (byte ").says("this is no request");
    let report = lake.run_pipeline("weblogs.yaml", 5);
    let source = &report["sources"][0];
    assert_eq!((&source["lines"], &source["rows"], &source["rejects"]), (&120.into(), &70.into(), &50.into()), "{source}");
    // By file, and on the page with a sentence of what happened.
    assert_eq!((&source["reject_files"][0]["rejects"], source["reject_files"].as_array().unwrap().len()), (&50.into(), 1));
    let page = String::from_utf8(lake.read(&format!("lake/_etl/runs/weblogs/{}/report.html", report["run"].as_str().unwrap()))).unwrap();
    assert!(page.contains("Nothing was published: all tables are as before. 50 lines rejected."), "{page}");
    assert!(page.contains("div class=\"amber\"") && page.contains("Rejected lines of each file of access"));
    lake.pipeline("weblogs.yaml", APPEND);
    let report = lake.run_pipeline("weblogs.yaml --max-reject-rate 60%", 0);
    let page = String::from_utf8(lake.read(&format!("lake/_etl/runs/weblogs/{}/report.html", report["run"].as_str().unwrap()))).unwrap();
    assert!(page.contains("weblogs.access got 70 rows and has 100 rows, before 30. 50 lines rejected."), "{page}");
}

#[test]
fn what_is_hardly_meant_is_told_before() {
    let lake = Lake::in_folder();
    let grouped = "version: 1\nname: g\nlake: {location: lake}\nsources: {logs: {location: a.log}, shops: {location: s.csv, schema: s.yaml, incremental: false}}\n\
                   transforms: {by: {sql: 'SELECT status, count(*) AS n FROM logs GROUP BY 1'}, all: {sql: 'SELECT DISTINCT n FROM shops'}}\n\
                   outputs:\n  by: {from: by, table: g.by, mode: append}\n  all: {from: all, table: g.all_of, mode: append}\n";
    lake.write("g.yaml", grouped);
    // A source that isn't there yet is a warning, a schema that isn't there is an error.
    let outcome = lake.etl("validate g.yaml").fails(2);
    let outcome = outcome.says("`by` has GROUP BY, and with this mode each run has the rows of new files only").says("g.yaml:7:");
    let outcome = outcome
        .says("error: g.yaml:4:36: the schema of `shops` does not exist")
        .says("warning: g.yaml:4:11: `logs` has nothing to read yet");
    assert!(!outcome.stderr.contains("SELECT DISTINCT"), "{}", outcome.stderr);
    lake.write("s.yaml", "name: s\ncolumns:\n  - {name: n, type: int}\n").write("s.csv", "n\n1\n").log("a.log", 5);
    lake.etl("validate g.yaml").ok();
    lake.etl("run g.yaml").ok();
    let united = grouped.replace("SELECT status, count(*) AS n FROM logs GROUP BY 1", "SELECT * FROM logs UNION ALL SELECT * FROM logs");
    lake.write("u.yaml", &united);
    lake.etl("validate u.yaml").ok().says("`by` combines rows by the position of their columns").says("UNION ALL BY NAME");
    lake.write("u.yaml", united.replace("UNION ALL", "UNION ALL BY NAME"));
    assert!(!lake.etl("validate u.yaml").ok().stderr.contains("by the places"));
    // Many ways through transforms take no longer than the transforms are many.
    let ladder = (1..60).map(|n| format!("  t{n}: {{sql: 'SELECT a.n FROM t{0} a JOIN u{0} b ON a.n = b.n'}}\n  u{n}: {{sql: 'SELECT a.n FROM t{0} a JOIN u{0} b ON a.n = b.n'}}\n", n - 1));
    let ladder = format!(
        "version: 1\nname: l\nlake: {{location: lake}}\nsources: {{t0: {{location: s.csv}}, u0: {{location: s.csv}}}}\ntransforms:\n{}outputs: {{l: {{from: t59, table: g.l, mode: append}}}}\n",
        ladder.collect::<String>()
    );
    lake.write("l.yaml", ladder);
    lake.etl("validate l.yaml").ok();
    // A table that no output makes any more is told of.
    lake.write("g.yaml", grouped.replace("  all: {from: all, table: g.all_of, mode: append}\n", ""));
    let plan = String::from_utf8(lake.etl("plan g.yaml").ok().stdout).unwrap();
    assert!(plan.contains("no output writes g.all_of any more") && plan.contains("etl catalog drop g.all_of"), "{plan}");
}

#[test]
fn what_is_told_can_be_less_and_in_colours() {
    let lake = Lake::in_folder();
    lake.pipeline("weblogs.yaml", APPEND).log("logs/a.log", 10);
    let outcome = lake.etl("run weblogs.yaml -q").ok();
    assert_eq!((outcome.stderr.as_str(), outcome.stdout.as_slice()), ("", &b""[..]));
    lake.etl("--quiet run wrong.yaml").fails(3).says("error: can't read wrong.yaml");
    let shown = lake.etl("plan weblogs.yaml --color always").ok().stdout;
    assert!(String::from_utf8_lossy(&shown).contains("\u{1b}[2m"));
    let shown = lake.etl("plan weblogs.yaml").ok().stdout;
    assert!(!shown.contains(&0x1b));
    let help = String::from_utf8(lake.etl("help run").ok().stdout).unwrap();
    assert!(help.starts_with("Run a pipeline") && help.contains("etl run weblogs.yaml"), "{help}");
    lake.etl("validat x").fails(2).says("a similar subcommand exists: 'validate'");
}

fn pages_lead_to_what_lies_beside_them(lake: &Lake) {
    lake.pipeline("web.yaml", "version: 1\nname: web\nlake: {location: lake}\nsources: {log: {location: '*.log'}}\noutputs: {log: {from: log, table: web.log, mode: append}}\n");
    let mut runs = Vec::new();
    for day in 1..=3 {
        lake.write(&format!("{day}.log"), [crate::lake::log_of_day(day, 5).as_slice(), b"no line of a log\n"].concat());
        let told = lake.etl("run web.yaml --json -v").ok().says("read the current state took ").says("publish took ");
        if lake.location.starts_with("s3://") {
            told.says("S3 GET http://").says(".json: 200 in ");
        }
        runs.push(lake.json("history web.yaml")[0]["report"]["run"].as_str().unwrap().to_string());
    }
    let folder = |run: usize| format!("_etl/runs/web/{}", runs[run]);
    let object = |key: &str| lake.storage().unwrap().get(key).unwrap().unwrap_or_else(|| panic!("no {key}")).bytes.to_vec();
    let page = |run: usize| String::from_utf8(object(&format!("{}/report.html", folder(run)))).unwrap();
    let (first, middle, last) = (page(0), page(1), page(2));
    assert!(!first.contains("run before") && first.contains(&format!("href=\"../{}/report.html\"", runs[1])) && !first.contains("Last "));
    assert!(middle.contains(&format!("../{}/report.html", runs[0])) && middle.contains(&format!("../{}/report.html", runs[2])));
    assert!(last.contains("run before") && !last.contains("run after") && last.contains("Last 3 runs") && last.contains("Time by step"));
    for file in ["rejects-log.jsonl", "report.json"] {
        assert!(last.contains(&format!("href=\"{file}\"")) && !object(&format!("{}/{file}", folder(2))).is_empty(), "{file}");
    }
    lake.etl("history web.yaml -v -q").fails(2);
    // What a report names stays as long as it is one of the last.
    lake.run_pipeline("web.yaml --full", 0);
    lake.etl(&format!("vacuum {} --older-than 0s", lake.location)).ok();
    for run in 0..3 {
        assert!(!object(&format!("{}/rejects-log.jsonl", folder(run))).is_empty());
    }
}
