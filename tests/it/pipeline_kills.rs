//! Runs that are killed at any moment, and runs that meet: readers see the old or the new, and nothing is lost.

use crate::etl::Outcome;
use crate::lake::{APPEND, Lake, on_both_lakes};
use etl::query::{LakeTables, QueryEngine, QueryOptions};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

on_both_lakes! {
    readers_of_a_run_that_is_killed_see_the_old_or_the_new,
    runs_of_many_pipelines_at_once_lose_nothing,
    of_two_runs_of_one_pipeline_one_wins_and_no_row_is_there_twice,
}

/// Two tables, of which one can be told from the other.
const TWO_TABLES: &str = "
version: 1
name: weblogs
lake: {location: lake}
sources:
  access: {location: logs/*.log}
transforms:
  by_status: {sql: 'SELECT status, count(*) AS requests FROM access GROUP BY status'}
outputs:
  access: {from: access, table: weblogs.access, format: parquet, mode: append, splits: 3}
  by_status: {from: by_status, table: weblogs.by_status, format: json}
";

const KILLS: u64 = 50;

/// What a reader sees: the rows of the one table, and how many the other one says that there are.
fn seen(lake: &Lake) -> (u64, u64) {
    let engine = QueryEngine::new(QueryOptions { threads: 1, stdin: false, ..QueryOptions::default() }).unwrap();
    engine.register_lake(LakeTables::open(lake.storage().unwrap()).unwrap()).unwrap();
    let sql = "SELECT (SELECT count(*) FROM weblogs.access) AS a, (SELECT CAST(sum(requests) AS bigint) FROM weblogs.by_status) AS b";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut result = engine.query(sql).await.unwrap();
        let batch = result.next().await.unwrap().unwrap();
        let value = |column: usize| {
            use arrow::array::AsArray;
            batch.column(column).as_primitive::<arrow::datatypes::Int64Type>().value(0) as u64
        };
        (value(0), value(1))
    })
}

fn readers_of_a_run_that_is_killed_see_the_old_or_the_new(lake: &Lake) {
    lake.pipeline("weblogs.yaml", TWO_TABLES).log("logs/000.log", 500);
    let started = Instant::now();
    lake.run_pipeline("weblogs.yaml", 0);
    let whole = started.elapsed();
    let mut rows = 500;
    assert_eq!(seen(lake), (rows, rows));
    // The moments are those of any run, a little beyond its end too.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut killed = 0;
    for number in 1..=KILLS {
        lake.log(&format!("logs/{number:03}.log"), 200 + number);
        let after = rows + 200 + number;
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = whole.mul_f64((random >> 40) as f64 / f64::from(1 << 24) * 1.1);
        let mut child = lake.command(["run", "weblogs.yaml"]).spawn().unwrap();
        // A reader that comes while the run is at work.
        let done = AtomicBool::new(false);
        let (before, all) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut all = vec![seen(lake)];
                while !done.load(Ordering::Relaxed) {
                    all.push(seen(lake));
                }
                all
            });
            std::thread::sleep(moment);
            killed += u64::from(kill(&mut child));
            done.store(true, Ordering::Relaxed);
            (rows, reader.join().unwrap())
        });
        for (access, by_status) in all.into_iter().chain([seen(lake)]) {
            assert!(access == before || access == after, "run {number}: {access} rows, neither {before} nor {after}");
            assert_eq!(access, by_status, "run {number}: the tables are not of one run");
        }
        let report = lake.run_pipeline("weblogs.yaml", 0);
        rows = after;
        assert_eq!(seen(lake), (rows, rows), "run {number}: {report}");
        let source = &report["sources"][0];
        let counted = |name: &str| source[name].as_u64().unwrap();
        assert_eq!(counted("lines"), counted("rows") + counted("rejects") + counted("blank"));
    }
    assert!(killed > KILLS / 4, "only {killed} runs of {KILLS} were killed before they ended");
    if lake.location == "lake" {
        // What killed runs left is gone: there are only files that are read, and those of earlier versions.
        lake.etl("vacuum lake --older-than 0s").ok();
        let live = lake.json("catalog show weblogs.access --lake lake --files")["live_files"].as_array().unwrap().len();
        assert_eq!(lake.below("weblogs/access").len(), live);
        let names = |folder: &str| std::fs::read_dir(lake.path(folder)).map_or(0, |entries| entries.count());
        assert_eq!((names("lake/_etl/work"), names("lake/_etl/active/weblogs")), (0, 0));
        assert_eq!(seen(lake), (rows, rows));
    }
}

/// Kills a process; false where it had ended before.
fn kill(child: &mut Child) -> bool {
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    !ended
}

const RACERS: usize = 8;

fn runs_of_many_pipelines_at_once_lose_nothing(lake: &Lake) {
    lake.log("logs/a.log", 50);
    for number in 0..RACERS {
        let text =
            APPEND.replace("name: weblogs", &format!("name: racer{number}")).replace("weblogs.access", &format!("weblogs.access{number}"));
        lake.pipeline(&format!("{number}.yaml"), text);
    }
    let racers: Vec<Child> = (0..RACERS).map(|number| lake.command(["run", &format!("{number}.yaml")]).spawn().unwrap()).collect();
    for racer in racers {
        Outcome::of(racer.wait_with_output().unwrap()).ok();
    }
    let tables = lake.json(&format!("catalog list --lake {}", lake.location));
    assert_eq!(tables.as_array().unwrap().len(), RACERS);
    for number in 0..RACERS {
        assert_eq!(lake.value(&format!("SELECT count(*) FROM weblogs.access{number}")), "50");
    }
}

fn of_two_runs_of_one_pipeline_one_wins_and_no_row_is_there_twice(lake: &Lake) {
    lake.pipeline("weblogs.yaml", APPEND);
    let mut rows = 0;
    for round in 0..3 {
        lake.log(&format!("logs/{round}.log"), 100);
        rows += 100;
        let racers: Vec<Child> = (0..RACERS).map(|_| lake.command(["run", "weblogs.yaml"]).spawn().unwrap()).collect();
        let outcomes: Vec<Outcome> = racers.into_iter().map(|racer| Outcome::of(racer.wait_with_output().unwrap())).collect();
        let won = outcomes.iter().filter(|outcome| outcome.code == Some(0) && !outcome.stderr.contains("nothing to do")).count();
        for outcome in outcomes {
            match outcome.code {
                Some(0) => {}
                _ => drop(outcome.fails(8).says("changed during this run")),
            }
        }
        assert_eq!(won, 1, "round {round}");
        assert_eq!(lake.value("SELECT count(*) FROM weblogs.access"), rows.to_string());
    }
    std::thread::sleep(Duration::from_millis(10));
    lake.etl("run weblogs.yaml").ok().says("nothing to do");
}
