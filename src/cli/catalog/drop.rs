//! `etl catalog drop`: a catalog forgets a table.

use super::name::TableName;
use super::which::{Opened, WhichArgs};
use crate::catalog::{Catalog, Entry, GlueCatalog, LAKE, LocalCatalog, REGISTERED, Table};
use crate::cli::asking::confirmed;
use crate::cli::terminal::{print_json, say};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{drop_from_glue, drop_table, likely_folders, lost_rows};
use crate::storage::Storage;
use clap::Args;
use serde_json::json;

/// Remove a table from a catalog; its files stay
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog drop weblogs.old
  etl catalog drop weblogs.old --yes
  etl catalog drop weblogs.old --lake lake/ --yes

Asks for confirmation on a terminal. Tables made by others need --force; so do tables in a lake's own catalog that a pipeline writes. Their files are \
removed by `etl vacuum` a week later; until then `etl rollback` brings the table back.")]
pub(super) struct DropArgs {
    /// The table or view, as DATABASE.TABLE
    #[arg(value_name = "DATABASE.TABLE")]
    table: TableName,

    #[command(flatten)]
    which: WhichArgs,

    /// Don't ask for confirmation
    #[arg(long)]
    yes: bool,

    /// Also drop tables made by others or by a pipeline
    #[arg(long)]
    force: bool,
}

/// Drops the table.
///
/// # Errors
/// [`ErrorKind::Usage`] where there is none, it is somebody else's, or nobody is there to be asked; what the catalog says.
pub(super) fn run(args: &DropArgs) -> Result<()> {
    let (names, notes) = match args.which.open()? {
        Opened::Local(storage) => of_lake(args, &storage)?,
        Opened::Glue(glue) => of_glue(args, &glue)?,
    };
    if args.which.json {
        return print_json(&json!({"dropped": names, "notes": notes}));
    }
    match names.is_empty() {
        true => say(&format!("{} was not dropped", args.table)),
        false => say(&format!("dropped {}; the files stay", names.join(" and "))),
    }
    notes.iter().for_each(|note| say(&format!("note: {note}")));
    Ok(())
}

fn of_glue(args: &DropArgs, glue: &GlueCatalog) -> Result<(Vec<String>, Vec<String>)> {
    let name = &args.table;
    let entry = glue.table(&name.database, &name.table)?.ok_or_else(|| name.missing(glue))?;
    let is_ours = [LAKE, REGISTERED].iter().any(|key| entry.parameters.contains_key(*key));
    if !is_ours && !args.force {
        return Err(refused(name, "it was made by others", &entry));
    }
    if !is_meant(args, &glue.name(), &entry.storage.location)? {
        return Ok((Vec::new(), Vec::new()));
    }
    let dropped = drop_from_glue(glue, &entry)?;
    Ok((dropped.names, dropped.notes))
}

fn of_lake(args: &DropArgs, storage: &Storage) -> Result<(Vec<String>, Vec<String>)> {
    let name = &args.table;
    let catalog = LocalCatalog::new(storage.clone());
    let table: Table = catalog.find(&catalog.snapshot()?, &name.database, &name.table)?;
    let (mut notes, mut lost) = (Vec::new(), None);
    if table.registered().is_none() {
        if !args.force {
            let why = format!("the pipeline {} makes it, and `etl vacuum` would remove its files a week later", table.origin.pipeline);
            let message = format!("{name} is not dropped: {why}");
            return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "use --force to drop it anyway"));
        }
        lost = lost_rows(storage, &table, &likely_folders(storage))?;
        notes.push(format!(
            "nothing reads its files any more: `etl vacuum` removes them in a week, until then `etl rollback` brings it back; a run of the pipeline {} rebuilds it from the source files that are there",
            table.origin.pipeline
        ));
    }
    let place = match table.registered() {
        Some(address) => address.to_string(),
        None => storage.location().join(&table.storage.location).to_string(),
    };
    // Before it is asked; JSON has it among the notes.
    if let Some(lost) = lost.as_ref().filter(|_| !args.which.json) {
        say(&format!("warning: {lost}"));
    }
    if !is_meant(args, &catalog.name(), &place)? || !drop_table(storage, &table)? {
        return Ok((Vec::new(), Vec::new()));
    }
    notes.extend(lost.filter(|_| args.which.json));
    Ok((vec![name.to_string()], notes))
}

fn refused(name: &TableName, why: &str, entry: &Entry) -> Error {
    Error::new(ErrorKind::Usage, format!("{name} is not dropped: {why}"))
        .with_context("location", if entry.storage.location.is_empty() { "none" } else { &entry.storage.location })
        .with_context("what to do", "use --force to drop it anyway")
}

/// Whether the user says yes.
fn is_meant(args: &DropArgs, catalog: &str, location: &str) -> Result<bool> {
    let files = if location.is_empty() { String::new() } else { format!(" (its files at {location} stay)") };
    if args.yes { Ok(true) } else { confirmed(&format!("drop {} from {catalog}{files}", args.table)) }
}
