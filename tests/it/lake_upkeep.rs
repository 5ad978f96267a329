//! What is removed from a lake while others are at work in it, who may be stopped at any moment and go on at any other.

use crate::etl::{Etl, Outcome};
use crate::lake::{APPEND, Lake, on_both_lakes};
use etl::catalog::{Condemned, LocalCatalog};
use etl::publish::{Claim, Lease, RunId};
use etl::storage::Storage;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

on_both_lakes! {
    a_run_that_is_stopped_before_its_commit_destroys_nothing_beside_a_vacuum,
    pipelines_beside_a_vacuum_that_never_ends_lose_nothing,
    rollbacks_beside_a_vacuum_that_never_ends_lose_nothing,
    what_a_rollback_at_work_goes_back_to_is_not_removed,
    what_is_condemned_is_not_published_again,
    a_run_that_is_taken_for_dead_publishes_nothing,
    a_run_that_was_published_over_is_not_cleaned_up_after,
    the_work_of_a_vacuum_that_died_is_finished_by_the_next,
    signs_of_killed_runs_go,
    a_path_that_leads_into_a_lake_is_what_readers_see,
}

const COUNT: &str = "SELECT count(*) FROM weblogs.access";

fn catalog(lake: &Lake) -> (Storage, LocalCatalog) {
    let storage = lake.storage().unwrap();
    (storage.clone(), LocalCatalog::new(storage))
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

fn claim(pipeline: &str, run: &RunId) -> Claim {
    Claim {
        run: run.clone(),
        pipeline: pipeline.to_string(),
        folders: vec![format!("weblogs/access/{run}")],
        tables: vec![("weblogs".to_string(), "access".to_string())],
        versions: Vec::new(),
    }
}

/// A folder of the lake has files of earlier versions, too: they are counted by nobody.
fn a_path_that_leads_into_a_lake_is_what_readers_see(lake: &Lake) {
    let text = APPEND.replace("mode: append", "mode: overwrite, partition_by: [dt]");
    lake.pipeline("weblogs.yaml", text).log("logs/a.log", 100);
    for lines in [100, 200, 300] {
        lake.log("logs/a.log", lines);
        lake.run_pipeline("weblogs.yaml", 0);
    }
    let location = lake.location.as_str();
    let table = format!("{location}/weblogs/access");
    let count = |path: &str| lake.run(["query", "--format", "csv", &format!("SELECT count(*) FROM '{path}'")]);
    for path in [table.clone(), format!("{table}/")] {
        let outcome = count(&path).ok().says("is the table weblogs.access of the lake");
        assert_eq!(outcome.stdout, b"count(*)\n300\n");
    }
    let converted = lake.json(&format!("convert {table} -o out --to csv"));
    assert_eq!(converted["rows"], 300);
    assert_eq!(lake.json(&format!("inspect {table}"))["rows"], 300);
    let storage = lake.storage().unwrap();
    let file = storage.list("weblogs/access").unwrap()[0].key.clone();
    let run = file.split('/').nth(2).unwrap();
    for path in [location.to_string(), format!("{location}/weblogs"), format!("{table}/{run}"), format!("{table}/*/*/*.parquet")] {
        let outcome = count(&path).fails(2).says("rows would be counted more than once");
        outcome.says("--lake ").says("\"FROM weblogs.access\"");
        lake.etl(&format!("inspect {path}")).fails(2).says("rows would be counted more than once");
        lake.etl(&format!("convert {path} -o out2")).fails(2).says("rows would be counted more than once");
    }
    // A file that is named itself is read as it is.
    assert!(count(&format!("{location}/{file}")).ok().stderr.is_empty() || lake.location.starts_with("s3"));
    // Another pipeline's source is what readers see, too; files that no run made are nobody's.
    let other = format!(
        "version: 1\nname: other\nlake: {{location: lake2}}\nsources: {{t: {{location: '{table}', format: parquet}}}}\n\
                         outputs: {{t: {{from: t, table: o.t}}}}\n"
    );
    lake.write("other.yaml", other);
    let report = lake.run_pipeline("other.yaml", 0);
    assert_eq!(report["outputs"][0]["total_rows"], 300, "{report}");
    storage.put("raw/x.csv", "a\n1\n").unwrap();
    assert_eq!(count(&format!("{location}/raw")).ok().stdout, b"count(*)\n1\n");
}

/// A lake with two versions of a table, of 100 rows and of 150; gives their runs.
fn two_versions(lake: &Lake) -> (String, String) {
    lake.pipeline("weblogs.yaml", APPEND).log("logs/a.log", 100);
    let first = lake.run_pipeline("weblogs.yaml", 0)["run"].as_str().unwrap().to_string();
    lake.log("logs/b.log", 50);
    let second = lake.run_pipeline("weblogs.yaml", 0)["run"].as_str().unwrap().to_string();
    (first, second)
}

/// All that is done with a table works.
#[track_caller]
fn is_sound(lake: &Lake, rows: &str) {
    assert_eq!(lake.value(COUNT), rows);
    lake.etl("run weblogs.yaml").ok();
    lake.etl(&format!("vacuum {} --older-than 0s", lake.location)).ok();
    assert_eq!(lake.value(COUNT), rows);
    lake.run_pipeline("weblogs.yaml --full", 0);
    assert_eq!(lake.value(COUNT), rows);
}

/// Wherever a run is stopped: it goes on and publishes, or says that it can't and changes nothing.
fn a_run_that_is_stopped_before_its_commit_destroys_nothing_beside_a_vacuum(lake: &Lake) {
    lake.pipeline("weblogs.yaml", APPEND).log("logs/000.log", 100);
    lake.run_pipeline("weblogs.yaml", 0);
    let (storage, _) = catalog(lake);
    let mut rows = 100;
    for round in 1..=6 {
        lake.log(&format!("logs/{round:03}.log"), 10);
        let before = storage.list("_etl/catalog/tables").unwrap().len();
        let child = lake.command(["run", "weblogs.yaml"]).spawn().unwrap();
        let begun = Instant::now();
        // Held as soon as the description is there, which the head names next; in other rounds earlier.
        while begun.elapsed() < Duration::from_secs(20) && storage.list("_etl/catalog/tables").unwrap().len() == before {
            if round % 3 == 0 && !storage.list("weblogs/access").unwrap().is_empty() && begun.elapsed() > Duration::from_millis(30) {
                break;
            }
            if round % 3 != 0 {
                std::hint::spin_loop();
            }
        }
        send(&child, "-STOP");
        std::thread::sleep(Duration::from_millis(50));
        let vacuum = lake.etl(&format!("vacuum {} --older-than 0s", lake.location));
        // In a folder the run may be stopped while it holds the lock of the head, for which nobody waits for ever.
        if vacuum.code != Some(0) {
            vacuum.says("has held the lock");
        }
        send(&child, "-CONT");
        let outcome = Outcome::of(child.wait_with_output().unwrap());
        match outcome.code {
            Some(0) => {}
            _ => drop(outcome.fails(8).says("run it again")),
        }
        lake.run_pipeline("weblogs.yaml", 0);
        rows += 10;
        assert_eq!(lake.value(COUNT), rows.to_string(), "round {round}");
    }
    is_sound(lake, &rows.to_string());
}

/// Runs `work` beside a vacuum that begins again and again.
fn beside_vacuums(lake: &Lake, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    let count = std::thread::scope(|scope| {
        let vacuums = scope.spawn(|| {
            let mut count = 0;
            while !done.load(Ordering::Relaxed) {
                let outcome = lake.etl(&format!("vacuum {} --older-than 0s", lake.location));
                assert!(matches!(outcome.code, Some(0)), "{}", outcome.stderr);
                count += 1;
            }
            count
        });
        work();
        done.store(true, Ordering::Relaxed);
        vacuums.join().unwrap()
    });
    assert!(count > 2, "{count} vacuums");
}

const ROUNDS: u64 = 30;

fn pipelines_beside_a_vacuum_that_never_ends_lose_nothing(lake: &Lake) {
    let two = |name: &str| {
        let text = APPEND.replace("name: weblogs", &format!("name: {name}")).replace("weblogs.access", &format!("weblogs.{name}"));
        lake.pipeline(&format!("{name}.yaml"), text);
    };
    two("one");
    two("other");
    lake.log("logs/000.log", 10);
    lake.run_pipeline("one.yaml", 0);
    lake.run_pipeline("other.yaml", 0);
    beside_vacuums(lake, || {
        for round in 1..=ROUNDS {
            lake.log(&format!("logs/{round:03}.log"), 10);
            let runs = ["one.yaml", "other.yaml"].map(|file| lake.command(["run", file]).spawn().unwrap());
            for run in runs {
                Outcome::of(run.wait_with_output().unwrap()).ok();
            }
        }
    });
    for name in ["one", "other"] {
        assert_eq!(lake.value(&format!("SELECT count(*) FROM weblogs.{name}")), (10 * (ROUNDS + 1)).to_string());
        lake.run_pipeline(&format!("{name}.yaml --full"), 0);
    }
}

fn rollbacks_beside_a_vacuum_that_never_ends_lose_nothing(lake: &Lake) {
    lake.pipeline("weblogs.yaml", APPEND.replace("append", "overwrite")).log("logs/a.log", 0);
    lake.run_pipeline("weblogs.yaml", 0);
    beside_vacuums(lake, || {
        for round in 1..=ROUNDS {
            lake.log("logs/a.log", round);
            let run = lake.run_pipeline("weblogs.yaml", 0)["run"].as_str().unwrap().to_string();
            lake.log("logs/a.log", 1000 + round);
            lake.run_pipeline("weblogs.yaml", 0);
            let outcome = lake.etl(&format!("rollback weblogs.yaml --to {run}"));
            match outcome.code {
                Some(0) => {}
                Some(3) => drop(outcome.says("vacuum")),
                _ => drop(outcome.fails(8).says("nothing was changed")),
            }
            let rows: u64 = lake.value(COUNT).parse().unwrap();
            assert!(rows == round || rows == 1000 + round, "round {round}: {rows}");
        }
    });
    lake.log("logs/a.log", 7);
    lake.run_pipeline("weblogs.yaml", 0);
    is_sound(lake, "7");
}

fn what_a_rollback_at_work_goes_back_to_is_not_removed(lake: &Lake) {
    lake.pipeline("weblogs.yaml", APPEND.replace("append", "overwrite")).log("logs/a.log", 100);
    let first = lake.run_pipeline("weblogs.yaml", 0)["run"].as_str().unwrap().to_string();
    let (storage, _) = catalog(lake);
    let object = lake.below("_etl/catalog/tables")[0].clone();
    lake.log("logs/a.log", 50);
    lake.run_pipeline("weblogs.yaml", 0);
    let run = RunId::new(chrono::Utc::now());
    let lease = Lease::take(&storage, &Claim { folders: Vec::new(), versions: vec![object], ..claim("weblogs", &run) }).unwrap();
    lake.etl(&format!("vacuum {} --older-than 0s", lake.location)).ok().says("0 files");
    lake.etl(&format!("rollback weblogs.yaml --to {first}")).ok();
    drop(lease);
    assert_eq!(lake.value(COUNT), "100");
    // Its source is another one by now.
    lake.run_pipeline("weblogs.yaml", 0);
    is_sound(lake, "50");
}

fn what_is_condemned_is_not_published_again(lake: &Lake) {
    let (first, _) = two_versions(lake);
    lake.log("logs/a.log", 20);
    // The first run's rows are rebuilt: only the past has them.
    lake.run_pipeline("weblogs.yaml --full", 0);
    let (_, catalog) = catalog(lake);
    // A vacuum condemns them, and is stopped.
    let seen = catalog.snapshot().unwrap();
    let of_first = lake.below("").into_iter().filter(|key| key.contains(&first) && !key.ends_with("report.json")).collect();
    let sentence = catalog.condemn(&seen, Condemned { format: 1, keys: of_first, ..Condemned::default() }).unwrap().unwrap();
    assert_eq!(catalog.condemn(&seen, Condemned::default()).unwrap().map(|_| ()), None, "only one is the next");
    let before = lake.below("");
    lake.etl(&format!("rollback weblogs.yaml --to {first}")).fails(8).says("vacuum").says("nothing was changed");
    assert_eq!(lake.value(COUNT), "70");
    assert!(before.iter().all(|key| lake.below("").contains(key)));
    // It goes on.
    catalog.carry_out(&sentence).unwrap();
    lake.etl(&format!("rollback weblogs.yaml --to {first}")).fails(3).says("vacuum");
    is_sound(lake, "70");
}

/// A run that was stopped for so long that others cleaned up after it, at the worst moment: all is written but the head.
fn a_run_that_is_taken_for_dead_publishes_nothing(lake: &Lake) {
    let (first, second) = two_versions(lake);
    let (storage, catalog) = catalog(lake);
    let base = catalog.snapshot().unwrap();
    let run = RunId::new(chrono::Utc::now());
    let lease = Lease::take(&storage, &claim("weblogs", &run)).unwrap();
    // What it publishes is what is there: only who publishes counts.
    let mut table = catalog.find(&base, "weblogs", "access").unwrap();
    table.origin.run = run.to_string();
    // Condemned: the head says so.
    let runs = [run.to_string()].into();
    let sentence = catalog.condemn(&base, Condemned { format: 1, runs, ..Condemned::default() }).unwrap().unwrap();
    let error = catalog.commit(&base, vec![table.clone()], &lease).unwrap_err();
    assert!(error.to_string().contains("considered dead"), "{error}");
    catalog.carry_out(&sentence).unwrap();
    // And when all is done, the sign is gone, which comes back never.
    storage.delete(&[lease.key().to_string()]).unwrap();
    let run = RunId::new(chrono::Utc::now());
    table.origin.run = run.to_string();
    let error = catalog.commit(&catalog.snapshot().unwrap(), vec![table.clone()], &lease).unwrap_err();
    assert!(error.to_string().contains("considered this one dead"), "{error}");
    drop(lease);
    // A file that it refers to is gone.
    let lease = Lease::take(&storage, &claim("weblogs", &run)).unwrap();
    let run = RunId::new(chrono::Utc::now());
    table.origin.run = run.to_string();
    table.segments.iter_mut().for_each(|segment| segment.manifest = segment.manifest.replace(&second, &first));
    let base = catalog.snapshot().unwrap();
    table.segments[0].manifest = "_etl/runs/weblogs/gone/access.manifest.json".to_string();
    let error = catalog.commit(&base, vec![table], &lease).unwrap_err();
    assert_eq!(error.kind(), etl::ErrorKind::Conflict, "{error}");
    assert_eq!(catalog.snapshot().unwrap().head, base.head);
    drop(lease);
    is_sound(lake, "150");
}

/// A run was killed when it had published, and another has published since: what both wrote is read.
fn a_run_that_was_published_over_is_not_cleaned_up_after(lake: &Lake) {
    let (first, _) = two_versions(lake);
    let (storage, _) = catalog(lake);
    let text = serde_json::to_vec(&claim("weblogs", &RunId::of_folder(&first).unwrap())).unwrap();
    storage.put(&format!("_etl/active/weblogs/{first}.json"), text).unwrap();
    if lake.location != "lake" {
        // Its sign is old only after a minute: a vacuum of all that is older than nothing leaves it alone till then.
        lake.etl(&format!("vacuum {} --older-than 0s", lake.location)).ok();
    }
    is_sound(lake, "150");
}

fn the_work_of_a_vacuum_that_died_is_finished_by_the_next(lake: &Lake) {
    two_versions(lake);
    let (storage, catalog) = catalog(lake);
    let what = |key: &str| Condemned { format: 1, keys: [key.to_string()].into(), ..Condemned::default() };
    for key in ["weblogs/access/20200301T030000000Z-7f3a9c01/part-00000.parquet", "weblogs/access/20200301T030000000Z-7f3a9c02/x"] {
        storage.put(key, "left").unwrap();
    }
    // One died when its list was named, one just before.
    catalog.condemn(&catalog.snapshot().unwrap(), what("weblogs/access/20200301T030000000Z-7f3a9c01/part-00000.parquet")).unwrap().unwrap();
    storage.put("_etl/catalog/condemned/0000000000000000.json", serde_json::to_vec(&what("_etl/catalog/head.json")).unwrap()).unwrap();
    lake.run_pipeline("weblogs.yaml", 0);
    lake.etl(&format!("vacuum {} --older-than 0s --dry-run", lake.location)).ok();
    assert_eq!(lake.below("_etl/catalog/condemned").len(), 2);
    lake.etl(&format!("vacuum {} --older-than 0s", lake.location)).ok();
    assert_eq!(lake.below("_etl/catalog/condemned"), [] as [&str; 0]);
    assert!(lake.below("weblogs").iter().all(|key| !key.contains("20200301T030000000Z")));
    assert_eq!(catalog.snapshot().unwrap().head.condemned, [] as [&str; 0]);
    is_sound(lake, "150");
}

fn signs_of_killed_runs_go(lake: &Lake) {
    two_versions(lake);
    let (storage, _) = catalog(lake);
    let run = RunId::new(chrono::Utc::now());
    let text = serde_json::to_vec(&claim("never_again", &run)).unwrap();
    storage.put(&format!("_etl/active/never_again/{run}.json"), text).unwrap();
    storage.put(&format!("weblogs/access/{run}/part-00000.parquet"), "half").unwrap();
    if lake.location == "lake" {
        lake.write("lake/_etl/active/weblogs/20200301T030000000Z-7f3a9c01.new", "{\"run\"");
        lake.write("lake/_etl/active/never_again/20200301T030000000Z-7f3a9c01.new", "");
        lake.write("lake/_etl/active/weblogs/20200301T030000000Z-7f3a9c02.json", "");
        lake.run_pipeline("weblogs.yaml", 0);
        assert_eq!(lake.below("_etl/active/weblogs"), [] as [&str; 0]);
        lake.etl("vacuum lake --older-than 0s").ok();
        assert_eq!(lake.below("_etl/active"), [] as [&str; 0]);
        assert!(!lake.below("weblogs").iter().any(|key| key.contains(run.as_str())));
    } else {
        // What was written a moment ago may be that of a run at work.
        lake.etl(&format!("vacuum {} --older-than 0s", lake.location)).ok();
        assert_eq!(lake.below("_etl/active").len(), 1);
        assert!(lake.below("weblogs").iter().any(|key| key.contains(run.as_str())));
        storage.delete(&lake.below("_etl/active")).unwrap();
    }
    is_sound(lake, "150");
}

#[test]
fn repairs_have_examples() {
    let outcome = Etl::new().etl("catalog repair --help").ok();
    assert!(String::from_utf8(outcome.stdout).unwrap().contains("--dry-run"));
}
