//! Tips for arguments that are none: what people write who know other programs, or whose finger slipped.

use crate::diagnostic::nearest;
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The error with a tip where what was probably meant is known.
pub(super) fn tipped(mut error: clap::Error, command: &Command) -> clap::Error {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            let Some(wrong) = text(ContextKind::InvalidSubcommand) else { return error };
            let known: Vec<&str> = command.get_subcommands().filter(|known| !known.is_hide_set()).map(Command::get_name).collect();
            if let Some(near) = nearest(&wrong, known) {
                error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![near.to_string()]));
            }
        }
        ErrorKind::UnknownArgument => {
            let usage = match error.get(ContextKind::Usage) {
                Some(ContextValue::StyledStr(usage)) => usage.to_string(),
                _ => String::new(),
            };
            let tip = match text(ContextKind::InvalidArg).as_deref() {
                Some("--limit") if usage.contains("etl query") => "write LIMIT 3 in the query, or --max-rows 3 for the rows that are shown",
                Some("--last") if usage.contains("etl history") => "the newest run is called last, as in etl history PIPELINE last",
                _ => return error,
            };
            for other in [ContextKind::SuggestedArg, ContextKind::TrailingArg] {
                error.remove(other);
            }
            if usage.contains("etl query") {
                error.insert(ContextKind::Usage, ContextValue::StyledStr("Usage: etl query [OPTIONS] [SQL]".into()));
            }
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
        _ => {}
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{CommandFactory, Parser};

    #[test]
    fn what_is_meant_is_told() {
        for (arguments, tip) in [
            (&["etl", "rn"][..], "'run'"),
            (&["etl", "query", "--limit", "3", "SELECT 1"], "LIMIT 3"),
            (&["etl", "history", "a.yaml", "--last"], "etl history PIPELINE last"),
        ] {
            let error = tipped(Cli::try_parse_from(arguments).unwrap_err(), &Cli::command()).to_string();
            assert!(error.contains(tip), "{arguments:?}: {error}");
        }
        let error = tipped(Cli::try_parse_from(["etl", "frobnicate"]).unwrap_err(), &Cli::command()).to_string();
        assert!(!error.contains("tip:"), "{error}");
    }
}
