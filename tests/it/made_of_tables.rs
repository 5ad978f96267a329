//! Transforms that read tables of the lake, and folders of pipelines that read tables of each other.

use crate::etl::generated;
use crate::lake::{Lake, action, on_both_lakes};

on_both_lakes!(
    tables_are_made_of_tables_of_the_same_run,
    tables_are_made_of_tables_of_other_pipelines,
    a_folder_is_run_in_the_order_of_what_reads_what,
    earlier_versions_can_be_asked,
);

const RAW: &str = "
version: 1
name: raw
lake: {location: lake}
sources: {logs: {location: '*.log'}}
transforms:
  daily: {sql: 'SELECT CAST(time AS date) AS day, status, count(*) AS n FROM web.access GROUP BY 1, 2'}
  total: {sql: 'SELECT sum(n) AS n FROM web.daily'}
outputs:
  total: {from: total, table: web.total}
  daily: {from: daily, table: web.daily}
  access: {from: logs, table: web.access, mode: append}
";

const MART: &str = "
version: 1
name: mart
lake: {location: lake}
sources: {}
transforms: {errors: {sql: 'SELECT day, sum(n) AS n FROM web.daily WHERE status >= 400 GROUP BY 1'}}
outputs: {errors: {from: errors, table: mart.errors}}
";

fn tables_are_made_of_tables_of_the_same_run(lake: &Lake) {
    lake.pipeline("raw.yaml", RAW).log("a.log", 300);
    let plan = String::from_utf8(lake.etl("plan raw.yaml").ok().stdout).unwrap();
    assert!(plan.contains("tables: web.daily") && plan.contains("+ day date"), "{plan}");
    lake.run_pipeline("raw.yaml", 0);
    let both = || (lake.value("SELECT count(*) FROM web.access"), lake.value("SELECT n FROM web.total"));
    assert_eq!(both(), ("300".into(), "300".into()));
    let report = lake.run_pipeline("raw.yaml", 0);
    assert_eq!(report["status"], "up_to_date");
    // New rows go all the way in one run, and readers see all of it at once.
    lake.write("b.log", generated(350).split_inclusive(|b| *b == b'\n').skip(300).flatten().copied().collect::<Vec<u8>>());
    let report = lake.run_pipeline("raw.yaml", 0);
    assert_eq!([action(&report, "access"), action(&report, "daily"), action(&report, "total")], ["appended", "replaced", "replaced"]);
    assert_eq!(both(), ("350".into(), "350".into()));
    // One output alone reads what is published.
    assert_eq!(lake.run_pipeline("raw.yaml --only total", 0)["status"], "up_to_date");
    // What is only said of a table, or of its columns, is no other content.
    lake.pipeline("raw.yaml", RAW.replace("table: web.access,", "table: web.access, description: all, columns: {status: of the answer},"));
    let plan = String::from_utf8(lake.etl("plan raw.yaml").ok().stdout).unwrap();
    assert!(plan.contains("describe web.access") && plan.contains("keep web.daily"), "{plan}");
    let report = lake.run_pipeline("raw.yaml", 0);
    assert_eq!([action(&report, "access"), action(&report, "daily")], ["altered", "unchanged"]);
    assert_eq!(lake.run_pipeline("raw.yaml", 0)["status"], "up_to_date");
    // What goes back takes along what is made of it, and the next run goes forward again.
    let first = lake.json("history raw.yaml")[2]["report"]["run"].as_str().unwrap().to_string();
    lake.etl(&format!("rollback raw.yaml --to {first}")).ok();
    assert_eq!(both(), ("300".into(), "300".into()));
    lake.run_pipeline("raw.yaml", 0);
    assert_eq!(both(), ("350".into(), "350".into()));
    assert_eq!(lake.run_pipeline("raw.yaml", 0)["status"], "up_to_date");
}

fn tables_are_made_of_tables_of_other_pipelines(lake: &Lake) {
    lake.pipeline("raw.yaml", RAW).pipeline("mart.yaml", MART).log("a.log", 300);
    lake.etl("run mart.yaml")
        .fails(3)
        .says("table web.daily, which mart.errors reads, is not in the lake")
        .says("run the pipeline that makes it first");
    lake.run_pipeline("raw.yaml", 0);
    lake.run_pipeline("mart.yaml", 0);
    let same = || {
        let of_logs = lake.value("SELECT count(*) FROM web.access WHERE status >= 400");
        assert_eq!(lake.value("SELECT sum(n) FROM mart.errors"), of_logs);
    };
    same();
    let outcome = lake.etl("run mart.yaml").ok();
    assert!(outcome.stderr.contains("none of the tables that it reads has changed"), "{}", outcome.stderr);
    // A comment is no other content.
    lake.pipeline("raw.yaml", RAW.replace("table: web.daily}", "table: web.daily, description: by day}"));
    lake.run_pipeline("raw.yaml", 0);
    assert_eq!(lake.run_pipeline("mart.yaml", 0)["status"], "up_to_date");
    lake.write("b.log", generated(900).split_inclusive(|b| *b == b'\n').skip(300).flatten().copied().collect::<Vec<u8>>());
    lake.run_pipeline("raw.yaml", 0);
    let plan = String::from_utf8(lake.etl("plan mart.yaml").ok().stdout).unwrap();
    assert!(plan.contains("web.daily has changed"), "{plan}");
    lake.run_pipeline("mart.yaml", 0);
    same();
    // Wrong columns are told where the SQL is.
    lake.pipeline("mart.yaml", MART.replace("SELECT day", "SELECT dya"));
    lake.etl("plan mart.yaml").fails(1).says("no column `dya`").says("at: mart.yaml:6:");
}

