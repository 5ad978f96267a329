//! The language of row filters: which rows of a table are seen.
//!
//! It is the part of PartiQL that data cells filters know:
//! <https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html>. A column stands on one side and a constant on the other; there are no
//! functions, and no dates.

mod expression;
mod parser;
mod tokens;
mod types;

pub use expression::{ColumnPath, Constant, LONGEST_EXPRESSION, Misread, Operator, RowExpression};

#[cfg(test)]
mod tests;
