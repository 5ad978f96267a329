//! What goes wrong with buckets by a user's hand: it is refused, told of, and never shows a password.

use crate::etl::Outcome;
use crate::lake::{APPEND, Lake};

#[test]
fn of_two_runs_that_replace_the_same_objects_one_wins() {
    let Some(lake) = Lake::in_bucket() else { return };
    let to = format!("{}/cy", lake.location);
    lake.log("old.log", 100).log("new.log", 3000);
    lake.convert(&format!("old.log -o {to} --to csv --splits 30")).ok();
    for round in 0..4 {
        let start = |splits: u32| {
            let arguments = format!("convert new.log -o {to} --to csv --splits {splits} --overwrite");
            lake.command(arguments.split_whitespace()).spawn().unwrap()
        };
        let racers = [start(21), start(29)];
        let outcomes = racers.map(|racer| Outcome::of(racer.wait_with_output().unwrap()));
        let won = outcomes.iter().filter(|outcome| outcome.code == Some(0)).count();
        assert!(won >= 1, "round {round}: {outcomes:?}");
        for outcome in outcomes {
            if outcome.code != Some(0) {
                outcome.fails(8).says("another run");
            }
        }
        let sql = format!("SELECT count(*) FROM '{to}'");
        let count = lake.run(["query", "--format", "csv", &sql]).ok();
        assert_eq!(String::from_utf8_lossy(&count.stdout).lines().nth(1), Some("3000"), "round {round}");
    }
}

#[test]
fn objects_and_folders_are_not_taken_for_each_other() {
    let Some(lake) = Lake::in_bucket() else { return };
    lake.log("a.log", 10);
    let storage = lake.storage().unwrap();
    storage.put("a.log", "x").unwrap();
    lake.convert(&format!("a.log -o {}/a.log", lake.location)).fails(4).says("is an object");
    lake.convert(&format!("a.log -o {0}/out --rejects {0}/rejects/", lake.location)).fails(2).says("is a folder");
    assert_eq!(lake.below(""), ["a.log"]);
}

#[test]
fn addresses_and_keys_that_are_none_are_refused_without_being_shown() {
    let Some(lake) = Lake::in_bucket() else { return };
    let sql = format!("SELECT 1 FROM '{}/x.csv'", lake.location);
    for address in ["http://me:hunter2/x@127.0.0.1:1", "me:hunter2@127.0.0.1:1", "http:me:hunter2@host", "http://me:hunter2 x@127.0.0.1:1"]
    {
        let outcome = lake.run(["--endpoint-url", address, "query", &sql]).fails(2);
        assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
        lake.write(
            "web.yaml",
            APPEND.replace("{location: lake}", &format!("{{location: 's3://bucket/x', s3: {{endpoint_url: '{address}'}}}}")),
        );
        let outcome = lake.etl("validate web.yaml").fails(2);
        assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    }
    let outcome = lake.run(["query", "SELECT 1 FROM 's3://AKIA:hunter2@bucket/x.csv'"]);
    assert!(outcome.code != Some(0) && !outcome.stderr.contains("hunter2@"), "{}", outcome.stderr);
    // A line end behind a key that comes from a file.
    let key = std::env::var("AWS_ACCESS_KEY_ID").unwrap();
    let run = |id: &str| Outcome::of(lake.command(["query", &sql]).env("AWS_ACCESS_KEY_ID", id).output().unwrap());
    run(&format!("{key}\n")).fails(3).says("there is no");
    run("AK\u{7}IA").fails(3).says("keys never have");
    lake.pipeline("web.yaml", APPEND.replace("lake: {", "lake: {s3: {path_style: false}, "));
    lake.log("logs/a.log", 1).etl("run web.yaml").fails(2).says("path_style");
}
