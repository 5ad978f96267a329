//! Pipelines on a lake that is a folder: what runs read, write and publish.

use crate::lake::{APPEND, Lake, action, log_of_day, on_both_lakes};

on_both_lakes! {
    a_run_makes_tables_that_queries_read_and_the_next_one_has_nothing_to_do,
    rows_of_new_files_are_added_and_files_that_changed_replace_their_rows,
    by_checksum_a_file_that_was_touched_or_renamed_is_the_same,
    a_late_file_replaces_the_partitions_that_it_has_rows_in_and_loses_no_others,
    sql_makes_tables_of_sources_and_of_other_tables,
    only_the_outputs_that_are_asked_for_are_made,
    a_failed_check_keeps_readers_on_what_they_saw,
    a_plan_tells_what_a_run_would_do,
    an_earlier_run_can_be_brought_back_until_it_is_vacuumed,
    a_year_of_daily_logs_is_read_a_day_at_a_time,
    a_table_belongs_to_one_pipeline,
    what_is_missing_or_wrong_is_told_and_nothing_is_made,
    too_many_rejected_lines_stop_a_run_that_keeps_them,
    by_checksum_bytes_count_and_each_file_counts,
    a_table_of_nothing_that_is_incremental_is_what_its_sources_are,
    what_the_environment_gives_is_shown_nowhere,
    a_table_whose_files_are_gone_is_told_of,
}

const COUNT: &str = "SELECT count(*) FROM weblogs.access";

fn a_run_makes_tables_that_queries_read_and_the_next_one_has_nothing_to_do(etl: &Lake) {
    etl.pipeline("weblogs.yaml", APPEND).log("logs/a.log", 1000);
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!((report["status"].as_str(), action(&report, "access")), (Some("published"), "created"));
    assert_eq!(report["sources"][0]["lines"], 1000);
    assert_eq!(etl.value(COUNT), "1000");
    let before = etl.below("");
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!((report["status"].as_str(), action(&report, "access")), (Some("up_to_date"), "unchanged"));
    assert_eq!(etl.below(""), before);
    let run = report["outputs"][0]["location"].as_str().unwrap().split('/').nth(2).unwrap().to_string();
    assert!(etl.below("").contains(&format!("_etl/runs/weblogs/{run}/report.html")), "{before:?}");
    etl.etl("run weblogs.yaml").ok().says("nothing to do");
}

fn rows_of_new_files_are_added_and_files_that_changed_replace_their_rows(etl: &Lake) {
    etl.pipeline("weblogs.yaml", APPEND.replace("*.log}", "*.log, fingerprint: modified}")).log("logs/a.log", 100).log("logs/b.log", 10);
    etl.run_pipeline("weblogs.yaml", 0);
    etl.log("logs/c.log", 1);
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!((action(&report, "access"), report["outputs"][0]["rows"].as_u64()), ("appended", Some(1)));
    assert_eq!((report["sources"][0]["files_new"].as_u64(), report["sources"][0]["files_read"].as_u64()), (Some(1), Some(1)));
    assert_eq!(etl.value(COUNT), "111");
    // Delivered again, with more in it: what was made of it and of `a.log` together is made again.
    etl.log("logs/b.log", 20);
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!((action(&report, "access"), report["outputs"][0]["rows"].as_u64()), ("updated", Some(120)));
    assert_eq!(etl.value(COUNT), "121");
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
    // Rotated away: the rows stay.
    std::fs::remove_file(etl.path("logs/c.log")).unwrap();
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(action(&report, "access"), "unchanged");
    assert!(report["notes"].to_string().contains("kept: logs/c.log"), "{report}");
    // What can't be made again is not thrown away, unless that is asked for.
    std::fs::remove_file(etl.path("logs/a.log")).unwrap();
    etl.log("logs/b.log", 30);
    etl.etl("run weblogs.yaml").fails(3).says("this would lose rows that can't be rebuilt").says("logs/a.log").says("--full");
    assert_eq!(etl.value(COUNT), "121");
    etl.run_pipeline("weblogs.yaml --full", 0);
    assert_eq!(etl.value(COUNT), "30");
}

fn by_checksum_a_file_that_was_touched_or_renamed_is_the_same(etl: &Lake) {
    let pipeline = APPEND.replace("location: logs/*.log", "location: logs/*.log, fingerprint: checksum");
    etl.pipeline("weblogs.yaml", pipeline).log("logs/a.log", 100);
    etl.run_pipeline("weblogs.yaml", 0);
    std::fs::rename(etl.path("logs/a.log"), etl.path("logs/a.1.log")).unwrap();
    etl.log("logs/a.1.log", 100);
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
    assert_eq!(etl.value(COUNT), "100");
}

