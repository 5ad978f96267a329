//! `etl bench --engine athena`: what Athena takes for the same questions. Trino stands in for it, behind an endpoint that speaks Athena's language;
//! where it must say what no engine says, a stub does.

use crate::athena_stub::{AthenaStub, execution, ok, page};
use crate::glue_lake::GlueLake;
use serde_json::{Value, json};

/// A lake with a log of so many lines.
fn lake(lines: u32) -> Option<GlueLake> {
    let lake = GlueLake::with_athena()?;
    let log = lake.etl(&format!("generate --lines {lines}")).ok().stdout;
    lake.write("access.log", log);
    Some(lake)
}

/// The arguments that are the same each time.
fn fixed(lake: &GlueLake) -> String {
    format!("bench access.log --engine athena --lake s3://{}/bench --database {}bench", lake.minio.bucket, lake.prefix)
}

fn told(lake: &GlueLake, arguments: &str) -> Value {
    serde_json::from_slice(&lake.etl(&format!("{} {arguments} --json", fixed(lake))).ok().stdout).unwrap()
}

/// The cells by what they are of.
fn cells<'v>(told: &'v Value, question: &str) -> Vec<&'v Value> {
    told["cells"].as_array().unwrap().iter().filter(|cell| cell["question"] == question).collect()
}

#[test]
fn athena_answers_the_same_questions_in_every_form() {
    let Some(lake) = lake(400) else { return };
    let groups =
        "groups=WITH s AS (SELECT status, bytes FROM log WHERE status >= 300) SELECT status, sum(bytes) FROM s GROUP BY 1 -- by status";
    let arguments = [
        "--splits",
        "1,3",
        "--formats",
        "csv,json,tsv,parquet",
        "--runs",
        "1",
        "--json",
        "--query",
        groups,
        "--query",
        "all=SELECT * FROM log;",
    ];
    let line = fixed(&lake);
    let run = |arguments: &[&str]| -> Value {
        serde_json::from_slice(&lake.run(line.split(' ').chain(arguments.iter().copied())).ok().stdout).unwrap()
    };
    let there = run(&arguments);
    let here: Value = serde_json::from_slice(&lake.run(["bench", "access.log"].into_iter().chain(arguments)).ok().stdout).unwrap();
    assert!(there["engine"].as_str().unwrap().starts_with("Athena"), "{there}");
    assert!(there["usd"].as_f64().unwrap() > 0.0);
    assert!(there.get("caches").is_none() && there.get("threads").is_none());
    for question in ["groups", "all"] {
        let (there, here) = (cells(&there, question), cells(&here, question));
        assert_eq!((there.len(), here.len()), (14, 14));
        for (there, here) in there.into_iter().zip(here) {
            assert!(there.get("error").is_none(), "{there}");
            assert_eq!((&there["data_set"], &there["rows"]), (&here["data_set"], &here["rows"]));
            assert!(there["seconds"]["mean"].as_f64().is_some() && there["queued"]["mean"].as_f64().is_some(), "{there}");
            assert!(there["usd"].as_f64().unwrap() >= 0.00005 && there["bytes_read"].as_u64().unwrap() > 0, "{there}");
        }
    }
    // Once more all is there already.
    let again = run(&arguments);
    assert!(again["data_sets"].as_array().unwrap().iter().all(|set| set["reused"] == true), "{again}");
    // The tables are a user's, too, and the page is drawn of the same.
    let tables = String::from_utf8(lake.etl(&format!("catalog list {}bench", lake.prefix)).ok().stdout).unwrap();
    assert_eq!(tables.matches("csv_none_3_").count(), 1, "{tables}");
    let text = String::from_utf8(lake.etl(&format!("{line} --splits 1 --formats parquet --runs 1 --html page.html")).ok().stdout).unwrap();
    assert!(text.contains("queue time in seconds and USD per query") && text.contains("cost of all queries: $0.0"), "{text}");
    assert!(String::from_utf8(lake.read("page.html")).unwrap().contains("for all queries together"));
}

