//! `a || b` as a function, which can be asked how large its result would be.

use arrow::compute::kernels::concat_elements::concat_elements_dyn;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// The operator's sign is the function's name: nobody can call it otherwise.
pub(super) const NAME: &str = "||";

/// Texts or bytes one behind the other; null where one of them is. A chain is one call.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Concatenation {
    signature: Signature,
}

impl Concatenation {
    pub(super) fn new() -> Concatenation {
        Concatenation { signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// The type of what values of `types` make together.
    ///
    /// # Errors
    /// Where they are no texts and no bytes.
    pub(super) fn result(types: &[DataType]) -> Result<DataType> {
        let Some((first, rest)) = types.split_first() else { return internal_err!("{NAME} joins nothing") };
        rest.iter().try_fold(first.clone(), |left, right| BinaryTypeCoercer::new(&left, &Operator::StringConcat, right).get_result_type())
    }
}

impl ScalarUDFImpl for Concatenation {
    fn name(&self) -> &str {
        NAME
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let names: Vec<String> = args.iter().map(|arg| arg.schema_name().to_string()).collect();
        Ok(names.join(" || "))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(match Concatenation::result(types)? {
            DataType::FixedSizeBinary(_) => types.to_vec(),
            result => vec![result; types.len()],
        })
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Concatenation::result(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(NAME, Concatenation::result(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let Some((first, rest)) = args.args.split_first() else { return internal_err!("{NAME} joins nothing") };
        let mut joined = first.to_array(rows)?;
        for arg in rest {
            joined = concat_elements_dyn(&joined, &arg.to_array(rows)?)?;
        }
        Ok(ColumnarValue::Array(joined))
    }
}
