//! `etl catalog repair`: brings back what was destroyed of a lake.

use super::pipeline::open_lake;
use super::terminal::{print_json, say};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{RepairAction, TableRepair, repair};
use crate::units::count;
use clap::Args;

/// Repair a lake whose catalog files were lost or edited
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl catalog repair --lake lake/ --dry-run
  etl catalog repair --lake lake/
  etl catalog repair --lake lake/ --checksums
  etl catalog repair --lake s3://bucket/lake --json

A lost or edited table description is restored. A table whose files are lost goes back to its last intact version; the next run \
reads later source files again, as far as they still exist. A lost catalog head is rebuilt from the newest intact version of each table \
that readers saw. Whatever is intact is left alone.

Exits with 3 if a table can't be restored, and with 8 if others publish meanwhile.")]
pub(super) struct RepairArgs {
    /// The lake: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LAKE", env = "ETL_LAKE")]
    lake: String,

    /// Read all files and verify their checksums; by default only sizes are compared
    #[arg(long)]
    checksums: bool,

    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,

    /// Print findings and repairs as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RepairArgs) -> Result<()> {
    let report = repair(&open_lake(&args.lake)?, args.checksums, args.dry_run)?;
    if args.json {
        print_json(&report)?;
    } else {
        let would = if args.dry_run { "would be" } else { "is" };
        if let Some(wrong) = &report.head {
            say(&format!("{wrong}: it {would} rebuilt"));
        }
        report.tables.iter().for_each(|table| say(&told(table, would)));
        if report.head.is_none() && report.tables.iter().all(|table| table.action == RepairAction::Whole) {
            say("nothing to repair");
        }
    }
    let lost: Vec<&str> =
        report.tables.iter().filter(|table| table.action == RepairAction::Lost).map(|table| table.table.as_str()).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let message = format!("{} can't be restored: no version of it is intact", lost.join(", "));
    Err(Error::new(ErrorKind::Input, message)
        .with_context("what to do", "restore the files from a backup, or rebuild all rows with `etl run PIPELINE --full`"))
}

fn told(table: &TableRepair, would: &str) -> String {
    let (name, version) = (&table.table, table.version);
    let rows = count(table.rows);
    let wrong = if table.wrong.is_empty() { String::new() } else { format!("; {}", table.wrong) };
    match table.action {
        RepairAction::Whole => format!("{name} is intact: version {version}, {rows} rows"),
        RepairAction::Restored => format!("{name} {would} restored: version {version}, {rows} rows; nothing is lost{wrong}"),
        RepairAction::Found => format!("{name} {would} recovered: version {version}, {rows} rows; nothing is lost{wrong}"),
        RepairAction::WentBack => {
            let lost = match table.lost_rows {
                Some(lost) => format!("{} fewer rows", count(lost)),
                None => "fewer rows".to_string(),
            };
            let runs = if table.lost_runs.is_empty() { String::new() } else { format!(", those of run {}", table.lost_runs.join(", ")) };
            format!("{name} {would} reset to version {version} of run {}, {rows} rows: {lost}{runs}{wrong}", table.run)
        }
        RepairAction::Lost => format!("{name} is lost, version {version} of run {}{wrong}", table.run),
    }
}
