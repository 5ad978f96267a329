//! Functions around others: what a wrapper leaves as it is.

/// The methods of `ScalarUDFImpl` that a function with another one in its field `inner` leaves to that one: all but `invoke_with_args`, `simplify` and
/// `with_updated_config`.
macro_rules! as_inner {
    () => {
        fn name(&self) -> &str {
            self.inner.name()
        }

        fn display_name(&self, args: &[datafusion::logical_expr::Expr]) -> datafusion::common::Result<String> {
            #[expect(deprecated, reason = "it is that of the function")]
            self.inner.inner().display_name(args)
        }

        fn schema_name(&self, args: &[datafusion::logical_expr::Expr]) -> datafusion::common::Result<String> {
            self.inner.inner().schema_name(args)
        }

        fn signature(&self) -> &datafusion::logical_expr::Signature {
            self.inner.inner().signature()
        }

        fn return_type(&self, types: &[arrow::datatypes::DataType]) -> datafusion::common::Result<arrow::datatypes::DataType> {
            self.inner.inner().return_type(types)
        }

        fn return_field_from_args(
            &self,
            args: datafusion::logical_expr::ReturnFieldArgs<'_>,
        ) -> datafusion::common::Result<arrow::datatypes::FieldRef> {
            self.inner.inner().return_field_from_args(args)
        }

        fn is_nullable(&self, args: &[datafusion::logical_expr::Expr], schema: &dyn datafusion::common::ExprSchema) -> bool {
            #[expect(deprecated, reason = "it is that of the function")]
            self.inner.inner().is_nullable(args, schema)
        }

        fn is_strict(&self) -> bool {
            self.inner.inner().is_strict()
        }

        fn aliases(&self) -> &[String] {
            self.inner.inner().aliases()
        }

        fn preimage(
            &self,
            args: &[datafusion::logical_expr::Expr],
            literal: &datafusion::logical_expr::Expr,
            info: &datafusion::logical_expr::simplify::SimplifyContext,
        ) -> datafusion::common::Result<datafusion::logical_expr::preimage::PreimageResult> {
            self.inner.inner().preimage(args, literal, info)
        }

        fn conditional_arguments<'a>(
            &self,
            args: &'a [datafusion::logical_expr::Expr],
        ) -> Option<(Vec<&'a datafusion::logical_expr::Expr>, Vec<&'a datafusion::logical_expr::Expr>)> {
            self.inner.inner().conditional_arguments(args)
        }

        fn short_circuits(&self) -> bool {
            self.inner.inner().short_circuits()
        }

        fn evaluate_bounds(
            &self,
            input: &[&datafusion::logical_expr::interval_arithmetic::Interval],
        ) -> datafusion::common::Result<datafusion::logical_expr::interval_arithmetic::Interval> {
            self.inner.inner().evaluate_bounds(input)
        }

        fn propagate_constraints(
            &self,
            interval: &datafusion::logical_expr::interval_arithmetic::Interval,
            inputs: &[&datafusion::logical_expr::interval_arithmetic::Interval],
        ) -> datafusion::common::Result<Option<Vec<datafusion::logical_expr::interval_arithmetic::Interval>>> {
            self.inner.inner().propagate_constraints(interval, inputs)
        }

        fn struct_field_mapping(
            &self,
            literals: &[Option<datafusion::common::ScalarValue>],
        ) -> Option<datafusion::logical_expr::StructFieldMapping> {
            self.inner.inner().struct_field_mapping(literals)
        }

        fn output_ordering(
            &self,
            inputs: &[datafusion::logical_expr::sort_properties::ExprProperties],
        ) -> datafusion::common::Result<datafusion::logical_expr::sort_properties::SortProperties> {
            self.inner.inner().output_ordering(inputs)
        }

        fn preserves_lex_ordering(
            &self,
            inputs: &[datafusion::logical_expr::sort_properties::ExprProperties],
        ) -> datafusion::common::Result<bool> {
            self.inner.inner().preserves_lex_ordering(inputs)
        }

        fn strictly_order_preserving(
            &self,
            inputs: &[datafusion::logical_expr::sort_properties::ExprProperties],
        ) -> datafusion::common::Result<bool> {
            self.inner.inner().strictly_order_preserving(inputs)
        }

        fn coerce_types(&self, types: &[arrow::datatypes::DataType]) -> datafusion::common::Result<Vec<arrow::datatypes::DataType>> {
            self.inner.inner().coerce_types(types)
        }

        fn documentation(&self) -> Option<&datafusion::logical_expr::Documentation> {
            self.inner.inner().documentation()
        }

        fn placement(&self, args: &[datafusion::logical_expr::ExpressionPlacement]) -> datafusion::logical_expr::ExpressionPlacement {
            self.inner.inner().placement(args)
        }
    };
}
pub(super) use as_inner;
