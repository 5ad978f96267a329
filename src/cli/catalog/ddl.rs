//! `etl catalog ddl`: a table as Athena's DDL.

use super::name::TableName;
use super::which::{Opened, WhichArgs};
use crate::catalog::{Catalog, Ddl, Entry, KnownLists, LocalCatalog, Partition, Registration, tell};
use crate::cli::terminal::{print_data, print_json, say};
use crate::error::Result;
use crate::storage::Storage;
use clap::Args;
use serde_json::json;

/// Print the statements that create the same table in Athena
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog ddl weblogs.access --catalog glue > access.sql
  etl catalog ddl weblogs.access --lake s3://bucket/lake
  etl catalog ddl weblogs.access --json | jq -r '.statements[0]'

The first statement creates the table; the following ones register its partitions, a hundred each. Athena runs one statement at a \
time; each ends with a semicolon. For a lake's table, they create what a run would register.")]
pub(super) struct DdlArgs {
    /// The table or view, as DATABASE.TABLE
    #[arg(value_name = "DATABASE.TABLE")]
    table: TableName,

    #[command(flatten)]
    which: WhichArgs,
}

/// Writes them to standard output.
///
/// # Errors
/// [`crate::ErrorKind::Usage`] where there is no such table, or it is made otherwise; what the catalog says.
pub(super) fn run(args: &DdlArgs) -> Result<()> {
    let opened = args.which.open()?;
    let catalog = opened.catalog();
    let name = &args.table;
    let mut notes = Vec::new();
    let (entry, partitions) = match &opened {
        Opened::Local(storage) => of_lake(storage, name, &mut notes)?,
        Opened::Glue(glue) => {
            let entry = glue.table(&name.database, &name.table)?.ok_or_else(|| name.missing(catalog.as_ref()))?;
            let is_partitioned = !entry.partition_keys.is_empty() && !entry.is_projected();
            let partitions = if is_partitioned { glue.partitions(&name.database, &name.table)? } else { Vec::new() };
            (entry, partitions)
        }
    };
    let ddl = Ddl::of(&entry, &partitions)?;
    notes.extend(ddl.notes);
    if args.which.json {
        return print_json(&json!({"statements": ddl.statements, "notes": notes}));
    }
    notes.iter().for_each(|note| say(&format!("note: {note}")));
    let statements: Vec<String> = ddl.statements.iter().map(|statement| format!("{statement};")).collect();
    print_data(&statements.join("\n\n"))
}

/// What readers would be told of a table of the lake.
fn of_lake(storage: &Storage, name: &TableName, notes: &mut Vec<String>) -> Result<(Entry, Vec<Partition>)> {
    let catalog = LocalCatalog::new(storage.clone());
    let table = catalog.find(&catalog.snapshot()?, &name.database, &name.table)?;
    if table.registered().is_some() {
        let there = catalog.look(&name.database, &name.table)?;
        let entry = there.entry.ok_or_else(|| name.missing(&catalog))?;
        return Ok((entry, there.partitions));
    }
    let known = Registration::all(storage)?.into_iter().find(|one| one.database == name.database && one.table == name.table);
    let options = known.map(|known| known.options).unwrap_or_default();
    let told = tell(storage, &table, &name.database, &options, &KnownLists::default())?;
    if !told.lists.is_empty() {
        notes.push("rows are in several folders, which needs file lists that are written when the table is registered: `etl run` or `etl catalog sync`".to_string());
    }
    Ok((told.entry, told.partitions))
}
