//! Who is meant by a name.

use super::condition::Condition;
use super::policy::Policy;
use super::principal::{IAM_ALLOWED_PRINCIPALS, IAM_PRINCIPALS};
use std::collections::{BTreeMap, BTreeSet};

/// All that a principal is: its name, its ARN, its groups and theirs, and everybody.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    names: BTreeSet<String>,
    tags: BTreeMap<String, String>,
}

impl Identity {
    pub(super) fn of(principal: &str, policy: &Policy) -> Identity {
        let mut identity = Identity::default();
        let mut open = vec![principal.to_string()];
        while let Some(name) = open.pop() {
            if !identity.names.insert(name.clone()) {
                continue;
            }
            // Whoever has the ARN is the one who has the name.
            let same = policy.principals.iter().filter(|(known, one)| **known == name || one.arn.as_deref() == Some(&name));
            for (known, one) in same {
                open.push(known.clone());
                open.extend(one.arn.clone());
                open.extend(one.groups.iter().cloned());
            }
        }
        let own = policy.principals.iter().filter(|(name, one)| *name == principal || one.arn.as_deref() == Some(principal));
        identity.tags = own.flat_map(|(_, one)| one.tags.clone()).collect();
        identity.names.extend([IAM_PRINCIPALS, IAM_ALLOWED_PRINCIPALS].map(str::to_string));
        identity
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