fn a_late_file_replaces_the_partitions_that_it_has_rows_in_and_loses_no_others(etl: &Lake) {
    let pipeline = APPEND.replace("mode: append", "mode: replace_partitions, partition_by: [dt]");
    etl.pipeline("weblogs.yaml", pipeline.replace("*.log}", "*.log, fingerprint: modified}"));
    etl.write("logs/1.log", log_of_day(1, 100)).write("logs/2.log", [log_of_day(1, 5), log_of_day(2, 200)].concat());
    etl.run_pipeline("weblogs.yaml", 0);
    let by_day =
        || etl.value("SELECT string_agg(dt || ':' || n, ' ' ORDER BY dt) FROM (SELECT dt, count(*) n FROM weblogs.access GROUP BY dt)");
    assert_eq!(by_day(), "2020-03-01:105 2020-03-02:200");
    etl.write("logs/3.log", log_of_day(3, 300));
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(report["outputs"][0]["partitions"].to_string(), "[\"dt=2020-03-03\"]");
    assert_eq!(by_day(), "2020-03-01:105 2020-03-02:200 2020-03-03:300");
    // Late rows of the first day: its partition is made of all files that have rows in it.
    etl.write("logs/4.log", log_of_day(1, 7));
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(report["outputs"][0]["partitions"].to_string(), "[\"dt=2020-03-01\"]");
    assert_eq!(by_day(), "2020-03-01:112 2020-03-02:200 2020-03-03:300");
    // Delivered again: what it had in another day is no longer there.
    etl.write("logs/2.log", log_of_day(2, 20));
    etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(by_day(), "2020-03-01:107 2020-03-02:20 2020-03-03:300");
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
    // Each partition lies in one folder, as Athena needs it.
    let table: serde_json::Value = etl.json(&format!("catalog show weblogs.access --lake {}", etl.location));
    let folders: Vec<String> =
        table["segments"].as_array().unwrap().iter().flat_map(|s| s["partitions"].as_object().unwrap().keys().cloned()).collect();
    assert_eq!(folders.len(), 3, "{table}");
}

