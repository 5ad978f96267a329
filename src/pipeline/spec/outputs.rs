//! Outputs: whose rows they hold, and where those go.

use super::document::{OutputText, PipelineText};
use super::transforms::{row_names, unknown};
use super::{formats, names, readers, schedule};
use crate::convert::unfit;
use crate::pipeline::model::{Mode, Output, Removal, TableName};
use crate::yaml::{Named, Node, Place, Problems, Text};
use crate::zone::Zone;
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) fn resolve(text: &PipelineText, root: &Node, problems: &mut Problems<'_>) -> Vec<Output> {
    let Some(outputs) = &*text.outputs else { return Vec::new() };
    if outputs.0.is_empty() {
        problems.error(&text.place, "`outputs` is empty; list at least one");
    }
    let timezone = text.timezone.as_ref().and_then(|name| schedule::zone(name, problems)).unwrap_or(Zone::UTC);
    let names = row_names(root);
    let known: HashSet<&str> = names.iter().copied().collect();
    let mut tables: BTreeMap<TableName, &str> = BTreeMap::new();
    let mut resolved = Vec::with_capacity(outputs.0.len());
    for (name, output) in outputs.iter() {
        names::check(name, problems);
        if let Some(from) = output.from.as_ref().filter(|from| !known.contains(&from.text.as_str())) {
            problems.error_with(&from.place, || from.explain(unknown(&from.text, &names)));
        }
        let table = output.table.as_ref().and_then(|table| names::table(table, problems));
        if let (Some(table), Some(written)) = (&table, output.table.as_ref()) {
            match tables.get(table) {
                Some(other) => problems.error(&written.place, format!("the output `{other}` already writes the table {table}")),
                None => {
                    tables.insert(table.clone(), &name.text);
                }
            }
        }
        resolved.extend(one(name, output, table, timezone, problems));
    }
    views(outputs, &tables, problems);
    resolved
}

/// Tells of views beside tables that are called as another table or view of their database.
fn views(outputs: &Named<OutputText>, tables: &BTreeMap<TableName, &str>, problems: &mut Problems<'_>) {
    let mut seen: BTreeMap<TableName, &str> = BTreeMap::new();
    for (name, output) in outputs.iter() {
        let Some(view) = readers::view(output) else { continue };
        let database = output.table.as_ref().and_then(|table| table.text.split_once('.')).map(|(database, _)| database.to_string());
        let Some(database) = database else { continue };
        let full = TableName { database, table: view.text.clone() };
        if let Some(other) = tables.get(&full).or_else(|| seen.get(&full)) {
            problems
                .error(&view.place, format!("the output `{other}` has a table or view of this name, {full}; give the view another one"));
        }
        seen.insert(full, &name.text);
    }
}

fn one(name: &Text, output: &OutputText, table: Option<TableName>, timezone: Zone, problems: &mut Problems<'_>) -> Option<Output> {
    let format = formats::format(output, problems);
    let layout = formats::layout(output, problems);
    let partition_by = partitions(output, problems);
    let own = output.timezone.as_ref().and_then(|name| schedule::zone(name, problems));
    if let Some(own) = &output.timezone
        && !partition_by.iter().any(|name| name == "dt" || name == "hour")
    {
        problems.error(&own.place, "`timezone` sets the time zone of `dt` and `hour`, but `partition_by` has neither");
    }
    let mode = output.mode.as_ref().map(|mode| mode.value).unwrap_or_default();
    if let (Mode::ReplacePartitions, Some(written), None) = (mode, &output.mode, &output.partition_by) {
        problems.error(&written.place, "replace_partitions needs `partition_by`: the columns whose partitions are rebuilt");
    }
    if let (Mode::Overwrite, Some(removed)) = (mode, &output.removed_sources)
        && matches!(removed.value, Removal::Keep)
    {
        problems.error(&removed.place, "with `overwrite` a table only has the rows of its current sources; `keep` is for the other modes");
    }
    let comments = output.columns.iter().flat_map(|columns| columns.iter());
    let comments = comments.map(|(column, comment)| (column.text.clone(), comment.text.clone())).collect();
    let zone = own.unwrap_or(timezone);
    let readers = readers::resolve(output, &partition_by, !zone.is_utc(), problems);
    Some(Output {
        name: name.text.clone(),
        place: problems.place(&name.place),
        from: output.from.as_ref()?.text.clone(),
        table: table?,
        description: output.description.as_ref().map(|description| description.text.clone()),
        comments,
        format: format?,
        layout,
        partition_by,
        timezone: zone,
        mode,
        removed_sources: output.removed_sources.as_ref().map(|removed| removed.value).unwrap_or_default(),
        readers,
    })
}

fn partitions(output: &OutputText, problems: &mut Problems<'_>) -> Vec<String> {
    let Some(columns) = &output.partition_by else { return Vec::new() };
    let mut names: Vec<String> = Vec::with_capacity(columns.0.len());
    // Hive's readers know them in lower case; each is compared with those that have the same.
    let mut alike: HashMap<String, Vec<&str>> = HashMap::new();
    for column in &columns.0 {
        match column.text.as_str() {
            "" => problems.error(&column.place, "expected the name of a column, not an empty string"),
            name => {
                let before = alike.entry(name.to_lowercase()).or_default();
                if before.contains(&name) {
                    problems.error(&column.place, column.explain(format!("duplicate `{}`", name.escape_debug())));
                } else if let Some(why) = unfit(name, before.iter().copied()) {
                    problems.error(&column.place, column.explain(why));
                } else {
                    before.push(name);
                    names.push(name.to_string());
                }
            }
        }
    }
    if columns.0.is_empty() {
        let place: &Place = &output.place;
        problems.error(place, "`partition_by` is empty; leave it out for a table without partitions");
    }
    names
}
