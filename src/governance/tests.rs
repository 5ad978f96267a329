use super::*;
use crate::catalog::TableName;
use std::collections::{BTreeMap, BTreeSet};

fn sales() -> TableName {
    TableName { database: "shops".into(), table: "sales".into() }
}

/// `shops.sales` with the columns day, item and price, by the partition key year.
fn resources() -> Resources {
    let column = |name: &str, is_partition_key| ColumnShape { name: name.into(), data_type: "string".into(), is_partition_key };
    let columns = vec![column("day", false), column("item", false), column("price", false), column("year", true)];
    let table = TableShape { columns, is_view: false };
    Resources::from([("shops".to_string(), BTreeMap::from([("sales".to_string(), table)]))])
}

fn role(values: &[&str]) -> TagExpression {
    TagExpression::from([("role".to_string(), values.iter().map(ToString::to_string).collect())])
}

fn tagged(to: Tagged, value: &str) -> Assignment {
    Assignment { place: String::new(), to, tags: BTreeMap::from([("role".to_string(), value.to_string())]) }
}

fn grant(to: &str, on: GrantOn, permissions: &[Permission]) -> Grant {
    let permissions = permissions.iter().copied().collect();
    Grant { place: String::new(), to: to.into(), on, permissions, grant_option: BTreeSet::new(), condition: None }
}

fn by_tags(to: &str, values: &[&str]) -> Grant {
    grant(to, GrantOn::Tags { of: TagsOf::Tables, expression: role(values) }, &[Permission::Select, Permission::Describe])
}

fn on_database(to: &str) -> Grant {
    grant(to, GrantOn::Database("shops".into()), &[Permission::Describe])
}

/// The columns of `shops.sales` that are read whole.
fn read(policy: &Policy, principal: &str) -> Vec<String> {
    let access = Evaluator::new(policy.clone(), &resources()).access(principal);
    let table = &access.databases["shops"].tables["sales"];
    table.columns.iter().filter(|column| column.rows == Rows::All).map(|column| column.name.clone()).collect()
}

fn rows(policy: &Policy, principal: &str, column: &str) -> Rows {
    let access = Evaluator::new(policy.clone(), &resources()).access(principal);
    let columns = &access.databases["shops"].tables["sales"].columns;
    columns.iter().find(|known| known.name == column).map(|column| column.rows.clone()).unwrap_or_default()
}

fn filter(name: &str, columns: ColumnChoice, rows: Option<&str>) -> DataFilter {
    DataFilter { place: String::new(), table: sales(), name: name.into(), columns, rows: rows.map(str::to_string) }
}

const ALL: [&str; 4] = ["day", "item", "price", "year"];

#[test]
fn tags_open_a_table_and_then_single_columns() {
    let mut policy = Policy::default();
    let evaluated = |policy: &Policy| Evaluator::new(policy.clone(), &resources()).access("analyst").databases.remove("shops").unwrap();
    // Nothing is granted: nothing is seen.
    assert!(!evaluated(&policy).is_visible);
    // A grant by tags and one on the database: the database is seen, and no table.
    policy.grants = vec![by_tags("analyst", &["analyst"]), on_database("analyst")];
    let database = evaluated(&policy);
    assert!(database.is_visible && !database.tables["sales"].is_visible);
    // The table has the tag: all of it is seen.
    policy.assignments = vec![tagged(Tagged::Table(sales()), "analyst")];
    assert_eq!(read(&policy, "analyst"), ALL);
    // The table is the leader's, and two columns the analyst's: those, and the partition key, which can't be hidden.
    policy.assignments = vec![tagged(Tagged::Table(sales()), "leader"), tagged(Tagged::Columns(sales(), "*".into()), "leader")];
    policy.assignments.extend(["day", "item"].map(|column| tagged(Tagged::Columns(sales(), column.into()), "analyst")));
    assert_eq!(read(&policy, "analyst"), ["day", "item", "year"]);
    assert!(read(&policy, "somebody").is_empty());
    // Who is granted both values sees all.
    policy.grants.extend([by_tags("leader", &["leader", "analyst"]), on_database("leader")]);
    assert_eq!(read(&policy, "leader"), ALL);
}

