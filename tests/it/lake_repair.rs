//! What is destroyed of a lake, and how far it can be brought back.

use crate::lake::{APPEND, Lake, on_both_lakes};
use serde_json::Value;

on_both_lakes! {
    a_description_that_is_lost_is_written_again,
    a_table_whose_files_are_lost_goes_back_to_its_last_whole_version,
    a_head_that_is_lost_is_made_anew_of_what_was_published,
    what_can_not_be_repaired_is_told_and_can_be_made_anew,
    what_is_whole_is_left_alone,
    a_head_that_was_edited_is_made_anew,
    bytes_that_were_changed_are_found_where_they_are_asked_for,
}

const COUNT: &str = "SELECT count(*) FROM weblogs.access";

/// Three versions, of 100, 150 and 160 rows; gives their runs.
fn three_versions(lake: &Lake) -> [String; 3] {
    lake.pipeline("weblogs.yaml", APPEND);
    [("a", 100), ("b", 50), ("c", 10)].map(|(name, lines)| {
        lake.log(&format!("logs/{name}.log"), lines);
        lake.run_pipeline("weblogs.yaml", 0)["run"].as_str().unwrap().to_string()
    })
}

fn remove(lake: &Lake, keys: &[String]) {
    assert!(!keys.is_empty());
    lake.storage().unwrap().delete(keys).unwrap();
}

fn of_run(lake: &Lake, folder: &str, run: &str) -> Vec<String> {
    lake.below(folder).into_iter().filter(|key| key.contains(run)).collect()
}

fn repair(lake: &Lake) -> Value {
    let before = lake.below("");
    let told = lake.json(&format!("catalog repair --lake {} --dry-run", lake.location));
    assert_eq!(lake.below(""), before, "a dry run writes nothing");
    let done = lake.json(&format!("catalog repair --lake {}", lake.location));
    assert_eq!(told["tables"], done["tables"]);
    done["tables"][0].clone()
}

#[track_caller]
fn is_sound(lake: &Lake, rows: &str) {
    assert_eq!(lake.value(COUNT), rows);
    lake.etl(&format!("catalog repair --lake {}", lake.location)).ok().says("nothing to repair");
    lake.etl(&format!("vacuum {} --older-than 1h", lake.location)).ok();
    lake.etl("run weblogs.yaml").ok();
    assert_eq!(lake.value(COUNT), "160");
    lake.run_pipeline("weblogs.yaml --full", 0);
    lake.etl(&format!("vacuum {} --older-than 0s", lake.location)).ok();
    assert_eq!(lake.value(COUNT), "160");
}

fn a_description_that_is_lost_is_written_again(lake: &Lake) {
    let runs = three_versions(lake);
    let described = of_run(lake, "_etl/catalog/tables", &runs[2]);
    let storage = lake.storage().unwrap();
    let text = storage.get(&described[0]).unwrap().unwrap().bytes;
    for damage in ["", "{", "edited"] {
        match damage {
            "" => remove(lake, &described),
            "edited" => storage.put(&described[0], String::from_utf8_lossy(&text).replace("160", "161").into_bytes()).unwrap(),
            damage => storage.put(&described[0], damage).unwrap(),
        }
        if damage != "edited" {
            let hint = "catalog repair";
            lake.run(["query", "--lake", &lake.location, COUNT]).fails(3).says(hint);
            lake.etl("run weblogs.yaml").fails(3).says(hint);
            lake.etl(&format!("vacuum {} --older-than 0s", lake.location)).fails(3).says(hint);
        }
        let repaired = repair(lake);
        assert_eq!((repaired["action"].as_str(), repaired["rows"].as_u64()), (Some("restored"), Some(160)), "{repaired}");
        assert_eq!(storage.get(&described[0]).unwrap().unwrap().bytes, text, "as it was");
    }
    lake.etl(&format!("rollback weblogs.yaml --to {}", runs[0])).ok();
    assert_eq!(lake.value(COUNT), "100");
    lake.etl(&format!("rollback weblogs.yaml --to {}", runs[2])).ok();
    is_sound(lake, "160");
}

