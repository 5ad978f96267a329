//! `etl catalog rename`: a table of a lake gets another name.

use super::name::TableName;
use super::which::{Opened, WhichArgs};
use crate::catalog;
use crate::cli::asking::confirmed;
use crate::cli::terminal::{print_json, say};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{check_rename, rename};
use clap::Args;
use serde_json::json;

/// Rename a table of a lake; its files stay where they are
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog rename weblogs.access weblogs.requests --lake lake/
  etl catalog rename weblogs.access archive.access --lake s3://bucket/lake --yes

Asks for confirmation on a terminal. The table keeps its rows, history and version numbers; if it is registered in Glue, it is renamed \
there too. Also change `table: …` in the pipeline that writes it: its next run then continues with the existing rows.")]
pub(super) struct RenameArgs {
    /// The table, as DATABASE.TABLE
    #[arg(value_name = "DATABASE.TABLE")]
    from: TableName,

    /// Its new name, as DATABASE.TABLE
    #[arg(value_name = "NEW_DATABASE.TABLE")]
    to: TableName,

    #[command(flatten)]
    which: WhichArgs,

    /// Don't ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Renames the table.
///
/// # Errors
/// [`ErrorKind::Usage`] where there is none, there is one of the new name, or nobody is there to be asked; what the catalog says.
pub(super) fn run(args: &RenameArgs) -> Result<()> {
    let Opened::Local(storage) = args.which.open()? else {
        let message = format!("{} can't be renamed in Glue, which doesn't support it", args.from);
        return Err(Error::new(ErrorKind::Usage, message).with_context(
            "what to do",
            "rename it in its lake (--lake), which updates Glue; for a table of existing files, register it under the new name, then drop it",
        ));
    };
    let of = |name: &TableName| catalog::TableName { database: name.database.clone(), table: name.table.clone() };
    let (from, to) = (of(&args.from), of(args.to.checked()?));
    check_rename(&storage, &from, &to)?;
    let is_meant = args.yes || confirmed(&format!("rename {from} to {to} in {}", storage.location()))?;
    let mut notes = if is_meant { rename(&storage, &from, &to)? } else { Vec::new() };
    if is_meant && args.to.was_lowered {
        notes.insert(0, format!("names of tables are in lower case, so it is {to}"));
    }
    if args.which.json {
        return print_json(&json!({"renamed": is_meant, "from": from.to_string(), "to": to.to_string(), "notes": notes}));
    }
    match is_meant {
        true => say(&format!("renamed {from} to {to}")),
        false => say(&format!("{from} was not renamed")),
    }
    notes.iter().for_each(|note| say(&format!("note: {note}")));
    Ok(())
}
