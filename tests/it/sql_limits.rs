//! SQL that would end the process: too deep, too much, or with results that no memory holds.

use super::etl::{Etl, Outcome};
use super::lake::APPEND;

fn many(part: &str, count: usize, between: &str) -> String {
    vec![part; count].join(between)
}

fn nested(open: &str, inner: &str, close: &str, count: usize) -> String {
    format!("{}{inner}{}", open.repeat(count), close.repeat(count))
}

/// CTEs of which each reads the one before it.
fn chained(count: usize) -> String {
    let next = (1..count).map(|n| format!(", c{n} AS (SELECT a + 1 AS a FROM c{})", n - 1)).collect::<String>();
    format!("WITH c0 AS (SELECT a FROM t){next} SELECT * FROM c{}", count - 1)
}

fn query(etl: &Etl, sql: &str, options: &[&str]) -> Outcome {
    etl.write("query.sql", sql);
    etl.run(["query", "--file", "query.sql", "--table", "t=t.csv", "--format", "csv", "--threads", "2"].iter().chain(options))
}

fn table() -> Etl {
    let etl = Etl::new();
    etl.write("t.csv", "a,b\n1,x\n2,y\n");
    etl
}

#[test]
fn what_is_just_within_the_limits_is_run() {
    let etl = table();
    let numbers = (0..10_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    for sql in [
        format!("SELECT a FROM t WHERE a IN ({numbers})"),
        format!("SELECT CASE {} END FROM t", (0..500).map(|n| format!("WHEN a = {n} THEN 'v{n}'")).collect::<Vec<_>>().join(" ")),
        format!("SELECT a FROM t WHERE {}", (0..1_000).map(|n| format!("a = {n}")).collect::<Vec<_>>().join(" OR ")),
        format!("SELECT {} FROM t", many("a", 700, " + ")),
        format!("SELECT {} FROM t", many("b", 700, " || ")),
        many("SELECT a FROM t", 499, " UNION ALL "),
        many("SELECT a FROM t", 200, " EXCEPT "),
        many("SELECT a FROM t", 200, " INTERSECT "),
        format!("SELECT t.a FROM t {}", (0..60).map(|n| format!("JOIN t AS t{n} ON t.a = t{n}.a")).collect::<Vec<_>>().join(" ")),
        chained(490),
        format!("SELECT {} FROM t", nested("(", "a", ")", 64)),
        format!("SELECT {}(a = 1) FROM t", "NOT ".repeat(63)),
        format!("SELECT {} FROM t", nested("abs(", "a", ")", 64)),
        format!("SELECT {} FROM t", nested("CASE WHEN a = 1 THEN ", "a", " ELSE 0 END", 64)),
        format!("SELECT {} FROM t", nested("CAST(", "a", " AS BIGINT)", 64)),
        format!("SELECT a{} FROM t", "::int::bigint".repeat(500)),
        nested("SELECT * FROM (", "SELECT a FROM t", ")", 64),
        "SELECT count(*) AS n FROM t GROUP BY CUBE (a, b, a + 1, a + 2, a + 3), ROLLUP (a + 4, a + 5)".to_string(),
        format!("SELECT a FROM t WHERE {}", nested("a IN (SELECT a FROM t WHERE ", "a = 1", ")", 10)),
    ] {
        let outcome = query(&etl, &sql, &[]);
        assert_eq!(outcome.code, Some(0), "{}: {}", sql.chars().take(80).collect::<String>(), outcome.stderr);
    }
}

/// What is over a limit, with what is told of it.
fn excessive() -> Vec<(String, &'static str)> {
    vec![
        (format!("SELECT {} FROM t", many("a", 1_102, " + ")), "1100 levels deep"),
        (format!("SELECT a FROM t WHERE {}", many("a = 1", 5_319, " OR ")), "1100 levels deep"),
        (format!("SELECT {} FROM t", many("b", 20_000, " || ")), "1100 levels deep"),
        (format!("SELECT {} FROM t", many("a", 20_000, ".")), "levels deep"),
        (format!("SELECT {} FROM t", many("a", 1_000, ".")), "nested too deeply"),
        (format!("SELECT a{} FROM t", "::int".repeat(20_000)), "levels deep"),
        (many("SELECT a FROM t", 2_039, " UNION ALL "), "500 SELECTs and JOINs"),
        (many("SELECT a FROM t", 2_039, " INTERSECT "), "500 SELECTs and JOINs"),
        (format!("SELECT t.a FROM t {}", "JOIN t AS u ON t.a = u.a ".repeat(1_000)), "500 SELECTs and JOINs"),
        (chained(1_000), "500 SELECTs and JOINs"),
        (format!("SELECT {} FROM t", nested("(", "a", ")", 10_000)), "64 is the most"),
        (format!("SELECT {} a FROM t", "NOT ".repeat(10_000)), "64 is the most"),
        (format!("SELECT {} FROM t", nested("[", "a", "]", 10_000)), "64 is the most"),
        (format!("SELECT {} FROM t", nested("CASE WHEN a = 1 THEN ", "a", " END", 1_000)), "64 is the most"),
        (nested("SELECT * FROM (", "SELECT a FROM t", ")", 1_000), "64 is the most"),
        (format!("SELECT a FROM t WHERE a = {}", nested("(SELECT max(a) FROM t WHERE a = ", "1", ")", 30)), "10 is the most"),
        (format!("SELECT {} FROM t", many("a", 200_000, ",")), "at most 100000 are allowed"),
        (format!("SELECT '{}' FROM t", "x".repeat(2 << 20)), "at most 1048576 are allowed"),
        (
            format!("SELECT count(*) AS n FROM t GROUP BY CUBE ({})", (0..16).map(|n| format!("a + {n}")).collect::<Vec<_>>().join(", ")),
            "4096 groupings, the limit",
        ),
        (
            format!("SELECT CASE a {} END FROM t", (0..2_000).map(|n| format!("WHEN {n} THEN {n}")).collect::<Vec<_>>().join(" ")),
            "1000 WHENs in this CASE",
        ),
    ]
}

#[test]
fn what_is_too_deep_or_too_much_is_an_error() {
    let etl = table();
    for (sql, what) in excessive() {
        let outcome = query(&etl, &sql, &[]).fails(6).says(what);
        assert!(outcome.stderr.len() < 2_000, "{}", outcome.stderr.len());
    }
}

#[test]
fn and_one_of_a_pipeline_when_it_is_validated() {
    let etl = Etl::new();
    for (sql, what) in excessive().into_iter().filter(|(sql, _)| sql.len() < 900_000) {
        let sql = sql.replace("FROM t", "FROM access");
        etl.write("p.yaml", format!("{APPEND}transforms:\n  x:\n    sql: |\n      {sql}\n"));
        let outcome = etl.etl("validate p.yaml").fails(2).says(what).says("p.yaml:12:");
        assert!(outcome.stderr.len() < 3_000, "{}", outcome.stderr.len());
        etl.write("p.yaml", format!("{APPEND}verify:\n  - rows:\n      min: 1\n      sql: |\n        {sql}\n"));
        etl.etl("validate p.yaml").fails(2).says(what);
    }
}

#[test]
fn results_that_no_memory_holds_are_errors() {
    let etl = table();
    for sql in [
        "SELECT repeat('x', 2000000000)",
        "SELECT length(repeat('x', a * 1000000000)) FROM t",
        "SELECT lpad('x', 2000000000)",
        "SELECT rpad(b, 2000000000, 'ab') FROM t",
        "SELECT cardinality(array_repeat(1, 2000000000))",
        "SELECT cardinality(range(0, 2000000000))",
        "SELECT cardinality(generate_series(a, 2000000000)) FROM t",
        "SELECT length(replace(repeat('x', 1000000), 'x', repeat('y', 100000)))",
        "SELECT length(concat(r, r)) FROM (SELECT repeat(b, 50000000) AS r FROM t)",
        "SELECT length(r || r || r || r) FROM (SELECT repeat(b, 50000000) AS r FROM t)",
        "SELECT length(r || r || r || r) FROM (SELECT repeat('x', 60000000) AS r)",
        "SELECT length(concat(r, 'a', 'b', r)) FROM (SELECT repeat(b, 50000000) AS r FROM t)",
        "SELECT length(array_to_string([r, r, r], ',')) FROM (SELECT repeat(b, 50000000) AS r FROM t)",
        "SELECT cardinality(r || r) FROM (SELECT range(0, 5000000 + a) AS r FROM t)",
        "SELECT length(translate(r, 'xy', '€€')) FROM (SELECT repeat(b, 50000000) AS r FROM t)",
        "SELECT length(encode(r::bytea, 'hex')) FROM (SELECT repeat(b, 50000000) AS r FROM t)",
        "SELECT cardinality(string_to_array(r, 'x')) FROM (SELECT repeat(b, 50000000) AS r FROM t)",
        "SELECT length(to_char(TIMESTAMP '2020-02-29 00:00:00', r)) FROM (SELECT repeat('%c', 10000000) AS r)",
        "SELECT repeat('x', 60000000) FROM range(1000)",
        "SELECT length(string_agg(x, '')) FROM (SELECT repeat('x', 60000000) AS x FROM range(1000))",
    ] {
        let outcome = query(&etl, sql, &[]).fails(6).says("are allowed");
        assert!(outcome.stderr.len() < 500, "{}", outcome.stderr);
    }
    let outcome = query(&etl, "SELECT repeat(b, 3) AS r, lpad(b, 3) AS l, concat(b, a) AS c FROM t ORDER BY a", &[]).ok();
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "r,l,c\nxxx,  x,x1\nyyy,  y,y2\n");
}