fn a_table_whose_files_are_lost_goes_back_to_its_last_whole_version(lake: &Lake) {
    let runs = three_versions(lake);
    remove(lake, &of_run(lake, "weblogs", &runs[2]));
    lake.etl(&format!("catalog repair --lake {}", lake.location))
        .ok()
        .says(&format!("reset to version 2 of run {}, 150 rows: 10 fewer rows, those of run {}", runs[1], runs[2]))
        .says("part-00000.parquet is gone");
    is_sound(lake, "150");
    // A manifest is as good as its files, and the description may be gone as well.
    let runs = [runs[0].clone(), lake.run_pipeline("weblogs.yaml --full", 0)["run"].as_str().unwrap().to_string()];
    lake.run_pipeline("weblogs.yaml --full", 0);
    let newest = lake.json("history weblogs.yaml")[0]["report"]["run"].as_str().unwrap().to_string();
    remove(lake, &of_run(lake, "_etl/runs/weblogs", &newest).into_iter().filter(|key| !key.ends_with("report.json")).collect::<Vec<_>>());
    remove(lake, &of_run(lake, "_etl/catalog/tables", &newest));
    let repaired = repair(lake);
    assert_eq!((repaired["action"].as_str(), repaired["run"].as_str()), (Some("went_back"), Some(runs[1].as_str())), "{repaired}");
    is_sound(lake, "160");
}

fn a_head_that_is_lost_is_made_anew_of_what_was_published(lake: &Lake) {
    let runs = three_versions(lake);
    let storage = lake.storage().unwrap();
    // A run that never published: another one was faster.
    let described = of_run(lake, "_etl/catalog/tables", &runs[2]);
    let mut table: etl::catalog::Table = serde_json::from_slice(&storage.get(&described[0]).unwrap().unwrap().bytes).unwrap();
    let other = "20991231T000000000Z-00000000";
    (table.version, table.origin.run) = (4, other.to_string());
    table.digest = table.expected_digest();
    storage.put(&described[0].replace("000003", "000004").replace(&runs[2], other), serde_json::to_vec(&table).unwrap()).unwrap();
    for damage in [None, Some("{"), Some("")] {
        remove(lake, &["_etl/catalog/head.json".to_string()]);
        if let Some(damage) = damage {
            storage.put("_etl/catalog/head.json", damage).unwrap();
        }
        for command in ["run weblogs.yaml", "run weblogs.yaml --full", &format!("vacuum {} --older-than 0s", lake.location)] {
            lake.etl(command).fails(3).says("head.json");
        }
        let repaired = repair(lake);
        assert_eq!((repaired["action"].as_str(), repaired["run"].as_str()), (Some("found"), Some(runs[2].as_str())), "{repaired}");
        assert_eq!(lake.value(COUNT), "160");
    }
    // All descriptions are gone, too.
    remove(lake, &lake.below("_etl/catalog"));
    assert_eq!(repair(lake)["action"], "found");
    is_sound(lake, "160");
}

fn what_can_not_be_repaired_is_told_and_can_be_made_anew(lake: &Lake) {
    three_versions(lake);
    remove(lake, &lake.below("weblogs"));
    lake.etl(&format!("catalog repair --lake {}", lake.location)).fails(3).says("no version of it is intact").says("--full");
    lake.etl("run weblogs.yaml --full").ok();
    is_sound(lake, "160");
    remove(lake, &lake.below("_etl/catalog/tables"));
    remove(lake, &lake.below("_etl/runs").into_iter().filter(|key| !key.ends_with("report.json")).collect::<Vec<_>>());
    lake.etl("run weblogs.yaml").fails(3).says("catalog repair");
    lake.etl(&format!("catalog repair --lake {}", lake.location)).fails(3).says("nothing says what it was");
    lake.pipeline("other.yaml", APPEND.replace("name: weblogs", "name: other"));
    lake.etl("run other.yaml --full").fails(2).says("is a table of another pipeline");
    lake.etl("run weblogs.yaml --full").ok();
    is_sound(lake, "160");
}

