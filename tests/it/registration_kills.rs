//! Runs that are killed between their publication and the end of telling Glue: readers of Glue see the old or the new, and the next run completes.

use crate::glue_lake::GlueLake;
use crate::lake::log_of_day;
use crate::same_rows::{As, same};
use etl::catalog::LocalCatalog;
use serde_json::{Value, json};
use std::process::Child;
use std::time::{Duration, Instant};

const WEB: &str = "
version: 1
name: web
lake: {location: lake}
sources:
  access: {location: 'in/*.log'}
outputs:
  all: {from: access, table: web.all, format: json, mode: append}
  anew: {from: access, table: web.anew, format: csv}
  projected: {from: access, table: web.projected, partition_by: [dt], mode: append, partition_projection: {dt: {type: date, range: '2020-03-01,2020-03-31'}}}
  access: {from: access, table: web.access, partition_by: [dt], mode: append}
";

const KILLS: u32 = 30;
/// Days that lines are of, in turn.
const DAYS: u32 = 5;
/// Before each answer of Glue, so that there is something to hit.
const PAUSE: Duration = Duration::from_millis(25);

/// The version of the lake's table.
fn version(catalog: &LocalCatalog) -> Option<u64> {
    catalog.snapshot().ok()?.head.table("web", "access").map(|reference| reference.version)
}

/// Waits until the run has published; false where it ended without.
fn published(child: &mut Child, catalog: &LocalCatalog, before: Option<u64>) -> bool {
    loop {
        if version(catalog) != before {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Rows that readers of Glue see of each table, and of each day of the partitioned one.
fn seen(lake: &GlueLake) -> (Vec<u64>, Vec<u64>) {
    let database = lake.database("web");
    let days = (1..=DAYS).map(|day| format!("(SELECT count(*) FROM {database}.access WHERE dt = DATE '2020-03-{day:02}')"));
    let tables = ["all", "anew", "projected"].map(|name| format!("(SELECT count(*) FROM {database}.\"{name}\")"));
    let sql = format!("SELECT {}", tables.into_iter().chain(days).collect::<Vec<_>>().join(", "));
    let row: Vec<u64> = lake.trino.rows(&sql).rows[0].iter().map(|value| value.as_u64().unwrap()).collect();
    (row[..3].to_vec(), row[3..].to_vec())
}

#[test]
fn readers_of_glue_see_the_old_or_the_new_of_a_run_that_is_killed() {
    let Some(lake) = GlueLake::get() else { return };
    let lines = |number: u32| u64::from(10 + number);
    lake.pipeline("web.yaml", WEB);
    for day in 1..=DAYS {
        lake.write(&format!("in/000-{day}.log"), log_of_day(day, 10));
    }
    lake.etl("run web.yaml").ok();
    let catalog = LocalCatalog::new(lake.minio.storage("lake"));
    lake.proxy.slow(PAUSE);
    // How long Glue is told of a run, that moments may be of any part of it.
    lake.write("in/001.log", log_of_day(1, 10));
    let before = version(&catalog);
    let mut child = lake.command(["run", "web.yaml"]).spawn().unwrap();
    assert!(published(&mut child, &catalog, before));
    let begun = Instant::now();
    assert!(child.wait().unwrap().success());
    let window = begun.elapsed();
    let mut days: Vec<u64> = (1..=DAYS).map(|day| if day == 1 { 20 } else { 10 }).collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut behind, mut between) = (0, 0);
    for number in 0..KILLS {
        let of = (number % DAYS) as usize;
        lake.write(&format!("in/1{number:02}.log"), log_of_day(of as u32 + 1, lines(number)));
        let (old, before) = (days.clone(), version(&catalog));
        days[of] += lines(number);
        let (all_old, all_new) = (old.iter().sum::<u64>(), days.iter().sum::<u64>());
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = window.mul_f64((random >> 40) as f64 / f64::from(1 << 24));
        let mut child = lake.command(["run", "web.yaml"]).spawn().unwrap();
        assert!(published(&mut child, &catalog, before), "run {number} ended and published nothing");
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        let (tables, by_day) = seen(&lake);
        for (table, rows) in ["all", "anew", "projected"].iter().zip(&tables) {
            assert!(*rows == all_old || *rows == all_new, "run {number}: {table} has {rows} rows, neither {all_old} nor {all_new}");
        }
        for (day, rows) in by_day.iter().enumerate() {
            assert!(
                *rows == old[day] || *rows == days[day],
                "run {number}: day {} has {rows} rows, neither {} nor {}",
                day + 1,
                old[day],
                days[day]
            );
        }
        let is_new = tables.iter().filter(|rows| **rows == all_new).count();
        behind += u32::from(is_new < tables.len() || by_day != days);
        between += u32::from((1..tables.len()).contains(&is_new));
        lake.proxy.slow(Duration::ZERO);
        let report: Value = serde_json::from_slice(&lake.etl("run web.yaml --json").ok().stdout).unwrap();
        assert_eq!(seen(&lake), (vec![all_new; 3], days.clone()), "run {number}: {report}");
        lake.proxy.slow(PAUSE);
    }
    assert!(behind >= KILLS / 4, "only {behind} runs of {KILLS} were killed before Glue knew all");
    assert!(between > 0, "no run was killed between two tables");
    for (name, told) in [("all", As::Json), ("anew", As::Text), ("projected", As::Typed), ("access", As::Typed)] {
        same(&lake, &format!("web.{name}"), name, told);
    }
}

const FIRST_KILLS: u32 = 8;

#[test]
fn tables_of_one_folder_are_whole_or_not_there() {
    let Some(lake) = GlueLake::get() else { return };
    let database = lake.database("web");
    lake.pipeline("web.yaml", WEB);
    for day in 1..=DAYS {
        lake.write(&format!("in/{day}.log"), log_of_day(day, 10));
    }
    lake.etl("run web.yaml").ok();
    lake.proxy.slow(PAUSE);
    let begun = Instant::now();
    lake.etl("run web.yaml").ok();
    let window = begun.elapsed() * 2;
    let mut partial = 0;
    for number in 0..FIRST_KILLS {
        lake.glue.done("DeleteDatabase", &json!({"Name": database}));
        lake.proxy.slow(PAUSE);
        let mut child = lake.command(["run", "web.yaml"]).spawn().unwrap();
        std::thread::sleep(window.mul_f64(f64::from(number + 1) / f64::from(FIRST_KILLS + 1)));
        child.kill().unwrap();
        child.wait().unwrap();
        let there = |name: &str| lake.glue.table(&database, name).is_some();
        for name in ["all", "anew", "projected"].into_iter().filter(|name| there(name)) {
            let rows = lake.trino.number(&format!("SELECT count(*) FROM {database}.\"{name}\""));
            assert_eq!(rows, i64::from(DAYS * 10), "{name}");
        }
        // One of registered partitions says that it is not told to its end.
        if there("access") && lake.glue.partitions(&database, "access").len() < DAYS as usize {
            assert_eq!(lake.told("web", "access")["Parameters"]["etl.version"], "0");
            assert_eq!(lake.planned("web.yaml", "access")["catalog"]["behind"], true);
        }
        partial += u32::from(there("all") && !there("access"));
        lake.proxy.slow(Duration::ZERO);
        lake.etl("run web.yaml").ok();
        assert_eq!(seen(&lake), (vec![u64::from(DAYS * 10); 3], vec![10; DAYS as usize]));
    }
    assert!(partial > 0, "no run was killed between two tables");
}