#[test]
fn results_that_memory_does_not_hold_together_are_an_error() {
    let etl = table();
    for part in ["repeat(b, 5000000 + {n})", "upper(r || '{n}')", "r || '{n}'", "repeat('x', 5000000 + {n})"] {
        let columns: Vec<String> = (0..50).map(|n| format!("{} AS c{n}", part.replace("{n}", &n.to_string()))).collect();
        let sql = format!("SELECT {} FROM (SELECT b, repeat(b, 5000000) AS r FROM t)", columns.join(", "));
        query(&etl, &sql, &["--memory", "128MiB"]).fails(6).says("needs more than the 128 MiB of memory");
        let few = format!("SELECT {} FROM (SELECT b, repeat(b, 5000000) AS r FROM t)", columns[..2].join(", "));
        assert!(query(&etl, &few, &["--memory", "128MiB"]).ok().stdout.len() > 20_000_000);
    }
}

#[test]
fn texts_are_joined_by_their_operator_as_before() {
    let etl = table();
    for (sql, wanted) in [
        ("SELECT b || a AS c FROM t ORDER BY a", "c\nx1\ny2\n"),
        ("SELECT b || 'a' || a || NULL AS c FROM t", "c\n\"\"\n\"\"\n"),
        ("SELECT ('a' || 'b') || ('c' || 1) AS c", "c\nabc1\n"),
        (
            "SELECT 'a' || nullif(b, 'x') AS c, count(*) AS n FROM t GROUP BY 'a' || nullif(b, 'x') ORDER BY n, c NULLS FIRST",
            "c,n\n,1\nay,1\n",
        ),
        ("SELECT a FROM t WHERE b || b = 'yy'", "a\n2\n"),
        ("SELECT array_to_string([a] || [3, 4] || 5, '-') AS c FROM t ORDER BY a", "c\n1-3-4-5\n2-3-4-5\n"),
        ("SELECT array_to_string(range(1, 4), '') || repeat('-', 3) AS c FROM t WHERE a = 1", "c\n123---\n"),
    ] {
        let outcome = query(&etl, sql, &[]).ok();
        assert_eq!(String::from_utf8_lossy(&outcome.stdout), wanted, "{sql}");
    }
    let outcome = query(&etl, "SELECT b || a FROM t LIMIT 0", &[]).ok();
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "b || a\n");
    query(&etl, "SELECT 1 || 2", &[]).fails(6).says("||");
}

