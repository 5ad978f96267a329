//! Who may see what: what a pipeline says of it at several places, and the file that it shares with others.

use super::document::PipelineText;
use super::names;
use crate::governance::{AssignmentText, GovernanceText, Policy, PolicyFile, resolve};
use crate::yaml::{Named, Place, Problem, Problems, Text, TextOr, read_text};
use std::path::Path;

/// What a pipeline says of who may see what.
pub(super) struct Governing {
    /// What is written in it.
    pub(super) own: Policy,
    /// The file that it names.
    pub(super) shared: Option<PolicyFile>,
    /// What is wrong with that file, or hardly meant.
    pub(super) problems: Vec<Problem>,
}

pub(super) fn resolve_all(text: &PipelineText, folder: &Path, problems: &mut Problems<'_>) -> Governing {
    let mut governing = Governing { own: Policy::default(), shared: None, problems: Vec::new() };
    let section = match &text.governance {
        None => None,
        Some(TextOr::Section(section)) => Some(section),
        Some(TextOr::Text(path)) => {
            shared(path, folder, &mut governing, problems);
            None
        }
    };
    let is_declared = text.governance.is_none() || section.is_some() || governing.shared.is_some();
    if let Some(section) = section {
        let only_in_files = [section.version.as_ref().map(|version| &version.place), section.name.as_ref().map(|name| &name.place)];
        for place in only_in_files.into_iter().flatten() {
            problems.error(place, "this key is for separate policy files; a pipeline's policy is published under the pipeline's name");
        }
    }
    let merged = merged(text, section, problems);
    // Names of a file that can't be read would all be told as unknown.
    if is_declared {
        governing.own = resolve(&merged, governing.shared.as_ref().map(|file| &file.policy), problems);
    }
    governing
}

/// Reads the file that `path` names.
fn shared(path: &Text, folder: &Path, governing: &mut Governing, problems: &mut Problems<'_>) {
    // As the pipeline's own path is told, so is that of what it names.
    let shown = Path::new(problems.path()).parent().unwrap_or(Path::new("")).join(&path.text);
    let read = read_text(&folder.join(&path.text)).map(|text| PolicyFile::parse(&shown.display().to_string(), &text));
    match read {
        Ok(loaded) => {
            if loaded.file.is_none() {
                problems.error(&path.place, path.explain("this file has errors; they are listed as well"));
            }
            governing.shared = loaded.file;
            governing.problems = loaded.problems;
        }
        Err(error) => problems.error(&path.place, path.explain(error.to_string())),
    }
}

/// All of it in one section: `tags` and `grants` at the top, the tags of outputs, and `governance`.
fn merged(text: &PipelineText, section: Option<&GovernanceText>, problems: &mut Problems<'_>) -> GovernanceText {
    let mut all = section.cloned().unwrap_or_else(|| empty(&text.place));
    if let Some(tags) = &text.tags {
        let mut both = tags.clone();
        for (key, values) in all.tags.iter().flat_map(|tags| tags.iter()) {
            match tags.get(&key.text) {
                Some(_) => problems.error(&key.place, format!("the tag `{}` is also declared at the top level", key.text.escape_debug())),
                None => both.0.push((key.clone(), values.clone())),
            }
        }
        all.tags = Some(both);
    }
    if let Some(grants) = &text.grants {
        all.grants.get_or_insert_default().extend(grants.iter().cloned());
    }
    for (name, output) in text.outputs.iter().flat_map(Named::iter) {
        // An empty section says nothing.
        let tags = output.tags.clone().filter(|tags| !tags.0.is_empty());
        let columns = output.column_tags.clone().filter(|columns| !columns.0.is_empty());
        let Some(table) = output.table.as_ref().filter(|table| names::table(table, problems).is_some()) else { continue };
        if tags.is_some() || columns.is_some() {
            let assignment =
                AssignmentText { place: name.place.clone(), wrong: false, database: None, table: Some(table.clone()), tags, columns };
            all.assignments.get_or_insert_default().push(assignment);
        }
    }
    all
}

fn empty(place: &Place) -> GovernanceText {
    GovernanceText {
        place: place.clone(),
        wrong: false,
        version: None,
        name: None,
        description: None,
        tags: None,
        principals: None,
        assignments: None,
        expressions: None,
        grants: None,
        filters: None,
        row_policies: None,
        administrators: None,
        locations: None,
        opt_ins: None,
        revoke_iam_allowed_principals: None,
        mode: None,
    }
}
