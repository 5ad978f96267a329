//! Times that are written to the minute, `'2020-02-29 01:00'`, where a time is compared with them: casting texts to times takes seconds only.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Cast, Expr, LogicalPlan, TryCast};
use datafusion::optimizer::AnalyzerRule;

/// Adds the seconds to texts that become times.
#[derive(Debug)]
pub(super) struct ShortTimes;

impl AnalyzerRule for ShortTimes {
    fn name(&self) -> &str {
        "short_times"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(expr.transform_up(|expr| Ok(with_seconds(expr)))?.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(plan.data)
    }
}

fn with_seconds(mut expr: Expr) -> Transformed<Expr> {
    let (inner, becomes) = match &mut expr {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => (expr, field.data_type()),
        _ => return Transformed::no(expr),
    };
    if !matches!(becomes, arrow::datatypes::DataType::Timestamp(..)) {
        return Transformed::no(expr);
    }
    let Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)), _) =
        inner.as_mut()
    else {
        return Transformed::no(expr);
    };
    if !is_short(text) {
        return Transformed::no(expr);
    }
    text.insert_str(SHORT.len(), ":00");
    Transformed::yes(expr)
}

/// A digit for each 0.
const SHORT: &[u8] = b"0000-00-00 00:00";

/// Whether `text` is a time without seconds; behind it a zone may stand.
fn is_short(text: &str) -> bool {
    let is_time = text.len() >= SHORT.len()
        && text.bytes().zip(SHORT).all(|(byte, pattern)| match pattern {
            b'0' => byte.is_ascii_digit(),
            b' ' => matches!(byte, b' ' | b'T'),
            _ => byte == *pattern,
        });
    is_time && matches!(text.as_bytes().get(SHORT.len()), None | Some(b'Z' | b'z' | b'+' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::is_short;

    #[test]
    fn times_without_seconds_are_known() {
        assert!(["2020-02-29 01:00", "2020-02-29T01:00Z", "2020-02-29 01:00+02:00"].into_iter().all(is_short));
        assert!(!["2020-02-29", "2020-02-29 01:00:00", "2020-02-29 1:00", "2020-02-29 01:00 x", "ä"].into_iter().any(is_short));
    }
}
