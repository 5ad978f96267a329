//! Tables get other names, and tables that no output makes any more are dropped: in the lake, and for the readers of Glue.

use crate::glue_lake::GlueLake;
use crate::glue_proxy::refused;
use crate::lake::{Lake, log_of_day, on_both_lakes};
use crate::same_rows::{As, same};

on_both_lakes!(
    a_table_goes_on_under_another_name,
    tables_without_an_output_are_dropped_where_that_is_asked_for,
    what_was_dropped_is_brought_back_until_a_vacuum_has_removed_it,
    renames_are_checked_before_anybody_is_asked,
);

const WEB: &str = "
version: 1
name: web
lake: {location: lake}
sources: {access: {location: 'in/*.log'}}
transforms: {by_status: {sql: 'SELECT status, count(*) AS requests FROM access GROUP BY status'}}
outputs:
  access: {from: access, table: web.access, mode: append, partition_by: [dt]}
";
const BY_STATUS: &str = "  by_status: {from: by_status, table: web.by_status}\n";

fn rename(location: &str, from: &str, to: &str) -> String {
    format!("catalog rename {from} {to} --lake {location}")
}

fn a_table_goes_on_under_another_name(lake: &Lake) {
    lake.pipeline("web.yaml", WEB).write("in/1.log", log_of_day(1, 20));
    let first = lake.run_pipeline("web.yaml", 0)["run"].as_str().unwrap().to_string();
    let location = &lake.location;
    lake.etl(&rename(location, "web.access", "old.requests")).fails(2).says("can't ask for confirmation").says("add --yes");
    lake.etl(&format!("{} --yes", rename(location, "web.none", "old.x"))).fails(2).says("web.none");
    lake.etl(&format!("{} --yes", rename(location, "web.access", "old.9x"))).fails(2).says("is not a valid table name");
    let done = lake.etl(&format!("{} --yes", rename(location, "web.access", "old.requests"))).ok();
    done.says("renamed web.access to old.requests").says("also change `table:` to old.requests in the pipeline `web`");
    assert_eq!(lake.value("SELECT count(*) FROM old.requests"), "20");
    lake.etl(&format!("catalog show web.access --lake {location}")).fails(2);
    // Its pipeline goes on from what is there, and so does who asks for what was.
    lake.pipeline("web.yaml", WEB.replace("web.access", "old.requests"));
    assert_eq!(lake.run_pipeline("web.yaml", 0)["status"], "up_to_date");
    assert!(!lake.json("plan web.yaml")["outputs"].to_string().contains("drift\":[\""));
    lake.write("in/2.log", log_of_day(2, 5));
    lake.run_pipeline("web.yaml", 0);
    assert_eq!(lake.value("SELECT count(*) FROM old.requests"), "25");
    assert_eq!(lake.value("SELECT count(*) FROM old.requests FOR VERSION AS OF 1"), "20");
    // No vacuum takes the files that lie where it was called otherwise.
    lake.etl(&format!("vacuum {location} --older-than 0s")).ok();
    assert_eq!(lake.value("SELECT count(*) FROM old.requests"), "25");
    lake.etl(&format!("rollback web.yaml --to {first}")).fails(3).says("old.requests can no longer be read as it was then");
    lake.write("in/3.log", log_of_day(3, 5));
    let last = lake.run_pipeline("web.yaml", 0)["run"].as_str().unwrap().to_string();
    lake.write("in/4.log", log_of_day(4, 5));
    lake.run_pipeline("web.yaml", 0);
    lake.etl(&format!("rollback web.yaml --to {last}")).ok();
    assert_eq!(lake.value("SELECT count(*) FROM old.requests"), "30");
    // A name that is taken is refused; names of different letters are one.
    lake.pipeline("web.yaml", format!("{}{BY_STATUS}", WEB.replace("web.access", "old.requests")));
    lake.run_pipeline("web.yaml", 0);
    lake.etl(&format!("{} --yes", rename(location, "old.requests", "WEB.By_Status"))).fails(2).says("table web.by_status already exists");
    assert_eq!(lake.value("SELECT count(*) FROM old.requests"), "35");
}

