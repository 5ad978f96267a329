//! `etl tags list`: which LF-Tags there are, and who says so.

use crate::cli::governed_lake::{LakeArgs, shown};
use crate::cli::terminal::{print, print_json, say};
use crate::error::Result;
use crate::governance::{Evaluator, Policy};
use crate::printable::printable;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;

/// List the LF-Tags of a lake, with their values and how many resources have them
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  etl tags list --lake lake/\n  etl tags list --lake s3://bucket/lake --json | jq '.[].key'")]
pub(super) struct ListArgs {
    #[command(flatten)]
    lake: LakeArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// A value of a tag, and what has it, inherited or assigned.
#[derive(Debug, Serialize)]
struct TagValue {
    key: String,
    value: String,
    databases: usize,
    tables: usize,
    columns: usize,
    /// Who declares it.
    said_by: Vec<String>,
}

pub(super) fn run(args: &ListArgs) -> Result<()> {
    let lake = args.lake.open()?;
    let values = values(&lake.policies()?, &lake.evaluator()?);
    if args.json {
        return print_json(&values);
    }
    if values.is_empty() {
        say("no policy of this lake declares a tag; publish one with `etl tags apply FILE`");
        return Ok(());
    }
    let mut table = shown(&["tag", "value", "databases", "tables", "columns", "said by"]);
    for one in &values {
        let counts = [one.databases, one.tables, one.columns].map(|count| count.to_string());
        let words = [one.key.clone(), one.value.clone()].into_iter().chain(counts).chain([one.said_by.join(", ")]);
        table.add_row(words.map(|word| printable(&word).into_owned()).collect::<Vec<_>>());
    }
    print(&table.to_string(), false)
}

fn values(policies: &BTreeMap<String, Policy>, evaluator: &Evaluator) -> Vec<TagValue> {
    let mut said: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (owner, policy) in policies {
        for (key, values) in &policy.tags {
            values.iter().for_each(|value| said.entry((key, value)).or_default().push(owner.clone()));
        }
    }
    let tags = evaluator.tags();
    let has = |tags: &crate::governance::EffectiveTags, key: &str, value: &str| tags.get(key).is_some_and(|(own, _)| own == value);
    let value = |((key, value), said_by): ((&str, &str), Vec<String>)| TagValue {
        key: key.to_string(),
        value: value.to_string(),
        databases: tags.databases.values().filter(|tags| has(tags, key, value)).count(),
        tables: tags.tables.values().filter(|tags| has(&tags.own, key, value)).count(),
        columns: tags.tables.values().flat_map(|tags| &tags.columns).filter(|tags| has(tags, key, value)).count(),
        said_by,
    };
    said.into_iter().map(value).collect()
}
