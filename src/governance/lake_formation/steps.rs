//! The calls that make of what is live what is wanted.

use super::account::{ALLOWED, Account};
use super::state::{AttachmentKey, FilterKey, GrantKey, Held, RowRule, State, Target};
use crate::governance::permission::Permission;
use crate::governance::policy::{ColumnChoice, GrantOn, TagExpression};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    CreateTag(String, BTreeSet<String>),
    AddValues(String, BTreeSet<String>),
    SaveExpression(String, TagExpression, bool),
    /// All tags that the resource is to have itself.
    Assign(Target, BTreeMap<String, String>),
    /// The filter, and whether one of its name is there.
    SaveFilter(FilterKey, ColumnChoice, Option<String>, bool),
    Register(String, Option<String>, bool),
    Grant(GrantKey, Held),
    SaveRowPolicy(String, RowRule, bool),
    Attach(AttachmentKey),
    OptIn(String, Target),
    AddAdministrators(BTreeSet<String>),
    Revoke(GrantKey, Held),
    Detach(AttachmentKey),
    OptOut(String, Target),
    Unassign(Target, BTreeMap<String, String>),
    DeleteFilter(FilterKey),
    DeleteRowPolicy(String),
    DeleteExpression(String),
    RemoveValues(String, BTreeSet<String>),
    DeleteTag(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(", ");
        let tags =
            |tags: &BTreeMap<String, String>| tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ");
        let held = |held: &Held| {
            let words = held.permissions.iter().map(|permission| permission.to_string().to_lowercase());
            let option = if held.option.is_empty() { "" } else { ", with grant option" };
            format!("{}{option}", words.collect::<Vec<_>>().join(", "))
        };
        match self {
            Step::CreateTag(key, values) => write!(f, "create the tag {key} with the values {}", listed(values)),
            Step::AddValues(key, values) => write!(f, "add to the tag {key} the values {}", listed(values)),
            Step::SaveExpression(name, expression, _) => {
                write!(f, "save the expression {name}: {}", crate::governance::in_words(expression))
            }
            Step::Assign(target, all) => write!(f, "tag {target} with {}", tags(all)),
            Step::SaveFilter(key, columns, rows, _) => {
                write!(f, "save the filter {} of {}: {columns}, {}", key.name, key.table, rows.as_deref().unwrap_or("all rows"))
            }
            Step::Register(arn, _, hybrid) => write!(f, "register {arn}{}", if *hybrid { ", hybrid" } else { "" }),
            Step::Grant(key, what) => write!(f, "grant {} on {} to {}", held(what), key.on, key.principal),
            Step::SaveRowPolicy(name, rule, _) => write!(f, "save the row policy {name}: {}", rule.rows),
            Step::Attach(key) => write!(f, "attach the row policy {} to {}", key.policy, key.on),
            Step::OptIn(principal, target) => write!(f, "opt {principal} in on {target}"),
            Step::AddAdministrators(all) => write!(f, "make administrators of {}", listed(all)),
            Step::Revoke(key, what) => write!(f, "revoke {} on {} from {}", held(what), key.on, key.principal),
            Step::Detach(key) => write!(f, "detach the row policy {} from {}", key.policy, key.on),
            Step::OptOut(principal, target) => write!(f, "opt {principal} out on {target}"),
            Step::Unassign(target, all) => write!(f, "take the tags {} from {target}", tags(all)),
            Step::DeleteFilter(key) => write!(f, "delete the filter {} of {}", key.name, key.table),
            Step::DeleteRowPolicy(name) => write!(f, "delete the row policy {name}"),
            Step::DeleteExpression(name) => write!(f, "delete the expression {name}"),
            Step::RemoveValues(key, values) => write!(f, "remove from the tag {key} the values {}", listed(values)),
            Step::DeleteTag(key) => write!(f, "delete the tag {key}"),
        }
    }
}