fn renames_are_checked_before_anybody_is_asked(lake: &Lake) {
    let location = lake.location.as_str();
    lake.pipeline("web.yaml", format!("{WEB}{BY_STATUS}")).write("in/1.log", log_of_day(1, 20));
    lake.run_pipeline("web.yaml", 0);
    lake.etl(&rename(location, "web.acces", "web.x")).fails(2).says("did you mean `web.access`?");
    lake.etl(&rename(location, "web.access", "web.by_status")).fails(2).says("table web.by_status already exists");
    lake.etl(&rename(location, "web.access", "web.access")).fails(2).says("web.access is the name that the table has");
    lake.etl(&format!("{} --yes", rename(location, "web.access", "Web.Requests"))).ok().says("in lower case, so it is web.requests");
    // The history has it, is not shortened by it, and readers see the table by its new name.
    let outcome = lake.etl("history web.yaml --limit 1").ok();
    assert!(String::from_utf8_lossy(&outcome.stdout).contains("web.access -> web.requests"), "{outcome:?}");
    outcome.says("web.requests");
    assert_eq!(lake.json("history web.yaml --limit 2").as_array().unwrap().len(), 2);
    assert_eq!(lake.json(&format!("catalog show requests --lake {location}"))["name"], "requests");
    lake.etl(&format!("catalog show requsts --lake {location}")).fails(2).says("did you mean `requests`?");
}

fn what_was_dropped_is_brought_back_until_a_vacuum_has_removed_it(lake: &Lake) {
    let location = lake.location.as_str();
    lake.pipeline("web.yaml", format!("{WEB}{BY_STATUS}")).write("in/1.log", log_of_day(1, 20)).write("in/2.log", log_of_day(2, 5));
    let first = lake.run_pipeline("web.yaml", 0)["run"].as_str().unwrap().to_string();
    std::fs::remove_file(lake.path("in/1.log")).unwrap();
    // Rows that no run makes again are told before it is asked.
    let drop = format!("catalog drop web.access --lake {location} --force");
    lake.etl(&drop).fails(2).says("up to 25 of its 25 rows can't be rebuilt by a run").says("in/1.log").says("can't ask for confirmation");
    lake.etl(&format!("{drop} --yes")).ok().says("dropped web.access").says("`etl rollback` brings it back");
    let history = String::from_utf8(lake.etl("history web.yaml --limit 1").ok().stdout).unwrap();
    assert!(history.contains("table dropped") && history.contains("- web.access"), "{history}");
    // A vacuum keeps it as it keeps earlier versions, so it can be asked as it was, and be restored.
    lake.etl(&format!("vacuum {location}")).ok();
    let count = "SELECT count(*) FROM web.access";
    let asked = lake.run(["query", "--lake", location, "--at", &first, "--format", "csv", count]).ok();
    assert_eq!(asked.stdout, b"count(*)\n25\n");
    lake.run(["query", "--lake", location, count]).fails(6);
    lake.etl(&format!("rollback web.yaml --to {}", &first[..19])).ok().says("is restored").says("is now version 2");
    assert_eq!(lake.value(count), "25");
    lake.etl("rollback web.yaml --to last").fails(2).says("readers already see what");
    // One that is made again goes on with its history, and what it was comes back.
    lake.etl(&format!("{drop} --yes")).ok();
    lake.run_pipeline("web.yaml", 0);
    assert_eq!(lake.value(count), "5");
    lake.etl(&format!("rollback web.yaml --to {first}")).ok();
    assert_eq!(lake.value(count), "25");
    // What a vacuum has removed is gone, and that is said.
    let newest = lake.json("history web.yaml --limit 1")[0]["report"]["run"].as_str().unwrap().to_string();
    lake.etl(&format!("{drop} --yes")).ok();
    lake.etl(&format!("vacuum {location} --older-than 0s")).ok();
    lake.etl(&format!("rollback web.yaml --to {newest}")).fails(3).says("web.access, which was dropped on").says("`etl vacuum` removed");
}

