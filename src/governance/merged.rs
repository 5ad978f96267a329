//! What all owners say together.

use super::effective::TagsOfAll;
use super::policy::{Mode, Policy, Tagged};
use super::resources::Resources;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

impl Policy {
    /// All that `policies` say.
    pub fn merged<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Policy {
        let mut all = Policy::default();
        for policy in policies {
            for (key, values) in &policy.tags {
                let known = all.tags.entry(key.clone()).or_default();
                known.extend(values.iter().filter(|value| !known.contains(value)).cloned().collect::<Vec<_>>());
            }
            for (name, principal) in &policy.principals {
                let known = all.principals.entry(name.clone()).or_default();
                known.arn = known.arn.take().or_else(|| principal.arn.clone());
                known.groups.extend(principal.groups.iter().cloned());
                known.tags.extend(principal.tags.clone());
            }
            all.assignments.extend(policy.assignments.iter().cloned());
            all.expressions.extend(policy.expressions.clone());
            all.grants.extend(policy.grants.iter().cloned());
            all.filters.extend(policy.filters.iter().cloned());
            all.row_policies.extend(policy.row_policies.iter().cloned());
            all.administrators.extend(policy.administrators.iter().cloned());
            all.locations.extend(policy.locations.iter().cloned());
            all.opt_ins.extend(policy.opt_ins.iter().cloned());
            all.revoke_iam_allowed_principals |= policy.revoke_iam_allowed_principals;
            if policy.mode == Mode::Authoritative {
                all.mode = Mode::Authoritative;
            }
        }
        all
    }
}

/// Makes sure that no two owners say of the same thing what can't both be. Patterns are held against the columns of `resources`.
///
/// # Errors
/// [`ErrorKind::Conflict`] naming both owners and what they don't agree about.
pub fn agree(policies: &BTreeMap<String, Policy>, resources: &Resources) -> Result<()> {
    let mut said: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for (owner, policy) in policies {
        for (what, value) in claims(policy).into_iter().chain(column_claims(policy, resources)) {
            match said.get(&what) {
                Some((other, before)) if *before != value && *other != owner => {
                    let message = format!("`{owner}` sets {what} to {value}, but `{other}` sets {before}; nothing was changed");
                    return Err(Error::new(ErrorKind::Conflict, message)
                        .with_context("what to do", "set it in only one of them, or in a shared file that both use under `governance`"));
                }
                _ => {
                    said.insert(what, (owner, value));
                }
            }
        }
    }
    Ok(())
}

/// The tags that `policy` gives columns that there are.
fn column_claims(policy: &Policy, resources: &Resources) -> Vec<(String, String)> {
    let own = policy.assignments.iter().filter(|one| matches!(one.to, Tagged::Columns(..))).cloned().collect::<Vec<_>>();
    let mut claims = Vec::new();
    if own.is_empty() {
        return claims;
    }
    for (name, tags) in TagsOfAll::of(&own, resources).tables {
        let columns = resources.get(&name.database).and_then(|tables| tables.get(&name.table)).map_or(&[][..], |table| &table.columns);
        for (column, tags) in columns.iter().zip(&tags.columns) {
            claims
                .extend(tags.iter().map(|(key, (value, _))| (format!("the tag `{key}` of {name}.{}", column.name), format!("`{value}`"))));
        }
    }
    claims
}

/// What only one can decide, in words, and how it is decided.
fn claims(policy: &Policy) -> Vec<(String, String)> {
    let mut claims = Vec::new();
    for assignment in &policy.assignments {
        for (key, value) in &assignment.tags {
            let what = match &assignment.to {
                Tagged::Database(database) => format!("the tag `{key}` of the database {database}"),
                Tagged::Table(table) => format!("the tag `{key}` of {table}"),
                // What they mean is told by the columns that there are.
                Tagged::Columns(..) => continue,
            };
            claims.push((what, format!("`{value}`")));
        }
    }
    for (name, principal) in &policy.principals {
        claims.extend(principal.arn.as_ref().map(|arn| (format!("the ARN of `{name}`"), arn.clone())));
        claims
            .extend(principal.tags.iter().map(|(key, value)| (format!("the tag `{key}` of the principal `{name}`"), format!("`{value}`"))));
    }
    claims.extend(policy.expressions.iter().map(|(name, expression)| (format!("the expression `{name}`"), format!("{expression:?}"))));
    for filter in &policy.filters {
        claims.push((format!("the filter `{}` of {}", filter.name, filter.table), format!("{:?} where {:?}", filter.columns, filter.rows)));
    }
    for row_policy in &policy.row_policies {
        claims.push((format!("the row policy `{}`", row_policy.name), format!("{} of {:?}", row_policy.rows, row_policy.columns)));
    }
    claims
}
