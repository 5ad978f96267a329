//! What Lake Formation is told of a lake that Glue knows: against a stub that is as AWS's where moto isn't, and scenario B against moto, too.

use super::glue_lake::GlueLake;
use super::lake_formation_stub::LakeFormationStub;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A lake with the governed pipeline, that Glue is told of, and a Lake Formation.
fn governed() -> Option<(GlueLake, LakeFormationStub)> {
    let stub = LakeFormationStub::start();
    let lake = GlueLake::get()?.with("AWS_ENDPOINT_URL_LAKEFORMATION", &stub.endpoint).with("AWS_ENDPOINT_URL_STS", &stub.endpoint);
    write(&lake);
    Some((lake, stub))
}

fn write(lake: &GlueLake) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["pipelines", "pipelines/governed-sales", "sample-data"] {
        for entry in fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file()) {
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let mut text = fs::read(entry.path()).unwrap();
            if name.ends_with(".yaml") {
                let lake_text =
                    format!("lake:\n  location: '{}'\n  catalog: {{glue: {{database_prefix: {}}}}}\n", lake.location(), lake.prefix);
                text = String::from_utf8(text).unwrap().replace("lake: {location: ../lake}\n", &lake_text).into_bytes();
            }
            lake.write(&name, text);
        }
    }
}

fn step(lake: &GlueLake, step: &str, code: i32) -> Value {
    lake.run_pipeline(&format!("pipelines/governed-sales.yaml --var step={step}"), code)
}

#[test]
fn scenario_b_is_sent_step_by_step_and_only_what_is_new() {
    let Some((lake, stub)) = governed() else { return };
    let database = format!("{}governed", lake.prefix);
    // Nothing is granted or tagged: nothing is changed.
    step(&lake, "1-no-grant", 0);
    assert_eq!(stub.writes(), Vec::<String>::new());
    step(&lake, "2-granted", 0);
    assert_eq!(stub.writes(), ["CreateLFTag", "BatchGrantPermissions"]);
    assert_eq!(stub.tags()["role"], ["analyst", "leader"]);
    let on_database = json!({"Database": {"Name": database}});
    let tags = |values: &[&str]| json!({"LFTagPolicy": {"ResourceType": "TABLE", "Expression": [{"TagKey": "role", "TagValues": values}]}});
    let both = "[\"DESCRIBE\",\"SELECT\"]";
    assert_eq!(
        stub.grants(),
        [
            format!("analyst {on_database} [\"DESCRIBE\"]"),
            format!("analyst {} {both}", tags(&["analyst"])),
            format!("leader {on_database} [\"DESCRIBE\"]"),
            format!("leader {} {both}", tags(&["analyst", "leader"])),
        ]
    );
    let report = step(&lake, "3-table", 0);
    assert_eq!(report["lake_formation"], json!([format!("tag table {database}.sales with role=analyst")]));
    assert_eq!(stub.writes(), ["AddLFTagsToResource"]);
    step(&lake, "4-columns", 0);
    // All four columns in one call.
    assert_eq!(stub.writes(), ["AddLFTagsToResource", "AddLFTagsToResource"]);
    let assigned = stub.assigned();
    let of = |name: &str| assigned.get(name).and_then(|tags| tags.get("role")).map(String::as_str);
    assert_eq!(of(&format!("{database}.sales")), Some("leader"));
    for (column, value) in [("day", Some("analyst")), ("item_count", Some("analyst")), ("amount", None), ("year", None)] {
        assert_eq!(of(&format!("{database}.sales.{column}")), value, "{column}");
    }
    // Nothing is new: nothing is sent.
    assert_eq!(step(&lake, "4-columns", 0)["status"], "up_to_date");
    assert_eq!(stub.writes(), Vec::<String>::new());
    // What the lake doesn't say any more is taken back; what others granted stays.
    stub.grant("arn:aws:iam::123456789012:role/other", on_database.clone(), &["ALTER"]);
    step(&lake, "1-no-grant", 0);
    assert_eq!(stub.grants(), [format!("other {on_database} [\"ALTER\"]")]);
    assert!(stub.assigned().is_empty() && stub.tags().is_empty(), "{:?} {:?}", stub.assigned(), stub.tags());
}

