//! Names for the columns of a result.

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use std::collections::HashSet;
use std::sync::Arc;

/// The names by which a plan's expressions call its tables, the longest first.
pub(super) fn qualifiers(plan: &LogicalPlan) -> Vec<String> {
    let mut found = Vec::new();
    let walked = plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(scan) => found.push(scan.table_name.to_string()),
            LogicalPlan::SubqueryAlias(alias) => found.push(alias.alias.to_string()),
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok(), "nothing in the walk fails");
    found.sort_by_key(|name| std::cmp::Reverse(name.len()));
    found.dedup();
    found
}

/// `schema` with names that are short (`max(time)` for what DataFusion calls `max(logs/access.log.time)`) and different: a name
/// met twice gets `_2`.
pub(super) fn readable(schema: &SchemaRef, qualifiers: &[String]) -> SchemaRef {
    let mut taken = HashSet::new();
    let fields = schema.fields().iter().map(|field| {
        let plain = qualifiers.iter().fold(field.name().clone(), |name, qualifier| without(&name, qualifier));
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(free.clone());
        Field::clone(field).with_name(free)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// `text` without `qualifier.` where that starts a name.
pub(super) fn without(text: &str, qualifier: &str) -> String {
    let prefix = format!("{qualifier}.");
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&prefix) {
        let inside = rest[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '/'));
        out.push_str(&rest[..at]);
        if inside {
            out.push_str(&prefix);
        }
        rest = &rest[at + prefix.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::DataType;

    #[test]
    fn names_lose_their_tables_and_stay_different() {
        let names = ["max(a/x.log.time)", "t.host", "u.host", "cast.host", "host"];
        let schema = Schema::new(names.map(|name| Field::new(name, DataType::Utf8View, true)).to_vec());
        let readable = readable(&Arc::new(schema), &["a/x.log".into(), "t".into(), "u".into()]);
        let names: Vec<&str> = readable.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names, ["max(time)", "host", "host_2", "cast.host", "host_3"]);
    }
}
