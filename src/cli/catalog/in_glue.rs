//! Tables as Glue has them.

use super::name::TableName;
use super::shown::{columns, empty_table, no_database, number};
use crate::catalog::{Catalog, Entry, GlueCatalog, LAKE, REGISTERED, VERSION, VIRTUAL_VIEW};
use crate::cli::terminal::{print, print_json};
use crate::error::{Error, ErrorKind, Result};
use crate::printable::printable;
use crate::units::count;
use comfy_table::Cell;
use serde_json::json;

/// Partitions are shown up to so many; all are in the JSON.
const SHOWN: usize = 100;

/// Lists the tables of all databases, or of one.
pub(super) fn list(glue: &GlueCatalog, database: Option<&str>, json: bool) -> Result<()> {
    let databases = glue.databases()?;
    let wanted = match database.map(str::to_lowercase) {
        None => databases,
        Some(wanted) if databases.contains(&wanted) => vec![wanted],
        Some(wanted) => {
            let known: Vec<&str> = databases.iter().map(String::as_str).collect();
            return Err(no_database(&wanted, &glue.name(), &known));
        }
    };
    let tables = wanted.iter().map(|database| glue.tables(database)).collect::<Result<Vec<_>>>()?.concat();
    if json {
        return print_json(&tables);
    }
    if tables.is_empty() {
        return print("no tables", false);
    }
    let mut shown = empty_table(&["table", "format", "columns", "location", "made by"]);
    for table in &tables {
        shown.add_row(vec![
            Cell::new(printable(&table.full_name())),
            Cell::new(printable(format(table))),
            number(count((table.storage.columns.len() + table.partition_keys.len()) as u64)),
            Cell::new(printable(&table.storage.location)),
            Cell::new(printable(&maker(table))),
        ]);
    }
    print(&shown.to_string(), false)
}

/// Shows a table.
pub(super) fn show(glue: &GlueCatalog, name: &TableName, files: bool, json: bool) -> Result<()> {
    if files {
        let message = "--files is for tables of a lake: Glue knows only the folders of files";
        return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "set --lake, or leave out --files"));
    }
    let entry = glue.table(&name.database, &name.table)?.ok_or_else(|| name.missing(glue))?;
    let partitions = if entry.partition_keys.is_empty() { Vec::new() } else { glue.partitions(&name.database, &name.table)? };
    if json {
        let mut value = json!(entry);
        value["partitions"] = json!(partitions);
        return print_json(&value);
    }
    let mut text = format!("{}, {}, made by {}", printable(&entry.full_name()), printable(format(&entry)), printable(&maker(&entry)));
    if let Some(description) = &entry.description {
        text.push_str(&format!("\n{}", printable(description)));
    }
    if !entry.storage.location.is_empty() {
        let by = if entry.is_listed() { ", by lists of files" } else { "" };
        text.push_str(&format!("\nlocation {}{by}", printable(&entry.storage.location)));
        text.push_str(&format!("\nread by {}", printable(&entry.storage.serde.library)));
    }
    text.push_str(&format!("\n{}", columns(&entry.storage.columns, &entry.partition_keys)));
    if entry.is_projected() {
        text.push_str("\npartitions are computed by readers");
    } else if !partitions.is_empty() {
        let mut shown = empty_table(&["partition", "location"]);
        for partition in partitions.iter().take(SHOWN) {
            shown.add_row(vec![Cell::new(printable(&partition.values.join("/"))), Cell::new(printable(&partition.storage.location))]);
        }
        text.push_str(&format!("\n{shown}"));
        if partitions.len() > SHOWN {
            text.push_str(&format!("\nand {} more partitions; --json shows all", count((partitions.len() - SHOWN) as u64)));
        }
    }
    for (key, value) in &entry.parameters {
        text.push_str(&format!("\n{} = {}", printable(key), printable(value)));
    }
    print(&text, false)
}

/// What the files are, as far as it is said.
fn format(entry: &Entry) -> &str {
    match entry.table_type.as_str() {
        VIRTUAL_VIEW => "view",
        _ => entry.parameters.get("table_type").or(entry.parameters.get("classification")).map_or("-", String::as_str),
    }
}

/// Who made the table, as far as it is said.
fn maker(entry: &Entry) -> String {
    let version = entry.parameters.get(VERSION).map(|version| format!(", version {version}")).unwrap_or_default();
    match entry.parameters.get(LAKE) {
        Some(lake) => format!("{lake}{version}"),
        None if entry.parameters.contains_key(REGISTERED) => "etl catalog register".to_string(),
        None => "others".to_string(),
    }
}
