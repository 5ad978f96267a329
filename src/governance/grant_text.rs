//! Grants in words.

use super::policy::{ColumnChoice, Grant, GrantOn, TagExpression, TagsOf};
use std::collections::BTreeSet;
use std::fmt;

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permissions: Vec<String> = self.permissions.iter().map(|permission| permission.to_string().to_lowercase()).collect();
        write!(f, "{} on {} to {}", permissions.join(", "), self.on, self.to)?;
        if !self.grant_option.is_empty() {
            let option: Vec<String> = self.grant_option.iter().map(|permission| permission.to_string().to_lowercase()).collect();
            write!(f, ", who may grant {}", option.join(", "))?;
        }
        match &self.condition {
            Some(condition) => write!(f, " where {condition}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for GrantOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = |of: &TagsOf| match of {
            TagsOf::Databases => "databases",
            TagsOf::Tables => "tables and columns",
        };
        match self {
            GrantOn::Tags { of, expression } => write!(f, "{} with {}", what(of), in_words(expression)),
            GrantOn::Expression { of, name } => write!(f, "{} that match `{name}`", what(of)),
            GrantOn::Database(name) => write!(f, "database {name}"),
            GrantOn::AllTables(name) => write!(f, "all tables of {name}"),
            GrantOn::Table(name) => write!(f, "table {name}"),
            GrantOn::Columns(name, choice) => write!(f, "{choice} of {name}"),
            GrantOn::Filter(name, filter) => write!(f, "filter `{filter}` of {name}"),
            GrantOn::Location(location) => write!(f, "location {location}"),
        }
    }
}

impl fmt::Display for ColumnChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            ColumnChoice::All => f.write_str("all columns"),
            ColumnChoice::Only(names) => write!(f, "the columns {}", listed(names)),
            ColumnChoice::AllBut(names) => write!(f, "all columns but {}", listed(names)),
        }
    }
}

/// `area=sales AND role IN (analyst, leader)`.
pub fn in_words(expression: &TagExpression) -> String {
    let parts = expression.iter().map(|(key, values)| match values.iter().collect::<Vec<_>>().as_slice() {
        [only] => format!("{key}={only}"),
        _ => format!("{key} IN ({})", values.iter().cloned().collect::<Vec<_>>().join(", ")),
    });
    parts.collect::<Vec<_>>().join(" AND ")
}
