//! `etl query` as people use it: several statements, views, figures of columns, files, and the shell.

use crate::etl::Etl;
use crate::required;
use std::io::Write;
use std::process::{Command, Stdio};

fn asked(etl: &Etl, sql: &str) -> String {
    String::from_utf8(etl.run(["query", "--format", "csv", sql]).ok().stdout).unwrap()
}

#[test]
fn statements_are_answered_one_after_the_other() {
    let etl = Etl::new();
    etl.log("a.log", 200);
    let told = asked(
        &etl,
        "CREATE TEMP VIEW bad AS FROM 'a.log' WHERE status >= 400; SELECT min(status) >= 400 AS only FROM bad; SELECT ';' AS x;",
    );
    assert_eq!(told, "only\ntrue\nx\n;\n");
    etl.write("report.sql", "-- nothing but a comment;\nSELECT 1 AS a;\n\nSELECT nope\nFROM 'a.log'\n");
    // What was answered before stays, and the place is that of the whole text.
    let outcome = etl.run(["query", "--format", "csv", "-f", "report.sql"]).fails(6).says("no column `nope`").says("  SELECT nope\n");
    assert_eq!(outcome.stdout, b"a\n1\n");
    etl.run(["query", "SELECT 1; SELECT 2", "-o", "x.csv"]).fails(2).says("there are 2 statements");
    assert_eq!(asked(&etl, "-- what is it?\nSELECT 1 AS a"), "a\n1\n");
    etl.run(["query", " ; -- nothing"]).fails(2).says("the query is empty");
    etl.run(["query", "DROP TABLE x"]).fails(6).says("queries are read-only").says("etl catalog drop");
    etl.run(["query", ".q"]).fails(2).says("is left by \\q");
    etl.run(["query", "CREATE TEMP VIEW v AS SELECT 1; CREATE TEMP VIEW v AS SELECT 2"]).fails(6).says("there is already a table `v`");
    assert_eq!(asked(&etl, "CREATE TEMP VIEW v AS SELECT 1 AS n; CREATE OR REPLACE VIEW v AS SELECT 2 AS n; FROM v"), "n\n2\n");
    etl.run(["query", "CREATE TEMP VIEW v AS DELETE FROM x"]).fails(6);
}

#[test]
fn what_was_probably_meant_is_told() {
    let etl = Etl::new();
    etl.log("a.log", 20);
    let fails = |sql: &str| etl.run(["query", sql]).fails(6);
    fails("SELECT cuont(*) FROM 'a.log'").says("did you mean `count`?");
    fails("SELECT * FROM 'a.log' WHERE status = 'abc'").says("WHERE status = 'abc'\n").says("^^^^^ here");
    fails("SELECT * FROM 'a.log' WHERE time > '2026-03-05 12'").says("'2026-03-05 12' is no time").says("^^^^").says("'2026-03-05 12:00'");
    fails("SELECT * FROM 'a.log' WHERE status = \"404\"").says("text goes in single quotes: '404'");
    fails("SELECT status, path FROM 'a.log' GROUP BY status").says("must appear in the GROUP BY clause").says("GROUP BY ALL");
}

#[test]
fn shorter_ways_mean_what_they_mean_elsewhere() {
    let etl = Etl::new();
    etl.write("t.csv", "b,a,at\n2,x,2020-02-29 01:00:00\n1,y,2020-02-29 02:30:00\n1,x,2020-02-29 02:00:00\n");
    assert_eq!(asked(&etl, "FROM 't.csv' WHERE b = 2"), "b,a,at\n2,x,2020-02-29 01:00:00.000\n");
    assert_eq!(asked(&etl, "FROM (FROM 't.csv') SELECT b, count(*) AS n GROUP BY ALL ORDER BY ALL"), "b,n\n1,2\n2,1\n");
    assert_eq!(asked(&etl, "SELECT b, a FROM 't.csv' ORDER BY ALL DESC"), "b,a\n2,x\n1,y\n1,x\n");
    assert_eq!(asked(&etl, "SELECT b + 0 AS \"all\", a FROM 't.csv' ORDER BY \"all\", a"), "all,a\n1,x\n1,y\n2,x\n");
    assert_eq!(asked(&etl, "SELECT b FROM 't.csv' WHERE at > '2020-02-29 02:00' AND at <= '2020-02-29T02:30Z'"), "b\n1\n");
    // A text that looks like a time is a text.
    etl.write("s.csv", "s\n2020-02-29 01:00 x\n");
    assert_eq!(asked(&etl, "SELECT count(*) AS n FROM 's.csv' WHERE s < '2020-02-29 01:00 y'"), "n\n1\n");
    assert_eq!(asked(&etl, "SELECT 1, sum(2), 'a' || 'b'"), "1,sum(2),'a' || 'b'\n1,2,ab\n");
}

