//! Transforms: which names their SQL uses, and in which order they can be made.

use super::athena;
use super::document::{PipelineText, TransformText};
use super::names::{self, listed, near};
use super::sql;
use crate::pipeline::model::{TableName, Transform, TransformEngine};
use crate::yaml::{Content, Entry, Node, Place, Problems, Text};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};

/// A transform's name, its SQL, and what it needs.
type Made<'t> = (&'t Text, &'t Text, Vec<&'t str>, Vec<TableName>, TransformEngine);

/// The names that SQL uses; nothing where some can't be read: nobody knows what it uses then.
pub(super) type Used = Option<HashSet<String>>;

/// The transforms, each behind those that it needs, and which names they use.
pub(super) fn resolve(text: &PipelineText, root: &Node, problems: &mut Problems<'_>) -> (Vec<Transform>, Used) {
    let mut used = Some(HashSet::new());
    let Some(transforms) = &text.transforms else { return (Vec::new(), used) };
    let sources: HashSet<&str> = keys(root, "sources").iter().map(|source| source.key.as_str()).collect();
    let names = row_names(root);
    let known: HashSet<&str> = names.iter().copied().collect();
    let mut made: BTreeMap<&str, Made<'_>> = BTreeMap::new();
    let is_athena = |transform: &TransformText| transform.engine.as_ref().is_some_and(|engine| engine.value == TransformEngine::Athena);
    let here = transforms.iter().filter(|(_, transform)| !is_athena(transform));
    let queries: Vec<&Text> = here.filter_map(|(_, transform)| transform.sql.as_ref()).collect();
    let made_tables: Vec<&str> = text
        .outputs
        .iter()
        .flat_map(|outputs| outputs.iter())
        .filter_map(|(_, output)| Some(output.table.as_ref()?.text.as_str()))
        .collect();
    let mut read = sql::tables_of_all(&queries, problems).into_iter();
    for (name, transform) in transforms.iter() {
        names::check(name, problems);
        if sources.contains(name.text.as_str()) {
            problems.error(&name.place, format!("a source is already called `{}`; SQL couldn't tell them apart", name.text.escape_debug()));
        }
        let Some(sql) = transform.sql.as_ref() else {
            used = None;
            continue;
        };
        if let Some(engine) = transform.engine.as_ref().filter(|_| is_athena(transform)) {
            // Whether its SQL is right, Athena says.
            athena::check_transform(text, name, sql, &engine.place, problems);
            made.insert(&name.text, (name, sql, Vec::new(), Vec::new(), TransformEngine::Athena));
            continue;
        }
        let tables = read.next().flatten();
        used = used.zip(tables.as_ref()).map(|(mut used, tables)| {
            used.extend(tables.iter().filter(|table| table.parts == 1).map(|table| table.last().to_string()));
            used
        });
        let (mut needs, mut of_lake) = (Vec::new(), BTreeSet::new());
        for used in tables.unwrap_or_default() {
            let table = &used;
            if let Some((database, table)) = table.name.split_once('.').filter(|_| table.parts == 2) {
                // Another pipeline may make it, unless its name is nearly that of one that is made here.
                let name = format!("{database}.{table}");
                if !made_tables.contains(&name.as_str())
                    && !problems.is_full_of_warnings()
                    && let Some(near) = near(&name, &made_tables)
                {
                    let place = used.place(sql, problems);
                    problems.warning(&place, format!("no output writes {name}; did you mean {near}?"));
                }
                of_lake.insert(TableName { database: database.to_string(), table: table.to_string() });
                continue;
            }
            let needed = known.get(table.name.as_str()).copied();
            if let Some(needed) = needed.filter(|needed| *needed != name.text) {
                if transforms.get(needed).is_some_and(is_athena) {
                    let place = table.place(sql, problems);
                    problems.error(&place, format!("the rows of `{needed}` are made in Athena and stay there; only outputs can use them"));
                }
                needs.push(needed);
                continue;
            }
            let place = if problems.is_full() { sql.place.clone() } else { table.place(sql, problems) };
            problems.error_with(&place, || match needed {
                Some(_) => "a transform can't read itself".to_string(),
                None => unknown(&table.name, &names),
            });
        }
        made.insert(&name.text, (name, sql, needs, of_lake.into_iter().collect(), TransformEngine::Local));
    }
    (in_order(made, problems), used)
}

