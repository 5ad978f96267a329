use super::*;
use crate::governance::{ColumnShape, TableShape};

#[test]
fn each_kind_is_read() {
    for text in [
        "shop_id = 25",
        "25 = shop_id",
        "shop_id != -1.5e3 AND NOT (name LIKE 'a''b%' OR name IS NOT NULL)",
        "name NOT IN ('x', 'y') or \"Name\" not between 'a' and 'b'",
        "address.city <> 'Köln'",
        "open = true",
        "true",
        "name LIKE 'a!_%' ESCAPE '!'",
    ] {
        RowExpression::parse(text).unwrap_or_else(|misread| panic!("{text}: {misread:?}"));
    }
    let turned = RowExpression::parse("3 < a").unwrap();
    assert!(matches!(turned, RowExpression::Compare { operator: Operator::Greater, .. }));
    let columns = RowExpression::parse("a = 1 OR (B.c = 2 AND NOT d IS NULL)").unwrap();
    assert_eq!(columns.columns().into_iter().collect::<Vec<_>>(), ["a", "b", "d"]);
}

#[test]
fn what_is_none_is_told_with_its_place() {
    for (text, at) in [
        ("", 0),
        ("a", 1),
        ("a = b", 4),
        ("a = \"b\"", 4),
        ("lower(a) = 'x'", 5),
        ("a = 1 b = 2", 6),
        ("a = NULL", 4),
        ("a IN ()", 6),
        ("a LIKE 5", 7),
        ("a = 'x", 4),
        ("ctid = 1", 0),
        ("a = 1; DROP TABLE x", 5),
        ("(a = 1", 6),
        ("a between 1 or 2", 12),
    ] {
        assert_eq!(RowExpression::parse(text).unwrap_err().at, at, "{text}");
    }
    assert!(RowExpression::parse(&format!("{}a = 1", "NOT ".repeat(300))).is_err());
    assert!(RowExpression::parse(&format!("a = '{}'", "x".repeat(3_000))).is_err());
}

#[test]
fn types_are_held_against_the_table() {
    let column =
        |name: &str, data_type: &str, key: bool| ColumnShape { name: name.into(), data_type: data_type.into(), is_partition_key: key };
    let columns = vec![
        column("id", "bigint", false),
        column("name", "string", false),
        column("at", "timestamp", false),
        column("place", "struct<city:string>", false),
        column("dt", "string", true),
    ];
    let table = TableShape { columns, is_view: false };
    for (text, misfits) in [
        ("id = 1 AND name = 'x' AND place.city = 'y' AND dt = '2020'", 0),
        ("id = '1'", 1),
        ("name = 1", 1),
        ("at = 'x'", 1),
        ("gone = 1", 1),
        ("dt IS NULL", 1),
        ("id LIKE '1%'", 1),
        ("id IN (1, 'x')", 1),
        ("place IS NULL", 0),
    ] {
        assert_eq!(RowExpression::parse(text).unwrap().misfits(&table).len(), misfits, "{text}");
    }
}
