//! The types of Glue's columns, as queries have them.

use crate::catalog::Column;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::types::arrow_type;
use arrow::datatypes::{Field, FieldRef};
use std::sync::Arc;

/// The fields of `columns`, which are those of `table`.
///
/// # Errors
/// [`ErrorKind::Input`] for a type that is not known.
pub(super) fn fields(columns: &[Column], table: &str) -> Result<Vec<FieldRef>> {
    let field = |column: &Column| {
        let data_type = arrow_type(&plain(&column.data_type)).map_err(|fault| {
            let message = format!("column {} of {table} has the type `{}`, which can't be read here", column.name, column.data_type);
            Error::new(ErrorKind::Input, message).with_context("wrong", fault.message)
        })?;
        Ok(Arc::new(Field::new(column.name.to_lowercase(), data_type, true)))
    };
    columns.iter().map(field).collect()
}

/// The type in which texts have no longest length: that of `varchar(10)` is said, and not enforced here.
pub(super) fn plain(data_type: &str) -> String {
    let lower = data_type.to_lowercase();
    let (mut out, mut rest) = (String::with_capacity(lower.len()), lower.as_str());
    while let Some(at) = rest.find("char(") {
        let start = if rest[..at].ends_with("var") { at - "var".len() } else { at };
        let is_word = rest[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        match rest[at..].find(')') {
            Some(end) if !is_word => {
                out.push_str(&rest[..start]);
                out.push_str("string");
                rest = &rest[at + end + 1..];
            }
            _ => {
                out.push_str(&rest[..at + "char(".len()]);
                rest = &rest[at + "char(".len()..];
            }
        }
    }
    out.push_str(rest);
    if out == "varchar" { "string".to_string() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_strings_whatever_their_length() {
        for (of, is) in [
            ("varchar(10)", "string"),
            ("CHAR(3)", "string"),
            ("array<varchar(1)>", "array<string>"),
            ("struct<a:char(2),b:int>", "struct<a:string,b:int>"),
            ("decimal(10,2)", "decimal(10,2)"),
            ("varchar", "string"),
        ] {
            assert_eq!(plain(of), is);
        }
        let wrong = [Column { name: "x".into(), data_type: "interval_day_time".into(), comment: None }];
        assert_eq!(fields(&wrong, "a.b").unwrap_err().kind(), ErrorKind::Input);
    }
}