fn a_folder_is_run_in_the_order_of_what_reads_what(lake: &Lake) {
    let at = |text: &str| {
        text.replace("'*.log'", "'../*.log'")
            .replace("location: lake}", &format!("location: '{}'}}", if lake.location == "lake" { "../lake" } else { &lake.location }))
    };
    // By name the reader would come first.
    lake.write("p/a-mart.yaml", at(MART)).write("p/raw.yaml", at(RAW)).log("x.log", 100);
    let plan = String::from_utf8(lake.etl("plan p").ok().stdout).unwrap();
    assert!(plan.contains("1. raw makes") && plan.contains("2. mart makes mart.errors, of web.daily (behind raw)"), "{plan}");
    assert!(plan.contains("mart: can't be planned until the pipelines that it reads have run"), "{plan}");
    let reports: serde_json::Value = serde_json::from_slice(&lake.etl("run p --json").ok().stdout).unwrap();
    let names: Vec<&str> = reports.as_array().unwrap().iter().map(|report| report["pipeline"].as_str().unwrap()).collect();
    assert_eq!(names, ["raw", "mart"]);
    lake.etl("plan p --detailed-exitcode").ok();
    // What reads tables of one that failed is not run; others are.
    let failing = format!("{}verify: [{{rows: {{table: web.access, max: 1}}}}]\n", at(RAW));
    let other =
        "version: 1\nname: other\nlake: {location: LAKE}\nsources: {n: {location: ../n.csv}}\noutputs: {n: {from: n, table: z.n}}\n";
    let other = other.replace("LAKE", if lake.location == "lake" { "../lake" } else { &lake.location });
    lake.write("p/raw.yaml", failing).write("p/z.yaml", other).write("n.csv", "n\n1\n").log("y.log", 150);
    lake.etl("run p").fails(7).says("mart: not run, because it reads tables of raw, which failed").says("other: published");
    lake.write("p/broken.yaml", "version: 1\nsources: {}\n");
    lake.etl("run p").fails(2).says("broken.yaml");
    lake.etl("run p --only x").fails(2);
    std::fs::remove_file(lake.path("p/broken.yaml")).unwrap();
    lake.etl("plan p --only x").fails(1).says("--only names outputs of a pipeline");
}

#[test]
fn nothing_is_made_of_itself() {
    let lake = Lake::in_folder();
    let own = RAW.replace("FROM web.access", "FROM web.daily");
    lake.write("own.yaml", own);
    lake.etl("validate own.yaml").fails(2).says("`daily` reads its own table, web.daily");
    let circle = RAW.replace("FROM web.access", "FROM web.total");
    lake.write("circle.yaml", circle);
    lake.etl("validate circle.yaml").fails(2).says("circular dependency: these outputs read each other's tables");
    let back = RAW.replace("FROM web.access", "FROM mart.errors");
    lake.write("p/raw.yaml", back).write("p/mart.yaml", MART);
    lake.etl("plan p").fails(1).says("circular dependency: these pipelines read tables of each other");
}

fn earlier_versions_can_be_asked(lake: &Lake) {
    lake.pipeline("raw.yaml", RAW).log("a.log", 100);
    let first = lake.run_pipeline("raw.yaml", 0)["run"].as_str().unwrap().to_string();
    lake.log("b.log", 40);
    lake.run_pipeline("raw.yaml", 0);
    let asked = |more: &[&str], sql: &str| {
        let arguments: Vec<&str> =
            ["query", "--lake", &lake.location, "--format", "csv"].iter().chain(more).copied().chain([sql]).collect();
        lake.run(arguments)
    };
    let value = |more: &[&str], sql: &str| String::from_utf8(asked(more, sql).ok().stdout).unwrap().lines().nth(1).unwrap().to_string();
    let count = "SELECT count(*) FROM web.access";
    assert_eq!(value(&[], count), "140");
    assert_eq!(value(&["--at", &first], count), "100");
    assert_eq!(value(&["--at", &first], "SELECT n FROM total"), "100");
    assert_eq!(value(&[], &format!("{count} FOR VERSION AS OF 1")), "100");
    let both = format!("SELECT count(*) - (SELECT count(*) FROM access FOR VERSION AS OF '{first}') FROM access");
    assert_eq!(value(&[], &both), "40");
    asked(&[], &format!("{count} FOR VERSION AS OF 9")).fails(2).says("web.access has no version 9");
    asked(&["--at", "2000-01-01"], count).fails(2).says("did not exist yet");
    asked(&["--at", "20000101T000000000Z-00000000"], count).fails(2).says("as `etl history` shows them");
    asked(&["--at", "1"], count).fails(2).says("FOR VERSION AS OF 1");
    asked(&["--as", "ann", "--at", &first], count).fails(2);
    // The whole report of a run, by the start of its id.
    let report = String::from_utf8(lake.etl(&format!("history raw.yaml {first}")).ok().stdout).unwrap();
    assert!(report.contains(&first) && report.contains("web.access"), "{report}");
    lake.etl("history raw.yaml 1999").fails(2).says("has no run `1999`");
    lake.etl("history raw.yaml 2").fails(2).says("more than one run");
}
