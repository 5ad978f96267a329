//! Whether an expression fits a table's columns.

use super::expression::{ColumnPath, Constant, RowExpression};
use crate::governance::resources::TableShape;

/// What can be compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Boolean,
}

impl RowExpression {
    /// What is wrong with it for `table`: columns that are not there, types that a filter can't ask for, constants of another type. In the order of the
    /// expression.
    pub fn misfits(&self, table: &TableShape) -> Vec<String> {
        let mut misfits = Vec::new();
        self.each(&mut |path, part| misfits.extend(misfit(path, part, table)));
        misfits
    }
}

fn misfit(path: &ColumnPath, part: &RowExpression, table: &TableShape) -> Option<String> {
    let name = &path.0[0];
    let Some(column) = table.columns.iter().find(|column| column.name == *name) else {
        return Some(format!("the table has no column `{name}`"));
    };
    if column.is_partition_key && matches!(part, RowExpression::IsNull { .. }) {
        return Some(format!("IS NULL can't be used on the partition key `{name}`"));
    }
    if path.0.len() > 1 {
        // Which fields there are in it, its type tells; what they hold is compared when the rows are read.
        return (!column.data_type.starts_with("struct<")).then(|| format!("`{name}` has no fields: it is {}", column.data_type));
    }
    let is = match kind(&column.data_type) {
        Some(kind) => kind,
        None if matches!(part, RowExpression::IsNull { .. }) && column.data_type.starts_with("struct<") => return None,
        None => {
            return Some(format!("`{name}` is {}, which row filters don't support: use text, numbers or booleans", column.data_type));
        }
    };
    let other = |constants: &[&Constant]| {
        constants
            .iter()
            .find(|constant| of(constant) != is)
            .map(|constant| format!("`{name}` is {}, but {constant} is not", column.data_type))
    };
    match part {
        RowExpression::Compare { constant, .. } => other(&[constant]),
        RowExpression::Between { low, high, .. } => other(&[low, high]),
        RowExpression::In { constants, .. } => other(&constants.iter().collect::<Vec<_>>()),
        RowExpression::Like { .. } if is != Kind::Text => Some(format!("LIKE is for text, but `{name}` is {}", column.data_type)),
        _ => None,
    }
}

fn kind(data_type: &str) -> Option<Kind> {
    let name = data_type.split('(').next().unwrap_or_default();
    match name {
        "string" | "varchar" | "char" => Some(Kind::Text),
        "tinyint" | "smallint" | "int" | "integer" | "bigint" | "float" | "double" | "decimal" => Some(Kind::Number),
        "boolean" => Some(Kind::Boolean),
        _ => None,
    }
}

fn of(constant: &Constant) -> Kind {
    match constant {
        Constant::Text(_) => Kind::Text,
        Constant::Number(_) => Kind::Number,
        Constant::Boolean(_) => Kind::Boolean,
    }
}

impl std::fmt::Display for Constant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Constant::Text(text) => write!(f, "'{}'", text.replace('\'', "''").escape_debug()),
            Constant::Number(number) => f.write_str(number),
            Constant::Boolean(value) => write!(f, "{value}"),
        }
    }
}
