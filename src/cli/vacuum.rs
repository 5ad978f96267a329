//! `etl vacuum`: makes room.

use super::asking::confirmed;
use super::pipeline::open_lake;
use super::terminal::{print_json, say};
use crate::error::Result;
use crate::pipeline::vacuum;
use crate::units::{ByteSize, count, counted};
use chrono::TimeDelta;
use clap::Args;
use std::collections::BTreeMap;
use std::io::IsTerminal;

/// Remove files of a lake that no reader uses any more
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl vacuum lake/ --dry-run
  etl vacuum lake/ --older-than 30d

Files of replaced runs stay for `etl rollback` and for queries that are still reading them, until vacuum removes those unused for \
this long, together with leftovers of killed runs. Reports of runs are kept, and files that no run wrote are never touched.

Vacuum can run at the same time as runs and rollbacks. Whatever those may refer to is kept; if one seems to be dead but continues \
later, it publishes nothing.")]
pub(super) struct VacuumArgs {
    /// The lake
    #[arg(value_name = "LAKE")]
    lake: String,

    /// Keep files that readers could still use within this time, such as 7d, 12h or 30m
    #[arg(long, value_name = "AGE", default_value = "7d", value_parser = age)]
    older_than: TimeDelta,

    /// Only show what would be removed
    #[arg(long)]
    dry_run: bool,

    /// Don't ask; on a terminal --older-than 0d asks, because no earlier version is kept
    #[arg(long)]
    yes: bool,

    /// Print what was removed as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &VacuumArgs) -> Result<()> {
    let asks = args.older_than.is_zero() && !args.dry_run && !args.yes && std::io::stdin().is_terminal();
    let what =
        format!("remove everything but the current versions from {}; nothing can be rolled back or queried as it was then", args.lake);
    if asks && !confirmed(&what)? {
        say("nothing was removed");
        return Ok(());
    }
    let report = vacuum(&open_lake(&args.lake)?, args.older_than, args.dry_run)?;
    if args.json {
        return print_json(&report);
    }
    let mut by_reason: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for one in &report.removed {
        let sum = by_reason.entry(one.why).or_default();
        *sum = (sum.0 + 1, sum.1 + one.bytes);
    }
    for (why, (objects, bytes)) in by_reason {
        say(&format!("{} of {why}, {}", files(objects), ByteSize(bytes)));
    }
    let verb = if report.dry_run { "would be removed" } else { "removed" };
    say(&format!("{}, {} {verb}", files(report.removed.len() as u64), ByteSize(report.bytes)));
    if report.dry_run && report.later.files > 0 {
        let days = |age: TimeDelta| {
            if age.num_hours() % 24 == 0 { counted(age.num_days() as u64, "day") } else { counted(age.num_hours() as u64, "hour") }
        };
        say(&format!(
            "{}, {} that are no longer used become removable within {}",
            files(report.later.files),
            ByteSize(report.later.bytes),
            days(args.older_than)
        ));
    }
    Ok(())
}

fn files(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "file" } else { "files" })
}

fn age(text: &str) -> std::result::Result<TimeDelta, String> {
    let wrong = || format!("`{text}` is not an age; examples: 7d, 12h, 30m");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let age = match unit {
        'd' => TimeDelta::try_days(number),
        'h' => TimeDelta::try_hours(number),
        'm' => TimeDelta::try_minutes(number),
        's' => TimeDelta::try_seconds(number),
        _ => None,
    };
    // A thousand years are as good as for ever.
    age.filter(|age| (0..=365_000).contains(&age.num_days()) && number >= 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(age("7d"), Ok(TimeDelta::days(7)));
        assert_eq!(age("0s"), Ok(TimeDelta::zero()));
        for wrong in ["", "7", "d", "-1d", "1w", "9999999999999d", "1é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
