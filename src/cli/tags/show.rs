//! `etl tags show`: which LF-Tags a database, table and column has, and from where.

use crate::cli::governed_lake::{LakeArgs, shown, unknown};
use crate::cli::terminal::{print, print_json};
use crate::error::Result;
use crate::governance::{Evaluator, TagOrigin};
use crate::printable::printable;
use clap::Args;
use serde::Serialize;

/// Show the LF-Tags of databases, tables and columns, and where they come from
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl tags show --lake lake/
  etl tags show shops --lake lake/
  etl tags show shops.sales --lake lake/ --json

A table inherits the tags of its database, and a column those of its table, except for keys that it has itself.")]
pub(super) struct ShowArgs {
    /// Only this database, as DATABASE, or table, as DATABASE.TABLE
    #[arg(value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    lake: LakeArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The tags of a database, table or column.
#[derive(Debug, Serialize)]
struct Tagged {
    database: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    tags: Vec<TagOrigin>,
}

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let evaluator = args.lake.open()?.evaluator()?;
    let tagged = tagged(&evaluator, args.name.as_deref())?;
    if args.json {
        return print_json(&tagged);
    }
    let mut table = shown(&["database", "table", "column", "tags"]);
    for one in &tagged {
        let tags: Vec<String> = one.tags.iter().map(|tag| format!("{}={} ({})", tag.key, tag.value, tag.assigned_to)).collect();
        let words =
            [&one.database, one.table.as_ref().unwrap_or(&String::new()), one.column.as_ref().unwrap_or(&String::new()), &tags.join(", ")]
                .map(|word| printable(word).into_owned());
        table.add_row(words.to_vec());
    }
    print(&table.to_string(), false)
}

fn tagged(evaluator: &Evaluator, wanted: Option<&str>) -> Result<Vec<Tagged>> {
    let (database, table) = match wanted {
        None => (None, None),
        Some(name) => match name.split_once('.') {
            Some((database, table)) => (Some(database), Some(table)),
            None => (Some(name), None),
        },
    };
    let mut all = Vec::new();
    for (name, tables) in evaluator.resources().iter().filter(|(name, _)| database.is_none_or(|wanted| wanted == *name)) {
        if table.is_none() {
            let tags = evaluator.tags().databases.get(name).map(TagOrigin::of).unwrap_or_default();
            all.push(Tagged { database: name.clone(), table: None, column: None, tags });
        }
        for (own, shape) in tables.iter().filter(|(own, _)| table.is_none_or(|wanted| wanted == *own)) {
            let full = crate::catalog::TableName { database: name.clone(), table: own.clone() };
            let Some(tags) = evaluator.tags().tables.get(&full) else { continue };
            all.push(Tagged { database: name.clone(), table: Some(own.clone()), column: None, tags: TagOrigin::of(&tags.own) });
            all.extend(shape.columns.iter().zip(&tags.columns).map(|(column, tags)| Tagged {
                database: name.clone(),
                table: Some(own.clone()),
                column: Some(column.name.clone()),
                tags: TagOrigin::of(tags),
            }));
        }
    }
    match wanted {
        Some(name) if all.is_empty() => {
            let databases = evaluator.resources().keys().cloned();
            let known: Vec<String> = databases.chain(evaluator.tags().tables.keys().map(ToString::to_string)).collect();
            Err(unknown("database or table", name, &known))
        }
        _ => Ok(all),
    }
}
