//! `--var name=value`, which every command that reads a pipeline has.

use crate::error::{Error, ErrorKind, Result};
use clap::Args;
use std::collections::BTreeMap;

/// Values that take the place of a pipeline's variables.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct VarArgs {
    /// Set a variable of the pipeline; can be used more than once
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment)]
    vars: Vec<(String, String)>,
}

/// The values by name.
///
/// # Errors
/// [`ErrorKind::Usage`] where a name is given two values.
pub(super) fn variables(args: &VarArgs) -> Result<BTreeMap<String, String>> {
    let mut vars = BTreeMap::new();
    for (name, value) in &args.vars {
        if vars.insert(name.clone(), value.clone()).is_some_and(|before| before != *value) {
            return Err(Error::new(ErrorKind::Usage, format!("--var {name} has two values; give one")));
        }
    }
    Ok(vars)
}

fn assignment(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("expected NAME=VALUE, such as date=2020-03-01".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_one_value() {
        let given = |pairs: &[&str]| {
            let vars = pairs.iter().map(|pair| assignment(pair)).collect::<std::result::Result<_, _>>().unwrap();
            variables(&VarArgs { vars }).map(|vars| vars.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(given(&["a=1=2", "b="]).unwrap(), [("a".to_string(), "1=2".to_string()), ("b".to_string(), String::new())]);
        assert_eq!(given(&["a=1", "a=2"]).unwrap_err().kind(), ErrorKind::Usage);
        assert!(assignment("=x").is_err() && assignment("x").is_err());
    }
}
