//! What a policy declares: tags, expressions, principals, assignments.

use super::known::Known;
use super::names;
use super::text::{AssignmentText, GovernanceText};
use crate::governance::policy::{Assignment, TagExpression, Tagged};
use crate::governance::principal::Principal;
use crate::yaml::{Problems, Text};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The most characters of a tag's key and of a value: <https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_LFTagPair.html>.
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;
/// The most values of a key, and tags of a resource: <https://docs.aws.amazon.com/general/latest/gr/lake-formation.html>.
const MOST_VALUES: usize = 1_000;
const MOST_TAGS: usize = 50;

/// The tags that are declared, with their values.
pub(super) fn tags(text: &GovernanceText, problems: &mut Problems<'_>) -> BTreeMap<String, Vec<String>> {
    let mut tags = BTreeMap::new();
    for (key, values) in text.tags.iter().flat_map(|tags| tags.iter()) {
        word(key, LONGEST_KEY, problems);
        if values.is_empty() {
            problems.error(&key.place, format!("the tag `{}` has no values; list its allowed values", key.text.escape_debug()));
        }
        if values.len() > MOST_VALUES {
            problems.error(&key.place, format!("a tag has at most {MOST_VALUES} values, but this one has {}", values.len()));
        }
        let mut known: Vec<String> = Vec::with_capacity(values.len());
        let mut seen = HashSet::new();
        for value in values {
            word(value, LONGEST_VALUE, problems);
            match seen.insert(value.text.as_str()) {
                false => problems.error(&value.place, value.explain(format!("duplicate `{}`", value.text.escape_debug()))),
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
        problems.error(&text.place, format!("expected 1 to {longest} characters, in lower case, without spaces at the ends"));
    }
}

pub(super) fn expressions(text: &GovernanceText, known: &Known, problems: &mut Problems<'_>) -> BTreeMap<String, TagExpression> {
    let all = text.expressions.iter().flat_map(|all| all.iter());
    all.map(|(name, tags)| {
        word(name, LONGEST_KEY, problems);
        (name.text.clone(), known.expression(tags, &name.place, problems))
    })
    .collect()
}

pub(super) fn principals(text: &GovernanceText, known: &Known, problems: &mut Problems<'_>) -> BTreeMap<String, Principal> {
    let mut principals = BTreeMap::new();
    let mut arns: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, principal) in text.principals.iter().flat_map(|all| all.iter()) {
        known.check_principal(name, problems);
        if let Some(arn) = &principal.arn {
            let is_account = arn.text.len() == 12 && arn.text.bytes().all(|byte| byte.is_ascii_digit());
            let is_arn = arn.text.starts_with("arn:") && arn.text.split(':').count() >= 6;
            if !(is_account || is_arn) {
                problems.error(
                    &arn.place,
                    arn.explain("expected an ARN, such as arn:aws:iam::123456789012:role/analyst, or an account's twelve digits in quotes"),
                );
            }
            if let Some(other) = arns.insert(&arn.text, &name.text) {
                problems.error(&arn.place, format!("`{}` already has this ARN; a principal has only one name", other.escape_debug()));
            }
        }
        let groups: BTreeSet<String> = principal.groups.iter().flat_map(|groups| &groups.0).map(|group| group.text.clone()).collect();
        principal.groups.iter().flat_map(|groups| &groups.0).for_each(|group| known.check_principal(group, problems));
        let tags = principal.tags.iter().flat_map(|tags| tags.iter()).map(|(key, value)| (key.text.clone(), value.text.clone()));
        principals
            .insert(name.text.clone(), Principal { arn: principal.arn.as_ref().map(|arn| arn.text.clone()), groups, tags: tags.collect() });
    }
    principals
}

pub(super) fn assignments(text: &GovernanceText, known: &Known, problems: &mut Problems<'_>) -> Vec<Assignment> {
    let mut assignments = Vec::new();
    let mut seen: BTreeSet<(Tagged, String)> = BTreeSet::new();
    for one in text.assignments.iter().flatten() {
        let before = assignments.len();
        assigned(one, known, &mut assignments, problems);
        for assignment in &assignments[before..] {
            let twice = assignment.tags.keys().find(|key| !seen.insert((assignment.to.clone(), (*key).clone())));
            if let Some(key) = twice {
                problems.error(&one.place, format!("the tag `{}` is already assigned to this resource", key.escape_debug()));
            }
        }
    }
    assignments
}

fn assigned(text: &AssignmentText, known: &Known, assignments: &mut Vec<Assignment>, problems: &mut Problems<'_>) {
    let place = problems.place(&text.place);
    let tags = known.assigned(text.tags.as_ref(), problems);
    if tags.len() > MOST_TAGS {
        problems.error(&text.place, format!("a resource has at most {MOST_TAGS} tags, but this one has {}", tags.len()));
    }
    let to = match (&text.database, &text.table) {
        (Some(database), None) => names::database(database, problems).map(Tagged::Database),
        (None, Some(table)) => names::table(table, problems).map(Tagged::Table),
        _ if text.wrong => None,
        _ => {
            problems.error(&text.place, "expected exactly one of database, table");
            None
        }
    };
    let columns: Vec<(&Text, BTreeMap<String, String>)> =
        text.columns.iter().flat_map(|all| all.iter()).map(|(name, tags)| (name, known.assigned(Some(tags), problems))).collect();
    if text.tags.is_none() && text.columns.is_none() && !text.wrong {
        problems.error(&text.place, "expected `tags`, or `columns` with their tags");
    }
    if let (Some(Tagged::Database(_)), Some((name, _))) = (&to, columns.first()) {
        problems.error(&name.place, "a database has no columns; name a `table`");
    }
    let Some(to) = to else { return };
    let table = if let Tagged::Table(table) = &to { Some(table.clone()) } else { None };
    if !tags.is_empty() {
        assignments.push(Assignment { place: place.clone(), to, tags });
    }
    if let Some(table) = table {
        for (name, tags) in &columns {
            let place = problems.place(&name.place);
            assignments.push(Assignment { place, to: Tagged::Columns(table.clone(), name.text.to_lowercase()), tags: tags.clone() });
        }
    }
}