/// A table of more bytes than the memory that is given.
fn large() -> Etl {
    let etl = Etl::new();
    let rows = (0..400_000u64).map(|n| format!("{},value-{}-{}\n", (n * 7_919) % 400_009, n % 300_007, "x".repeat(60)));
    etl.write("t.csv", format!("a,b\n{}", rows.collect::<String>()));
    etl
}

#[test]
fn sorts_groups_and_joins_go_on_on_disk() {
    let etl = large();
    for sql in [
        "SELECT a, b FROM t ORDER BY b, a",
        "SELECT b, count(*) AS n, min(a) AS m FROM t GROUP BY b ORDER BY b",
        "SELECT t.a, u.a AS c, t.b FROM t JOIN t AS u ON t.b = u.b AND t.a < u.a ORDER BY 1, 2",
    ] {
        let large = query(&etl, sql, &["--memory", "4GiB"]).ok();
        let small = query(&etl, sql, &["--memory", "64MiB"]).ok();
        assert!(large.stdout == small.stdout && large.stdout.len() > 1_000_000, "{sql}: {}", large.stdout.len());
    }
}

#[test]
fn what_can_not_go_on_on_disk_is_an_error() {
    let etl = large();
    let outcome = query(&etl, "SELECT length(string_agg(b, ',')) FROM t", &["--memory", "16MiB"]);
    outcome.fails(6).says("needs more than the 16 MiB of memory").says("--memory");
    query(&etl, "SELECT 1", &["--memory", "1MiB"]).fails(2).says("can't be run with 1 MiB; expected at least 16 MiB");
}

#[test]
fn transforms_and_checks_have_a_limit_too() {
    let etl = large();
    let pipeline = |sql: &str| {
        format!(
            "version: 1\nname: big\nlake: {{location: lake}}\nsources: {{t: {{location: t.csv, incremental: false}}}}\n\
             transforms: {{s: {{sql: '{sql}'}}}}\noutputs: {{o: {{from: s, table: w.o, mode: overwrite}}}}\n\
             verify: [{{unique: {{table: w.o, columns: [a, b]}}, severity: warn}}]\n"
        )
    };
    etl.write("p.yaml", pipeline("SELECT a, b FROM t ORDER BY b, a"));
    let report = etl.run_pipeline("p.yaml --memory 64MiB --threads 2", 0);
    assert_eq!(report["outputs"][0]["rows"], 400_000);
    assert!(!etl.path("lake/_etl/work").exists() || etl.names("lake/_etl/work").is_empty());
    etl.write("p.yaml", pipeline("SELECT length(string_agg(b, '','')) AS a, 1 AS b FROM t"));
    let report = etl.run_pipeline("p.yaml --memory 16MiB", 6);
    assert!(report["error"].as_str().unwrap().contains("needs more than the 16 MiB of memory"), "{report}");
}
