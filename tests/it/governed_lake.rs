//! Who may see what of a lake: scenario by scenario, through the commands that a user has.

use super::lake::{Lake, on_both_lakes};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The governed pipeline, its policies and its data, beside the lake.
fn governed(lake: &Lake) {
    let location = if lake.location.contains("://") { format!("'{}'", lake.location) } else { "../lake".to_string() };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["pipelines", "pipelines/governed-sales", "sample-data"] {
        for entry in fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file()) {
            let text = fs::read(entry.path()).unwrap();
            let text = match String::from_utf8(text) {
                Ok(text) => text.replace("location: ../lake", &format!("location: {location}")).into_bytes(),
                Err(error) => error.into_bytes(),
            };
            lake.write(&format!("{folder}/{}", entry.file_name().to_string_lossy()), text);
        }
    }
}

fn step(lake: &Lake, step: &str) -> Value {
    lake.run_pipeline(&format!("pipelines/governed-sales.yaml --var step={step}"), 0)
}

/// What the matrix has of `principal`: `column=word`.
fn matrix(lake: &Lake, principal: &str) -> Vec<String> {
    let told = lake.run(["access", "matrix", "--lake", &lake.location, "--principal", principal, "--json"]).ok();
    let matrix: Value = serde_json::from_slice(&told.stdout).unwrap();
    let columns = matrix["columns"].as_array().unwrap().iter();
    columns.map(|one| format!("{}={}", one["column"].as_str().unwrap(), one["sees"][0].as_str().unwrap())).collect()
}

/// The result of a query as `principal`, as CSV; or what is said instead.
fn asked(lake: &Lake, principal: &str, sql: &str) -> Result<String, String> {
    let outcome = lake.run(["query", "--lake", &lake.location, "--as", principal, "--format", "csv", sql]);
    match outcome.code {
        Some(0) => Ok(String::from_utf8(outcome.stdout).unwrap()),
        _ => Err(outcome.stderr),
    }
}

on_both_lakes!(the_analyst_sees_more_step_by_step, a_policy_of_its_own_is_published_and_taken_back, policies_are_found_again_by_a_repair);

fn the_analyst_sees_more_step_by_step(lake: &Lake) {
    governed(lake);
    let names = ["day", "shop_id", "item_id", "item_price", "item_count", "amount", "year"];
    let all: Vec<String> = names.iter().map(|name| format!("{name}=all")).collect();
    let none: Vec<String> = names.iter().map(|name| format!("{name}=nothing")).collect();
    let select = "SELECT * FROM governed.sales LIMIT 1";
    let schemata = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'governed'";
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'sales'";
    let value = |sql: &str| asked(lake, "analyst", sql).unwrap().lines().last().unwrap().to_string();
    // Nothing is granted: nothing is there.
    step(lake, "1-no-grant");
    assert_eq!(matrix(lake, "analyst"), none);
    let hidden = asked(lake, "analyst", select).unwrap_err();
    let nobody = asked(lake, "nobody", select).unwrap_err();
    assert_eq!(nobody, format!("note: no policy of the lake names `nobody`\n{hidden}"));
    assert_eq!(hidden, "error: TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.governed.sales' does not exist\n");
    let unknown = asked(lake, "analyst", &select.replace("sales", "salad")).unwrap_err();
    assert_eq!(unknown.replace("salad", "sales"), hidden);
    assert_eq!((value(schemata).as_str(), value(tables).as_str()), ("0", "0"));
    // The database shows, and no table does.
    step(lake, "2-granted");
    assert_eq!(matrix(lake, "analyst"), none);
    assert_eq!(asked(lake, "analyst", select).unwrap_err(), hidden);
    assert_eq!((value(schemata).as_str(), value(tables).as_str()), ("1", "0"));
    // All of the table.
    let report = step(lake, "3-table");
    assert_eq!(report["access"][0]["principal"], "analyst");
    assert_eq!(report["access"][0]["after"], "all");
    assert_eq!(matrix(lake, "analyst"), all);
    assert_eq!(asked(lake, "analyst", select).unwrap().lines().next().unwrap(), names.join(","));
    assert_eq!((value(schemata).as_str(), value(tables).as_str()), ("1", "1"));
    // Four columns, and the partition key, which can't be hidden.
    step(lake, "4-columns");
    let some: Vec<String> =
        names.iter().map(|name| format!("{name}={}", if matches!(*name, "item_price" | "amount") { "nothing" } else { "all" })).collect();
    assert_eq!((matrix(lake, "analyst"), matrix(lake, "leader"), matrix(lake, "somebody")), (some, all, none));
    assert_eq!(asked(lake, "analyst", select).unwrap().lines().next().unwrap(), "day,shop_id,item_id,item_count,year");
    let forbidden = asked(lake, "analyst", "SELECT amount FROM governed.sales").unwrap_err();
    let told =
        "COLUMN_NOT_FOUND: line 1:8: Column 'amount' cannot be resolved or requester is not authorized to access requested resources";
    assert_eq!(forbidden, format!("error: {told}\n"));
    assert_eq!(asked(lake, "analyst", "SELECT amourt FROM governed.sales").unwrap_err(), forbidden.replace("amount", "amourt"));
    assert!(asked(lake, "leader", "SELECT amount FROM governed.sales LIMIT 1").is_ok());
    // Once more: there is nothing to do.
    assert_eq!(step(lake, "4-columns")["status"], "up_to_date");
    let explained = lake.run(["access", "explain", "--lake", &lake.location, "--principal", "analyst", "--table", "governed.sales"]).ok();
    let explained = String::from_utf8(explained.stdout).unwrap();
    for part in [
        "  sees the table    yes\n",
        "  day: yes (role=analyst of the column)\n    by select, describe on tables and columns with role=analyst to analyst (governed-sales-policy), by role=analyst of the column\n",
        "  amount: no (role=leader of the table)\n    not by select, describe on tables and columns with role=analyst to analyst (governed-sales-policy): it has role=leader of the table\n",
        "  year: yes (role=leader of the table)\n    by it is a partition key, visible if any other column is\n",
    ] {
        assert!(explained.contains(part), "{part}\n{explained}");
    }
}

