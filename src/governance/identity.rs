//! Who is meant by a name.

use super::condition::Condition;
use super::policy::Policy;
use super::principal::{IAM_ALLOWED_PRINCIPALS, IAM_PRINCIPALS};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// All that a principal is: its name, its ARN, its groups and theirs, and everybody.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    names: BTreeSet<String>,
    tags: BTreeMap<String, String>,
}

impl Identity {
    /// Who `principal` is by `policy`; `by_arn` finds the name of an ARN.
    pub(super) fn of(principal: &str, policy: &Policy, by_arn: &HashMap<String, Vec<String>>) -> Identity {
        let mut identity = Identity::default();
        let mut open = vec![principal.to_string()];
        while let Some(name) = open.pop() {
            if !identity.names.insert(name.clone()) {
                continue;
            }
            // Whoever has the ARN is the one who has the name.
            for known in by_arn.get(&name).into_iter().flatten().chain([&name]) {
                let Some(one) = policy.principals.get(known) else { continue };
                open.push(known.clone());
                open.extend(one.arn.clone());
                open.extend(one.groups.iter().cloned());
            }
        }
        let own = by_arn.get(principal).into_iter().flatten().map(String::as_str).chain([principal]);
        identity.tags = own.filter_map(|name| policy.principals.get(name)).flat_map(|one| one.tags.clone()).collect();
        identity.names.extend([IAM_PRINCIPALS, IAM_ALLOWED_PRINCIPALS].map(str::to_string));
        identity
    }

    /// All that it is called, its groups and everybody too.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether `name` is this principal, or one of its groups.
    pub(super) fn is(&self, name: &str) -> bool {
        self.names.contains(name) || name.strip_suffix(IAM_PRINCIPALS).is_some_and(|account| self.is_of(account))
    }

    /// Whether it is one of the account `<account>:`, as in front of `IAMPrincipals`, by its ARN.
    fn is_of(&self, account: &str) -> bool {
        account.strip_suffix(':').is_some_and(|account| {
            // arn:partition:service:region:account:…
            self.names.iter().filter(|name| name.starts_with("arn:")).any(|arn| arn.split(':').nth(4) == Some(account))
        })
    }

    /// Whether `condition` holds; nothing where it isn't understood.
    pub(super) fn meets(&self, condition: &str) -> Option<bool> {
        Condition::parse(condition).ok().map(|condition| condition.holds(&self.tags))
    }
}