#[test]
fn columns_are_told_with_figures_and_in_the_lakes_words() {
    let etl = Etl::new();
    etl.write("t.csv", "n,s,d,flag,at\n1,a,1.5,true,2020-02-29 01:00:00\n,b,,false,\n3,a,2.5,true,2020-03-01 00:00:00\n");
    let columns = "column_name,column_type\nn,bigint\ns,string\nd,double\nflag,boolean\nat,timestamp\n";
    assert_eq!(asked(&etl, "DESCRIBE 't.csv'"), columns);
    assert_eq!(asked(&etl, "DESCRIBE SELECT n FROM 't.csv'"), "column_name,column_type\nn,bigint\n");
    let figures = asked(&etl, "SUMMARIZE 't.csv'");
    let expected = "column_name,column_type,min,max,approx_distinct,avg,std,q25,q50,q75,rows,nulls\n\
                    n,bigint,1,3,2,2.0,1.4142135623730951,1.0,2.0,3.0,3,1\n\
                    s,string,a,b,2,,,,,,3,0\n\
                    d,double,1.5,2.5,2,2.0,0.7071067811865476,1.5,2.0,2.5,3,1\n\
                    flag,boolean,false,true,2,,,,,,3,0\n\
                    at,timestamp,2020-02-29 01:00:00.000,2020-03-01 00:00:00.000,2,,,,,,3,1\n";
    assert_eq!(figures, expected);
    assert!(asked(&etl, "SUMMARIZE SELECT n FROM 't.csv' WHERE n > 5").contains("n,bigint,,,0,,,,,,0,0"));
    etl.run(["query", "SUMMARIZE SELECT m FROM 't.csv'"]).fails(6).says("no column `m`");
    etl.run(["query", "SELECT n + s FROM 't.csv'"]).fails(6).says("bigint + string");
    etl.run(["query", "SELECT strftime(at, '%Y') FROM 't.csv'"]).fails(6).says("no function `strftime`; here it is to_char(");
    etl.run(["query", "SELECT * FROM web.access"]).fails(6).says("by --lake LAKE or ETL_LAKE");
    let plan = String::from_utf8(etl.run(["query", "EXPLAIN SELECT s, count(*) FROM 't.csv' GROUP BY 1"]).ok().stdout).unwrap();
    assert!(plan.contains("\n└─ Aggregate") && !plan.contains("Int64("), "{plan}");
}

/// What is told of functions that are called otherwise elsewhere is true.
#[test]
fn what_stands_for_other_functions_is_there() {
    let etl = Etl::new();
    etl.write("t.csv", "n,s,at\n1,a b,2020-02-29 01:00:00\n");
    for sql in [
        "to_char(at, '%Y-%m-%d %H:%M')",
        "to_timestamp('2020-02-29 01:00:00', '%Y-%m-%d %H:%M:%S')",
        "to_timestamp_seconds(n), to_timestamp_millis(n)",
        "date_part('epoch', at)",
        "last_value(s ORDER BY n), first_value(s ORDER BY n), first_value(s)",
        "approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY n)",
        "approx_distinct(s), array_agg(s), string_agg(s, ', '), count(*) FILTER (WHERE n > 0)",
        "CASE WHEN n > 0 THEN 1 ELSE 2 END, coalesce(n, 0), n IS NULL",
        "regexp_like(s, 'a'), (regexp_match(s, '(a)'))[1]",
        "string_to_array(s, ' '), split_part(s, ' ', 1), length(s)",
        "date_part('epoch', at - at), at + INTERVAL '1 day', date_part('hour', at)",
        "to_char(at, '%A'), to_char(at, '%B'), CAST(s AS string), trunc(1.5)",
        "TRY_CAST(s AS int)",
        "(regexp_match('https://a.example:80/', '^[a-z]+://([^/:]+)'))[1]",
    ] {
        let outcome = etl.run(["query", &format!("SELECT {sql} FROM 't.csv'")]);
        assert_eq!(outcome.code, Some(0), "{sql}: {}", outcome.stderr);
    }
}