/// A policy that gives analysts all of the table.
const OPEN: &str = "
version: 1
name: owner
grants:
  - {to: analyst, on: {all_tables: governed}, permissions: [select]}
";

fn a_policy_of_its_own_is_published_and_taken_back(lake: &Lake) {
    governed(lake);
    step(lake, "4-columns");
    lake.write("open.yaml", OPEN).write("closed.yaml", "version: 1\nname: owner\n");
    let tags = |command: &str, file: &str| lake.run(["tags", command, file, "--lake", &lake.location]);
    let told = tags("diff", "open.yaml").fails(2);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("+ analyst gains governed.sales: item_price, amount (all rows instead of nothing)"), "{told}");
    assert!(matrix(lake, "analyst").contains(&"amount=nothing".to_string()));
    tags("apply", "open.yaml").ok().says("the policy owner is published");
    tags("apply", "open.yaml").ok().says("the lake already has this policy");
    tags("diff", "open.yaml").ok();
    assert!(matrix(lake, "analyst").contains(&"amount=all".to_string()));
    // Neither runs, rollbacks nor vacuums forget it; that of the pipeline stays, too.
    lake.run_pipeline("pipelines/governed-sales.yaml --full", 0);
    lake.run(["vacuum", &lake.location, "--older-than", "0s"]).ok();
    assert!(matrix(lake, "analyst").contains(&"amount=all".to_string()));
    assert!(matrix(lake, "leader").contains(&"amount=all".to_string()));
    tags("apply", "closed.yaml").ok().says("analyst loses governed.sales: item_price, amount");
    assert!(matrix(lake, "analyst").contains(&"amount=nothing".to_string()));
    // Who contradicts another is refused, by patterns too.
    let other = "version: 1\nname: owner\ntags: {role: [analyst]}\nassignments:\n  - table: governed.sales\n    columns: {'item_*': {role: analyst}}\n";
    lake.write("other.yaml", other.replace("item_*", "item_price"));
    tags("apply", "other.yaml").ok();
    let other =
        other.replace("name: owner", "name: third").replace("[analyst]", "[analyst, leader]").replace("role: analyst}}", "role: leader}}");
    lake.write("third.yaml", other);
    tags("apply", "third.yaml").fails(8).says("sets the tag `role` of governed.sales.item_");
}

