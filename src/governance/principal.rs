//! Whom a grant is for.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who a name refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Principal {
    /// The ARN of a role, user or group, or an account's twelve digits. Where not given the name is that of a role of the account whose keys are used.
    pub arn: Option<String>,
    /// Names of principals whose grants are also this one's.
    pub groups: BTreeSet<String>,
    /// The tags that IAM has of it, which conditions ask.
    pub tags: BTreeMap<String, String>,
}

/// Everybody of the account; Lake Formation decides.
pub const IAM_PRINCIPALS: &str = "IAMPrincipals";
/// That Lake Formation does not decide: whoever IAM allows may.
pub const IAM_ALLOWED_PRINCIPALS: &str = "IAMAllowedPrincipals";
