//! The values that a filter names a column to be equal to.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// The values that `filters` let the column `name` have, where one of them says nothing but which.
pub(super) fn named_values(filters: &[Expr], name: &str) -> Option<Vec<ScalarValue>> {
    filters.iter().find_map(|filter| values(filter, name))
}

fn values(filter: &Expr, name: &str) -> Option<Vec<ScalarValue>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) | (Expr::Literal(value, _), Expr::Column(column)) if column.name == name => {
                Some(vec![value.clone()])
            }
            _ => None,
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut found = values(left, name)?;
            found.extend(values(right, name)?);
            Some(found)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => values(left, name).or_else(|| values(right, name)),
        Expr::InList(list) if !list.negated && matches!(list.expr.as_ref(), Expr::Column(column) if column.name == name) => {
            let literal = |expr: &Expr| if let Expr::Literal(value, _) = expr { Some(value.clone()) } else { None };
            list.list.iter().map(literal).collect()
        }
        _ => None,
    }
}