fn tables_without_an_output_are_dropped_where_that_is_asked_for(lake: &Lake) {
    lake.pipeline("web.yaml", format!("{WEB}{BY_STATUS}")).write("in/1.log", log_of_day(1, 20));
    lake.run_pipeline("web.yaml", 0);
    lake.pipeline("web.yaml", WEB);
    let plan = lake.json("plan web.yaml");
    assert_eq!((&plan["changes"], &plan["dropped"]), (&false.into(), &serde_json::Value::Null), "{plan}");
    assert!(plan["notes"].to_string().contains("no output writes web.by_status any more; it is kept"), "{plan}");
    lake.pipeline("web.yaml", format!("removed_tables: drop\n{WEB}"));
    let shown = lake.etl("plan web.yaml --detailed-exitcode").fails(2).stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("- drop web.by_status: no output writes it any more") && shown.contains("1 table would be dropped"), "{shown}");
    // Where only some are asked for, others are left alone.
    lake.run_pipeline("web.yaml --only access", 0);
    assert_ne!(lake.value("SELECT count(*) FROM web.by_status"), "0");
    let report = lake.run_pipeline("web.yaml", 0);
    assert_eq!((&report["status"], &report["dropped"]), (&"published".into(), &serde_json::json!(["web.by_status"])));
    lake.etl(&format!("catalog show web.by_status --lake {}", lake.location)).fails(2);
    assert_eq!(lake.value("SELECT count(*) FROM web.access"), "20");
    assert_eq!(lake.run_pipeline("web.yaml", 0)["status"], "up_to_date");
    lake.pipeline("web.yaml", format!("removed_tables: drop\n{WEB}{BY_STATUS}"));
    lake.run_pipeline("web.yaml", 0);
    assert_ne!(lake.value("SELECT count(*) FROM web.by_status"), "0");
}

#[test]
fn glue_is_told_of_names_and_of_what_is_dropped() {
    let Some(lake) = GlueLake::get() else { return };
    lake.pipeline("web.yaml", &format!("{WEB}{BY_STATUS}")).write("in/1.log", log_of_day(1, 20)).write("in/2.log", log_of_day(2, 20));
    lake.etl("run web.yaml").ok();
    lake.etl("catalog rename web.access web.access2 --catalog glue").fails(2).says("can't be renamed in Glue");
    let done = lake.etl(&format!("{} --yes --json", rename(&lake.location(), "web.access", "web.requests"))).ok();
    assert!(String::from_utf8(done.stdout).unwrap().contains("renamed to"), "{}", done.stderr);
    assert!(lake.glue.table(&lake.database("web"), "access").is_none());
    same(&lake, "web.requests", "requests", As::Typed);
    lake.pipeline("web.yaml", &format!("{}{BY_STATUS}", WEB.replace("web.access", "web.requests")));
    lake.etl("run web.yaml").ok().says("nothing to do");
    lake.write("in/3.log", log_of_day(2, 7));
    lake.etl("run web.yaml").ok();
    same(&lake, "web.requests", "requests", As::Typed);
    // Glue refuses: the next run takes the table out, which a plan says.
    lake.pipeline("web.yaml", &format!("removed_tables: drop\n{}", WEB.replace("web.access", "web.requests")));
    lake.proxy.always("DeleteTable", refused("AccessDeniedException", "not you"));
    lake.etl("run web.yaml").fails(4).says("not you").says("Glue still has a table that was dropped; the next run removes it");
    lake.proxy.never();
    let plan = String::from_utf8(lake.etl("plan web.yaml").ok().stdout).unwrap();
    assert!(plan.contains(&format!("- drop {}.by_status", lake.database("web"))), "{plan}");
    lake.etl("run web.yaml").ok();
    assert!(lake.glue.table(&lake.database("web"), "by_status").is_none());
    lake.etl("run web.yaml").ok().says("nothing to do");
}
