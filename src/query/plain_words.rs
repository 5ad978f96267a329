//! No word of the engine's insides reaches the user: types are called as `CREATE TABLE` and the lake call them, and values are shown as SQL
//! writes them.

use crate::schema::types::athena_type;
use arrow::datatypes::DataType;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// The lake's name of a type; of one that no table has, that of its nearest.
pub(super) fn type_name(data_type: &DataType) -> String {
    match (athena_type(data_type), data_type) {
        (Ok(name), _) => name,
        (Err(_), DataType::Time32(_) | DataType::Time64(_)) => "time".to_string(),
        (Err(_), DataType::Interval(_) | DataType::Duration(_)) => "interval".to_string(),
        (Err(_), DataType::Timestamp(..)) => "timestamp".to_string(),
        (Err(_), other) => plain_types(&other.to_string()),
    }
}

// What is compiled here is written here: each is a regular expression.
static LITERAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\b(?:(?:Int|UInt|Float)(?:8|16|32|64)\((-?[0-9.eE+-]+)\)|Boolean\((true|false)\)|(?:LargeUtf8|Utf8View|Utf8)\("((?:[^"\\]|\\.)*)"\))"#)
        .expect("the expression is one")
});
static TYPE: LazyLock<Regex> = LazyLock::new(|| {
    let names = r#"\b(?:(Timestamp)\((?:Second|Millisecond|Microsecond|Nanosecond|s|ms|µs|us|ns)(?:, [^()]*)?\)|(Decimal(?:32|64|128|256))\b|(LargeUtf8|Utf8View|Utf8|LargeBinary|BinaryView|UInt8|UInt16|UInt32|UInt64|Int8|Int16|Int32|Int64|Float16|Float32|Float64|Date32|Date64)\b)"#;
    Regex::new(names).expect("the expression is one")
});

/// A column's name with values as SQL writes them: `sum(Int64(1))` is `sum(1)`.
pub(super) fn plain_name(name: &str) -> String {
    // Most names have none, and to make the expression of its text takes longer than a short query.
    if !["Int", "Float", "Boolean", "Utf8"].iter().any(|word| name.contains(word)) {
        return name.to_string();
    }
    let plain = LITERAL.replace_all(name, |found: &Captures<'_>| match (found.get(1).or(found.get(2)), found.get(3)) {
        (Some(value), _) => value.as_str().to_string(),
        (None, Some(text)) => format!("'{}'", text.as_str().replace('\'', "''")),
        (None, None) => found[0].to_string(),
    });
    plain.into_owned()
}

/// A message of the engine with types as the lake calls them.
pub(super) fn plain_types(message: &str) -> String {
    let plain = plain_name(message);
    let plain = TYPE.replace_all(&plain, |found: &Captures<'_>| match (found.get(1), found.get(2), &found[0]) {
        (Some(_), ..) => "timestamp",
        (_, Some(_), _) => "decimal",
        (_, _, "LargeUtf8" | "Utf8View" | "Utf8") => "string",
        (_, _, "LargeBinary" | "BinaryView") => "binary",
        (_, _, "Int8" | "UInt8") => "tinyint",
        (_, _, "Int16" | "UInt16") => "smallint",
        (_, _, "Int32" | "UInt32") => "int",
        (_, _, "Int64" | "UInt64") => "bigint",
        (_, _, "Float16" | "Float32") => "float",
        (_, _, "Float64") => "double",
        _ => "date",
    });
    plain.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_messages_have_no_insides() {
        assert_eq!(plain_name("sum(Int64(1)) + Float64(-1.5)"), "sum(1) + -1.5");
        assert_eq!(plain_name("concat(path,Utf8(\"it's\"))"), "concat(path,'it''s')");
        assert_eq!(plain_name("Int64(x) host"), "Int64(x) host");
        let message = "Cannot coerce arithmetic expression Int32 + Utf8View to valid types, Timestamp(ms, \"UTC\"), Decimal128(10, 2)";
        let plain = "Cannot coerce arithmetic expression int + string to valid types, timestamp, decimal(10, 2)";
        assert_eq!(plain_types(message), plain);
        assert_eq!(type_name(&DataType::Utf8View), "string");
    }
}
