//! `etl catalog`: the tables of a lake, and of Glue.

mod ddl;
mod diff;
mod drop;
mod in_glue;
mod in_lake;
mod name;
mod register;
mod rename;
mod shown;
mod sync;
mod which;

use super::repair;
use crate::error::Result;
use clap::{Args, Subcommand};
use name::TableName;
use std::process::ExitCode;
use which::{Opened, WhichArgs};

/// Show, compare and change tables in a lake's catalog or the Glue Data Catalog
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog list --lake lake/
  etl catalog list weblogs --catalog glue
  etl catalog show weblogs.access --lake lake/ --json | jq .storage.columns
  etl catalog ddl weblogs.access > access.sql
  etl catalog diff --lake s3://bucket/lake
  etl catalog sync --lake s3://bucket/lake
  etl catalog register s3://bucket/old/ --table weblogs.old
  etl catalog rename weblogs.access weblogs.requests --lake lake/
  etl catalog drop weblogs.old
  etl catalog repair --lake lake/ --dry-run

The catalog is the lake's if --lake or ETL_LAKE names a lake, and Glue's otherwise; --catalog overrides this.")]
pub(super) struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// List all tables, or those of a database
    #[command(after_help = "Examples:
  etl catalog list --lake lake/
  etl catalog list
  etl catalog list weblogs --catalog glue --json | jq '.[].storage.location'")]
    List {
        /// Only tables of this database
        #[arg(value_name = "DATABASE")]
        database: Option<String>,
        #[command(flatten)]
        which: WhichArgs,
    },
    /// Show one table: its columns, partitions and where its files are
    #[command(after_help = "Examples:
  etl catalog show weblogs.access --lake lake/ --files
  etl catalog show weblogs.access --catalog glue
  etl catalog show weblogs.access --json | jq '.partitions | length'")]
    Show {
        /// The table, as DATABASE.TABLE; of a lake in which only one database has it also as TABLE
        #[arg(value_name = "DATABASE.TABLE")]
        table: String,
        #[command(flatten)]
        which: WhichArgs,
        /// Also list all files (lake tables only)
        #[arg(long)]
        files: bool,
    },
    Ddl(ddl::DdlArgs),
    Diff(diff::DiffArgs),
    Register(register::RegisterArgs),
    Sync(sync::SyncArgs),
    Rename(rename::RenameArgs),
    Drop(drop::DropArgs),
    Repair(repair::RepairArgs),
}

pub(super) fn run(args: &CatalogArgs) -> Result<ExitCode> {
    match &args.command {
        CatalogCommand::List { database, which } => match which.open()? {
            Opened::Local(storage) => in_lake::list(&storage, database.as_deref(), which.json),
            Opened::Glue(glue) => in_glue::list(&glue, database.as_deref(), which.json),
        },
        CatalogCommand::Show { table, which, files } => match which.open()? {
            Opened::Local(storage) => in_lake::show(&storage, &TableName::of_lake(table, &storage)?, *files, which.json),
            Opened::Glue(glue) => in_glue::show(&glue, &table.parse()?, *files, which.json),
        },
        CatalogCommand::Ddl(args) => ddl::run(args),
        CatalogCommand::Diff(args) => return diff::run(args),
        CatalogCommand::Register(args) => register::run(args),
        CatalogCommand::Sync(args) => sync::run(args),
        CatalogCommand::Rename(args) => rename::run(args),
        CatalogCommand::Drop(args) => drop::run(args),
        CatalogCommand::Repair(args) => repair::run(args),
    }
    .map(|()| ExitCode::SUCCESS)
}
