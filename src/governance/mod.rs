//! Who may see which database, table, column and row: a policy after the model of AWS Lake Formation, and what follows from it.

mod access;
mod bits;
mod changes;
mod condition;
mod coverage;
mod document;
mod draft;
mod effective;
mod evaluator;
mod explanation;
mod findings;
mod grant_text;
mod identity;
mod lake;
pub mod lake_formation;
mod matrix;
mod merged;
mod permission;
mod policy;
mod principal;
mod resources;
mod row_expression;

pub use access::{Access, ColumnAccess, DatabaseAccess, Rows, Sight, TableAccess};
pub use changes::{SightChange, changes, columns};
pub use condition::{Condition, LONGEST_CONDITION};
pub(crate) use document::{AssignmentText, GovernanceText, GrantText, Version, names, resolve};
pub use document::{LoadedPolicy, PolicyFile, json_schema};
pub use draft::Draft;
pub use effective::{EffectiveTags, Level, TableTags, TagsOfAll, matches};
pub use evaluator::Evaluator;
pub use explanation::{ColumnExplanation, Explanation, TagOrigin};
pub use findings::{Finding, findings};
pub use grant_text::in_words;
pub use lake::{evaluator, policies, resources as resources_of};
pub use matrix::Matrix;
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
