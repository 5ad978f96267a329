//! What was looked at, and what it is like.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    pub verdict: Verdict,
    /// What it is like.
    pub told: String,
    /// The command that mends it, or the page of the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// What it is like, from well to ill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Well,
    /// It could not be looked at, since something before it failed.
    Unknown,
    /// It works, and is hardly meant like this.
    Warning,
    /// It can't work like this.
    Ill,
}

impl Finding {
    pub(super) fn well(what: &str, told: impl Into<String>) -> Finding {
        Finding { what: what.to_string(), verdict: Verdict::Well, told: told.into(), mend: None }
    }

    pub(super) fn warning(what: &str, told: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { what: what.to_string(), verdict: Verdict::Warning, told: told.into(), mend: Some(mend.into()) }
    }

    pub(super) fn ill(what: &str, told: impl Into<String>, mend: Option<String>) -> Finding {
        Finding { what: what.to_string(), verdict: Verdict::Ill, told: told.into(), mend }
    }

    pub(super) fn unknown(what: &str, told: impl Into<String>) -> Finding {
        Finding { what: what.to_string(), verdict: Verdict::Unknown, told: told.into(), mend: None }
    }
}
