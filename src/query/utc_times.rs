//! Functions of times in UTC, made as of times without a zone: what is counted from an hour's or a day's start is the same there, and takes no look
//! at a calendar of zones for each row.

use super::wrapped::as_inner;
use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Field, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};
use std::sync::Arc;

/// The functions, by their names.
const OF_TIMES: [&str; 2] = ["date_trunc", "date_part"];

/// Puts [`OfUtc`] in the place of functions whose time is in UTC.
#[derive(Debug)]
pub(super) struct UtcTimes;

impl FunctionRewrite for UtcTimes {
    fn name(&self) -> &str {
        "utc_times"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::ScalarFunction(mut call) = expr else { return Ok(Transformed::no(expr)) };
        let is_of_utc = OF_TIMES.contains(&call.func.name())
            && !call.func.inner().is::<OfUtc>()
            && call.args.len() == 2
            && zone_of(&call.args[1].get_type(schema)?).is_some();
        if is_of_utc {
            call.func = Arc::new(ScalarUDF::new_from_impl(OfUtc { inner: call.func }));
        }
        Ok(if is_of_utc { Transformed::yes(Expr::ScalarFunction(call)) } else { Transformed::no(Expr::ScalarFunction(call)) })
    }
}

/// The zone of a time that is in UTC.
fn zone_of(data_type: &DataType) -> Option<&Arc<str>> {
    match data_type {
        DataType::Timestamp(_, Some(zone)) if ["UTC", "+00:00", "Z"].contains(&&**zone) => Some(zone),
        _ => None,
    }
}

/// A function whose second argument is a time in UTC.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OfUtc {
    inner: Arc<ScalarUDF>,
}

// All but `invoke_with_args` is that of the function itself.
#[warn(clippy::missing_trait_methods)]
impl ScalarUDFImpl for OfUtc {
    as_inner!();

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [_, time] = &args.args[..] else { return self.inner.inner().invoke_with_args(args) };
        let data_type = time.data_type();
        let Some(zone) = zone_of(&data_type).cloned() else { return self.inner.inner().invoke_with_args(args) };
        args.args[1] = in_zone(time, None)?;
        let field = &args.arg_fields[1];
        args.arg_fields[1] = Arc::new(Field::new(field.name(), without_zone(&data_type), field.is_nullable()));
        let result = args.return_field.data_type().clone();
        args.return_field = Arc::new(Field::new(args.return_field.name(), without_zone(&result), args.return_field.is_nullable()));
        let made = self.inner.inner().invoke_with_args(args)?;
        if zone_of(&result).is_some() { in_zone(&made, Some(zone)) } else { Ok(made) }
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.inner().simplify(args, info)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let updated = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(OfUtc { inner: Arc::new(updated) }))
    }
}

fn without_zone(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, _) => DataType::Timestamp(*unit, None),
        other => other.clone(),
    }
}

/// The same instants, said to be in `zone`.
fn in_zone(times: &ColumnarValue, zone: Option<Arc<str>>) -> Result<ColumnarValue> {
    Ok(match times {
        ColumnarValue::Scalar(scalar) => ColumnarValue::Scalar(match scalar {
            ScalarValue::TimestampSecond(time, _) => ScalarValue::TimestampSecond(*time, zone),
            ScalarValue::TimestampMillisecond(time, _) => ScalarValue::TimestampMillisecond(*time, zone),
            ScalarValue::TimestampMicrosecond(time, _) => ScalarValue::TimestampMicrosecond(*time, zone),
            ScalarValue::TimestampNanosecond(time, _) => ScalarValue::TimestampNanosecond(*time, zone),
            other => other.clone(),
        }),
        ColumnarValue::Array(array) => ColumnarValue::Array(array_in_zone(array, zone)),
    })
}

fn array_in_zone(array: &ArrayRef, zone: Option<Arc<str>>) -> ArrayRef {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => Arc::new(array.as_primitive::<TimestampSecondType>().clone().with_timezone_opt(zone)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Arc::new(array.as_primitive::<TimestampMillisecondType>().clone().with_timezone_opt(zone))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(zone))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Arc::new(array.as_primitive::<TimestampNanosecondType>().clone().with_timezone_opt(zone))
        }
        _ => array.clone(),
    }
}
