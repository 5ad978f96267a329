//! `etl catalog`: the tables of a lake.

use super::pipeline::open_lake;
use super::repair;
use super::terminal::{print, print_json};
use crate::catalog::{LocalCatalog, Table, live_files};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::head_of;
use crate::printable::printable;
use crate::units::{ByteSize, count};
use clap::{Args, Subcommand};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table as Shown};
use std::io::IsTerminal;

/// Show the tables of a lake, or repair it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog list --lake lake/
  etl catalog show weblogs.access --lake lake/
  etl catalog show weblogs.access --lake lake/ --json | jq .storage.columns
  etl catalog repair --lake lake/ --dry-run")]
pub(super) struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// List all tables
    List(LakeArgs),
    /// Show one table: its columns, partitions, versions and where its files are
    Show {
        /// The table, as DATABASE.TABLE
        #[arg(value_name = "DATABASE.TABLE")]
        table: String,
        #[command(flatten)]
        lake: LakeArgs,
        /// Name all files too
        #[arg(long)]
        files: bool,
    },
    Repair(repair::RepairArgs),
}

#[derive(Debug, Args)]
struct LakeArgs {
    /// The lake: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LAKE", env = "ETL_LAKE")]
    lake: String,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CatalogArgs) -> Result<()> {
    match &args.command {
        CatalogCommand::List(lake) => list(lake),
        CatalogCommand::Show { table, lake, files } => show(table, lake, *files),
        CatalogCommand::Repair(args) => repair::run(args),
    }
}

fn list(args: &LakeArgs) -> Result<()> {
    let storage = open_lake(&args.lake)?;
    let catalog = LocalCatalog::new(storage.clone());
    let snapshot = head_of(&storage, &catalog)?;
    let tables: Vec<Table> = snapshot.head.tables().map(|(_, _, reference)| catalog.table(reference)).collect::<Result<_>>()?;
    if args.json {
        return print_json(&tables);
    }
    if tables.is_empty() {
        return print("no tables", false);
    }
    let mut shown = empty_table(&["table", "format", "columns", "rows", "files", "bytes", "version", "pipeline", "updated"]);
    for table in &tables {
        shown.add_row(vec![
            Cell::new(format!("{}.{}", table.database, table.name)),
            Cell::new(table.kind_name()),
            number(count((table.storage.columns.len() + table.partition_keys.len()) as u64)),
            number(count(table.rows)),
            number(count(table.files)),
            number(ByteSize(table.bytes).to_string()),
            number(table.version.to_string()),
            Cell::new(printable(&table.origin.pipeline)),
            Cell::new(table.updated.format("%Y-%m-%d %H:%M:%S")),
        ]);
    }
    print(&shown.to_string(), false)
}

fn show(name: &str, args: &LakeArgs, files: bool) -> Result<()> {
    let storage = open_lake(&args.lake)?;
    let catalog = LocalCatalog::new(storage.clone());
    let Some((database, table)) = name.split_once('.') else {
        return Err(Error::new(ErrorKind::Usage, format!("`{name}` is no table's name; write DATABASE.TABLE")));
    };
    let table = catalog.find(&catalog.snapshot()?, database, table)?;
    let live = if files { live_files(&storage, &table)? } else { Vec::new() };
    if args.json {
        let mut value = serde_json::to_value(&table).map_err(internal)?;
        if files {
            value["live_files"] = serde_json::to_value(&live).map_err(internal)?;
        }
        return print_json(&value);
    }
    let mut text = format!("{database}.{}, version {}", table.name, table.version);
    if let Some(description) = &table.description {
        text.push_str(&format!("\n{}", printable(description)));
    }
    text.push_str(&format!(
        "\n{} rows in {} files, {}, {} of {}",
        count(table.rows),
        count(table.files),
        ByteSize(table.bytes),
        table.kind_name(),
        table.parameters.get("compressionType").map_or("none", String::as_str),
    ));
    let location = storage.location().join(table.storage.location.trim_end_matches('/')).to_string();
    text.push_str(&format!("\nlocation {}", printable(&location)));
    text.push_str(&format!("\nmade by {} of pipeline {}, run {}\n", table.origin.output, table.origin.pipeline, table.origin.run));
    let mut columns = empty_table(&["column", "type", "comment"]);
    for (column, key) in table.storage.columns.iter().map(|c| (c, "")).chain(table.partition_keys.iter().map(|c| (c, " (partition)"))) {
        let comment = printable(column.comment.as_deref().unwrap_or_default());
        columns.add_row(vec![Cell::new(printable(&format!("{}{key}", column.name))), Cell::new(&column.data_type), Cell::new(comment)]);
    }
    text.push_str(&format!("{columns}\n"));
    if !table.partition_keys.is_empty() {
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

fn empty_table(header: &[&str]) -> Shown {
    let mut table = Shown::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header.to_vec());
    let fit = std::io::stdout().is_terminal();
    table.set_content_arrangement(if fit { ContentArrangement::Dynamic } else { ContentArrangement::Disabled });
    table
}

fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn internal(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "can't write JSON").with_source(error)
}
