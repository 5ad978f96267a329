//! The names that a policy may use: those that it declares, and those of the policy that it builds on.

use super::names::{listed, near};
use super::text::GovernanceText;
use crate::governance::policy::{Policy, TagExpression};
use crate::yaml::{Named, OneOrMany, Problems, Text};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The most bytes of an expression within a grant: <https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html>.
const LONGEST_EXPRESSION: usize = 900;

pub(super) struct Known {
    tags: BTreeMap<String, BTreeSet<String>>,
    expressions: BTreeSet<String>,
    principals: BTreeSet<String>,
    /// `database.table` and the name.
    filters: HashSet<(String, String)>,
}

impl Known {
    /// What `text` declares, and `base`.
    pub(super) fn of(text: &GovernanceText, base: Option<&Policy>) -> Known {
        let mut known = Known { tags: BTreeMap::new(), expressions: BTreeSet::new(), principals: BTreeSet::new(), filters: HashSet::new() };
        for (key, values) in text.tags.iter().flat_map(|tags| tags.iter()) {
            known.tags.entry(key.text.clone()).or_default().extend(values.iter().map(|value| value.text.clone()));
        }
        known.expressions.extend(text.expressions.iter().flat_map(|all| all.names()).map(str::to_string));
        for (name, principal) in text.principals.iter().flat_map(|all| all.iter()) {
            known.principals.insert(name.text.clone());
            known.principals.extend(principal.groups.iter().flat_map(|groups| &groups.0).map(|group| group.text.clone()));
        }
        for filter in text.filters.iter().flatten() {
            if let (Some(table), Some(name)) = (&*filter.table, &*filter.name) {
                known.filters.insert((table.text.clone(), name.text.clone()));
            }
        }
        if let Some(base) = base {
            for (key, values) in &base.tags {
                known.tags.entry(key.clone()).or_default().extend(values.iter().cloned());
            }
            known.expressions.extend(base.expressions.keys().cloned());
            known.principals.extend(base.principals.iter().flat_map(|(name, one)| [name].into_iter().chain(&one.groups)).cloned());
            known.filters.extend(base.filters.iter().map(|filter| (filter.table.to_string(), filter.name.clone())));
        }
        known
    }

    /// Tells of a value that is not one of the tag `key`.
    pub(super) fn check_value(&self, key: &Text, value: &Text, problems: &mut Problems<'_>) {
        let Some(values) = self.tags.get(&key.text) else { return };
        if values.contains(&value.text) {
            return;
        }
        problems.error_with(&value.place, || {
            let known: Vec<&str> = values.iter().map(String::as_str).collect();
            let hint = match near(&value.text, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it may be {}", listed(&known)),
            };
            value.explain(format!("the tag `{}` has no value `{}`; {hint}", key.text.escape_debug(), value.text.escape_debug()))
        });
    }

    /// Tells of a tag that is not declared.
    pub(super) fn check_key(&self, key: &Text, problems: &mut Problems<'_>) {
        if self.tags.contains_key(&key.text) {
            return;
        }
        problems.error_with(&key.place, || {
            let known: Vec<&str> = self.tags.keys().map(String::as_str).collect();
            let hint = match near(&key.text, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it with its values under `tags` at the top level".to_string(),
            };
            format!("there is no tag `{}`; {hint}", key.text.escape_debug())
        });
    }

    /// The tags that a resource is given.
    pub(super) fn assigned(&self, tags: Option<&Named<Text>>, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
        let mut assigned = BTreeMap::new();
        for (key, value) in tags.iter().flat_map(|tags| tags.iter()) {
            self.check_key(key, problems);
            self.check_value(key, value, problems);
            assigned.insert(key.text.clone(), value.text.clone());
        }
        assigned
    }

    /// An expression of tags.
    pub(super) fn expression(
        &self,
        tags: &Named<OneOrMany<Text>>,
        place: &crate::yaml::Place,
        problems: &mut Problems<'_>,
    ) -> TagExpression {
        let mut expression = TagExpression::new();
        for (key, wanted) in tags.iter() {
            self.check_key(key, problems);
            wanted.0.iter().for_each(|value| self.check_value(key, value, problems));
            if wanted.0.is_empty() {
                problems.error(&key.place, "no values given; a tag without values matches nothing");
            }
            expression.insert(key.text.clone(), wanted.0.iter().map(|value| value.text.clone()).collect());
        }
        if tags.0.is_empty() {
            problems.error(place, "`tags` is empty; name at least one tag with its values");
        }
        let bytes: usize =
            expression.iter().map(|(key, values)| key.len() + values.iter().map(|value| value.len() + 1).sum::<usize>()).sum();
        if bytes > LONGEST_EXPRESSION {
            problems.error(place, format!("this expression has {bytes} bytes, but AWS allows at most {LONGEST_EXPRESSION}; save it under `expressions`, and grant on `expression`"));
        }
        expression
    }

    pub(super) fn check_expression(&self, name: &Text, problems: &mut Problems<'_>) {
        if !self.expressions.contains(&name.text) {
            let known: Vec<&str> = self.expressions.iter().map(String::as_str).collect();
            missing("expression", name, &known, "save it under `expressions`", problems);
        }
    }

    pub(super) fn check_filter(&self, table: &Text, name: &Text, problems: &mut Problems<'_>) {
        if !self.filters.contains(&(table.text.clone(), name.text.clone())) {
            let known: Vec<&str> = self.filters.iter().filter(|(of, _)| *of == table.text).map(|(_, name)| name.as_str()).collect();
            missing(&format!("filter of {}", table.text.escape_debug()), name, &known, "declare it under `filters`", problems);
        }
    }

    /// Tells of a name that was hardly meant: it is no principal that stands here, and nearly one that does.
    pub(super) fn check_principal(&self, name: &Text, problems: &mut Problems<'_>) {
        if name.text.trim().is_empty() {
            problems.error(&name.place, "expected the name of a role or user, or an ARN, not an empty string");
            return;
        }
        if name.text.chars().any(char::is_control) {
            problems.error(&name.place, "a name can't contain control characters");
            return;
        }
        let is_own = name.text.contains(':') || name.text.bytes().all(|byte| byte.is_ascii_digit());
        if self.principals.is_empty() || self.principals.contains(&name.text) || is_own || name.text.starts_with("IAM") {
            return;
        }
        let known: Vec<&str> = self.principals.iter().map(String::as_str).collect();
        match near(&name.text, &known) {
            Some(near) => problems
                .error(&name.place, name.explain(format!("there is no principal `{}`; did you mean `{near}`?", name.text.escape_debug()))),
            None => problems.warning(
                &name.place,
                name.explain(format!("`{}` is not listed under `principals`; assuming a role of this name", name.text.escape_debug())),
            ),
        }
    }
}

fn missing(what: &str, name: &Text, known: &[&str], hint: &str, problems: &mut Problems<'_>) {
    problems.error_with(&name.place, || {
        let hint = match near(&name.text, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => hint.to_string(),
            None => format!("there is {}", listed(known)),
        };
        name.explain(format!("there is no {what} `{}`; {hint}", name.text.escape_debug()))
    });
}
