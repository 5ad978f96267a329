//! Transforms: which names their SQL uses, and in which order they can be made.

use super::document::PipelineText;
use super::{names, sql};
use crate::diagnostic::nearest;
use crate::pipeline::model::Transform;
use crate::yaml::{Content, Entry, Node, Place, Problems, Text};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn resolve(text: &PipelineText, root: &Node, problems: &mut Problems<'_>) -> Vec<Transform> {
    let Some(transforms) = &text.transforms else { return Vec::new() };
    let sources = keys(root, "sources");
    let known = row_names(root);
    let mut made: BTreeMap<&str, (&Text, &Text, Vec<&str>)> = BTreeMap::new();
    for (name, transform) in transforms.iter() {
        names::check(name, problems);
        if sources.iter().any(|source| source.key == name.text) {
            problems.error(&name.place, format!("a source is called `{}` already; SQL couldn't tell them apart", name.text.escape_debug()));
        }
        let Some(sql) = transform.sql.as_ref() else { continue };
        let mut needs = Vec::new();
        for table in sql::tables(sql, problems).unwrap_or_default() {
            match known.iter().find(|known| **known == table.name) {
                Some(known) if *known == name.text => problems.error(&table.place, "a transform can't read itself"),
                Some(known) => needs.push(*known),
                None if problems.is_full() => problems.error(&table.place, "no source and no transform has this name"),
                None => problems.error(&table.place, unknown(&table.name, &known)),
            }
        }
        made.insert(&name.text, (name, sql, needs));
    }
    in_order(made, problems)
}

/// The names of sources and transforms.
pub(super) fn row_names(root: &Node) -> Vec<&str> {
    ["sources", "transforms"].into_iter().flat_map(|section| keys(root, section)).map(|entry| entry.key.as_str()).collect()
}

/// Says that nothing has a name, and which is near.
pub(super) fn unknown(name: &str, known: &[&str]) -> String {
    let shown = name.escape_debug();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none yet".to_string(),
        None => format!("there are {}", known.join(", ")),
    };
    let files = if name.contains(['/', '*', '\'']) { "; files are named under `sources`" } else { "" };
    format!("no source and no transform is called `{shown}`; {hint}{files}")
}

/// The entries of a section as it is written, whether they fit or not.
fn keys<'n>(root: &'n Node, section: &str) -> &'n [Entry] {
    match root.get(section) {
        Some(Node { content: Content::Mapping(entries), .. }) => entries,
        _ => &[],
    }
}

/// Each behind those that it needs; where that can't be, it is told, and the rest is left out.
fn in_order(mut made: BTreeMap<&str, (&Text, &Text, Vec<&str>)>, problems: &mut Problems<'_>) -> Vec<Transform> {
    let mut ordered = Vec::with_capacity(made.len());
    // Of those that could come next the one that stands first in the file.
    while let Some(next) = made
        .iter()
        .filter(|(_, (_, _, needs))| !needs.iter().any(|need| made.contains_key(need)))
        .min_by_key(|(_, (name, _, _))| name.place.clone())
        .map(|(next, _)| *next)
    {
        if let Some((name, sql, needs)) = made.remove(next) {
            let reads = needs.into_iter().map(str::to_string).collect();
            ordered.push(Transform { name: name.text.clone(), place: problems.place(&name.place), sql: sql.text.clone(), reads });
        }
    }
    if let Some(circle) = circle(&made) {
        let first =
            made.values().map(|(name, _, _)| *name).filter(|name| circle.contains(&name.text.as_str())).min_by_key(|name| &name.place);
        let place = first.map_or(Place::NOWHERE, |name| name.place.clone());
        problems.error(&place, format!("these transforms need each other in a circle: {}", circle.join(" -> ")));
    }
    ordered
}

/// A way through `made` that comes back to its start.
fn circle<'t>(made: &BTreeMap<&'t str, (&'t Text, &'t Text, Vec<&'t str>)>) -> Option<Vec<&'t str>> {
    let first = made.values().min_by_key(|(name, _, _)| &name.place)?;
    let mut way = vec![first.0.text.as_str()];
    // All that is left needs something that is left, so the way can always go on until it meets itself.
    while let Some(next) = made.get(way.last()?)?.2.iter().find(|need| made.contains_key(*need)) {
        if let Some(start) = way.iter().position(|seen| seen == next) {
            way.push(next);
            return Some(way.split_off(start));
        }
        way.push(next);
    }
    None
}

/// Warns of sources and transforms whose rows go nowhere.
pub(super) fn warn_of_unused(text: &PipelineText, problems: &mut Problems<'_>) {
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (_, transform) in text.transforms.iter().flat_map(|transforms| transforms.iter()) {
        let Some(sql) = transform.sql.as_ref() else { return };
        // With SQL that can't be read nobody knows what is used.
        let Some(names) = sql::names(&sql.text) else { return };
        used.extend(names);
    }
    for (_, output) in text.outputs.iter().flat_map(|outputs| outputs.iter()) {
        let Some(from) = output.from.as_ref() else { return };
        used.insert(from.text.clone());
    }
    let sources = text.sources.iter().flat_map(|sources| sources.iter().map(|(name, _)| (name, "source")));
    let transforms = text.transforms.iter().flat_map(|transforms| transforms.iter().map(|(name, _)| (name, "transform")));
    for (name, kind) in sources.chain(transforms).filter(|(name, _)| !used.contains(&name.text)) {
        problems.warning(&name.place, format!("nothing uses the {kind} `{}`", name.text.escape_debug()));
    }
}
