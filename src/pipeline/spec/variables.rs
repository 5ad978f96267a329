//! `${name}` and `${env:NAME}` in values.

use super::names::{listed, near};
use crate::yaml::{Content, Node, Place, Problems, Scalar};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Gives the value of an environment variable.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The variables of a pipeline.
#[derive(Debug)]
pub(super) struct Variables {
    by_name: BTreeMap<String, Variable>,
    used: BTreeSet<String>,
    filling: Filling,
}

#[derive(Debug)]
struct Variable {
    /// Where it is defined.
    place: Place,
    /// As it may be shown: values of the environment by their names.
    written: String,
    value: String,
    secret: bool,
}

impl Variables {
    /// The variables under `vars`, with the values that `given` has for them.
    pub(super) fn of(root: &Node, given: &BTreeMap<String, String>, env: Environment<'_>, problems: &mut Problems<'_>) -> Variables {
        let mut by_name = BTreeMap::new();
        let mut filling = Filling::default();
        if let Some(Node { content: Content::Mapping(entries), .. }) = root.get("vars") {
            for entry in entries {
                if !is_name(&entry.key) {
                    problems.error(&entry.key_place, "a variable name has letters, digits and `_`, and doesn't start with a digit");
                }
                let mut scalar = match (given.get(&entry.key), &entry.value.content) {
                    (Some(value), _) => {
                        let variable =
                            Variable { place: entry.key_place.clone(), written: value.clone(), value: value.clone(), secret: false };
                        by_name.insert(entry.key.clone(), variable);
                        continue;
                    }
                    (None, Content::Scalar(scalar)) => scalar.clone(),
                    // Without a value it must be given on the command line.
                    (None, Content::Null) => continue,
                    // What else it may be is told where it is read.
                    (None, _) => Scalar { text: String::new(), secret: false },
                };
                let written = scalar.text.clone();
                fill(&mut scalar, &entry.value.place, problems, &mut |reference| match reference {
                    Reference::Env(name) => env_value(name, env).and_then(|value| filling.take(value)),
                    Reference::Variable(_) => Err("a variable's value can't use another variable, only `${env:NAME}`".to_string()),
                });
                let written = if scalar.secret { written } else { scalar.text.clone() };
                by_name.insert(
                    entry.key.clone(),
                    Variable { place: entry.key_place.clone(), written, value: scalar.text, secret: scalar.secret },
                );
            }
        }
        let variables = Variables { by_name, used: BTreeSet::new(), filling };
        let defined = |name: &str| root.get("vars").is_some_and(|vars| vars.get(name).is_some());
        for name in given.keys().filter(|name| !defined(name)) {
            let hint = variables.hint(name);
            problems.error(&Place::NOWHERE, format!("--var {name}: the pipeline has no such variable{hint}"));
        }
        variables
    }

    /// Puts values in the place of all references in `root`, those under `vars` not among them.
    pub(super) fn fill(&mut self, root: &mut Node, env: Environment<'_>, problems: &mut Problems<'_>) {
        let Content::Mapping(entries) = &mut root.content else { return };
        let unset: BTreeSet<String> = entries
            .iter()
            .filter(|entry| entry.key == "vars")
            .filter_map(|entry| match &entry.value.content {
                Content::Mapping(vars) => {
                    Some(vars.iter().map(|var| var.key.clone()).filter(|name| !self.by_name.contains_key(name)).collect())
                }
                _ => None,
            })
            .flat_map(|names: Vec<String>| names)
            .collect();
        for entry in entries.iter_mut().filter(|entry| entry.key != "vars") {
            entry.value.each_scalar(&mut |scalar, place| {
                fill(scalar, place, problems, &mut |reference| match reference {
                    Reference::Env(name) => env_value(name, env).and_then(|value| self.filling.take(value)),
                    Reference::Variable(name) => {
                        self.used.insert(name.to_string());
                        match self.by_name.get(name) {
                            Some(variable) => self.filling.take(Filled { value: variable.value.clone(), secret: variable.secret }),
                            None if unset.contains(name) => {
                                Err(format!("the variable `{name}` has no value; give it with --var {name}=VALUE"))
                            }
                            None => {
                                self.filling.unknown += 1;
                                let hint = if self.filling.unknown > HINTS { String::new() } else { self.hint(name) };
                                Err(format!("there is no variable `{}`{hint}", name.escape_debug()))
                            }
                        }
                    }
                });
            });
        }
    }