#[test]
fn drift_is_planned_and_mended_and_a_run_that_failed_is_finished() {
    let Some((lake, stub)) = governed() else { return };
    step(&lake, "3-table", 0);
    stub.calls();
    let database = format!("{}governed", lake.prefix);
    // Somebody takes a grant away by hand; what he gave nobody asks for.
    let revoked = json!({"Entries": [{"Id": "1", "Principal": {"DataLakePrincipalIdentifier": "arn:aws:iam::123456789012:role/analyst"}, "Resource": {"Database": {"Name": database}}, "Permissions": ["DESCRIBE"]}]});
    super::http::request("POST", &format!("{}/BatchRevokePermissions", stub.endpoint), &[], &revoked.to_string()).unwrap();
    stub.calls();
    let planned = lake.etl("plan --detailed-exitcode pipelines/governed-sales.yaml --var step=3-table --json").fails(2);
    let planned: Value = serde_json::from_slice(&planned.stdout).unwrap();
    assert_eq!(
        planned["lake_formation"],
        json!([format!("grant describe on database {database} to arn:aws:iam::123456789012:role/analyst")])
    );
    assert!(stub.writes().is_empty());
    step(&lake, "3-table", 0);
    assert_eq!(stub.writes(), ["BatchGrantPermissions"]);
    lake.etl("plan --detailed-exitcode pipelines/governed-sales.yaml --var step=3-table").ok();
    // The list of failures is a failure, though the answer is 200.
    let pair = json!({"LFTag": {"TagKey": "role", "TagValues": ["leader"]}, "Error": {"ErrorCode": "AccessDeniedException", "ErrorMessage": "no"}});
    stub.next("AddLFTagsToResource", [(200, json!({"Failures": [pair]}))]);
    let failed = step(&lake, "4-columns", 4);
    assert_eq!(failed["status"], "published_not_registered");
    let told = failed["error"].as_str().unwrap();
    assert!(told.contains("can't tag table") && told.contains("AccessDeniedException: no"), "{told}");
    stub.calls();
    step(&lake, "4-columns", 0);
    assert_eq!(stub.writes(), ["AddLFTagsToResource", "AddLFTagsToResource"]);
    // Changes that collide are made again: as an answer, and within one.
    let colliding = (400, json!({"__type": "ConcurrentModificationException", "Message": "busy"}));
    let entry = json!({"RequestEntry": {"Id": "0"}, "Error": {"ErrorCode": "ConcurrentModificationException", "ErrorMessage": "busy"}});
    lake.write("open.yaml", "version: 1\nname: owner\ngrants:\n  - {to: [a, b], on: {all_tables: governed}, permissions: [select]}\n");
    stub.next("BatchGrantPermissions", [colliding, (200, json!({"Failures": [entry]}))]);
    stub.calls();
    lake.run(["tags", "apply", "open.yaml", "--lake", &lake.location()]).ok().says("Lake Formation: grant select on all tables of");
    let sent: Vec<usize> = stub
        .calls()
        .iter()
        .filter(|(name, _)| name == "BatchGrantPermissions")
        .map(|(_, body)| body["Entries"].as_array().unwrap().len())
        .collect();
    assert_eq!(sent, [2, 2, 1]);
}

/// All that a policy can have.
const FULL: &str = "
version: 1
name: owner
tags: {role: [x, y], team: [VALUES]}
principals:
  ann: {arn: 'arn:aws:iam::123456789012:user/ann', groups: staff}
assignments:
  - {database: governed, tags: {team: v0}}
  - {table: governed.sales, columns: {'item_*': {role: x}}}
expressions:
  saved: {role: [x, y], team: v0}
grants:
  - {to: ann, on: {expression: saved}, permissions: [select], grant_option: [select]}
  - {to: ann, on: {tags: {team: v0}, of: databases}, permissions: [describe, create_table]}
  - {to: ann, on: {table: governed.sales, columns: [day]}, permissions: [select]}
  - {to: bob, on: {table: governed.sales, except: [amount]}, permissions: [select]}
  - {to: bob, on: {table: governed.sales, filter: berlin}, permissions: [select]}
  - {to: bob, on: {location: 's3://lake/prod'}, permissions: [data_location_access]}
  - {to: IAMPrincipals, on: {table: governed.sales}, permissions: [select, describe], condition: 'context.iam.principalTags.getTag(\"team\") == \"v0\"'}
filters:
  - {name: berlin, table: governed.sales, except: [amount], rows: shop_id = 25}
row_policies:
  mine: {rows: shop_id = 1, attached: [{table: governed.sales, to: bob}, {tags: {role: x}, default: true}]}
administrators: [admin]
locations:
  - {location: 's3://lake/prod/', role: 'arn:aws:iam::123456789012:role/lake', hybrid: true}
opt_ins:
  - {principal: bob, table: governed.sales}
