//! What an expression says.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most characters of an expression.
pub const LONGEST_EXPRESSION: usize = 2_048;

/// An expression that was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RowExpression {
    Compare {
        column: ColumnPath,
        operator: Operator,
        constant: Constant,
    },
    Between {
        column: ColumnPath,
        low: Constant,
        high: Constant,
        negated: bool,
    },
    In {
        column: ColumnPath,
        constants: Vec<Constant>,
        negated: bool,
    },
    /// `%` stands for any text and `_` for any letter, but behind `escape`.
    Like {
        column: ColumnPath,
        pattern: String,
        escape: Option<char>,
        negated: bool,
    },
    IsNull {
        column: ColumnPath,
        negated: bool,
    },
    Constant(bool),
    Not(Box<RowExpression>),
    All(Vec<RowExpression>),
    Any(Vec<RowExpression>),
}

/// A column, in lower case, and behind it the names of fields within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ColumnPath(pub Vec<String>);

/// How a column and a constant are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Constant {
    Text(String),
    /// As it is written.
    Number(String),
    Boolean(bool),
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The byte of the text where it is.
    pub at: usize,
    pub message: String,
}

impl RowExpression {
    /// The columns that it names.
    pub fn columns(&self) -> BTreeSet<&str> {
        let mut columns = BTreeSet::new();
        self.each(&mut |path, _| {
            columns.insert(path.0[0].as_str());
        });
        columns
    }

    /// Gives `see` each column with the part of the expression that names it.
    pub(super) fn each<'e>(&'e self, see: &mut impl FnMut(&'e ColumnPath, &'e RowExpression)) {
        match self {
            RowExpression::Compare { column, .. }
            | RowExpression::Between { column, .. }
            | RowExpression::In { column, .. }
            | RowExpression::Like { column, .. }
            | RowExpression::IsNull { column, .. } => see(column, self),
            RowExpression::Constant(_) => {}
            RowExpression::Not(inner) => inner.each(see),
            RowExpression::All(parts) | RowExpression::Any(parts) => parts.iter().for_each(|part| part.each(see)),
        }
    }
}
