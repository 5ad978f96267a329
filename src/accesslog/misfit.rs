//! Why a line doesn't fit its LogFormat, as a person reads it.

use super::clock::Clock;
use super::format::{Lex, LogFormat};
use std::sync::Arc;

/// Why a line doesn't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// What the server's logger puts before lines is not there.
    Before,
    Prefix,
    Value(usize),
    /// A number with zeros before it.
    Zeros(usize),
    /// A value that its guard doesn't let pass.
    Guarded(usize),
    After(usize),
    Trailing,
    /// It is no JSON object.
    NoObject,
    /// It is an object without a field of an access log.
    NoRequest,
    Time,
    /// A time before there were logs.
    Year,
    Shifted,
}

/// The reasons of rejects, made once.
#[derive(Debug)]
pub(super) struct Reasons {
    before: Arc<str>,
    prefix: Arc<str>,
    value: Vec<Arc<str>>,
    zeros: Vec<Arc<str>>,
    guarded: Vec<Arc<str>>,
    after: Vec<Arc<str>>,
    trailing: Arc<str>,
    no_object: Arc<str>,
    no_request: Arc<str>,
    time: Arc<str>,
    year: Arc<str>,
    pub(super) nul: Arc<str>,
    shifted: Arc<str>,
}

impl Reasons {
    /// The reasons of `format`, each behind `before`.
    pub(super) fn of(format: &LogFormat, before: &str) -> Self {
        let told = |reason: String| -> Arc<str> { format!("{before}{reason}").into() };
        let quote = |bytes: &[u8]| format!("`{}`", String::from_utf8_lossy(bytes).escape_debug().to_string().replace("\\\"", "\""));
        let value = format.steps.iter().map(|step| match step.lex {
            Lex::Quoted { .. } => format!("no closing quote after {}", step.text),
            Lex::Status => format!("{} is not three digits", step.text),
            Lex::Number { .. } | Lex::Millis { .. } | Lex::Double { .. } => format!("{} is not a number", step.text),
            Lex::Time { .. } => format!("{} is not a time", step.text),
            Lex::BeforeEnd { .. } => format!("expected {} at the end", quote(&step.after)),
            _ => format!("no {} after {}", quote(&step.after), step.text),
        });
        let after = format.steps.iter().map(|step| format!("expected {} after {}", quote(&step.after), step.text));
        let zeros = format.steps.iter().map(|step| format!("{} has zeros before its digits", step.text));
        let guarded = format.steps.iter().map(|step| step.guard.reason(&step.text));
        Reasons {
            before: told(format.before.missing().to_string()),
            prefix: told(format!("expected {} at the start", quote(&format.prefix))),
            value: value.map(told).collect(),
            zeros: zeros.map(told).collect(),
            guarded: guarded.map(told).collect(),
            after: after.map(told).collect(),
            trailing: told("text after the last field".to_string()),
            no_object: told("not a JSON object".to_string()),
            no_request: told("a JSON object without a client, method, path or status: not an entry of an access log".to_string()),
            time: told("the time does not exist".to_string()),
            year: told(format!("the time is of a year before {}, in which there were no logs", Clock::FIRST_YEAR)),
            nul: "a NUL byte in the line".into(),
            shifted: told("one more column than the format has".to_string()),
        }
    }

    pub(super) fn of_misfit(&self, misfit: Misfit) -> Arc<str> {
        match misfit {
            Misfit::Before => self.before.clone(),
            Misfit::Prefix => self.prefix.clone(),
            Misfit::Value(step) => self.value[step].clone(),
            Misfit::Zeros(step) => self.zeros[step].clone(),
            Misfit::Guarded(step) => self.guarded[step].clone(),
            Misfit::After(step) => self.after[step].clone(),
            Misfit::Trailing => self.trailing.clone(),
            Misfit::NoObject => self.no_object.clone(),
            Misfit::NoRequest => self.no_request.clone(),
            Misfit::Time => self.time.clone(),
            Misfit::Year => self.year.clone(),
            Misfit::Shifted => self.shifted.clone(),
        }
    }
}