/// The names of sources and transforms.
pub(super) fn row_names(root: &Node) -> Vec<&str> {
    ["sources", "transforms"].into_iter().flat_map(|section| keys(root, section)).map(|entry| entry.key.as_str()).collect()
}

/// Says that nothing has a name, and which is near.
pub(super) fn unknown(name: &str, known: &[&str]) -> String {
    let shown = name.escape_debug();
    let hint = match near(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none yet".to_string(),
        None => format!("there are {}", listed(known)),
    };
    let files = match name {
        _ if name.contains(['/', '*', '\'']) => "; files are named under `sources`",
        _ if name.contains('.') => "; tables of the lake are database.table",
        _ => "",
    };
    format!("there is no source or transform `{shown}`; {hint}{files}")
}

/// The entries of a section as it is written, whether they fit or not.
fn keys<'n>(root: &'n Node, section: &str) -> &'n [Entry] {
    match root.get(section) {
        Some(Node { content: Content::Mapping(entries), .. }) => entries,
        _ => &[],
    }
}

/// Each behind those that it needs; where that can't be, it is told, and the rest is left out.
fn in_order(mut made: BTreeMap<&str, Made<'_>>, problems: &mut Problems<'_>) -> Vec<Transform> {
    // How many each waits for, and who waits for it.
    let mut missing: HashMap<&str, usize> = HashMap::with_capacity(made.len());
    let mut waiting: HashMap<&str, Vec<&str>> = HashMap::new();
    for (reader, (_, _, needs, ..)) in &made {
        let needs = needs.iter().filter(|need| made.contains_key(*need));
        missing.insert(*reader, needs.clone().count());
        needs.for_each(|need| waiting.entry(*need).or_default().push(*reader));
    }
    let mut ready: BinaryHeap<Reverse<(&Place, &str)>> =
        made.iter().filter(|(name, _)| missing.get(*name) == Some(&0)).map(|(name, (text, ..))| Reverse((&text.place, *name))).collect();
    let mut ordered = Vec::with_capacity(made.len());
    // Of those that could come next the one that stands first in the file.
    while let Some(Reverse((_, next))) = ready.pop() {
        let Some((name, sql, needs, tables, engine)) = made.remove(next) else { continue };
        for reader in waiting.remove(next).unwrap_or_default() {
            let Some(left) = missing.get_mut(reader) else { continue };
            *left -= 1;
            if let (0, Some((text, ..))) = (*left, made.get(reader)) {
                ready.push(Reverse((&text.place, reader)));
            }
        }
        let reads = needs.into_iter().map(str::to_string).collect();
        ordered.push(Transform {
            name: name.text.clone(),
            place: problems.place(&name.place),
            sql: sql.text.clone(),
            reads,
            tables,
            engine,
        });
    }
    if let Some(circle) = circle(&made) {
        let first = circle.iter().filter_map(|name| made.get(name)).map(|(name, ..)| &name.place).min();
        let shown = match circle.len() {
            0..=SHOWN => circle.join(" -> "),
            all => format!("{} -> …, {} in all", circle[..SHOWN].join(" -> "), all - 1),
        };
        problems.error(first.unwrap_or(&Place::NOWHERE), format!("circular dependency: these transforms need each other: {shown}"));
    }
    ordered
}

/// So many names of a circle are shown.
const SHOWN: usize = 20;

/// A way through `made` that comes back to its start.
fn circle<'t>(made: &BTreeMap<&'t str, Made<'t>>) -> Option<Vec<&'t str>> {
    let first = made.values().min_by_key(|(name, ..)| &name.place)?;
    let mut way = vec![first.0.text.as_str()];
    let mut seen = HashMap::from([(way[0], 0)]);
    // All that is left needs something that is left, so the way can always go on until it meets itself.
    while let Some(next) = made.get(way.last()?)?.2.iter().find(|need| made.contains_key(*need)) {
        way.push(next);
        if let Some(start) = seen.insert(*next, way.len() - 1) {
            return Some(way.split_off(start));
        }
    }
    None
}

/// Warns of sources and transforms whose rows go nowhere; `used` are the names in SQL.
pub(super) fn warn_of_unused(text: &PipelineText, used: Used, problems: &mut Problems<'_>) {
    let Some(mut used) = used else { return };
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