#[test]
fn a_table_is_seen_only_with_its_database() {
    let mut policy = Policy { grants: vec![grant("a", GrantOn::Table(sales()), &[Permission::Select])], ..Policy::default() };
    assert!(read(&policy, "a").is_empty());
    policy.grants = vec![grant("a", GrantOn::AllTables("shops".into()), &[Permission::Select])];
    assert_eq!(read(&policy, "a"), ALL);
    // A condition takes that away, also where it holds.
    policy.grants[0].condition = Some("true".into());
    assert!(read(&policy, "a").is_empty());
    policy.administrators = vec!["a".into()];
    assert_eq!(read(&policy, "a"), ALL);
    let access = Evaluator::new(Policy { grants: Vec::new(), ..policy }, &resources()).access("a");
    let table = &access.databases["shops"].tables["sales"];
    assert!(table.is_visible && !table.is_readable() && table.columns.iter().all(|column| column.is_visible));
}

#[test]
fn grants_of_columns_add_up_and_changing_a_table_opens_it() {
    let only = |names: &[&str]| ColumnChoice::Only(names.iter().map(ToString::to_string).collect());
    let columns = |choice| grant("a", GrantOn::Columns(sales(), choice), &[Permission::Select]);
    let mut policy = Policy { grants: vec![on_database("a"), columns(only(&["day"]))], ..Policy::default() };
    assert_eq!(read(&policy, "a"), ["day", "year"]);
    policy.grants.push(columns(ColumnChoice::AllBut(["day", "price"].map(str::to_string).into())));
    assert_eq!(read(&policy, "a"), ["day", "item", "year"]);
    policy.grants.push(grant("a", GrantOn::Table(sales()), &[Permission::Alter]));
    assert_eq!(read(&policy, "a"), ALL);
    policy.grants = vec![on_database("a"), grant("a", GrantOn::Table(sales()), &[Permission::Alter])];
    assert!(read(&policy, "a").is_empty());
    policy.grants = vec![on_database("a"), grant("a", GrantOn::Table(sales()), &[Permission::Insert])];
    assert_eq!(read(&policy, "a"), ALL);
}

#[test]
fn all_shrinks_where_only_some_columns_match() {
    let all = grant("a", GrantOn::Tags { of: TagsOf::Tables, expression: role(&["x"]) }, &[Permission::All]);
    let mut policy = Policy { grants: vec![on_database("a"), all], ..Policy::default() };
    policy.assignments = vec![tagged(Tagged::Database("shops".into()), "x"), tagged(Tagged::Columns(sales(), "pr*".into()), "y")];
    assert_eq!(read(&policy, "a"), ["day", "item", "year"]);
    let access = Evaluator::new(policy.clone(), &resources()).access("a");
    assert!(access.databases["shops"].tables["sales"].permissions.is_empty());
    // A name wins over a pattern.
    policy.assignments.insert(0, tagged(Tagged::Columns(sales(), "price".into()), "x"));
    assert_eq!(read(&policy, "a"), ALL);
}

#[test]
fn filters_are_a_union_for_each_column() {
    let use_filter = |name: &str| grant("a", GrantOn::Filter(sales(), name.into()), &[Permission::Select]);
    let item = ColumnChoice::Only(BTreeSet::from(["item".to_string()]));
    let mut policy = Policy {
        filters: vec![filter("one", ColumnChoice::All, Some("item = 'a'")), filter("two", item, Some("item = 'b'"))],
        grants: vec![on_database("a"), use_filter("one"), use_filter("two")],
        ..Policy::default()
    };
    let lists = |lists: &[&[&str]]| Rows::Where(lists.iter().map(|list| list.iter().map(ToString::to_string).collect()).collect());
    assert_eq!(rows(&policy, "a", "price"), lists(&[&["item = 'a'"]]));
    assert_eq!(rows(&policy, "a", "item"), lists(&[&["item = 'a'", "item = 'b'"]]));
    assert_eq!(rows(&policy, "a", "year"), lists(&[&["item = 'a'", "item = 'b'"]]));
    policy.filters.push(filter("all", ColumnChoice::All, None));
    policy.grants.push(use_filter("all"));
    assert_eq!(rows(&policy, "a", "price"), Rows::All);
    assert_eq!(rows(&policy, "b", "price"), Rows::None);
}