const SQL: &str = "
version: 1
name: shop
lake: {location: lake}
sources:
  sales: {location: sales/*.csv}
  shops: {location: shops.csv, incremental: false}
transforms:
  named: {sql: 'SELECT s.day, h.city, s.amount FROM sales s JOIN shops h USING (shop_id)'}
  by_city: {sql: 'SELECT city, sum(amount) AS amount FROM named GROUP BY city ORDER BY city'}
outputs:
  named: {from: named, table: shop.named, format: json, mode: append}
  by_city: {from: by_city, table: shop.by_city, format: csv, description: 'Sales by city', columns: {city: 'Where'}}
verify:
  - unique: {table: shop.by_city, columns: [city]}
";

fn shop(etl: &Lake) {
    etl.pipeline("shop.yaml", SQL).write("shops.csv", "shop_id,city\n1,Bern\n2,Basel\n");
    etl.write("sales/1.csv", "day,shop_id,amount\n2020-03-01,1,10\n2020-03-01,2,5\n");
}

fn sql_makes_tables_of_sources_and_of_other_tables(etl: &Lake) {
    shop(etl);
    etl.run_pipeline("shop.yaml", 0);
    assert_eq!(etl.value("SELECT string_agg(city || amount, ' ' ORDER BY city) FROM shop.by_city"), "Basel5 Bern10");
    etl.write("sales/2.csv", "day,shop_id,amount\n2020-03-02,1,1\n");
    let report = etl.run_pipeline("shop.yaml", 0);
    assert_eq!((action(&report, "named"), action(&report, "by_city")), ("appended", "replaced"));
    assert_eq!(etl.value("SELECT count(*) || ' ' || sum(amount) FROM shop.named"), "3 16");
    assert_eq!(etl.value("SELECT string_agg(city || amount, ' ' ORDER BY city) FROM shop.by_city"), "Basel5 Bern11");
    // Another comment is no reason to write rows.
    etl.pipeline("shop.yaml", SQL.replace("'Where'", "'Where it is'"));
    let report = etl.run_pipeline("shop.yaml", 0);
    assert_eq!((action(&report, "named"), action(&report, "by_city")), ("unchanged", "altered"));
    etl.etl(&format!("catalog show shop.by_city --lake {}", etl.location)).ok();
    // Other SQL is one.
    etl.pipeline("shop.yaml", SQL.replace("ORDER BY city'", "ORDER BY city DESC'"));
    assert_eq!(action(&etl.run_pipeline("shop.yaml", 0), "by_city"), "replaced");
}

fn only_the_outputs_that_are_asked_for_are_made(etl: &Lake) {
    shop(etl);
    let report = etl.run_pipeline("shop.yaml --only by_city", 0);
    assert_eq!(report["outputs"].as_array().unwrap().len(), 1);
    etl.etl("run shop.yaml --only by_cty").fails(2).says("did you mean `by_city`?");
}

fn a_failed_check_keeps_readers_on_what_they_saw(etl: &Lake) {
    let check = "verify:\n  - {name: small, rows: {table: weblogs.access, max: 150}}\n  - {name: none, severity: warn, rows: {table: weblogs.access, max: 0}}\n";
    etl.pipeline("weblogs.yaml", format!("{APPEND}{check}")).log("logs/a.log", 100);
    let report = etl.run_pipeline("weblogs.yaml", 0);
    let passed: Vec<bool> = report["checks"].as_array().unwrap().iter().map(|check| check["passed"] == true).collect();
    assert_eq!(passed, [true, true, false]);
    etl.log("logs/b.log", 100);
    let report = etl.run_pipeline("weblogs.yaml", 7);
    assert_eq!(report["status"], "checks_failed");
    assert_eq!(etl.value(COUNT), "100");
    // Nothing of it stays but its report.
    let data: Vec<String> = etl.below("weblogs");
    assert_eq!(data.len(), 1, "{data:?}");
    etl.etl("history weblogs.yaml").ok();
    // Behind the publication it can only be told.
    etl.pipeline("weblogs.yaml", format!("{APPEND}{}", check.replace("max: 150}", "max: 150}, after: publish")));
    let report = etl.run_pipeline("weblogs.yaml", 7);
    assert_eq!((report["status"].as_str(), etl.value(COUNT).as_str()), (Some("published_checks_failed"), "200"));
}

fn a_plan_tells_what_a_run_would_do(etl: &Lake) {
    shop(etl);
    let plan = |code: i32| -> serde_json::Value {
        serde_json::from_slice(&etl.etl("plan --detailed-exitcode shop.yaml --json").fails(code).stdout).unwrap()
    };
    let planned = plan(2);
    assert_eq!(planned["outputs"][0]["action"], "created");
    assert_eq!(etl.below(""), [] as [String; 0]);
    let columns = planned["outputs"][1]["columns"].to_string();
    assert!(columns.contains("\"city\"") && columns.contains("bigint"), "{columns}");
    etl.etl("run shop.yaml --dry-run --detailed-exitcode").fails(2);
    etl.etl("run shop.yaml --dry-run").ok();
    etl.etl("plan shop.yaml").ok();
    etl.run_pipeline("shop.yaml", 0);
    assert_eq!(plan(0)["changes"], false);
    etl.pipeline("shop.yaml", SQL.replace("sum(amount) AS amount", "sum(amount) AS total, count(*) AS n"));
    let planned = String::from_utf8(etl.etl("plan --detailed-exitcode shop.yaml").fails(2).stdout).unwrap();
    for line in ["rebuild shop.by_city", "+ total bigint", "+ n bigint", "- amount bigint"] {
        assert!(planned.contains(line), "`{line}` is not in {planned}");
    }
    etl.pipeline("shop.yaml", SQL.replace("FROM named GROUP", "FROM nmaed GROUP"));
    etl.etl("plan shop.yaml").fails(1);
    // What others do to the files is seen.
    etl.pipeline("shop.yaml", SQL);
    etl.storage().unwrap().delete(&etl.below("shop/named")).unwrap();
    assert!(plan(2)["outputs"][0]["drift"].to_string().contains("is gone"));
}

fn an_earlier_run_can_be_brought_back_until_it_is_vacuumed(etl: &Lake) {
    etl.pipeline("weblogs.yaml", APPEND.replace("append", "overwrite")).log("logs/a.log", 100);
    let first = etl.run_pipeline("weblogs.yaml", 0)["run"].as_str().unwrap().to_string();
    etl.log("logs/a.log", 50);
    let second = etl.run_pipeline("weblogs.yaml", 0)["run"].as_str().unwrap().to_string();
    assert_eq!(etl.value(COUNT), "50");
    etl.etl(&format!("rollback weblogs.yaml --to {first}")).ok();
    assert_eq!(etl.value(COUNT), "100");
    etl.etl(&format!("rollback weblogs.yaml --to {first}")).fails(2).says("already");
    etl.etl("rollback weblogs.yaml --to nothing").fails(2).says(&second);
    etl.etl(&format!("rollback weblogs.yaml --to {second}")).ok();
    assert_eq!(etl.value(COUNT), "50");
    let runs = etl.json("history weblogs.yaml");
    assert_eq!(runs.as_array().unwrap().len(), 4);
    let before = etl.below("");
    etl.etl(&format!("vacuum {}", etl.location)).ok().says("0 files");
    etl.etl(&format!("vacuum {} --older-than 0s --dry-run", etl.location)).ok().says("would be removed");
    assert_eq!(etl.below(""), before);
    etl.etl(&format!("vacuum {} --older-than 0s", etl.location)).ok();
    assert_eq!((etl.value(COUNT).as_str(), etl.below("weblogs").len()), ("50", 1));
    etl.etl(&format!("rollback weblogs.yaml --to {first}")).fails(3).says("vacuum");
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "unchanged");
}

fn a_year_of_daily_logs_is_read_a_day_at_a_time(etl: &Lake) {
    etl.pipeline("weblogs.yaml", APPEND.replace("mode: append", "mode: append, partition_by: [dt]"));
    for day in 0..365 {
        etl.log(&format!("logs/{day:03}.log"), 20);
    }
    let report = etl.run_pipeline("weblogs.yaml", 0);
    assert_eq!(report["sources"][0]["files_read"], 365);
    etl.log("logs/365.log", 20);
    let report = etl.run_pipeline("weblogs.yaml", 0);
    let source = &report["sources"][0];
    assert_eq!((source["files_read"].as_u64(), source["files_unchanged"].as_u64()), (Some(1), Some(365)));
    assert_eq!(source["lines"], 20);
    assert_eq!(etl.value(COUNT), (366 * 20).to_string());
}

fn a_table_belongs_to_one_pipeline(etl: &Lake) {
    etl.pipeline("weblogs.yaml", APPEND).pipeline("other.yaml", APPEND.replace("name: weblogs", "name: other")).log("logs/a.log", 10);
    etl.run_pipeline("weblogs.yaml", 0);
    etl.etl("run other.yaml").fails(2).says("is a table of the pipeline `weblogs`");
}

fn what_is_missing_or_wrong_is_told_and_nothing_is_made(etl: &Lake) {
    etl.pipeline("weblogs.yaml", APPEND);
    etl.etl("run weblogs.yaml").fails(3).says("no file matches");
    etl.etl("run wblogs.yaml").fails(3);
    etl.etl("catalog list --lake nowhere").fails(3);
    assert_eq!(etl.below("weblogs"), [] as [String; 0]);
}

fn too_many_rejected_lines_stop_a_run_that_keeps_them(etl: &Lake) {
    etl.pipeline("weblogs.yaml", APPEND.replace("logs/*.log}", "logs/*.log, max_reject_rate: 1%}"));
    etl.log("logs/a.log", 100).write("logs/b.log", "this is no request\n".repeat(5));
    let outcome = etl.etl("run weblogs.yaml").fails(5).says("rejected lines: ");
    let run = outcome.stderr.split("/_etl/runs/weblogs/").nth(1).unwrap().split('/').next().unwrap().to_string();
    let kept = etl.storage().unwrap().get(&format!("_etl/runs/weblogs/{run}/rejects-access.jsonl")).unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&kept.bytes).matches("this is no request").count(), 5);
    assert_eq!(etl.below("weblogs"), [] as [String; 0]);
    // A file of which no line can be read is too much where nothing is said of rejects; it is not taken for read.
    etl.pipeline("weblogs.yaml", APPEND);
    for _ in 0..2 {
        let outcome = etl.etl("run weblogs.yaml").fails(5).says("logs/b.log can be read as combined (5 rejected)");
        outcome.says("%t is not a time").says("logs/b.log:1 ").says("rejected lines: ");
        assert_eq!(etl.below("weblogs"), [] as [String; 0]);
    }
    etl.etl("plan --detailed-exitcode weblogs.yaml").fails(2);
    // The rejects of a run that is published are kept as well.
    etl.pipeline("weblogs.yaml", APPEND.replace("logs/*.log}", "logs/*.log, max_reject_rate: 100%}"));
    let report = etl.run_pipeline("weblogs.yaml", 0);
    let source = &report["sources"][0];
    assert_eq!((source["lines"].as_u64(), source["rows"].as_u64(), source["rejects"].as_u64()), (Some(105), Some(100), Some(5)));
    assert!(etl.below("_etl/runs").contains(&source["rejects_file"].as_str().unwrap().to_string()));
    assert!(report["notes"].to_string().contains("access: every line of "), "{report}");
}

fn by_checksum_bytes_count_and_each_file_counts(etl: &Lake) {
    let pipeline = APPEND.replace("location: logs/*.log", "location: logs/*.log, fingerprint: checksum");
    etl.pipeline("weblogs.yaml", pipeline).log("logs/a.log", 100);
    etl.run_pipeline("weblogs.yaml", 0);
    // A copy is a file of its own.
    etl.log("logs/b.log", 100);
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "appended");
    assert_eq!(etl.value(COUNT), "200");
    // Other bytes are other rows, whatever size and time say.
    let path = etl.path("logs/a.log");
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    let text = String::from_utf8(etl.read("logs/a.log")).unwrap().replacen(" 200 ", " 299 ", 1);
    etl.write("logs/a.log", text);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(action(&etl.run_pipeline("weblogs.yaml", 0), "access"), "updated");
    assert_eq!(etl.value("SELECT count(*) FROM weblogs.access WHERE status = 299"), "1");
}

fn a_table_of_nothing_that_is_incremental_is_what_its_sources_are(etl: &Lake) {
    shop(etl);
    let text = SQL
        .replace("by_city, table", "shops, table")
        .replace("shop.by_city", "shop.shops")
        .replace(", description: 'Sales by city', columns: {city: 'Where'}", ", mode: append");
    etl.pipeline("shop.yaml", text.replace("columns: [city]", "columns: [shop_id]"));
    etl.run_pipeline("shop.yaml", 0);
    etl.write("shops.csv", "shop_id,city\n1,Bern\n2,Basel\n3,Chur\n");
    let report = etl.run_pipeline("shop.yaml", 0);
    assert_eq!((action(&report, "named"), action(&report, "by_city")), ("unchanged", "replaced"));
    assert!(report["notes"].to_string().contains("shops has changed"), "{report}");
    assert_eq!(etl.value("SELECT count(*) FROM shop.shops"), "3");
}

fn what_the_environment_gives_is_shown_nowhere(etl: &Lake) {
    let checks = "verify:
  - {name: 'n ${env:ETL_TEST_SECRET}', value: {sql: \"SELECT 'x'\", equals: '${env:ETL_TEST_SECRET}'}, severity: warn}
  - {value: {sql: 'SELECT ${env:ETL_TEST_SECRET}', equals: 1}, severity: warn}
";
    etl.pipeline("weblogs.yaml", format!("{APPEND}{checks}")).log("logs/a.log", 10);
    let run = |arguments: &[&str]| {
        let outcome = etl.command(arguments).env("ETL_TEST_SECRET", "hunter2secret").output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&outcome.stderr))
    };
    let mut told = run(&["run", "weblogs.yaml"]);
    assert!(told.contains("n [redacted]"), "{told}");
    told += &run(&["history", "weblogs.yaml", "--json"]);
    let storage = etl.storage().unwrap();
    for key in etl.below("_etl") {
        told += &String::from_utf8_lossy(&storage.get(&key).unwrap().unwrap().bytes);
    }
    assert!(!told.contains("hunter2"), "{told}");
}

fn a_table_whose_files_are_gone_is_told_of(etl: &Lake) {
    etl.pipeline("weblogs.yaml", APPEND).log("logs/a.log", 10);
    etl.run_pipeline("weblogs.yaml", 0);
    etl.storage().unwrap().delete(&etl.below("weblogs")).unwrap();
    assert!(etl.run_pipeline("weblogs.yaml", 0)["notes"].to_string().contains("1 of its files is gone"));
    // Without the object that says what is read, nothing is taken for rubbish.
    etl.run_pipeline("weblogs.yaml --full", 0);
    etl.storage().unwrap().delete(&["_etl/catalog/head.json".to_string()]).unwrap();
    let before = etl.below("");
    etl.etl(&format!("vacuum {} --older-than 0s", etl.location)).fails(3).says("head.json");
    assert_eq!(etl.below(""), before);
    etl.etl("run wrong.yaml --dry-run").fails(1);
}