/// What has to be done so that `live` has what is `wanted`. Of what is not wanted only what was `told` before goes; where the policy is authoritative,
/// also what others granted on the same resources, and tags of the same keys that others assigned to them. Where `revokes`, what is allowed to
/// `IAMAllowedPrincipals` on these databases and tables goes, after `account`'s own principal has all of it.
pub fn steps(wanted: &State, told: &State, live: &State, account: &Account, authoritative: bool, revokes: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    own_grants(wanted, live, account, revokes, &mut steps);
    for (key, values) in &wanted.tags {
        match live.tags.get(key) {
            None => steps.push(Step::CreateTag(key.clone(), values.clone())),
            Some(there) => {
                let new: BTreeSet<String> = values.difference(there).cloned().collect();
                steps.extend((!new.is_empty()).then(|| Step::AddValues(key.clone(), new)));
            }
        }
    }
    for (name, expression) in wanted.expressions.iter().filter(|(name, expression)| live.expressions.get(*name) != Some(*expression)) {
        steps.push(Step::SaveExpression(name.clone(), expression.clone(), live.expressions.contains_key(name)));
    }
    for (target, tags) in &wanted.assigned {
        let there = live.assigned.get(target);
        if tags.iter().any(|(key, value)| there.and_then(|tags| tags.get(key)) != Some(value)) {
            // What others assigned under other keys is sent along: it stays, whether tags are merged or replaced.
            let mut all = there.cloned().unwrap_or_default();
            all.extend(tags.clone());
            steps.push(Step::Assign(target.clone(), all));
        }
    }
    for (key, filter) in wanted.filters.iter().filter(|(key, filter)| live.filters.get(*key) != Some(*filter)) {
        steps.push(Step::SaveFilter(key.clone(), filter.0.clone(), filter.1.clone(), live.filters.contains_key(key)));
    }
    for (arn, (role, hybrid)) in wanted.locations.iter().filter(|(arn, _)| !live.locations.contains_key(*arn)) {
        let step = Step::Register(arn.clone(), role.clone(), *hybrid);
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    for (key, held) in &wanted.grants {
        let there = live.grants.get(key).cloned().unwrap_or_default();
        let missing = less(held, &there);
        steps.extend((!missing.permissions.is_empty()).then(|| Step::Grant(key.clone(), missing)));
    }
    for (name, rule) in
        wanted.row_policies.iter().filter(|(name, rule)| live.row_policies.get(*name).map(|there| &there.rows) != Some(&rule.rows))
    {
        steps.push(Step::SaveRowPolicy(name.clone(), rule.clone(), live.row_policies.contains_key(name)));
    }
    steps.extend(wanted.attachments.difference(&live.attachments).cloned().map(Step::Attach));
    steps.extend(wanted.opt_ins.difference(&live.opt_ins).cloned().map(|(principal, target)| Step::OptIn(principal, target)));
    let new: BTreeSet<String> = wanted.administrators.difference(&live.administrators).cloned().collect();
    steps.extend((!new.is_empty()).then_some(Step::AddAdministrators(new)));
    removals(wanted, told, live, account, authoritative, &mut steps);
    if revokes {
        steps.extend(allowed(wanted, live).into_iter().map(|(key, held)| Step::Revoke(key, held)));
    }
    steps
}

/// Before anything that decides by grants begins to, whose keys these are has them.
fn own_grants(wanted: &State, live: &State, account: &Account, revokes: bool, steps: &mut Vec<Step>) {
    if !revokes {
        return;
    }
    for (key, _) in allowed(wanted, live) {
        let own = GrantKey { principal: account.caller.clone(), on: key.on.clone(), condition: None };
        let all = Held { permissions: BTreeSet::from([Permission::All]), option: BTreeSet::from([Permission::All]) };
        let missing = less(&all, &live.grants.get(&own).cloned().unwrap_or_default());
        if !missing.permissions.is_empty() {
            steps.push(Step::Grant(own, missing));
        }
    }
    for arn in wanted.locations.keys() {
        let own = GrantKey { principal: account.caller.clone(), on: GrantOn::Location(arn.clone()), condition: None };
        if !live.grants.contains_key(&own) {
            steps.push(Step::Register(arn.clone(), wanted.locations[arn].0.clone(), wanted.locations[arn].1));
            let held = Held { permissions: BTreeSet::from([Permission::DataLocationAccess]), option: BTreeSet::new() };
            steps.push(Step::Grant(own, held));
        }
    }
    steps.retain(|step| !matches!(step, Step::Register(arn, ..) if live.locations.contains_key(arn)));
}

/// What `IAMAllowedPrincipals` has on the databases and tables that are tagged or granted.
fn allowed(wanted: &State, live: &State) -> Vec<(GrantKey, Held)> {
    let mut named: BTreeSet<GrantOn> = BTreeSet::new();
    for target in wanted.assigned.keys() {
        named.extend(match target {
            Target::Database(name) => [GrantOn::Database(name.clone())],
            Target::Table(name) | Target::Column(name, _) => [GrantOn::Table(name.clone())],
        });
    }
    for key in wanted.grants.keys() {
        match &key.on {
            GrantOn::Columns(name, _) | GrantOn::Filter(name, _) => drop(named.insert(GrantOn::Table(name.clone()))),
            on @ (GrantOn::Database(_) | GrantOn::Table(_)) => drop(named.insert(on.clone())),
            _ => {}
        }
    }
    let databases: BTreeSet<String> = named
        .iter()
        .filter_map(|on| match on {
            GrantOn::Database(name) => Some(name.clone()),
            GrantOn::Table(name) => Some(name.database.clone()),
            _ => None,
        })
        .collect();
    named.extend(databases.into_iter().map(GrantOn::Database));
    let found = live.grants.iter().filter(|(key, _)| key.principal == ALLOWED && named.contains(&key.on));
    found.map(|(key, held)| (key.clone(), Held { permissions: held.permissions.clone(), option: BTreeSet::new() })).collect()
}

fn removals(wanted: &State, told: &State, live: &State, account: &Account, authoritative: bool, steps: &mut Vec<Step>) {
    let named: BTreeSet<&GrantOn> = wanted.grants.keys().map(|key| &key.on).collect();
    for (key, there) in &live.grants {
        let kept = wanted.grants.get(key).cloned().unwrap_or_default();
        let is_own = key.principal == account.caller || key.principal == ALLOWED;
        let more = less(there, &kept);
        let gone = match told.grants.get(key) {
            _ if authoritative && !is_own && named.contains(&key.on) => more,
            Some(told) => Held {
                permissions: more.permissions.intersection(&told.permissions).copied().collect(),
                option: more.option.intersection(&told.option).copied().collect(),
            },
            None => continue,
        };
        // Lake Formation adds DESCRIBE to what it shows of SELECT and ALL.
        let implied =
            gone.permissions == BTreeSet::from([Permission::Describe]) && !kept.permissions.is_empty() && !told.grants.contains_key(key);
        if !gone.permissions.is_empty() && !implied {
            steps.push(Step::Revoke(key.clone(), gone));
        }
    }
    let had = |key: &AttachmentKey| told.attachments.contains(key);
    steps.extend(live.attachments.iter().filter(|key| had(key) && !wanted.attachments.contains(*key)).cloned().map(Step::Detach));
    let left = live.opt_ins.iter().filter(|one| told.opt_ins.contains(*one) && !wanted.opt_ins.contains(*one));
    steps.extend(left.cloned().map(|(principal, target)| Step::OptOut(principal, target)));
    for (target, there) in &live.assigned {
        let (own, before) = (wanted.assigned.get(target), told.assigned.get(target));
        let gone = there.iter().filter(|(key, _)| {
            let is_wanted = own.is_some_and(|tags| tags.contains_key(*key));
            let was_told = before.is_some_and(|tags| tags.contains_key(*key));
            !is_wanted && (was_told || (authoritative && own.is_some() && wanted.tags.contains_key(*key)))
        });
        let gone: BTreeMap<String, String> = gone.map(|(key, value)| (key.clone(), value.clone())).collect();
        steps.extend((!gone.is_empty()).then(|| Step::Unassign(target.clone(), gone)));
    }
    let gone = live.filters.keys().filter(|key| told.filters.contains_key(*key) && !wanted.filters.contains_key(*key));
    steps.extend(gone.cloned().map(Step::DeleteFilter));
    let gone = live.row_policies.keys().filter(|name| told.row_policies.contains_key(*name) && !wanted.row_policies.contains_key(*name));
    steps.extend(gone.cloned().map(Step::DeleteRowPolicy));
    let gone = live.expressions.keys().filter(|name| told.expressions.contains_key(*name) && !wanted.expressions.contains_key(*name));
    steps.extend(gone.cloned().map(Step::DeleteExpression));
    for (key, there) in &live.tags {
        let Some(before) = told.tags.get(key) else { continue };
        let kept = wanted.tags.get(key).cloned().unwrap_or_default();
        let gone: BTreeSet<String> = there.iter().filter(|value| before.contains(*value) && !kept.contains(*value)).cloned().collect();
        if gone.is_empty() {
            continue;
        }
        steps.push(if gone == *there { Step::DeleteTag(key.clone()) } else { Step::RemoveValues(key.clone(), gone) });
    }
}

/// What `held` has and `there` doesn't.
fn less(held: &Held, there: &Held) -> Held {
    let option: BTreeSet<Permission> = held.option.difference(&there.option).copied().collect();
    let mut permissions: BTreeSet<Permission> = held.permissions.difference(&there.permissions).copied().collect();
    // A grant option comes with its permission.
    permissions.extend(option.iter().copied());
    Held { permissions, option }
}
