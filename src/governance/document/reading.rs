//! Makes a policy of what is written.

use super::declared;
use super::granted::{self, check_location};
use super::known::Known;
use super::names;
use super::text::{GovernanceText, LocationText, OptInText};
use crate::error::{Error, ErrorKind, Result};
use crate::governance::policy::{Location, OptIn, OptInOn, Policy};
use crate::yaml::{Node, Place, Problem, Problems, Read, read_text};
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

/// The most administrators: <https://docs.aws.amazon.com/general/latest/gr/lake-formation.html>.
const MOST_ADMINISTRATORS: usize = 30;

/// A policy of a file of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyFile {
    /// Who says it: the name given, or the file's.
    pub owner: String,
    pub policy: Policy,
}

/// What reading a policy's file gave.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// Nothing where there are errors.
    pub file: Option<PolicyFile>,
    /// Errors and warnings, in the order of the file.
    pub problems: Vec<Problem>,
}

impl PolicyFile {
    /// Reads the file at `path` and tells all that is wrong with it.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn check(path: &Path) -> Result<LoadedPolicy> {
        Ok(PolicyFile::parse(&path.display().to_string(), &read_text(path)?))
    }

    /// Whether `text` is meant to be a policy, and not a pipeline: by the keys at its top.
    pub fn is_one(text: &str) -> bool {
        let has = |keys: &[&str]| text.lines().any(|line| line.split_once(':').is_some_and(|(key, _)| keys.contains(&key)));
        !has(&["lake", "sources", "outputs"]) && has(GovernanceText::KEYS)
    }

    /// Reads `text`; messages call it `path`.
    pub fn parse(path: &str, text: &str) -> LoadedPolicy {
        let mut problems = Problems::new(path, text);
        let file = read(&mut problems);
        let file = if problems.errors() > 0 { None } else { file };
        LoadedPolicy { file, problems: problems.into_sorted() }
    }
}

impl LoadedPolicy {
    /// The policy.
    ///
    /// # Errors
    /// One [`ErrorKind::Format`] that tells all that is wrong.
    pub fn into_file(self) -> Result<PolicyFile> {
        let told: Vec<String> = self.problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
        self.file.ok_or_else(|| Error::of_lines(ErrorKind::Format, told.join("\n")))
    }
}

fn read(problems: &mut Problems<'_>) -> Option<PolicyFile> {
    let mut root = Node::parse(problems)?;
    root.place = Place::in_line(problems.text(), 1, 0..0);
    if root.get("lake").is_some() && root.get("outputs").is_some() {
        problems.error(&root.place, "this is a pipeline, which publishes its own policy: use `etl plan` and `etl run`");
        return None;
    }
    let text = GovernanceText::read(&root, problems)?;
    if text.version.is_none() && !text.wrong {
        problems.error(&root.place, "`version` is missing; write `version: 1`");
    }
    let owner = owner(&text, problems);
    let policy = resolve(&text, None, problems);
    Some(PolicyFile { owner: owner?, policy })
}

fn owner(text: &GovernanceText, problems: &mut Problems<'_>) -> Option<String> {
    let fits = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && name.len() <= 128
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    };
    let expected = "at most 128 lower-case letters, digits, `_` and `-`, starting with a letter or digit";
    match &text.name {
        Some(name) if fits(&name.text) => Some(name.text.clone()),
        Some(name) => {
            problems.error(&name.place, format!("a policy name has {expected}"));
            None
        }
        None => {
            let stem = Path::new(problems.path()).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if fits(&stem) {
                return Some(stem);
            }
            let message = format!("`name` is missing, and the file name can't be used: a policy name has {expected}");
            problems.error(&Place::in_line(problems.text(), 1, 0..0), message);
            None
        }
    }
}

/// What `text` says. It may use the names that `base` declares.
pub(crate) fn resolve(text: &GovernanceText, base: Option<&Policy>, problems: &mut Problems<'_>) -> Policy {
    let known = Known::of(text, base);
    let administrators: Vec<String> = text.administrators.iter().flat_map(|all| &all.0).map(|name| name.text.clone()).collect();
    text.administrators.iter().flat_map(|all| &all.0).for_each(|name| known.check_principal(name, problems));
    if administrators.len() > MOST_ADMINISTRATORS {
        problems.error(
            &text.place,
            format!("an account has at most {MOST_ADMINISTRATORS} administrators, but these are {}", administrators.len()),
        );
    }
    Policy {
        description: text.description.as_ref().map(|description| description.text.clone()),
        tags: declared::tags(text, problems),
        principals: declared::principals(text, &known, problems),
        assignments: declared::assignments(text, &known, problems),
        expressions: declared::expressions(text, &known, problems),
        grants: granted::grants(text, &known, problems),
        filters: granted::filters(text, problems),
        row_policies: granted::row_policies(text, &known, problems),
        administrators,
        locations: text.locations.iter().flatten().filter_map(|one| location(one, problems)).collect(),
        opt_ins: text.opt_ins.iter().flatten().filter_map(|one| opt_in(one, &known, problems)).collect(),
        revoke_iam_allowed_principals: text.revoke_iam_allowed_principals.as_ref().is_some_and(|revoke| revoke.value),
        mode: text.mode.as_ref().map(|mode| mode.value).unwrap_or_default(),
    }
}

fn location(text: &LocationText, problems: &mut Problems<'_>) -> Option<Location> {
    let location = text.location.as_ref()?;
    check_location(location, problems);
    if let Some(role) = text.role.as_ref().filter(|role| !role.text.starts_with("arn:")) {
        problems.error(&role.place, "expected the ARN of a role, such as arn:aws:iam::123456789012:role/lake");
    }
    Some(Location {
        place: problems.place(&text.place),
        location: location.text.trim_end_matches('/').to_string(),
        role: text.role.as_ref().map(|role| role.text.clone()),
        hybrid: text.hybrid.as_ref().is_some_and(|hybrid| hybrid.value),
    })
}

fn opt_in(text: &OptInText, known: &Known, problems: &mut Problems<'_>) -> Option<OptIn> {
    let principal = text.principal.as_ref()?;
    known.check_principal(principal, problems);
    let on = match (&text.database, &text.table) {
        (Some(database), None) => names::database(database, problems).map(OptInOn::Database),
        (None, Some(table)) => names::table(table, problems).map(OptInOn::Table),
        _ => {
            problems.error(&text.place, "expected exactly one of database, table");
            None
        }
    };
    Some(OptIn { principal: principal.text.clone(), on: on? })
}

/// The JSON Schema of a policy's file.
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft07();
    let mut schema = settings.into_generator().into_root_schema_for::<GovernanceText>().to_value();
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_string(), json!("Access policy of an etl lake"));
        root.insert("required".to_string(), json!(["version"]));
    }
    schema
}
