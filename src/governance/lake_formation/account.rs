//! Whose account it is, and how its principals are called.

use super::clock::Clock;
use crate::aws::{AwsSettings, Calls, Service, config, failed};
use crate::error::{Error, ErrorKind, Result};
use crate::governance::policy::Policy;
use crate::governance::principal::{IAM_ALLOWED_PRINCIPALS, IAM_PRINCIPALS};
use crate::storage::wait;
use std::collections::BTreeSet;

/// An account of AWS, as one of its principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// `aws`, or that of China or of a government.
    pub partition: String,
    /// The ARN of whose keys are used; of a role itself, not of its session.
    pub caller: String,
}

/// How Lake Formation calls everybody whom IAM allows.
pub(super) const ALLOWED: &str = "IAM_ALLOWED_PRINCIPALS";

impl Account {
    /// Whose keys are used.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where no region is known, [`ErrorKind::Input`] where STS doesn't tell.
    pub fn of_keys(aws: &AwsSettings) -> Result<Account> {
        Account::with_clock(aws).map(|(account, _)| account)
    }

    /// Whose keys are used, and how many seconds this machine's clock is ahead of AWS's, where that is told.
    ///
    /// # Errors
    /// As [`Account::of_keys`].
    pub fn with_clock(aws: &AwsSettings) -> Result<(Account, Option<i64>)> {
        let aws = aws.clone();
        wait(async move {
            let config = config(Service::Sts, &aws).await?;
            let clock = Clock::default();
            let asked = aws_sdk_sts::Client::new(&config)
                .get_caller_identity()
                .customize()
                .interceptor(clock.clone())
                .interceptor(Calls)
                .send()
                .await;
            let told = asked
                .map_err(|error| failed(ErrorKind::Input, Service::Sts, "can't determine the owner of the credentials", &config, &error))?;
            Ok((Account::of_arn(told.arn().unwrap_or_default())?, clock.ahead().map(|ahead| ahead.num_seconds())))
        })
    }

    /// The account of `arn`, which is that of a user, a role, or a role's session.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it is no such ARN.
    pub fn of_arn(arn: &str) -> Result<Account> {
        let wrong = || Error::new(ErrorKind::Input, format!("`{arn}` is not the ARN of a user or role"));
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, _, id, resource] = parts.as_slice() else { return Err(wrong()) };
        let caller = match (*service, resource.split('/').collect::<Vec<_>>().as_slice()) {
            ("sts", ["assumed-role", role, ..]) => format!("arn:{partition}:iam::{id}:role/{role}"),
            _ => arn.to_string(),
        };
        Ok(Account { id: (*id).to_string(), partition: (*partition).to_string(), caller })
    }

    /// How Lake Formation calls the principal that `policy` calls `name`.
    pub fn principal(&self, name: &str, policy: &Policy) -> String {
        if let Some(arn) = policy.principals.get(name).and_then(|principal| principal.arn.clone()) {
            return arn;
        }
        match name {
            IAM_ALLOWED_PRINCIPALS => ALLOWED.to_string(),
            IAM_PRINCIPALS => format!("{}:{IAM_PRINCIPALS}", self.id),
            // An ARN, another account's IAMPrincipals, or an account.
            name if name.contains(':') || name.bytes().all(|byte| byte.is_ascii_digit()) => name.to_string(),
            role => format!("arn:{}:iam::{}:role/{role}", self.partition, self.id),
        }
    }

    /// How Lake Formation calls all that `name` stands for: it knows no groups but those that have an ARN, so one without stands for its members.
    pub fn recipients(&self, name: &str, policy: &Policy) -> BTreeSet<String> {
        let mut recipients = BTreeSet::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            let members = policy.principals.iter().filter(|(_, one)| one.groups.contains(name)).map(|(name, _)| name.as_str());
            let members: Vec<&str> = members.collect();
            let has_arn = policy.principals.get(name).is_some_and(|one| one.arn.is_some());
            match members.is_empty() || has_arn {
                true => drop(recipients.insert(self.principal(name, policy))),
                false => open.extend(members),
            }
        }
        recipients
    }

    /// The ARN of a place in S3, `s3://bucket/prefix`.
    pub fn location(&self, location: &str) -> String {
        format!("arn:{}:s3:::{}", self.partition, location.trim_start_matches("s3://"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_arns() {
        let account = Account::of_arn("arn:aws:sts::123456789012:assumed-role/etl/session").unwrap();
        assert_eq!(account.caller, "arn:aws:iam::123456789012:role/etl");
        let mut policy = Policy::default();
        policy.principals.entry("ann".into()).or_default().arn = Some("arn:aws:iam::1:user/ann".into());
        for (name, arn) in [
            ("ann", "arn:aws:iam::1:user/ann"),
            ("analyst", "arn:aws:iam::123456789012:role/analyst"),
            ("IAMPrincipals", "123456789012:IAMPrincipals"),
            ("210987654321:IAMPrincipals", "210987654321:IAMPrincipals"),
            ("210987654321", "210987654321"),
            ("IAMAllowedPrincipals", "IAM_ALLOWED_PRINCIPALS"),
        ] {
            assert_eq!(account.principal(name, &policy), arn);
        }
        for (name, groups) in [("bob", ["staff"]), ("staff", ["all"]), ("cid", ["all"])] {
            policy.principals.entry(name.into()).or_default().groups.extend(groups.map(str::to_string));
        }
        let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
        assert_eq!(account.recipients("all", &policy), BTreeSet::from([role("bob"), role("cid")]));
        assert_eq!(account.recipients("other", &policy), BTreeSet::from([role("other")]));
        policy.principals.get_mut("staff").unwrap().arn = Some("arn:aws:identitystore:::group/staff".into());
        assert_eq!(account.recipients("staff", &policy), BTreeSet::from(["arn:aws:identitystore:::group/staff".to_string()]));
        assert_eq!(account.location("s3://lake/prod"), "arn:aws:s3:::lake/prod");
        assert!(Account::of_arn("nonsense").is_err());
    }
}
