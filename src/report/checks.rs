//! What became of a run's checks, in words.

use super::wording::{Mood, counted};
use crate::pipeline::CheckRun;

/// The word for how a check ended, four letters long; the one that stops a run is the loudest.
pub(super) fn verdict(check: &CheckRun) -> &'static str {
    match Mood::of_check(check) {
        Mood::Good => "pass",
        Mood::Warning => "warn",
        Mood::Bad => "FAIL",
    }
}

/// `3 passed, 1 warning, 1 failed`.
pub(super) fn tally(checks: &[CheckRun]) -> String {
    let with = |mood: Mood| checks.iter().filter(|check| Mood::of_check(check) == mood).count() as u64;
    let mut parts = vec![format!("{} passed", with(Mood::Good))];
    match with(Mood::Warning) {
        0 => {}
        warnings => parts.push(counted(warnings, "warning")),
    }
    match with(Mood::Bad) {
        0 => {}
        failed => parts.push(format!("{failed} failed")),
    }
    parts.join(", ")
}