revoke_iam_allowed_principals: true
mode: authoritative
";

#[test]
fn all_of_a_policy_is_sent_once_and_taken_back() {
    let Some((lake, stub)) = governed() else { return };
    let database = format!("{}governed", lake.prefix);
    step(&lake, "1-no-grant", 0);
    let table = json!({"Table": {"DatabaseName": database, "Name": "sales"}});
    stub.grant("IAM_ALLOWED_PRINCIPALS", table.clone(), &["ALL"]);
    stub.grant("IAM_ALLOWED_PRINCIPALS", json!({"Database": {"Name": "others"}}), &["ALL"]);
    stub.grant("arn:aws:iam::123456789012:role/other", table, &["SELECT"]);
    let values: Vec<String> = (0..120).map(|number| format!("v{number}")).collect();
    lake.write("full.yaml", FULL.replace("VALUES", &values.join(", ")));
    lake.write("none.yaml", "version: 1\nname: owner\n");
    let apply = |file: &str| lake.run(["tags", "apply", file, "--lake", &lake.location()]).ok();
    stub.calls();
    apply("full.yaml");
    let writes = stub.writes();
    // First of all, the keys' own rights; last of all, what lets everybody in.
    assert_eq!((writes[0].as_str(), writes.last().unwrap().as_str()), ("BatchGrantPermissions", "BatchRevokePermissions"));
    assert_eq!((writes[1].as_str(), writes[2].as_str()), ("RegisterResource", "BatchGrantPermissions"));
    assert_eq!(stub.tags()["team"].len(), 120);
    assert_eq!(stub.counts(), [1, 1, 1, 2, 1, 1]);
    let grants = stub.grants();
    // Authoritative: what others granted on the same table goes, too. Of other databases nothing.
    assert!(!grants.iter().any(|grant| grant.starts_with("other ")), "{grants:#?}");
    assert!(grants.iter().any(|grant| grant.starts_with("IAM_ALLOWED_PRINCIPALS") && grant.contains("others")), "{grants:#?}");
    assert!(!grants.iter().any(|grant| grant.starts_with("IAM_ALLOWED_PRINCIPALS") && grant.contains("sales")), "{grants:#?}");
    assert!(grants.iter().any(|grant| grant.starts_with("etl ") && grant.contains("\"ALL\"")), "{grants:#?}");
    assert!(grants.iter().any(|grant| grant.starts_with("123456789012:IAMPrincipals")), "{grants:#?}");
    assert_eq!(stub.settings()["DataLakeAdmins"], json!([{"DataLakePrincipalIdentifier": "arn:aws:iam::123456789012:role/admin"}]));
    assert_eq!(stub.settings()["Parameters"]["kept"], "yes");
    // What is there is not sent again.
    apply("full.yaml");
    assert_eq!(stub.writes(), Vec::<String>::new());
    apply("none.yaml");
    let left: Vec<String> =
        stub.grants().into_iter().filter(|grant| !grant.starts_with("IAM_ALLOWED") && !grant.starts_with("etl ")).collect();
    assert_eq!(left, Vec::<String>::new());
    // Places stay registered, and administrators: taking them away is for people.
    assert_eq!(stub.counts(), [0, 0, 0, 0, 1, 0]);
    assert!(stub.tags().is_empty() && stub.assigned().is_empty());
}

#[test]
fn without_a_policy_nobody_is_asked() {
    let Some((lake, stub)) = governed() else { return };
    lake.write("plain.csv", "a,b\n1,2\n");
    let glue = format!("{{glue: {{database_prefix: {}}}}}", lake.prefix);
    let text = format!(
        "version: 1\nlake: {{location: '{}', catalog: {glue}}}\nsources: {{plain: {{location: plain.csv}}}}\noutputs: {{plain: {{from: plain, table: plain.plain}}}}\n",
        lake.location()
    );
    lake.write("plain.yaml", text);
    lake.run_pipeline("plain.yaml", 0);
    lake.run_pipeline("plain.yaml", 0);
    lake.etl("plan --detailed-exitcode plain.yaml").ok();
    assert!(stub.calls().is_empty());
}

