//! Row filters as expressions of the engine.

use super::restriction::Sightings;
use crate::governance::{ColumnPath, Constant, Operator, RowExpression, Rows};
use datafusion::common::{Column, ScalarValue};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::expr::{InList, Like};
use datafusion::logical_expr::{Expr, lit};

/// Of which rows a value is seen: for each of the lists one expression must be true.
pub(super) fn predicate(rows: &Rows, sightings: &Sightings) -> Expr {
    match rows {
        Rows::None => lit(false),
        Rows::All => lit(true),
        Rows::Where(lists) => {
            let any = |list: &Vec<String>| {
                let choices = list.iter().filter_map(|text| sightings.expression(text)).map(|expression| expr(&expression));
                choices.reduce(Expr::or).unwrap_or_else(|| lit(false))
            };
            lists.iter().map(any).reduce(Expr::and).unwrap_or_else(|| lit(true))
        }
    }
}

fn expr(expression: &RowExpression) -> Expr {
    match expression {
        RowExpression::Compare { column, operator, constant } => {
            let (left, right) = (self::column(column), self::constant(constant));
            match operator {
                Operator::Equal => left.eq(right),
                Operator::NotEqual => left.not_eq(right),
                Operator::Less => left.lt(right),
                Operator::LessOrEqual => left.lt_eq(right),
                Operator::Greater => left.gt(right),
                Operator::GreaterOrEqual => left.gt_eq(right),
            }
        }
        RowExpression::Between { column, low, high, negated } => {
            let column = self::column(column);
            match negated {
                false => column.between(constant(low), constant(high)),
                true => column.not_between(constant(low), constant(high)),
            }
        }
        RowExpression::In { column, constants, negated } => {
            Expr::InList(InList::new(Box::new(self::column(column)), constants.iter().map(constant).collect(), *negated))
        }
        RowExpression::Like { column, pattern, escape, negated } => {
            let pattern = Box::new(lit(like_pattern(pattern, *escape)));
            Expr::Like(Like::new(*negated, Box::new(self::column(column)), pattern, None, false))
        }
        RowExpression::IsNull { column, negated: false } => self::column(column).is_null(),
        RowExpression::IsNull { column, negated: true } => self::column(column).is_not_null(),
        RowExpression::Constant(value) => lit(*value),
        RowExpression::Not(inner) => Expr::Not(Box::new(expr(inner))),
        RowExpression::All(parts) => parts.iter().map(expr).reduce(Expr::and).unwrap_or_else(|| lit(true)),
        RowExpression::Any(parts) => parts.iter().map(expr).reduce(Expr::or).unwrap_or_else(|| lit(false)),
    }
}

fn column(path: &ColumnPath) -> Expr {
    let mut names = path.0.iter();
    let first = names.next().cloned().unwrap_or_default(); // The parser makes no path without a name.
    names.fold(Expr::Column(Column::new_unqualified(first)), |inner, field| get_field(inner, field.clone()))
}

fn constant(constant: &Constant) -> Expr {
    match constant {
        Constant::Text(text) => lit(text.clone()),
        Constant::Boolean(value) => lit(*value),
        Constant::Number(text) => number(text),
    }
}

/// The number exactly, where it has as many digits as decimals have.
fn number(text: &str) -> Expr {
    if let Ok(whole) = text.parse::<i64>() {
        return lit(whole);
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.trim_start_matches('+')), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part}");
    match (all.parse::<i128>(), u8::try_from(all.len().max(1)), i8::try_from(part.len())) {
        (Ok(value), Ok(precision @ ..=38), Ok(scale)) => lit(ScalarValue::Decimal128(Some(sign * value), precision, scale)),
        _ => text.parse::<f64>().map_or_else(|_| lit(ScalarValue::Null), lit),
    }
}

/// The pattern with backslashes in front of what stands for itself, as the engine has it.
fn like_pattern(pattern: &str, escape: Option<char>) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let (c, is_plain) = match Some(c) == escape {
            true => (chars.next().unwrap_or(c), true),
            false => (c, false),
        };
        if c == '\\' || (is_plain && matches!(c, '%' | '_')) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_numbers_mean_what_the_filter_says() {
        assert_eq!(like_pattern(r"a\%b_", None), r"a\\%b_");
        assert_eq!(like_pattern("10!%!!!_", Some('!')), r"10\%!\_");
        assert_eq!(number("25"), lit(25_i64));
        assert_eq!(number("-1.50"), lit(ScalarValue::Decimal128(Some(-150), 3, 2)));
        assert_eq!(number("1e3"), lit(1000.0));
    }
}
