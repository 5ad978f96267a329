//! Who may see which database, table, column and row: a policy after the model of AWS Lake Formation, and what follows from it.

mod access;
mod bits;
mod condition;
mod coverage;
mod effective;
mod evaluator;
mod identity;
mod merged;
mod permission;
mod policy;
mod principal;
mod resources;
mod row_expression;

pub use access::{Access, ColumnAccess, DatabaseAccess, Rows, TableAccess};
pub use condition::{Condition, LONGEST_CONDITION};
pub use effective::{EffectiveTags, Level, TableTags, TagsOfAll, matches};
pub use evaluator::Evaluator;
pub use merged::agree;
pub use permission::Permission;
pub use policy::{
    Assignment, AttachedFor, AttachedTo, Attachment, ColumnChoice, DataFilter, Grant, GrantOn, Location, Mode, OptIn, OptInOn, Policy,
    RowPolicy, TagExpression, Tagged, TagsOf,
};
pub use principal::{IAM_ALLOWED_PRINCIPALS, IAM_PRINCIPALS, Principal};
pub use resources::{ColumnShape, Resources, TableShape};
pub use row_expression::{ColumnPath, Constant, LONGEST_EXPRESSION, Misread, Operator, RowExpression};

#[cfg(test)]
mod tests;
