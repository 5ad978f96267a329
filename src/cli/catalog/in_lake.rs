//! Tables as a lake's own catalog has them.

use super::name::TableName;
use super::shown::{columns, empty_table, no_database, number};
use crate::catalog::{LocalCatalog, Table, live_files};
use crate::cli::terminal::{print, print_json};
use crate::error::{Error, ErrorKind, Result};
use crate::printable::printable;
use crate::storage::Storage;
use crate::units::{ByteSize, count};
use comfy_table::Cell;

/// Lists the tables of the lake in `storage`, or of one of its databases.
pub(super) fn list(storage: &Storage, database: Option<&str>, json: bool) -> Result<()> {
    let catalog = LocalCatalog::new(storage.clone());
    let snapshot = catalog.snapshot()?;
    if let Some(wanted) = database.filter(|wanted| !snapshot.head.databases.contains_key(*wanted)) {
        let known: Vec<&str> = snapshot.head.databases.keys().map(String::as_str).collect();
        return Err(no_database(wanted, &storage.location().to_string(), &known));
    }
    let names = snapshot.head.tables().filter(|(of, ..)| database.is_none_or(|database| *of == database));
    let tables: Vec<Table> = names.map(|(_, _, reference)| catalog.table(reference)).collect::<Result<_>>()?;
    if json {
        return print_json(&tables);
    }
    if tables.is_empty() {
        return print("no tables", false);
    }
    let mut shown = empty_table(&["table", "format", "columns", "rows", "files", "bytes", "version", "pipeline", "updated"]);
    for table in &tables {
        // Of files that were there already nobody counted anything.
        let registered = table.registered().is_some();
        let counted = |text: String| number(if registered { "-".to_string() } else { text });
        shown.add_row(vec![
            Cell::new(format!("{}.{}", table.database, table.name)),
            Cell::new(table.kind_name()),
            number(count((table.storage.columns.len() + table.partition_keys.len()) as u64)),
            counted(count(table.rows)),
            counted(count(table.files)),
            counted(ByteSize(table.bytes).to_string()),
            number(table.version.to_string()),
            Cell::new(if registered { "(registered)".into() } else { printable(&table.origin.pipeline) }),
            Cell::new(table.updated.format("%Y-%m-%d %H:%M:%S")),
        ]);
    }
    print(&shown.to_string(), false)
}

/// Shows a table of the lake in `storage`; with `files` all that hold its rows.
pub(super) fn show(storage: &Storage, name: &TableName, files: bool, json: bool) -> Result<()> {
    let catalog = LocalCatalog::new(storage.clone());
    let table = catalog.find(&catalog.snapshot()?, &name.database, &name.table)?;
    let live = if files { live_files(storage, &table)? } else { Vec::new() };
    if json {
        let mut value = serde_json::to_value(&table).map_err(internal)?;
        if files {
            value["live_files"] = serde_json::to_value(&live).map_err(internal)?;
        }
        return print_json(&value);
    }
    let mut text = format!("{name}, version {}", table.version);
    if let Some(description) = &table.description {
        text.push_str(&format!("\n{}", printable(description)));
    }
    let codec = table.parameters.get("compressionType").map_or("none", String::as_str);
    let kind = format!("{} of {codec}", table.kind_name());
    match table.registered() {
        Some(address) => {
            text.push_str(&format!("\n{kind}, registered from existing files; count rows with a query"));
            text.push_str(&format!("\nlocation {}\n", printable(address)));
        }
        None => {
            let size = ByteSize(table.bytes);
            text.push_str(&format!("\n{} rows in {} files, {size}, {kind}", count(table.rows), count(table.files)));
            let location = storage.location().join(table.storage.location.trim_end_matches('/')).to_string();
            text.push_str(&format!("\nlocation {}", printable(&location)));
            text.push_str(&format!(
                "\nwritten by {} of pipeline {}, run {}\n",
                table.origin.output, table.origin.pipeline, table.origin.run
            ));
        }
    }
    text.push_str(&format!("{}\n", columns(&table.storage.columns, &table.partition_keys)));
    if !table.partition_keys.is_empty() && table.registered().is_none() {
        let mut partitions = empty_table(&["partition", "rows", "files", "bytes", "run"]);
        for segment in &table.segments {
            for (folder, size) in &segment.partitions {
                let (rows, bytes) = (number(count(size.rows)), number(ByteSize(size.bytes).to_string()));
                partitions.add_row(vec![Cell::new(printable(folder)), rows, number(count(size.files)), bytes, Cell::new(&segment.run)]);
            }
        }
        text.push_str(&format!("{partitions}\n"));
    }
    let mut versions = empty_table(&["version", "run", "published", "rows"]);
    for past in &table.history {
        let published = Cell::new(past.updated.format("%Y-%m-%d %H:%M:%S"));
        versions.add_row(vec![number(past.version.to_string()), Cell::new(&past.run), published, number(count(past.rows))]);
    }
    let published = Cell::new(table.updated.format("%Y-%m-%d %H:%M:%S"));
    versions.add_row(vec![number(table.version.to_string()), Cell::new(&table.origin.run), published, number(count(table.rows))]);
    text.push_str(&versions.to_string());
    for file in &live {
        text.push_str(&format!("\n{}  {} rows  {}  sha256 {}", printable(&file.key), count(file.rows), ByteSize(file.bytes), file.sha256));
    }
    print(&text, false)
}

fn internal(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "can't write JSON").with_source(error)
}
