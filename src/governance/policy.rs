//! Who may see what, as one owner declares it: a pipeline, or a file of its own. How it is written is the concern of [`super::document`].
//!
//! The model is that of AWS Lake Formation: <https://docs.aws.amazon.com/lake-formation/latest/dg/tag-based-access-control.html>.

use super::permission::Permission;
use super::principal::Principal;
use crate::catalog::TableName;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What one owner says of a lake.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Description, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// LF-Tags and the values that they may have, in lower case and in the order in which they were written.
    pub tags: BTreeMap<String, Vec<String>>,
    /// Who is meant by a name in grants. Names that don't stand here mean themselves.
    pub principals: BTreeMap<String, Principal>,
    /// Which resource has which tags, each at the level where it is assigned.
    pub assignments: Vec<Assignment>,
    /// Expressions that have a name of their own in Lake Formation.
    pub expressions: BTreeMap<String, TagExpression>,
    pub grants: Vec<Grant>,
    /// Data cells filters.
    pub filters: Vec<DataFilter>,
    /// Row-level security policies.
    pub row_policies: Vec<RowPolicy>,
    /// Names of principals: data lake administrators.
    pub administrators: Vec<String>,
    /// Places that Lake Formation gives access to.
    pub locations: Vec<Location>,
    /// Principals that opt in to Lake Formation for a location in hybrid mode.
    pub opt_ins: Vec<OptIn>,
    /// Whether what `IAMAllowedPrincipals` may do by default is taken away from the databases and tables that the policy names.
    pub revoke_iam_allowed_principals: bool,
    pub mode: Mode,
}

/// What becomes of tags and grants on the same resources that the policy doesn't name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They stay.
    #[default]
    Additive,
    /// They go, where they are about what the policy declares: other values of its tags, other tags of its databases and tables, other grants on what it
    /// grants on.
    Authoritative,
}

/// Of each key one of the values, for all keys: `role IN (leader, analyst) AND area = sales`.
pub type TagExpression = BTreeMap<String, BTreeSet<String>>;

/// Tags that are assigned at one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Where it is written, as `file:line:column`; in a lake, who says it.
    #[serde(default, rename = "by", skip_serializing_if = "String::is_empty")]
    pub place: String,
    pub to: Tagged,
    /// Key and value.
    pub tags: BTreeMap<String, String>,
}

/// What tags are assigned to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tagged {
    Database(String),
    Table(TableName),
    /// The columns of a table whose names are this, or match it where it has a `*`. A name wins over a pattern, a later pattern over an earlier one.
    Columns(TableName, String),
}

/// What one principal may do with one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Where it is written, as `file:line:column`; in a lake, who says it.
    #[serde(default, rename = "by", skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// A name of `principals`, a role's or user's name, an ARN, an account, or `IAMPrincipals` or `IAMAllowedPrincipals`.
    pub to: String,
    pub on: GrantOn,
    pub permissions: BTreeSet<Permission>,
    /// Those of `permissions` that may be passed on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub grant_option: BTreeSet<Permission>,
    /// Cedar, of the principal's tags; it holds for those of whom this is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// What a grant is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantOn {
    /// Databases, or tables and columns, whose tags match.
    Tags {
        of: TagsOf,
        expression: TagExpression,
    },
    /// The same by the name of a saved expression.
    Expression {
        of: TagsOf,
        name: String,
    },
    Database(String),
    /// All tables of a database, including future ones.
    AllTables(String),
    Table(TableName),
    Columns(TableName, ColumnChoice),
    /// The rows and columns of a data cells filter.
    Filter(TableName, String),
    /// An address, `s3://bucket/prefix`.
    Location(String),
}

/// What an expression of tags is about: LF-Tag policies have a resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagsOf {
    Databases,
    /// Tables and their columns.
    Tables,
}

/// Some columns of a table, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnChoice {
    All,
    Only(BTreeSet<String>),
    AllBut(BTreeSet<String>),
}

/// A data cells filter: some columns of some rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFilter {
    /// As of grants.
    #[serde(default, rename = "by", skip_serializing_if = "String::is_empty")]
    pub place: String,
    pub table: TableName,
    /// Unique within the table.
    pub name: String,
    pub columns: ColumnChoice,
    /// In the language of [`super::RowExpression`]; all rows where not given.
    pub rows: Option<String>,
}

/// A row-level security policy, with what it is attached to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowPolicy {
    /// As of grants.
    #[serde(default, rename = "by", skip_serializing_if = "String::is_empty")]
    pub place: String,
    pub name: String,
    /// Those that the expression names.
    pub columns: BTreeSet<String>,
    /// In the language of [`super::RowExpression`].
    pub rows: String,
    pub attached: Vec<Attachment>,
}

/// Where, and for whom, a row policy holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub to: AttachedTo,
    #[serde(rename = "for")]
    pub whom: AttachedFor,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachedTo {
    Table(TableName),
    Tags(TagExpression),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachedFor {
    Principal(String),
    /// Cedar, of the principal's tags.
    Condition(String),
    /// Those for whom no other policy of the table is attached.
    Default,
}

/// A location that is registered with Lake Formation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// As of grants.
    #[serde(default, rename = "by", skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// `s3://bucket/prefix`.
    pub location: String,
    /// ARN of the role that reads it; default: the service-linked role.
    pub role: Option<String>,
    /// Hybrid mode: Lake Formation decides only for those who opted in.
    pub hybrid: bool,
}

/// That Lake Formation decides for a principal about a database or table whose location is in hybrid mode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OptIn {
    pub principal: String,
    pub on: OptInOn,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptInOn {
    Database(String),
    Table(TableName),
}

impl ColumnChoice {
    /// Whether the column `name` is one of them.
    pub fn has(&self, name: &str) -> bool {
        match self {
            ColumnChoice::All => true,
            ColumnChoice::Only(names) => names.contains(name),
            ColumnChoice::AllBut(names) => !names.contains(name),
        }
    }
}

impl Policy {
    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Policy::default()
    }

    /// The same as a lake keeps it: where it is written changes with every line that is added, and who says it doesn't.
    pub fn said_by(mut self, owner: &str) -> Policy {
        let places = self.assignments.iter_mut().map(|one| &mut one.place);
        let places =
            places.chain(self.grants.iter_mut().map(|one| &mut one.place)).chain(self.filters.iter_mut().map(|one| &mut one.place));
        let places =
            places.chain(self.row_policies.iter_mut().map(|one| &mut one.place)).chain(self.locations.iter_mut().map(|one| &mut one.place));
        places.for_each(|place| *place = owner.to_string());
        self
    }
}