    /// Warns of variables that nothing uses.
    pub(super) fn warn_of_unused(&self, problems: &mut Problems<'_>) {
        for (name, variable) in self.by_name.iter().filter(|(name, _)| !self.used.contains(*name)) {
            problems.warning(&variable.place, format!("nothing uses the variable `{}`", name.escape_debug()));
        }
    }

    /// The values as they may be shown.
    pub(super) fn shown(&self) -> BTreeMap<String, String> {
        self.by_name.iter().map(|(name, variable)| (name.clone(), variable.written.clone())).collect()
    }

    fn hint(&self, name: &str) -> String {
        let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        match (near(name, &known), known.is_empty()) {
            (Some(near), _) => format!("; did you mean `{near}`?"),
            (None, true) => "; define it under `vars`".to_string(),
            (None, false) => format!("; there are {}", listed(&known)),
        }
    }
}

fn env_value(name: &str, env: Environment<'_>) -> Result<Filled, String> {
    match env(name) {
        Some(value) => Ok(Filled { value, secret: true }),
        None => Err(format!("the environment variable `{}` is not set", name.escape_debug())),
    }
}

/// What stands in braces.
enum Reference<'a> {
    Variable(&'a str),
    Env(&'a str),
}

/// Bytes that all variables of a file may put in the places of their names: a long one can be named often.
const FILLED: usize = 4 << 20;
/// So many names that there are not are compared with those that there are.
const HINTS: usize = 100;

/// How much has been filled in so far.
#[derive(Debug, Default)]
struct Filling {
    bytes: usize,
    /// References to nothing.
    unknown: usize,
}

impl Filling {
    fn take(&mut self, filled: Filled) -> Result<Filled, String> {
        self.bytes = self.bytes.saturating_add(filled.value.len());
        match self.bytes > FILLED {
            true => Err(format!("with this, variables would expand to more than {} MiB, the limit for a file", FILLED >> 20)),
            false => Ok(filled),
        }
    }
}

struct Filled {
    value: String,
    secret: bool,
}

/// Puts values in the place of the references in `scalar`; `$$` becomes `$`.
fn fill(
    scalar: &mut Scalar,
    place: &Place,
    problems: &mut Problems<'_>,
    value_of: &mut dyn FnMut(Reference<'_>) -> Result<Filled, String>,
) {
    if !scalar.text.contains('$') {
        return;
    }
    let text = std::mem::take(&mut scalar.text);
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        scalar.text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            scalar.text.push('$');
            rest = after;
            continue;
        }
        let Some(inner) = rest.strip_prefix("${") else {
            scalar.text.push('$');
            rest = &rest[1..];
            continue;
        };
        let Some(end) = inner.find('}') else {
            problems.error(&where_is(problems, place, rest), "`${` without a closing `}`; write `$$` for a `$`");
            break;
        };
        let (name, whole) = (&inner[..end], &rest[..end + 3]);
        let reference = match name.strip_prefix("env:") {
            Some(name) => Reference::Env(name),
            None => Reference::Variable(name),
        };
        match value_of(reference) {
            Ok(filled) => {
                if filled.secret {
                    problems.hide(&filled.value, whole);
                    scalar.secret = true;
                }
                scalar.text.push_str(&filled.value);
            }
            Err(message) => {
                let place = if problems.is_full() { place.clone() } else { where_is(problems, place, whole) };
                problems.error(&place, message);
            }
        }
        rest = &rest[whole.len()..];
    }
    scalar.text.push_str(rest);
}

/// Where `reference` stands in the text; the whole value where it can't be told.
fn where_is(problems: &Problems<'_>, place: &Place, reference: &str) -> Place {
    let text = problems.text();
    let word = reference.lines().next().unwrap_or_default();
    let Some(found) = text.get(place.bytes.clone()).and_then(|written| written.find(word)) else { return place.clone() };
    let start = place.bytes.start + found;
    let line = text[..start].matches('\n').count() + 1;
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let part: Range<usize> = start - line_start..start - line_start + word.len();
    Place::in_line(text, line, part)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