#[test]
fn results_go_to_files_whole_or_not_at_all() {
    let etl = Etl::new();
    etl.write("t.csv", "n\n1\n2\n");
    etl.run(["query", "FROM 't.csv'", "-o", "r.parquet"]).ok().says("2 rows to r.parquet");
    assert_eq!(asked(&etl, "SELECT sum(n) AS n FROM 'r.parquet'"), "n\n3\n");
    etl.run(["query", "FROM 't.csv'", "-o", "r.json"]).ok();
    assert_eq!(etl.read("r.json"), b"{\"n\":1}\n{\"n\":2}\n");
    etl.run(["query", "FROM 't.csv' LIMIT 1", "-o", "r.csv.gz"]).ok();
    assert_eq!(asked(&etl, "FROM 'r.csv.gz'"), "n\n1\n");
    // What fails in the middle leaves the file that was there.
    etl.write("kept.csv", "as it was\n");
    etl.run(["query", "SELECT 1 / (n - 2) FROM 't.csv'", "-o", "kept.csv", "--overwrite"]).fails(6);
    // Nor is it replaced unless that is said.
    etl.run(["query", "SELECT 1 AS a", "-o", "kept.csv"]).fails(4).says("kept.csv is there already").says("--overwrite");
    assert_eq!(etl.read("kept.csv"), b"as it was\n");
    etl.run(["query", "SELECT 1 AS a", "-o", "r.json", "--overwrite"]).ok();
    assert_eq!(etl.names(""), ["kept.csv", "r.csv.gz", "r.json", "r.parquet", "t.csv"]);
    etl.run(["query", "SELECT 1", "-o", "r.txt"]).fails(2).says("unknown file extension of r.txt");
    etl.run(["query", "SELECT 1", "-o", "no/such/r.csv"]).fails(4);
    etl.run(["query", "SELECT 1 AS a, NULL AS b", "--format", "line"]).ok().says("1 row");
}

#[test]
fn schemas_are_written_and_read_back() {
    let etl = Etl::new();
    etl.write("orders.csv", "Id,née,amount,n_e\n7,x,2.5,y\n");
    let schema = etl.run(["inspect", "orders.csv", "--schema"]).ok().stdout;
    let text = String::from_utf8(schema.clone()).unwrap();
    assert!(
        text.contains("name: orders\n") && text.contains("  - name: id\n    type: bigint\n    comment: 'called Id in the file'\n"),
        "{text}"
    );
    etl.write("orders.schema.yaml", schema.as_slice()).log("a.log", 5);
    let log = etl.run(["inspect", "a.log", "--schema"]).ok().stdout;
    etl.write("a.schema.yaml", log.as_slice());
    for (path, columns) in [("orders.schema.yaml", 4), ("a.schema.yaml", 13)] {
        let read = etl::schema::TableSchema::load(&etl.path(path)).unwrap();
        assert_eq!(read.columns.len(), columns);
    }
}

