//! Who may see which database, table, column and row: a policy after the model of AWS Lake Formation, and what follows from it.

mod access;
mod evaluator;
mod permission;
mod policy;
mod principal;
mod resources;

pub use access::{Access, ColumnAccess, DatabaseAccess, Rows, TableAccess};
pub use evaluator::Evaluator;
pub use permission::Permission;
pub use policy::{
    Assignment, AttachedFor, AttachedTo, Attachment, ColumnChoice, DataFilter, Grant, GrantOn, Location, Mode, OptIn, OptInOn, Policy,
    RowPolicy, TagExpression, Tagged, TagsOf,
};
pub use principal::{IAM_ALLOWED_PRINCIPALS, IAM_PRINCIPALS, Principal};
pub use resources::{ColumnShape, Resources, TableShape};