fn a_head_that_was_edited_is_made_anew(lake: &Lake) {
    let runs = three_versions(lake);
    lake.pipeline("other.yaml", APPEND.replace("name: weblogs", "name: other").replace("weblogs.access", "weblogs.other"));
    lake.run_pipeline("other.yaml", 0);
    let storage = lake.storage().unwrap();
    let good = String::from_utf8(storage.get("_etl/catalog/head.json").unwrap().unwrap().bytes.to_vec()).unwrap();
    let newest = format!("000003-{}", runs[2]);
    for edited in [
        good.replace(&newest, "000009-nope"),
        good.replace(&newest, &format!("000001-{}", runs[0])),
        good.replace("\"version\": 3", "\"version\": 1"),
        good.replace("tables/weblogs/access/", "tables/weblogs/other/"),
        good.replace("_etl/catalog/tables/weblogs/access", "../../etc"),
    ] {
        assert_ne!(edited, good);
        storage.put("_etl/catalog/head.json", edited.into_bytes()).unwrap();
        let told = lake.etl(&format!("catalog repair --lake {}", lake.location)).ok();
        told.says("is inconsistent: it is rebuilt").says("weblogs.access is recovered: version 3, 160 rows");
        assert_eq!(lake.value(COUNT), "160");
        assert_eq!(lake.value("SELECT count(*) FROM weblogs.other"), "160");
        lake.etl(&format!("catalog repair --lake {}", lake.location)).ok().says("nothing to repair");
    }
    storage.put("_etl/catalog/head.json", good.replace("\"format\": 1", "\"format\": 99").into_bytes()).unwrap();
    for command in ["catalog list --lake", "catalog repair --lake", "vacuum"] {
        lake.etl(&format!("{command} {}", lake.location)).fails(3).says("has format 99");
    }
    storage.delete(&["_etl/catalog/head.json".to_string()]).unwrap();
    lake.etl(&format!("catalog list --lake {}", lake.location)).fails(3).says("head.json is missing");
    lake.run(["query", "--lake", &lake.location, COUNT]).fails(3).says("head.json is missing");
    lake.etl(&format!("catalog repair --lake {}", lake.location)).ok();
    is_sound(lake, "160");
}

fn bytes_that_were_changed_are_found_where_they_are_asked_for(lake: &Lake) {
    let runs = three_versions(lake);
    let storage = lake.storage().unwrap();
    let key = of_run(lake, "weblogs", &runs[2]).into_iter().next().unwrap();
    let mut bytes = storage.get(&key).unwrap().unwrap().bytes.to_vec();
    bytes[20] ^= 1;
    storage.put(&key, bytes).unwrap();
    lake.etl(&format!("catalog repair --lake {}", lake.location)).ok().says("nothing to repair");
    let told = lake.etl(&format!("catalog repair --lake {} --checksums", lake.location)).ok();
    told.says("differs from what was written").says("reset to version 2");
    is_sound(lake, "150");
}

fn what_is_whole_is_left_alone(lake: &Lake) {
    let runs = three_versions(lake);
    lake.pipeline("other.yaml", APPEND.replace("name: weblogs", "name: other").replace("weblogs.access", "weblogs.other"));
    lake.run_pipeline("other.yaml", 0);
    let head = |lake: &Lake| lake.storage().unwrap().get("_etl/catalog/head.json").unwrap().unwrap().bytes;
    let before = head(lake);
    lake.etl(&format!("catalog repair --lake {}", lake.location)).ok().says("nothing to repair").says("weblogs.other is intact");
    assert_eq!(head(lake), before);
    remove(lake, &of_run(lake, "weblogs", &runs[2]));
    let whole = |value: &Value| value["databases"]["weblogs"]["tables"]["other"].clone();
    lake.etl(&format!("catalog repair --lake {}", lake.location)).ok();
    let parsed = |bytes: &[u8]| whole(&serde_json::from_slice::<Value>(bytes).unwrap());
    assert_eq!(parsed(&before), parsed(&head(lake)));
    lake.etl("catalog repair --lake nowhere").fails(3).says("there is no lake");
    is_sound(lake, "150");
}
