//! Outputs that are made of tables of other outputs: none is made of itself.

use super::document::PipelineText;
use crate::pipeline::model::{Mode, Output, Source, Transform};
use crate::yaml::{Place, Problems, Text};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::{BTreeMap, BTreeSet};

/// The transforms of a pipeline, by their names.
pub(super) struct Lineage<'a>(BTreeMap<&'a str, &'a Transform>);

impl<'a> Lineage<'a> {
    pub(super) fn of(transforms: &'a [Transform]) -> Lineage<'a> {
        Lineage(transforms.iter().map(|transform| (transform.name.as_str(), transform)).collect())
    }

    /// The transforms that the rows of `output` are made by, the last first, and the names of all that is read on the way; each once.
    fn above(&self, output: &'a Output) -> (Vec<&'a Transform>, BTreeSet<&'a str>) {
        let (mut transforms, mut names, mut waiting) = (Vec::new(), BTreeSet::new(), vec![output.from.as_str()]);
        while let Some(name) = waiting.pop() {
            if !names.insert(name) {
                continue;
            }
            if let Some(transform) = self.0.get(name) {
                waiting.extend(transform.reads.iter().map(String::as_str));
                transforms.push(*transform);
            }
        }
        (transforms, names)
    }
}

/// Tells of outputs whose rows are made of their own table, directly or by way of others. `names` are the outputs as they are written.
pub(super) fn check(lineage: &Lineage<'_>, outputs: &[Output], names: &[&Text], problems: &mut Problems<'_>) {
    let makes: BTreeMap<String, &Output> = outputs.iter().map(|output| (output.table.to_string(), output)).collect();
    // The outputs whose tables each output reads.
    let reads = |output| -> BTreeSet<&str> {
        let tables = lineage.above(output).0.into_iter().flat_map(|transform| &transform.tables);
        tables.filter_map(|table| makes.get(&table.to_string())).map(|output| output.name.as_str()).collect()
    };
    let graph: BTreeMap<&str, BTreeSet<&str>> = outputs.iter().map(|output| (output.name.as_str(), reads(output))).collect();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for output in outputs {
        if told.contains(output.name.as_str()) {
            continue;
        }
        if let Some(way) = way_back(&graph, &output.name) {
            told.extend(way.iter().copied());
            let place = names.iter().find(|name| name.text == output.name).map_or(&Place::NOWHERE, |name| &name.place);
            let message = match way.as_slice() {
                [only] => format!("`{only}` reads its own table, {}, which doesn't exist before the first run", output.table),
                way => format!("circular dependency: these outputs read each other's tables: {} -> {}", way.join(" -> "), way[0]),
            };
            problems.error(place, message);
        }
    }
}

/// Warns of outputs that add rows and have SQL on the way that is only right of all rows: each run has those of the files that it reads.
pub(super) fn warn_of_parts(
    lineage: &Lineage<'_>,
    outputs: &[Output],
    sources: &[Source],
    text: &PipelineText,
    problems: &mut Problems<'_>,
) {
    let incremental: BTreeSet<&str> = sources.iter().filter(|source| source.incremental).map(|source| source.name.as_str()).collect();
    for output in outputs.iter().filter(|output| output.mode != Mode::Overwrite) {
        let (transforms, names) = lineage.above(output);
        let found = transforms.into_iter().find_map(|transform| Some((transform, parts_of(&transform.sql)?)));
        let Some((transform, what)) = found.filter(|_| !names.is_disjoint(&incremental)) else { continue };
        let written = text.outputs.iter().flat_map(|outputs| outputs.iter()).find(|(name, _)| name.text == output.name);
        let place = written.map(|(name, written)| written.mode.as_ref().map_or(&name.place, |mode| &mode.place));
        let message = format!(
            "`{}` has {what}, and with this mode each run has the rows of new files only: what belongs together may come in two runs, as two rows; \
             `mode: overwrite` makes it of all rows",
            transform.name
        );
        problems.warning(place.unwrap_or(&Place::NOWHERE), message);
    }
}

/// Warns of SQL that puts rows together by the places of columns of which it takes all: one more column in a source, and they are others.
pub(super) fn warn_of_places(text: &PipelineText, problems: &mut Problems<'_>) {
    for (name, transform) in text.transforms.iter().flat_map(|transforms| transforms.iter()) {
        let Some(sql) = transform.sql.as_ref() else { continue };
        let words = keywords(&sql.text);
        let by_place = words.windows(3).any(|words| matches!(words, [Keyword::UNION, Keyword::ALL, next] if *next != Keyword::BY));
        if by_place && takes_all(&sql.text) {
            let message = format!(
                "`{}` combines rows by the position of their columns, with `*`; UNION ALL BY NAME matches columns by name",
                name.text.escape_debug()
            );
            problems.warning(&name.place, message);
        }
    }
}

/// Whether `sql` has a SELECT of all columns.
fn takes_all(sql: &str) -> bool {
    words(sql).windows(2).any(|pair| matches!(pair, [Token::Word(word), Token::Mul] if word.keyword == Keyword::SELECT))
}

/// What in `sql` is only right of all rows at once.
fn parts_of(sql: &str) -> Option<&'static str> {
    keywords(sql).windows(2).find_map(|pair| match pair {
        [Keyword::GROUP, Keyword::BY] => Some("GROUP BY"),
        [Keyword::SELECT, Keyword::DISTINCT] => Some("SELECT DISTINCT"),
        [Keyword::LIMIT, _] => Some("LIMIT"),
        [Keyword::OVER, _] => Some("a window (OVER)"),
        _ => None,
    })
}

/// The keywords of `sql` in its order, and where something else stands.
fn keywords(sql: &str) -> Vec<Keyword> {
    let keyword = |word: &Token| match word {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    };
    words(sql).iter().map(keyword).collect()
}

/// The words and signs of `sql`; none where it can't be cut into them.
fn words(sql: &str) -> Vec<Token> {
    let mut words = Tokenizer::new(&GenericDialect {}, sql).tokenize().unwrap_or_default();
    words.retain(|word| !matches!(word, Token::Whitespace(_)));
    words
}

/// The outputs on a shortest way from `start` back to it.
fn way_back<'g>(graph: &BTreeMap<&'g str, BTreeSet<&'g str>>, start: &str) -> Option<Vec<&'g str>> {
    let (start, _) = graph.get_key_value(start)?;
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut next = std::collections::VecDeque::from([*start]);
    while let Some(at) = next.pop_front() {
        for to in graph.get(at).into_iter().flatten() {
            if to == start {
                let mut way = vec![at];
                while let Some(before) = from.get(way[way.len() - 1]).filter(|_| way[way.len() - 1] != *start) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if !from.contains_key(to) {
                from.insert(to, at);
                next.push_back(to);
            }
        }
    }
    None
}