fn policies_are_found_again_by_a_repair(lake: &Lake) {
    governed(lake);
    step(lake, "3-table");
    step(lake, "4-columns");
    let (analyst, leader) = (matrix(lake, "analyst"), matrix(lake, "leader"));
    lake.storage().unwrap().delete(&["_etl/catalog/head.json".to_string()]).unwrap();
    lake.run(["catalog", "repair", "--lake", &lake.location]).ok();
    assert_eq!((matrix(lake, "analyst"), matrix(lake, "leader")), (analyst, leader));
    // A lake with policies is refused by those who would forget them.
    let head = lake.storage().unwrap().get("_etl/catalog/head.json").unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&head.bytes).unwrap()["format"], 2);
}

/// A lake with a table of `rows`, and `policy`.
fn with_policy(rows: &str, policy: &str) -> Lake {
    let lake = Lake::in_folder();
    lake.write("rows.csv", format!("shop,item,price,secret\n{rows}"));
    lake.write("policy.yaml", format!("version: 1\nname: policy\n{policy}"));
    lake.write(
        "p.yaml",
        "version: 1\nlake: {location: lake}\nsources:\n  rows: {location: rows.csv, format: csv}\noutputs:\n  rows: {from: rows, table: shops.rows, format: parquet}\n  \
         plain: {from: rows, table: shops.plain, format: csv}\ngovernance: policy.yaml\n",
    );
    lake.run_pipeline("p.yaml", 0);
    lake
}

const FILTERED: &str = "
grants:
  - {to: [ann, bob, cid], on: {database: shops}, permissions: [describe]}
  - {to: ann, on: {table: shops.rows, filter: one}, permissions: [select]}
  - {to: ann, on: {table: shops.plain, filter: plain}, permissions: [select]}
  - {to: bob, on: {table: shops.rows, filter: one}, permissions: [select]}
  - {to: bob, on: {table: shops.rows, filter: prices}, permissions: [select]}
  - {to: cid, on: {table: shops.rows}, permissions: [describe]}
