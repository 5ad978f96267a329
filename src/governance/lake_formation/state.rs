//! What Lake Formation has, or would have: in its own terms, so that two of them can be compared.

use crate::catalog::TableName;
use crate::governance::permission::Permission;
use crate::governance::policy::{ColumnChoice, GrantOn, TagExpression};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// All of it, as far as it is known or declared. Names of databases are Glue's, principals are ARNs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub tags: BTreeMap<String, BTreeSet<String>>,
    /// The tags that are assigned to each resource itself.
    #[serde(with = "pairs")]
    pub assigned: BTreeMap<Target, BTreeMap<String, String>>,
    pub expressions: BTreeMap<String, TagExpression>,
    #[serde(with = "pairs")]
    pub filters: BTreeMap<FilterKey, (ColumnChoice, Option<String>)>,
    #[serde(with = "pairs")]
    pub grants: BTreeMap<GrantKey, Held>,
    pub row_policies: BTreeMap<String, RowRule>,
    pub attachments: BTreeSet<AttachmentKey>,
    /// ARNs of places, with the role and whether hybrid.
    pub locations: BTreeMap<String, (Option<String>, bool)>,
    /// A principal, and a database or table.
    pub opt_ins: BTreeSet<(String, Target)>,
    pub administrators: BTreeSet<String>,
}

/// What has tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    Database(String),
    Table(TableName),
    Column(TableName, String),
}

/// A data cells filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilterKey {
    pub table: TableName,
    pub name: String,
}

/// What permissions are of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantKey {
    pub principal: String,
    pub on: GrantOn,
    pub condition: Option<String>,
}

/// The permissions, and those of them that may be passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub permissions: BTreeSet<Permission>,
    pub option: BTreeSet<Permission>,
}

/// What a row policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRule {
    /// With their types.
    pub columns: BTreeMap<String, String>,
    pub rows: String,
}

/// To what, and for whom, a row policy is attached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttachmentKey {
    pub policy: String,
    /// A table, or an expression of tags.
    pub on: GrantOn,
    pub principal: Option<String>,
    pub condition: Option<String>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Database(name) => write!(f, "database {name}"),
            Target::Table(name) => write!(f, "table {name}"),
            Target::Column(name, column) => write!(f, "column {name}.{column}"),
        }
    }
}

impl State {
    /// Both, where `other` says what this doesn't.
    #[must_use]
    pub fn and(mut self, other: &State) -> State {
        for (key, values) in &other.tags {
            self.tags.entry(key.clone()).or_default().extend(values.iter().cloned());
        }
        for (target, tags) in &other.assigned {
            fill(self.assigned.entry(target.clone()).or_default(), tags);
        }
        for (key, held) in &other.grants {
            let own = self.grants.entry(key.clone()).or_default();
            own.permissions.extend(held.permissions.iter().copied());
            own.option.extend(held.option.iter().copied());
        }
        fill(&mut self.expressions, &other.expressions);
        fill(&mut self.filters, &other.filters);
        fill(&mut self.row_policies, &other.row_policies);
        fill(&mut self.locations, &other.locations);
        self.attachments.extend(other.attachments.iter().cloned());
        self.opt_ins.extend(other.opt_ins.iter().cloned());
        self.administrators.extend(other.administrators.iter().cloned());
        self
    }
}

/// Adds what `other` has and `own` doesn't.
fn fill<K: Ord + Clone, V: Clone>(own: &mut BTreeMap<K, V>, other: &BTreeMap<K, V>) {
    for (key, value) in other {
        if !own.contains_key(key) {
            own.insert(key.clone(), value.clone());
        }
    }
}

/// Maps whose keys are more than texts, as lists of pairs.
mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