/// What a terminal shows of a session in which `typed` is typed.
fn typed(etl: &Etl, arguments: &str, typed: &str) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        assert!(!required::is_required("terminal"), "there is no `script` (util-linux), which makes a terminal");
        std::io::stderr()
            .write_all(b"SKIPPED: the shell of etl query, because there is no script (util-linux), which makes a terminal\n")
            .unwrap();
        return None;
    }
    let command = format!("{} query {arguments}", crate::etl::program().display());
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(etl.path(""))
        .env("XDG_STATE_HOME", etl.path("state"))
        .env("TERM", "xterm")
        .env("PAGER", "cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for line in typed.lines() {
        std::thread::sleep(std::time::Duration::from_millis(700));
        stdin.write_all(format!("{line}\r").as_bytes()).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_terminal_has_a_shell() {
    let etl = Etl::new();
    etl.write("t.csv", "n,s\n1,x\n2,y\n");
    let typing =
        "\\d\nSELECT sum(n) AS total\nFROM t;\n\\d t\n\\x\nFROM t LIMIT 1;\n\\timing\nSELECT nope FROM t;\n\\nope\n\\o r.csv\nFROM t;\n\\q";
    let Some(shown) = typed(&etl, "--table t=t.csv", typing) else { return };
    for part in ["│     3 │", "│ n           ┆ bigint      │", "n = 1", "no column `nope`", "unknown command `\\nope`", "2 rows to r.csv"]
    {
        assert!(shown.contains(part), "`{part}` is not in {shown}");
    }
    assert_eq!(etl.read("r.csv"), b"n,s\n1,x\n2,y\n");
    let history = String::from_utf8(etl.read("state/etl/query_history")).unwrap();
    assert!(history.contains("SELECT sum(n) AS total\\nFROM t;"), "{history}");
}

#[test]
fn what_is_told_can_be_json() {
    let etl = Etl::new();
    etl.write("a.csv", "id\n1\n");
    assert_eq!(etl.etl("query --json FROM(a.csv)").code, Some(6));
    assert_eq!(String::from_utf8(etl.run(["query", "--json", "FROM 'a.csv'"]).ok().stdout).unwrap(), "{\"id\":1}\n");
    etl.run(["query", "--json", "--format", "csv", "SELECT 1"]).fails(2);
    let report: serde_json::Value = serde_json::from_slice(&etl.etl("convert a.csv -o out --json").ok().stdout).unwrap();
    assert_eq!(report["rows"], 1);
    etl.etl("convert a.csv -o other --json --report none").fails(2);
}

/// A time in UTC is cut as one without a zone is, whoever does it.
#[test]
fn times_in_utc_are_cut_as_they_are_without_a_zone() {
    let etl = Etl::new();
    etl.write("t.csv", "at\n1969-12-31T23:59:59.999Z\n2020-02-29T01:02:03.456Z\n\n2024-12-30T00:00:00Z\n1883-11-18T12:00:00Z\n");
    let plain = "arrow_cast(at, 'Timestamp(Millisecond, None)')";
    for unit in ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"] {
        let whole = |time: &str| format!("arrow_cast(date_trunc('{unit}', {time}), 'Int64')");
        let sql = format!("SELECT count(*) AS n FROM 't.csv' WHERE {} IS DISTINCT FROM {}", whole("at"), whole(plain));
        assert_eq!(asked(&etl, &sql), "n\n0\n", "{unit}");
    }
    for part in ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "dow", "doy", "epoch"] {
        let sql = format!("SELECT count(*) AS n FROM 't.csv' WHERE extract({part} FROM at) IS DISTINCT FROM date_part('{part}', {plain})");
        assert_eq!(asked(&etl, &sql), "n\n0\n", "{part}");
    }
    let told = asked(&etl, "SELECT date_trunc('hour', at) AS h, count(*) AS n FROM 't.csv' WHERE at > '2020-01-01' GROUP BY 1 ORDER BY 1");
    assert_eq!(told, "h,n\n2020-02-29 01:00:00.000,1\n2024-12-30 00:00:00.000,1\n");
    assert_eq!(asked(&etl, "SELECT arrow_typeof(date_trunc('day', at)) AS t FROM 't.csv' LIMIT 1"), "t\n\"Timestamp(ms, \"\"UTC\"\")\"\n");
    assert_eq!(asked(&etl, "SELECT date_trunc('day', TIMESTAMPTZ '2020-02-29 01:00:00Z') AS d"), "d\n2020-02-29 00:00:00.000000000\n");
    etl.run(["query", "SELECT date_trunc('fortnight', at) FROM 't.csv'"]).fails(6).says("fortnight");
}
