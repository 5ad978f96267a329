//! Why a line doesn't fit its LogFormat, as a person reads it.

use super::format::{Lex, LogFormat};
use std::sync::Arc;

/// Why a line doesn't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    Prefix,
    Value(usize),
    After(usize),
    Trailing,
    Time,
    Shifted,
}

/// The reasons of rejects, made once.
#[derive(Debug)]
pub(super) struct Reasons {
    prefix: Arc<str>,
    value: Vec<Arc<str>>,
    after: Vec<Arc<str>>,
    trailing: Arc<str>,
    time: Arc<str>,
    pub(super) nul: Arc<str>,
    shifted: Arc<str>,
}

impl Reasons {
    pub(super) fn of(format: &LogFormat) -> Self {
        let quote = |bytes: &[u8]| format!("`{}`", String::from_utf8_lossy(bytes).escape_debug().to_string().replace("\\\"", "\""));
        let value = format.steps.iter().map(|step| match step.lex {
            Lex::Quoted { .. } => format!("no closing quote after {}", step.text),
            Lex::Status => format!("{} is not three digits", step.text),
            Lex::Number { .. } => format!("{} is not a number", step.text),
            Lex::Time { .. } => format!("{} is not a time", step.text),
            Lex::BeforeEnd { .. } => format!("expected {} at the end", quote(&step.after)),
            _ => format!("no {} after {}", quote(&step.after), step.text),
        });
        let after = format.steps.iter().map(|step| format!("expected {} after {}", quote(&step.after), step.text));
        Reasons {
            prefix: format!("expected {} at the start", quote(&format.prefix)).into(),
            value: value.map(Into::into).collect(),
            after: after.map(Into::into).collect(),
            trailing: "text after the last field".into(),
            time: "the time does not exist".into(),
            nul: "a NUL byte in the line".into(),
            shifted: "one more column than the format has".into(),
        }
    }

    pub(super) fn of_misfit(&self, misfit: Misfit) -> Arc<str> {
        match misfit {
            Misfit::Prefix => self.prefix.clone(),
            Misfit::Value(step) => self.value[step].clone(),
            Misfit::After(step) => self.after[step].clone(),
            Misfit::Trailing => self.trailing.clone(),
            Misfit::Time => self.time.clone(),
            Misfit::Shifted => self.shifted.clone(),
        }
    }
}