#[test]
fn a_day_is_asked_of_one_folder() {
    let Some(lake) = lake(2_000) else { return };
    // The second half of it is of the next day.
    let log = String::from_utf8(lake.read("access.log")).unwrap();
    let day = &log[log.find('[').unwrap() + 1..][..11];
    let lines = log.lines().enumerate().map(|(line, text)| if line < 1_000 { text.to_string() } else { text.replace(day, "01/Mar/2020") });
    lake.write("access.log", lines.map(|line| line + "\n").collect::<String>());
    let told = told(&lake, "--splits 1 --formats tsv,csv,parquet --compression none --runs 1 --partition-by dt");
    let day = cells(&told, "day");
    assert_eq!(day.len(), 6);
    assert!(day.iter().all(|cell| cell["rows"] == day[0]["rows"] && cell["rows"].as_u64().unwrap() > 0), "{day:?}");
    let scanned = |name: &str| day.iter().find(|cell| cell["data_set"] == name).unwrap()["bytes_read"].as_u64().unwrap();
    assert!(scanned("csv_none_1_by_dt") < scanned("csv_none_1"), "{day:?}");
}

#[test]
fn what_it_may_cost_is_a_limit() {
    let Some(lake) = lake(100) else { return };
    let outcome = lake.etl(&format!("{} --splits 1 --formats csv,json --runs 2 --max-cost 0.0003 --json", fixed(&lake)));
    let told: Value = serde_json::from_slice(&outcome.ok().stdout).unwrap();
    // Six queries of 10 MB: one before all others, then two for each cell.
    assert!(told["usd"].as_f64().unwrap() <= 0.0003 + 1e-12, "{told}");
    let (refused, measured): (Vec<&Value>, Vec<&Value>) =
        told["cells"].as_array().unwrap().iter().partition(|cell| cell.get("error").is_some());
    assert_eq!((refused.len(), measured.len()), (10, 2), "{told}");
    assert!(refused.iter().all(|cell| cell["error"].as_str().unwrap().contains("--max-cost")), "{told}");
    assert!(told["notes"].to_string().contains("fewer runs"), "{told}");
}

#[test]
fn what_stands_in_the_way_is_known_before_data_sets_are_made() {
    let Some(lake) = lake(10) else { return };
    let outcome = lake.etl(&format!("{} --workgroup none-such --splits 1 --runs 1", fixed(&lake))).fails(6);
    outcome.says("none-such");
    assert!(lake.minio.storage("bench").list("").unwrap().is_empty());
}

#[test]
fn the_result_of_an_earlier_query_is_no_measurement() {
    let Some(lake) = GlueLake::get() else { return };
    let stub = AthenaStub::giving(page(&[("found", "bigint", 19, 0)], &[json!(["found"]), json!(["7"])], None));
    let mut reused = execution("SUCCEEDED");
    reused["QueryExecution"]["Statistics"]["ResultReuseInformation"] = json!({"ReusedPreviousResult": true});
    // The rows are counted first.
    stub.says("GetQueryExecution", [ok(execution("SUCCEEDED")), ok(reused)]);
    let lake = lake.with("AWS_ENDPOINT_URL_ATHENA", &stub.endpoint);
    lake.write("access.log", lake.etl("generate --lines 7").ok().stdout);
    let outcome = lake.etl(&format!("{} --formats json --compression none --splits 1 --runs 1 --query SELECT --json", fixed(&lake)));
    outcome.fails(6).says("the result of an earlier query");
    for call in stub.calls("StartQueryExecution") {
        assert_eq!(call["ResultReuseConfiguration"]["ResultReuseByAgeConfiguration"]["Enabled"], false, "{call}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let etl = crate::etl::Etl::new();
    for (arguments, message) in [
        ("--engine athena", "--lake s3://bucket/bench"),
        ("--engine athena --lake folder", "is not in S3"),
        ("--engine athena --lake s3://", "is not in S3"),
        ("--engine athena --lake s3://b/x --encodings", "--encodings"),
        ("--engine athena --lake s3://b/x --caches cold", "--caches"),
        ("--engine athena --lake s3://b/x --database Bad-Name", "Bad-Name"),
        ("--lake s3://b/x", "--engine athena"),
        ("--max-cost 1", "--engine athena"),
    ] {
        etl.etl(&format!("bench access.log {arguments}")).fails(2).says(message);
    }
}