#[test]
fn moto_takes_scenario_b_too() {
    let Some(endpoint) = super::stand_in::endpoint("ETL_TEST_GLUE_ENDPOINT") else { return };
    let Some(lake) = GlueLake::get() else { return };
    let lake = lake.with("AWS_ENDPOINT_URL_LAKEFORMATION", &endpoint).with("AWS_ENDPOINT_URL_STS", &endpoint);
    write(&lake);
    // Other tests share moto: a tag of our own.
    for step in ["2-granted", "3-table", "4-columns"] {
        let name = format!("pipelines/governed-sales/{step}.yaml");
        let text = String::from_utf8(lake.read(&name)).unwrap().replace("role", &format!("{}role", lake.prefix));
        lake.write(&name, text);
    }
    for name in ["1-no-grant", "2-granted", "3-table", "4-columns"] {
        let report = step(&lake, name, 0);
        let told = report["lake_formation"].as_array().map_or(0, Vec::len);
        assert_eq!(told > 0, name != "1-no-grant", "{name}: {report}");
        let again = step(&lake, name, 0);
        assert_eq!((&again["status"], &again["lake_formation"]), (&json!("up_to_date"), &Value::Null), "{name}");
    }
}

#[test]
fn our_verdict_is_compared_with_that_of_aws() {
    let Some((lake, stub)) = governed() else { return };
    step(&lake, "4-columns", 0);
    let database = format!("{}governed", lake.prefix);
    let effective = |columns: &[&str]| {
        let resource = json!({"TableWithColumns": {"DatabaseName": database, "Name": "sales", "ColumnNames": columns}});
        (
            200,
            json!({"PrincipalResourcePermissions": [{"Principal": {"DataLakePrincipalIdentifier": "x"}, "Resource": resource, "Permissions": ["SELECT"]}]}),
        )
    };
    let seen = ["day", "shop_id", "item_id", "item_count", "year"];
    let all = ["day", "shop_id", "item_id", "item_price", "item_count", "amount", "year"];
    let found = (200, json!({"TableList": [{"Table": {"DatabaseName": database, "Name": "sales"}}]}));
    let check = || lake.run(["access", "check", "--lake", &lake.location()]);
    stub.next("ListPermissions", [effective(&seen), effective(&all)]);
    stub.next("SearchTablesByLFTags", [found.clone(), found.clone()]);
    check().ok().says("14 columns of 1 tables compared for 2 principals").says("told of one's own keys alone, and no policy names arn:");
    // AWS shows the analyst one more, and doesn't find the table.
    stub.next("ListPermissions", [effective(&[&seen[..], &["amount"]].concat()), effective(&all)]);
    stub.next("SearchTablesByLFTags", [(200, json!({"TableList": []})), found]);
    let told = check().fails(7).says("AWS differs in 2 places");
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(
        text.contains(&format!(
            "analyst may not select {database}.sales.amount according to the lake's policies, and may according to AWS"
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "{database}.sales matches role=analyst according to the lake's policies, and doesn't match according to AWS"
        )),
        "{text}"
    );
}

#[test]
fn what_engines_are_told_is_compared_too() {
    let Some((lake, stub)) = governed() else { return };
    let policy = String::from_utf8(lake.read("pipelines/governed-sales/4-columns.yaml")).unwrap();
    // The keys of the tests are those of the role `etl`.
    let policy = policy.replace("  analyst: {}", "  analyst: {arn: 'arn:aws:iam::123456789012:role/etl'}");
    lake.write("pipelines/governed-sales/4-columns.yaml", policy);
    step(&lake, "4-columns", 0);
    let lake = lake.with("AWS_ENDPOINT_URL_GLUE", &stub.endpoint);
    let database = format!("{}governed", lake.prefix);
    let seen = ["day", "shop_id", "item_id", "item_count", "year"];
    let check = |told: (u16, Value)| {
        let resource = |columns: &[&str]| json!({"TableWithColumns": {"DatabaseName": database, "Name": "sales", "ColumnNames": columns}});
        let effective = (
            200,
            json!({"PrincipalResourcePermissions": [{"Principal": {"DataLakePrincipalIdentifier": "x"}, "Resource": resource(&seen), "Permissions": ["SELECT"]}]}),
        );
        let found = (200, json!({"TableList": [{"Table": {"DatabaseName": database, "Name": "sales"}}]}));
        stub.next("ListPermissions", [effective]);
        stub.next("SearchTablesByLFTags", [found.clone(), found]);
        stub.next("GetUnfilteredTableMetadata", [told]);
        stub.calls();
        lake.run(["access", "check", "--lake", &lake.location(), "--principal", "analyst"])
    };
    let table = json!({"Name": "sales", "DatabaseName": database});
    let told = |columns: &[&str], registered: bool| {
        (200, json!({"Table": table, "AuthorizedColumns": columns, "IsRegisteredWithLakeFormation": registered, "CellFilters": []}))
    };
    check(told(&seen, true)).ok();
    let calls = stub.calls();
    let asked = &calls.iter().find(|(name, _)| name == "GetUnfilteredTableMetadata").expect("it is asked").1;
    assert_eq!((asked["CatalogId"].as_str(), asked["Name"].as_str()), (Some("123456789012"), Some("sales")));
    assert_eq!(asked["SupportedPermissionTypes"], json!(["COLUMN_PERMISSION", "CELL_FILTER_PERMISSION"]));
    let more = check(told(&[&seen[..], &["amount"]].concat(), true)).fails(7);
    let text = String::from_utf8(more.stdout).unwrap();
    assert_eq!(
        text.trim(),
        format!(
            "analyst may not select {database}.sales.amount according to the lake's policies, and may according to what Glue tells engines"
        )
    );
    check((400, json!({"__type": "EntityNotFoundException", "Message": "no"}))).fails(7).says("AWS differs in 5 places");
    check(told(&[], false)).ok().says("its location is not registered");
    check((400, json!({"__type": "AccessDeniedException", "Message": "no"})))
        .ok()
        .says("Glue doesn't tell what engines may give analyst: AccessDeniedException");
}

