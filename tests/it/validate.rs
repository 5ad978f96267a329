//! `etl validate`, `etl init` and `etl schema`.

use super::etl::Etl;
use serde_json::Value;

const GOOD: &str = "version: 1\nlake: {location: lake}\nvars: {log: access.log}\nsources: {access: {location: '${log}'}}\n\
                    outputs: {access: {from: access, table: web.access}}\n";

#[test]
fn what_is_well_and_what_is_wrong_is_told() {
    let etl = Etl::new();
    etl.write("good.yaml", GOOD).write("bad.yaml", GOOD.replace("from: access", "from: acces").replace("version: 1", "version: 2"));
    etl.log("access.log", 1);
    let good = etl.run(["validate", "good.yaml"]).ok();
    assert_eq!((good.stdout.as_slice(), good.stderr.as_str()), (b"good.yaml: ok (1 source, 1 output)\n".as_slice(), ""));
    let both = etl.run(["validate", "good.yaml", "bad.yaml"]).fails(2);
    assert_eq!(both.stdout, good.stdout);
    both.says("error: bad.yaml:1:10:\n  version: 2\n").says("did you mean `access`?").says("error: 1 of 2 pipelines can't be run");
    etl.run(["validate", "good.yaml", "--var", "log=x.log"]).ok();
    etl.run(["validate", "good.yaml", "--var", "lag=x.log"]).fails(2).says("did you mean `log`?");
    etl.run(["validate", "good.yaml", "--var", "log"]).fails(2).says("expected NAME=VALUE");
    etl.run(["validate", "none.yaml"]).fails(3).says("can't read none.yaml");
}

#[test]
fn programs_are_told_too() {
    let etl = Etl::new();
    etl.write("good.yaml", GOOD).write("bad.yaml", GOOD.replace("version: 1", "version: 2"));
    let outcome = etl.run(["validate", "--json", "good.yaml", "bad.yaml", "none.yaml"]).fails(2);
    let told: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(told[0]["ok"], true);
    assert_eq!((told[0]["name"].as_str(), told[0]["outputs"].as_u64()), (Some("good"), Some(1)));
    assert_eq!((told[1]["ok"].as_bool(), told[1]["problems"].as_array().unwrap().len()), (Some(false), 1));
    let problem = &told[1]["problems"][0];
    assert_eq!((problem["line"].as_u64(), problem["column"].as_u64(), problem["level"].as_str()), (Some(1), Some(10), Some("error")));
    assert!(told[2]["error"].as_str().unwrap().contains("none.yaml"));
}

#[test]
fn a_start_is_written_once() {
    let etl = Etl::new();
    etl.run(["init", "weblogs.yaml"]).ok().says("next: etl validate weblogs.yaml");
    let validated = etl.run(["validate", "weblogs.yaml"]).ok();
    assert_eq!(validated.stdout, b"weblogs.yaml: ok (1 source, 1 transform, 2 outputs)\n");
    etl.write("weblogs.yaml", "mine");
    etl.run(["init", "weblogs.yaml"]).fails(4).says("already exists");
    assert_eq!(etl.read("weblogs.yaml"), b"mine");
    etl.run(["init", "weblogs.yaml", "--force"]).ok();
    assert_ne!(etl.read("weblogs.yaml"), b"mine");
    etl.run(["init", "no/such/folder.yaml"]).fails(4).says("can't write no/such/folder.yaml");
}

#[test]
fn the_schema_is_printed() {
    let printed = Etl::new().run(["schema"]).ok().stdout;
    let kept = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/pipeline.schema.json")).unwrap();
    assert_eq!(printed, kept);
}

#[test]
fn values_of_the_environment_are_used_and_not_told() {
    let etl = Etl::new();
    etl.write("good.yaml", GOOD.replace("location: lake", "location: '${env:LAKE_OF_TEST}'"));
    let with = |value: &str| super::etl::Outcome::of(etl.command(["validate", "good.yaml"]).env("LAKE_OF_TEST", value).output().unwrap());
    with("lake").ok();
    let told = with("gs://hidden").fails(2).says("the value from the environment doesn't fit here");
    assert!(!told.stderr.contains("hidden"), "{}", told.stderr);
    etl.run(["validate", "good.yaml"]).fails(2).says("the environment variable `LAKE_OF_TEST` is not set");
}

