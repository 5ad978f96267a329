//! Functions whose result can be far larger than what they are given: told how large it would be before it is made.

use super::concatenation::{self, Concatenation};
use super::growth::Growth;
use super::held::{Budget, SMALL};
use super::wrapped::as_inner;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};
use datafusion::prelude::SessionContext;
use std::sync::Arc;

/// Puts bounds to the functions of `context` that have none; their results hold no more than `memory` at the same time.
///
/// # Errors
/// Where the context takes none.
pub(super) fn bound(context: &mut SessionContext, memory: u64) -> Result<()> {
    let bounds = Bounds(Budget::new(memory));
    let state = context.state();
    let mut seen = Vec::new();
    for function in state.scalar_functions().values() {
        // Aliases lead to the same one.
        if let Some(bounded) = bounds.of(function)
            && !seen.contains(&function.name())
        {
            seen.push(function.name());
            FunctionRegistry::register_udf(context, Arc::new(bounded))?;
        }
    }
    context.register_function_rewrite(Arc::new(bounds))
}

/// Puts bounds to the functions that operators and literals such as `[1, 2]` stand for, and to `||`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Bounds(Budget);

impl Bounds {
    /// The function with bounds, where it has none and needs some.
    fn of(&self, function: &Arc<ScalarUDF>) -> Option<ScalarUDF> {
        let growth = Growth::of(function.name()).filter(|_| !function.inner().is::<Bounded>())?;
        Some(ScalarUDF::new_from_impl(Bounded { inner: function.clone(), growth, bounds: self.clone() }))
    }

    fn bounded(&self, expr: Expr) -> Transformed<Expr> {
        match expr {
            Expr::ScalarFunction(mut call) => match self.of(&call.func) {
                Some(bounded) => {
                    call.func = Arc::new(bounded);
                    Transformed::yes(Expr::ScalarFunction(call))
                }
                None => Transformed::no(Expr::ScalarFunction(call)),
            },
            other => Transformed::no(other),
        }
    }
}

impl FunctionRewrite for Bounds {
    fn name(&self) -> &str {
        "bounds"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) = expr else { return Ok(self.bounded(expr)) };
        let types = [left.get_type(schema)?, right.get_type(schema)?];
        // What can't be joined is told by who knows why.
        if Concatenation::result(&types).is_err() {
            return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right })));
        }
        let mut args = match *left {
            Expr::ScalarFunction(call) if call.func.name() == concatenation::NAME => call.args,
            other => vec![other],
        };
        args.push(*right);
        let function = Arc::new(ScalarUDF::new_from_impl(Concatenation::new()));
        Ok(self.bounded(Expr::ScalarFunction(ScalarFunction::new_udf(function, args))))
    }
}

/// A function that is asked how large its result would be before it makes it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
    bounds: Bounds,
}

// All but `invoke_with_args` and `simplify` is that of the function itself.
#[warn(clippy::missing_trait_methods)]
impl ScalarUDFImpl for Bounded {
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (name, rows) = (self.inner.name(), args.number_rows);
        self.growth.check(name, &args.args, rows)?;
        let made = match self.inner.inner().invoke_with_args(args)? {
            ColumnarValue::Array(array) if array.len() == 1 && rows > 1 => ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?),
            made => made,
        };
        match made {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(self.bounds.0.count(array)?)),
            // A constant is copied for each row by who reads it, where nobody would count it.
            ColumnarValue::Scalar(scalar) if (scalar.size() as u64).saturating_mul(rows as u64) > SMALL => {
                Ok(ColumnarValue::Array(self.bounds.0.count(scalar.to_array_of_size(rows)?)?))
            }
            scalar => Ok(scalar),
        }
    }

    as_inner!();

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let updated = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(Bounded { inner: Arc::new(updated), growth: self.growth, bounds: self.bounds.clone() }))
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(match self.inner.inner().simplify(args, info)? {
            ExprSimplifyResult::Simplified(simpler) => {
                ExprSimplifyResult::Simplified(simpler.transform_up(|expr| Ok(self.bounds.bounded(expr)))?.data)
            }
            original => original,
        })
    }
}
