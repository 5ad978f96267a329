//! LF-Tags and grants.

use super::document::{GrantOnText, GrantText, PipelineText};
use super::names::{self, listed, near};
use crate::pipeline::model::{Grant, GrantOn, Permission};
use crate::yaml::{Named, Problems, Text};
use std::collections::{BTreeMap, HashSet};

/// The most characters of a tag's key and of a value.
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// The tags that are declared, with their values.
pub(super) fn tags(text: &PipelineText, problems: &mut Problems<'_>) -> BTreeMap<String, Vec<String>> {
    let mut tags = BTreeMap::new();
    for (key, values) in text.tags.iter().flat_map(|tags| tags.iter()) {
        word(key, LONGEST_KEY, problems);
        if values.is_empty() {
            problems.error(&key.place, format!("the tag `{}` has no values; list what it may have", key.text.escape_debug()));
        }
        let mut known: Vec<String> = Vec::with_capacity(values.len());
        let mut seen = HashSet::new();
        for value in values {
            word(value, LONGEST_VALUE, problems);
            match seen.insert(value.text.as_str()) {
                false => problems.error(&value.place, value.explain(format!("`{}` stands here twice", value.text.escape_debug()))),
                true => known.push(value.text.clone()),
            }
        }
        tags.insert(key.text.clone(), known);
    }
    tags
}

/// Lake Formation keeps keys and values in lower case, so others would never be found again.
fn word(text: &Text, longest: usize, problems: &mut Problems<'_>) {
    let count = text.text.chars().count();
    let fits =
        (1..=longest).contains(&count) && !text.text.chars().any(|c| c.is_uppercase() || c.is_control()) && text.text.trim() == text.text;
    if !fits {
        problems.error(&text.place, format!("expected 1 to {longest} characters, none of them a capital, no blank at the ends"));
    }
}

/// The tags of a table or column; each must be declared.
pub(super) fn assigned(tags: Option<&Named<Text>>, text: &PipelineText, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    let mut assigned = BTreeMap::new();
    for (key, value) in tags.iter().flat_map(|tags| tags.iter()) {
        if let Some(values) = declared(key, text, problems) {
            allowed(key, value, values, problems);
        }
        assigned.insert(key.text.clone(), value.text.clone());
    }
    assigned
}

/// The values that the tag `key` may have.
fn declared<'t>(key: &Text, text: &'t PipelineText, problems: &mut Problems<'_>) -> Option<&'t [Text]> {
    let tags = text.tags.as_ref();
    if let Some(values) = tags.and_then(|tags| tags.get(&key.text)) {
        return Some(values);
    }
    problems.error_with(&key.place, || {
        let known: Vec<&str> = tags.iter().flat_map(|tags| tags.names()).collect();
        let hint = match near(&key.text, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "declare it with its values under `tags` at the top".to_string(),
        };
        format!("there is no tag `{}`; {hint}", key.text.escape_debug())
    });
    None
}

fn allowed(key: &Text, value: &Text, values: &[Text], problems: &mut Problems<'_>) {
    if values.iter().any(|known| known.text == value.text) {
        return;
    }
    problems.error_with(&value.place, || {
        let known: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
        let hint = match near(&value.text, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it may be {}", listed(&known)),
        };
        value.explain(format!("the tag `{}` has no value `{}`; {hint}", key.text.escape_debug(), value.text.escape_debug()))
    });
}

pub(super) fn grants(text: &PipelineText, problems: &mut Problems<'_>) -> Vec<Grant> {
    text.grants.iter().flatten().filter_map(|grant| one(grant, text, problems)).collect()
}

fn one(grant: &GrantText, text: &PipelineText, problems: &mut Problems<'_>) -> Option<Grant> {
    if let Some(to) = grant.to.as_ref().filter(|to| to.text.trim().is_empty()) {
        problems.error(&to.place, "expected the name of a role or user, or an ARN, not an empty text");
    }
    let mut permissions: Vec<Permission> = Vec::new();
    for permission in grant.permissions.iter().flatten() {
        match permissions.contains(&permission.value) {
            true => problems.error(&permission.place, "this permission stands here twice"),
            false => permissions.push(permission.value),
        }
    }
    if grant.permissions.as_ref().is_some_and(Vec::is_empty) {
        problems.error(&grant.place, "`permissions` has nothing in it; list for example select and describe");
    }
    let on = grant.on.as_ref().and_then(|on| target(on, text, problems));
    Some(Grant { place: problems.place(&grant.place), principal: grant.to.as_ref()?.text.clone(), on: on?, permissions })
}

fn target(on: &GrantOnText, text: &PipelineText, problems: &mut Problems<'_>) -> Option<GrantOn> {
    match (&on.tags, &on.database, &on.table) {
        (Some(tags), None, None) => {
            let mut expression = BTreeMap::new();
            for (key, wanted) in tags.iter() {
                if let Some(values) = declared(key, text, problems) {
                    wanted.0.iter().for_each(|value| allowed(key, value, values, problems));
                }
                expression.insert(key.text.clone(), wanted.0.iter().map(|value| value.text.clone()).collect());
            }
            if tags.0.is_empty() {
                problems.error(&on.place, "`tags` has nothing in it; name at least one tag with its values");
            }
            Some(GrantOn::Tags(expression))
        }
        (None, Some(database), None) => names::database(database, problems).map(GrantOn::Database),
        (None, None, Some(table)) => names::table(table, problems).map(GrantOn::Table),
        _ if on.wrong => None,
        _ => {
            problems.error(&on.place, format!("expected exactly one of {}", GrantOnText::KEYS.join(", ")));
            None
        }
    }
}