#[test]
fn the_doctor_finds_what_makes_tags_mean_nothing() {
    let Some((lake, stub)) = governed() else { return };
    step(&lake, "4-columns", 0);
    let database = format!("{}governed", lake.prefix);
    let look = |code: i32| {
        let outcome = lake.run(["doctor", "--lake", &lake.location(), "--json"]).fails(code);
        let findings: Vec<Value> = serde_json::from_slice(&outcome.stdout).unwrap();
        findings
            .into_iter()
            .map(|one| format!("{} {}: {}", one["verdict"].as_str().unwrap(), one["what"].as_str().unwrap(), one["told"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let table = json!({"Table": {"DatabaseName": database, "Name": "sales"}});
    stub.grant("IAM_ALLOWED_PRINCIPALS", table.clone(), &["ALL"]);
    stub.grant("AROAEXAMPLEEXAMPLE123", table, &["SELECT"]);
    stub.calls();
    let found = look(0).join("\n");
    for part in [
        "well lake: ".to_string(),
        "well policies: those of governed-sales-policy fit the tables".to_string(),
        "well credentials: arn:aws:iam::123456789012:role/etl of account 123456789012".to_string(),
        "warning Lake Formation: these credentials are not a data lake administrator's".to_string(),
        format!("warning IAMAllowedPrincipals: Lake Formation doesn't control {database}.sales"),
        format!("warning location: {} is not registered", lake.location()),
        "warning database default: 2 of 2 principals may not describe the database `default`".to_string(),
        "warning stale principals: AROAEXAMPLEEXAMPLE123".to_string(),
        "well clock: as AWS's".to_string(),
        "well Glue: ".to_string(),
    ] {
        assert!(found.contains(&part), "{part}\n{found}");
    }
    assert!(stub.writes().is_empty());
    // What can't be looked at is ill, and the rest is looked at all the same.
    let denied = (400, json!({"__type": "AccessDeniedException", "Message": "no"}));
    stub.next("GetDataLakeSettings", [denied]);
    let found = look(7).join("\n");
    assert!(found.contains("ill Lake Formation: can't read the settings"), "{found}");
}

#[test]
fn the_doctor_looks_at_a_folder_without_asking_anybody() {
    let lake = super::lake::Lake::in_folder();
    lake.write("rows.csv", "a,b\n1,2\n");
    let grants = "grants:\n  - {to: ann, on: {table: t.rows, columns: [c]}, permissions: [select]}\n";
    lake.write(
        "p.yaml",
        "version: 1\nlake: {location: lake}\nsources: {rows: {location: rows.csv}}\noutputs: {rows: {from: rows, table: t.rows}}\n",
    );
    lake.run_pipeline("p.yaml", 0);
    lake.etl("doctor --lake lake").ok();
    lake.etl("doctor p.yaml").ok();
    lake.etl("doctor --lake nothing").fails(7);
    lake.write("owner.yaml", format!("version: 1\n{}", grants.replace("[c]", "[b]")));
    lake.etl("tags apply owner.yaml --lake lake").ok();
    // The column is renamed: the grant means nothing any more.
    lake.write("rows.csv", "a,d\n1,2\n");
    lake.run_pipeline("p.yaml", 0);
    let told = lake.etl("doctor --lake lake").fails(7);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("t.rows has no column `b`") && told.contains("fix: correct it in the file or pipeline `owner`"), "{told}");
}