filters:
  - {name: one, table: shops.rows, except: secret, rows: shop = 1}
  - {name: plain, table: shops.plain, except: secret, rows: shop = 1}
  - {name: prices, table: shops.rows, columns: [price], rows: \"item LIKE 'b%'\"}
";

#[test]
fn filters_hide_rows_and_cells() {
    let lake = with_policy("1,a,10,x\n1,b,20,y\n2,b,30,z\n2,c,40,w\n", FILTERED);
    let asked = |who: &str, sql: &str| asked(&lake, who, sql);
    for table in ["rows", "plain"] {
        assert_eq!(asked("ann", &format!("SELECT * FROM shops.{table} ORDER BY item")).unwrap(), "shop,item,price\n1,a,10\n1,b,20\n");
        assert_eq!(asked("ann", &format!("SELECT count(*) AS n, sum(price) AS s FROM shops.{table}")).unwrap(), "n,s\n2,30\n");
        // A hidden row would divide by zero.
        assert_eq!(asked("ann", &format!("SELECT item FROM shops.{table} WHERE 60 / (price - 30) > -4 ORDER BY 1")).unwrap(), "item\na\n");
        assert!(asked("ann", &format!("SELECT secret FROM shops.{table}")).unwrap_err().contains("COLUMN_NOT_FOUND"));
    }
    // Two filters: a row is seen where one of its values is, and the values are those of the filters.
    assert_eq!(asked("bob", "SELECT * FROM shops.rows ORDER BY price").unwrap(), "shop,item,price\n1,a,10\n1,b,20\n,,30\n");
    assert_eq!(asked("bob", "SELECT count(*) AS n, count(item) AS i, max(price) AS p FROM shops.rows").unwrap(), "n,i,p\n3,2,30\n");
    assert_eq!(asked("bob", "SELECT count(*) AS n FROM shops.rows WHERE item = 'b'").unwrap(), "n\n1\n");
    // Names are seen, and no value.
    assert!(asked("cid", "SELECT column_name FROM information_schema.columns WHERE table_name = 'rows'").unwrap().contains("secret"));
    for sql in ["SELECT * FROM shops.rows", "SELECT count(*) FROM shops.rows"] {
        let refused = asked("cid", sql);
        assert!(refused.as_ref().is_err_and(|told| told.contains("Insufficient permissions to execute the query")), "{sql}: {refused:?}");
    }
}

#[test]
fn row_policies_hold_for_all_grants() {
    let policy = "
principals:
  ann: {tags: {shop: one}}
  bob: {groups: staff}
  cid: {groups: staff}
tags: {role: [analyst]}
assignments:
  - {database: shops, tags: {role: analyst}}
grants:
  - {to: staff, on: {tags: {role: analyst}, of: databases}, permissions: [describe]}
  - {to: staff, on: {tags: {role: analyst}}, permissions: [select]}
  - {to: ann, on: {all_tables: shops}, permissions: [select]}
row_policies:
  first:
    rows: shop = 1
    attached: [{tags: {role: analyst}, condition: 'context.iam.principalTags.getTag(\"shop\") == \"one\"'}]
  second:
    rows: shop IN (2, 3) AND NOT item = 'c'
    attached: [{tags: {role: analyst}, to: cid}]
";
    let lake = with_policy("1,a,10,x\n2,b,30,z\n2,c,40,w\n3,d,50,v\n", policy);
    let items = |who: &str| {
        asked(&lake, who, "SELECT item FROM shops.rows ORDER BY 1").unwrap().lines().skip(1).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!((items("ann"), items("cid")), (vec!["a".to_string()], vec!["b".to_string(), "d".to_string()]));
    // No row policy is for him, and there is no default.
    assert!(items("bob").is_empty());
    let explained = lake.etl("access explain --lake lake --principal bob --table shops.rows --json").ok();
    let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!(explained["columns"][0]["sees"], "some");
    assert_eq!(explained["columns"][0]["rows"], serde_json::json!([[]]));
}

#[test]
fn what_measures_hidden_rows_is_refused() {
    let lake = with_policy("1,a,10,x\n2,b,30,z\n", FILTERED);
    for sql in [
        "EXPLAIN ANALYZE SELECT * FROM shops.rows",
        "EXPLAIN VERBOSE SELECT * FROM shops.rows",
        "EXPLAIN FORMAT TREE SELECT * FROM shops.rows",
    ] {
        assert!(asked(&lake, "ann", sql).unwrap_err().contains("only plain EXPLAIN is allowed"), "{sql}");
    }
    for sql in ["EXPLAIN SELECT * FROM shops.rows WHERE price > 3", "DESCRIBE shops.rows", "SHOW COLUMNS FROM shops.rows", "SHOW TABLES"] {
        let told = asked(&lake, "ann", sql).unwrap();
        assert!(!told.contains("secret") && !told.contains("shop = ") && !told.contains(".parquet"), "{sql}: {told}");
    }
    let told = String::from_utf8(lake.run(["query", "--lake", "lake", "--as", "ann", "--explain", "SELECT * FROM shops.rows"]).ok().stdout)
        .unwrap();
    assert!(told.contains("Read: shops.rows") && !told.contains(".parquet") && !told.contains("shop ="), "{told}");
    for path in ["lake/shops/rows", "rows.csv", "-", "lake/_etl/catalog/head.json", "*.csv", "no/such/file"] {
        assert!(
            asked(&lake, "ann", &format!("SELECT * FROM '{path}'")).unwrap_err().contains("files can't be queried with --as"),
            "{path}"
        );
    }
    lake.write("bare", "x\n1\n");
    assert!(asked(&lake, "ann", "SELECT * FROM bare").unwrap_err().contains("TABLE_NOT_FOUND"));
    assert!(asked(&lake, "ann", "SELECT * FROM shops.bare").unwrap_err().contains("TABLE_NOT_FOUND"));
    lake.run(["query", "--as", "ann", "SELECT 1"]).fails(2);
    lake.run(["query", "--as", "ann", "--lake", "lake", "--table", "x=rows.csv", "SELECT 1"]).fails(2);
    lake.run(["query", "--as", "ann", "--lake", "lake", "--engine", "athena", "SELECT 1"]).fails(2).says("--as");
}

#[test]
fn what_is_wrong_with_a_policy_is_told_at_once() {
    let lake = with_policy("1,a,10,x\n", "tags: {role: [analyst]}\n");
    let wrong = "version: 1
name: policy
tags: {role: [leader, analyst], TEAM: [x]}
principals:
  ann: {arn: nonsense}
assignments:
  - {table: shops.rows, tags: {rolle: leader, role: analist}}
  - {database: shops, columns: {a: {role: leader}}}
expressions: {saved: {role: analyst}}
grants:
  - {to: an, on: {expression: safed}, permissions: [select]}
  - {to: ann, on: {table: shops.rows, filter: none}, permissions: [select]}
  - {to: ann, on: {table: shops.rows, columns: [a], except: [b]}, permissions: [insert]}
  - {to: ann, on: {database: shops, table: shops.rows}, permissions: [select]}
  - {to: ann, on: {location: /here}, permissions: [data_location_access]}
filters:
  - {name: f, table: shops.rows, rows: 'item = = 3'}
";
    lake.write("wrong.yaml", wrong);
    let told = lake.etl("tags diff wrong.yaml --lake lake").fails(1).stderr;
    for part in [
        "wrong.yaml:3:33:",
        "expected an ARN",
        "there is no tag `rolle`; did you mean `role`?",
        "the tag `role` has no value `analist`; did you mean `analyst`?",
        "a database has no columns",
        "there is no expression `safed`; did you mean `saved`?",
        "there is no principal `an`; did you mean `ann`?",
        "there is no filter of shops.rows `none`",
        "expected at most one of columns, except",
        "expected exactly one of tags, expression, database, all_tables, table, location",
        "expected s3://bucket/prefix",
        "wrong.yaml:17:40:",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    lake.etl("validate wrong.yaml").fails(2).says("there is no tag `rolle`");
    lake.write("fine.yaml", "version: 1\ntags: {role: [x]}\ngrants: [{to: a, on: {tags: {role: x}}, permissions: [select]}]\n");
    let told = lake.etl("validate fine.yaml").ok();
    assert_eq!(String::from_utf8(told.stdout).unwrap(), "fine.yaml: ok (policy fine: 1 tag, 1 grant)\n");
    lake.etl("tags diff p.yaml --lake lake").fails(1).says("this is a pipeline");
    let unfit = "version: 1
name: policy
tags: {role: [analyst]}
assignments:
  - {table: shops.rows, columns: {itm: {role: analyst}}}
grants:
  - {to: ann, on: {table: shops.rows, columns: [prise]}, permissions: [select]}
  - {to: ann, on: {tags: {role: analyst}}, permissions: [select]}
filters:
  - {name: f, table: shops.rows, rows: 'item = 3'}
";
    lake.write("unfit.yaml", unfit);
    let outcome = lake.etl("tags diff unfit.yaml --lake lake").fails(1);
    let told = String::from_utf8(outcome.stdout).unwrap() + &outcome.stderr;
    for part in [
        "error: unfit.yaml:5:35:\n    - {table: shops.rows, columns: {itm: {role: analyst}}}\n                                    ^^^ shops.rows has no column `itm`; did you mean `item`?",
        "shops.rows has no column `prise`; did you mean `price`?",
        "`item` is string, but 3 is not",
        "matches nothing yet",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    lake.etl("tags apply unfit.yaml --lake lake").fails(2);
    // A pipeline is refused before anything of it is seen.
    lake.write("policy.yaml", unfit);
    lake.etl("run p.yaml").fails(2).says("has no column `itm`");
    lake.write("policy.yaml", "version: 1\nname: policy\ntags: {role: []}\n");
    lake.etl("validate p.yaml").fails(2).says("policy.yaml:3:8").says("this file has errors");
}

#[test]
fn the_schema_of_policies_is_printed() {
    let told = super::etl::Etl::new().run(["schema", "governance"]).ok();
    let printed: Value = serde_json::from_slice(&told.stdout).unwrap();
    let kept = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/governance.schema.json")).unwrap();
    assert_eq!(printed, serde_json::from_slice::<Value>(&kept).unwrap(), "etl schema governance > schemas/governance.schema.json");
    assert_eq!(printed["required"], serde_json::json!(["version"]));
    for key in ["assignments", "row_policies", "opt_ins"] {
        assert!(printed["properties"][key].is_object(), "{key}");
    }
}