#[test]
fn a_file_of_nothing_but_mistakes_is_told_soon_and_in_short() {
    let etl = Etl::new();
    const SOME: usize = 9_999;
    let some = |part: fn(usize) -> String| (0..SOME).map(part).collect::<String>();
    let many = |part: fn(usize) -> String| (0..60_000).map(part).collect::<String>();
    for (text, most) in [
        // Keys that there are not, and one that stands there again and again.
        (format!("version: 1\n{}", many(|n| format!("k{n}: 1\n"))), "more errors"),
        (many(|_| "name: a\n".to_string()), "more errors"),
        (format!("{GOOD}transforms:\n{}", many(|n| format!("  t{n}:\n"))), "at most 10000 are allowed"),
        (format!("{GOOD}vars:\n{}", many(|n| format!("  t{n}:\n"))), "duplicate key"),
        (format!("{GOOD}description: '{}'\n", many(|_| "${x}".to_string())), "more errors"),
        (format!("{GOOD}verify: [{}]\n", many(|_| "1,".to_string())), "at most 10000 are allowed"),
        (format!("{GOOD}description: {}x{}\n", "[".repeat(1_000), "]".repeat(1_000)), "error"),
        // A long variable, named often.
        (
            format!(
                "{}description: '{}'\n",
                GOOD.replace("log: access.log", &format!("log: access.log, b: {}", "x".repeat(100_000))),
                "${b}".repeat(1_000)
            ),
            "expand to more than 4 MiB",
        ),
        // Names that are nearly those of others, and tables that are made again and again.
        (
            format!(
                "version: 1\nlake: {{location: lake}}\nsources:\n{}outputs:\n{}",
                some(|n| format!("  a{n}: {{location: x, zz: 1}}\n")),
                some(|n| format!("  a{n}: {{from: zz{n}, table: w.a}}\n"))
            ),
            "more errors",
        ),
        // Transforms that name one another: in a circle, and with names that there are not.
        (
            format!("{GOOD}transforms:\n{}", some(|n| format!("  t{n}: {{sql: SELECT 1 FROM t{} AS a}}\n", (n + 1) % SOME))),
            "need each other: t0 -> t1",
        ),
        (format!("{GOOD}transforms:\n{}", some(|n| format!("  t{n}: {{sql: SELECT 1 FROM u{n} AS a}}\n"))), "more errors"),
        // Checks without names, of tables that there are not, and of the wrong columns.
        (
            format!("{GOOD}verify:\n{}  - 1\n", some(|_| "  - rows: {table: web.acces, min: 1}\n".to_string())),
            "expected `key: value` lines",
        ),
        (format!("{GOOD}verify:\n  - unique: {{table: web.access, columns: [{}]}}\n", some(|_| "a,".to_string())), "more errors"),
        // Tags that are not declared, and values that they have not.
        (
            format!(
                "{GOOD}tags: {{a: [b]}}\ngrants:\n{}",
                some(|n| format!("  - {{to: r, on: {{tags: {{t{n}: b}}}}, permissions: [select]}}\n"))
            ),
            "more errors",
        ),
        (
            format!(
                "{GOOD}tags: {{a: [{}]}}\ngrants:\n{}",
                some(|n| format!("b{n},")),
                some(|n| format!("  - {{to: r, on: {{tags: {{a: c{n}}}}}, permissions: [select]}}\n"))
            ),
            "more errors",
        ),
    ] {
        etl.write("p.yaml", &text);
        let start = std::time::Instant::now();
        let outcome = etl.run(["validate", "p.yaml"]).fails(2).says(most);
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{most}: {:?}", start.elapsed());
        assert!(outcome.stderr.len() < 200_000, "{most}: {}", outcome.stderr.len());
    }
    // What is well may be long, too.
    let chain =
        |n: usize| format!("  t{n}: {{sql: SELECT 1 FROM {} AS a}}\n", if n == 0 { "access".to_string() } else { format!("t{}", n - 1) });
    etl.write("p.yaml", format!("{}transforms:\n{}", GOOD.replace("from: access", &format!("from: t{}", SOME - 1)), some(chain)));
    let start = std::time::Instant::now();
    etl.run(["validate", "p.yaml"]).ok();
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    etl.write("p.yaml", format!("{GOOD}# {}\n", "x".repeat(1 << 20)));
    let told = etl.run(["validate", "p.yaml"]).fails(3).says("larger than 1 MiB").stderr;
    assert_eq!(told.matches("1 MiB").count(), 1, "{told}");
    etl.write("good.yaml", GOOD);
    let told = etl.run(["validate", "p.yaml", "good.yaml"]).fails(3).says("error: 1 of 2 pipelines can't be read").stderr;
    assert_eq!(told.matches("1 MiB").count(), 1, "{told}");
}

#[test]
fn columns_of_one_name_are_told() {
    let etl = Etl::new();
    let with = |sql: &str| format!("{}transforms:\n  t:\n    sql: {sql}\n", GOOD.replace("from: access", "from: t"));
    for sql in ["SELECT host AS P, path AS p FROM access", "SELECT 1 AS a, 2 AS b FROM access UNION ALL (SELECT 1 AS \"x\", 2 AS X)"] {
        etl.write("p.yaml", with(sql));
        etl.run(["validate", "p.yaml"]).fails(2).says("another column of this query is already called `").says("p.yaml:8:");
    }
    for sql in ["SELECT host AS \"P\", path AS p FROM access", "SELECT a.p FROM (SELECT host AS p FROM access) AS a, (SELECT 1 AS p) AS b"]
    {
        etl.write("p.yaml", with(sql));
        etl.run(["validate", "p.yaml"]).ok();
    }
}

#[test]
fn what_yaml_has_too_much_of_is_told_in_words() {
    let etl = Etl::new();
    let anchors = format!("a: &a 1\nb: [{}]\n", "*a,".repeat(60_000));
    for (text, what) in [
        (format!("version: 1\nx: [{}]\n", "1,".repeat(250_001)), "this file has more than 250,000 values, lists and mappings"),
        (format!("version: 1\nx: {}{}\n", "[".repeat(70), "]".repeat(70)), "nested more than 64 levels deep"),
        (anchors, "too many aliases"),
    ] {
        etl.write("p.yaml", text);
        let told = etl.run(["validate", "p.yaml"]).fails(2).says(what).stderr;
        assert!(!told.contains("breached") && !told.contains(" { "), "{told}");
    }
}