#[test]
fn row_policies_are_a_union_and_the_default_is_for_the_others() {
    let attach = |to: AttachedTo, whom| Attachment { to, whom };
    let row_policy = |name: &str, column: &str, rows: &str, attached| RowPolicy {
        place: String::new(),
        name: name.into(),
        columns: BTreeSet::from([column.to_string()]),
        rows: rows.into(),
        attached,
    };
    let mut policy = Policy {
        grants: ["a", "b"].map(|to| grant(to, GrantOn::AllTables("shops".into()), &[Permission::Select])).into(),
        ..Policy::default()
    };
    policy.row_policies =
        vec![row_policy("own", "item", "item = 'a'", vec![attach(AttachedTo::Table(sales()), AttachedFor::Principal("a".into()))])];
    assert_eq!(rows(&policy, "a", "day"), Rows::Where(vec![vec!["item = 'a'".into()]]));
    // Nothing is attached for this one, and there is no default: no row is seen.
    assert_eq!(rows(&policy, "b", "day"), Rows::Where(vec![vec![]]));
    policy.row_policies.push(row_policy("rest", "item", "item = 'z'", vec![attach(AttachedTo::Table(sales()), AttachedFor::Default)]));
    assert_eq!(rows(&policy, "b", "day"), Rows::Where(vec![vec!["item = 'z'".into()]]));
    // By tags it may reach a table that has not its column: that shows no rows.
    policy.assignments = vec![tagged(Tagged::Table(sales()), "x")];
    policy.row_policies =
        vec![row_policy("far", "shop", "shop = 1", vec![attach(AttachedTo::Tags(role(&["x"])), AttachedFor::Condition("true".into()))])];
    assert_eq!(rows(&policy, "b", "day"), Rows::Where(vec![vec![]]));
}

#[test]
fn groups_arns_and_conditions_reach_principals() {
    let principal = |arn: Option<&str>, groups: &[&str], tags: &[(&str, &str)]| Principal {
        arn: arn.map(str::to_string),
        groups: groups.iter().map(ToString::to_string).collect(),
        tags: tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
    };
    let all = |to: &str| grant(to, GrantOn::Table(sales()), &[Permission::Select]);
    let mut policy = Policy { grants: vec![on_database(IAM_PRINCIPALS), all("staff")], ..Policy::default() };
    policy.principals = BTreeMap::from([
        ("ann".to_string(), principal(Some("arn:aws:iam::123456789012:role/ann"), &["team"], &[("department", "sales")])),
        ("team".to_string(), principal(None, &["staff", "team"], &[("department", "none")])),
    ]);
    for name in ["ann", "arn:aws:iam::123456789012:role/ann", "team", "staff"] {
        assert_eq!(read(&policy, name), ALL, "{name}");
    }
    assert!(read(&policy, "bob").is_empty());
    policy.grants[1] = all(&format!("123456789012:{IAM_PRINCIPALS}"));
    for (condition, reads) in [
        (r#"context.iam.principalTags.getTag("department") == "sales""#, true),
        (r#"context.iam.principalTags.getTag("department") == "none""#, false),
        ("principal in Group::\"sales\"", false),
    ] {
        policy.grants[1].condition = Some(condition.into());
        assert_eq!(read(&policy, "ann").len(), if reads { 4 } else { 0 }, "{condition}");
    }
}

#[test]
fn owners_must_not_contradict_each_other() {
    let policy = |value: &str| Policy { assignments: vec![tagged(Tagged::Table(sales()), value)], ..Policy::default() };
    let both = |other: &str| BTreeMap::from([("one".to_string(), policy("x")), ("two".to_string(), policy(other))]);
    assert!(agree(&both("x"), &resources()).is_ok());
    let error = agree(&both("y"), &resources()).unwrap_err().to_string();
    assert!(error.contains("`two` sets the tag `role` of shops.sales to `y`, but `one` sets `x`"), "{error}");
    // Patterns that overlap.
    let column = |pattern: &str, value: &str| Policy {
        assignments: vec![tagged(Tagged::Columns(sales(), pattern.into()), value)],
        ..Policy::default()
    };
    let both_columns =
        |one: &str, two: &str| BTreeMap::from([("one".to_string(), column("p*", one)), ("two".to_string(), column("*ice", two))]);
    assert!(agree(&both_columns("x", "x"), &resources()).is_ok());
    let error = agree(&both_columns("x", "y"), &resources()).unwrap_err().to_string();
    assert!(error.contains("the tag `role` of shops.sales.price"), "{error}");
    let merged = Policy::merged(both("x").values());
    assert_eq!(merged.assignments.len(), 2);
}
